"""The study of lesson 04 at a tiny size: every arm gives its rows, none twice, and what moves is what may move."""

import pytest
import torch

from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import scores
from mlcourse.learners import MAML
from mlcourse.lessons.l04_first_order import arms, study_first_order as study
from mlcourse.nets import Conv4
from mlcourse.rows import read
from tiny import patterns

TINY = study.Budget(steps=2, pretraining=2, tasks=2, query=2, width=4, episodes=3, curves=2, rounds=1)
SAMPLER = EpisodeSampler(patterns(classes=8), 5, 1, 3)


@pytest.mark.parametrize("part", [study.SINUSOIDS, study.GLYPHS])
def test_every_arm_gives_its_rows_and_none_twice(part):
    work = study.STUDY.work([0], part=[part])
    found = list(study.STUDY.measure(work, [], TINY))
    assert {row["arm"] for row in found} == set(study.CHOSEN[part])
    assert sorted(map(study.STUDY.key_of, found)) == sorted(study.plan(work, TINY))
    assert list(study.STUDY.measure(work, found, TINY)) == []
    assert all(study.line(row).startswith(part) for row in found)
    for row in found:
        if "moved" in row:
            assert set(row["moved"]) == {"conv 1", "conv 2", "conv 3", "conv 4", "head"}


def test_candidates_are_measured_on_validation_data_alone():
    asked = study.STUDY.work([], choose=True)
    keys = [key for key in study.plan(asked, TINY) if key[-1] == study.CHOOSING]
    assert keys and all(key[-2] == "val" for key in keys)
    for part, chosen in study.CHOSEN.items():
        for arm, (setting, steps) in chosen.items():
            assert setting in study.CANDIDATES[part][arm] and steps in study.AT_TEST[part]


def test_an_unknown_part_is_refused():
    with pytest.raises(ValueError, match="there is no part 'images'; the parts are sinusoids, glyphs, cost"):
        study.STUDY.work([0], part=["images"])


def trained_like():
    return MAML(arms.network(0, 4), lr=0.5, steps=2)


def test_what_may_move_at_test_moves_and_nothing_else():
    learner, batch = trained_like(), SAMPLER.sample(4, torch.Generator().manual_seed(0))
    body = {"conv 1", "conv 2", "conv 3", "conv 4"}
    for what, layers in ((arms.OWN, body | {"head"}), (arms.HEAD_ONLY, {"head"}), (arms.BODY_ONLY, body)):
        share = arms.moved(arms.moving(learner, what), batch, 2)
        assert {layer for layer, value in share.items() if value > 0} == layers
    assert set(arms.moved(arms.BOIL(learner.net, 0.5), batch, 1)) == body | {"head"}


def test_how_far_a_layer_moved_against_a_loop():
    learner, batch = trained_like(), SAMPLER.sample(3, torch.Generator().manual_seed(0))
    found, theta = arms.moved(learner, batch, 2), dict(learner.net.named_parameters())
    mine = [name for name in theta if name.startswith(("convs.1.", "norms.1."))]
    size = torch.cat([theta[name].flatten() for name in mine]).norm()
    loop = []
    for i in range(3):
        phi = learner.adapt(batch.task(i), 2).params
        loop.append(float((torch.cat([(phi[name] - theta[name]).flatten() for name in mine]).norm() / size).detach()))
    assert found["conv 2"] == pytest.approx(sum(loop) / 3, rel=1e-4)


def test_without_head_and_steps_the_nearest_features_by_cosine_decide():
    learner = trained_like()
    nil, episode = arms.moving(learner, arms.NOTHING), SAMPLER.sample(1, torch.Generator().manual_seed(1)).task(0)
    z, q = (learner.net.features(x) for x in (episode.support_x, episode.query_x))
    nearest = episode.support_y[torch.cosine_similarity(q[:, None], z[None], dim=-1).argmax(1)]
    assert torch.equal(nil.predict(nil.adapt(episode), episode.query_x).argmax(1), nearest)
    assert isinstance(nil.net, Conv4) and len(scores(nil, SAMPLER, 4)) == 4


def test_the_stored_settings_are_those_that_the_stored_validation_rows_choose():
    stored = [row for row in read("first_order") if row["split"] == "val"]
    for part, better in ((study.SINUSOIDS, lambda row: row["mse"]), (study.GLYPHS, lambda row: -row["accuracy"])):
        for arm, several in study.CANDIDATES[part].items():
            mine = [row for row in stored if row["part"] == part and row["arm"] == arm]
            assert {row["setting"] for row in mine} == {study.name_of(each) for each in several}
            if arm in study.CHOSEN[part]:
                best, (setting, steps) = min(mine, key=better), study.CHOSEN[part][arm]
                assert (best["setting"], best["steps"]) == (study.name_of(setting), steps), arm


def test_the_stored_rows_have_every_arm_with_the_same_five_seeds():
    stored = read("first_order")
    wanted = study.plan(study.STUDY.work(range(5)), study.STUDY.budget)
    assert set(wanted) <= {study.STUDY.key_of(row) for row in stored}
