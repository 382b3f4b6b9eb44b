"""The study of lesson 08 at a tiny size: every arm gives its rows, none twice; what stored rows and page say."""

import pytest
import torch
import torch.nn.functional as F
from tiny import patterns

from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import scores
from mlcourse.learners import ProtoNet, RelationNet
from mlcourse.lessons.l08_compare import study_comparing as study
from mlcourse.lessons.l08_compare import study_comparing_arms as arms
from mlcourse.lessons.l08_compare import study_comparing_tables as tables
from mlcourse.lessons.l08_compare.study_comparing import CHOOSING, STUDY, Budget
from mlcourse.lessons.l08_compare.study_comparing_results import apart, values
from mlcourse.lessons.l08_compare.study_comparing_settings import (ANY, CANDIDATES, CONTRAST, GLYPHS, OMNIGLOT,
                                                                   PAIRS, PROTO, RELATION, WHY, chosen, name_of)
from mlcourse.nets import Conv4
from mlcourse.rows import read
from mlcourse.statistics import paired_difference
from mlcourse.system import paths

TINY = Budget(episodes=2, share=1e-4, width=4)


@pytest.fixture(scope="module")
def stored():
    """The rows that the repository holds."""
    return read("comparing")


@pytest.fixture
def small(monkeypatch):
    """A few classes of easy pictures in the place of both data sets."""
    found = tuple(patterns(i, classes, 20, 28) for i, classes in enumerate((64, 6, 7)))
    monkeypatch.setattr(study, "data", lambda name: found)
    return found


def test_every_arm_gives_its_rows_and_none_twice(small):
    work = STUDY.work([3])
    found = list(STUDY.measure(work, [], TINY))
    assert list(map(STUDY.key_of, found)) == STUDY.plan(work, TINY) and len(found) == 2 * len(CANDIDATES)
    assert list(STUDY.measure(work, found, TINY)) == []
    one, = STUDY.measure(work, [row for row in found if row is not found[7]], TINY)
    assert {**one, "core_seconds": 0, "commit": ""} == {**found[7], "core_seconds": 0, "commit": ""}
    for row in found:
        assert 0 <= row["accuracy"] <= 100 and row["arm"] in STUDY.line(row) and row["steps"] == 1
        assert row["command"] == f"mlcourse study comparing --part {row['part']} --seed 3"
        assert row["part"] == OMNIGLOT or row["pictures"] == arms.PICTURES


def test_candidates_are_measured_on_validation_classes_before_the_seeds(small):
    work = STUDY.work([0], choose=True, part=[GLYPHS])
    keys = STUDY.plan(work, TINY)
    assert [key[-1] == CHOOSING for key in keys] == sorted((key[-1] == CHOOSING for key in keys), reverse=True)
    assert all((key[-1] == CHOOSING) == (key[-2] == "val") for key in keys)
    row = next(STUDY.measure(work, [], TINY))
    assert (row["split"], row["seed"]) == ("val", CHOOSING)
    assert row["command"] == "mlcourse study comparing --part glyphs --choose"
    for part, arm in CANDIDATES:
        assert len({name_of(each) for each in CANDIDATES[part, arm]}) == len(CANDIDATES[part, arm])


def test_what_cannot_be_asked_for():
    with pytest.raises(ValueError, match="there is no part 'digits'; the parts are glyphs, why, omniglot"):
        STUDY.work(part=["digits"])
    with pytest.raises(ValueError, match="seed 100 is the one that settings are chosen with"):
        STUDY.work([100])


def test_features_are_judged_as_pictures_are():
    learner, domain = ProtoNet(Conv4(0, 4, norm="layer")).eval(), patterns(2, 7, 20, 28)
    z = arms.embedded(learner, domain)
    torch.testing.assert_close(z, learner.net(domain.images.float() / 255).detach())
    for shot in (1, 5):
        found = arms.judged(learner, domain, z, shot, 30, 3)
        expected = scores(learner, EpisodeSampler(domain, arms.WAY, shot, arms.QUERY), 30, seed=3)
        assert found["accuracy"] == pytest.approx(100 * float(expected.mean()), abs=0.2)
        assert found["unit"] == arms.judged(learner, domain, F.normalize(z), shot, 30, 3)["raw"]
    assert isinstance(learner.net, Conv4)


def test_relation_net_is_judged_on_the_mean_of_the_shots_too():
    """Against the class maps divided by hand."""

    class Mean(RelationNet):
        def adapt(self, episode, steps=None):
            state = super().adapt(episode, steps)
            return state._replace(maps=state.maps / 5)

    learner, domain = RelationNet(Conv4(0, 4, "early", "layer")).eval(), patterns(2, 7, 20, 28)
    mean = Mean(learner.net).eval()
    mean.load_state_dict(learner.state_dict())
    z = arms.embedded(learner, domain)
    found, expected = (arms.judged(each, domain, z, 5, 30, 3) for each in (learner, mean))
    assert found["averaged"] == pytest.approx(expected["accuracy"], abs=0.2) and "averaged" not in arms.judged(
        learner, domain, z, 1, 2, 3)


def test_pictures_drawn_regardless_of_class_keep_their_labels():
    domain = patterns(0, 8, 20, 28)
    batch = arms.AnyPictures(domain, 30).sample(2, torch.Generator().manual_seed(0))
    assert batch.support_x.shape == (2, 30, 1, 28, 28) and batch.query_x.shape[1] == 0 and batch.way == 8
    places = [int((domain.images.float() / 255 == x).flatten(1).all(1).nonzero()[0, 0]) for x in batch.support_x[1]]
    assert domain.labels[places].tolist() == batch.support_y[1].tolist()


def test_the_settings_are_those_that_did_best_on_validation_classes(stored):
    for (part, arm), candidates in CANDIDATES.items():
        found = {row["setting"]: row["accuracy"] for row in stored
                 if (row["part"], row["arm"], row["split"], row["shot"]) == (part, arm, "val", 1)}
        if len(candidates) > 1:
            assert found.keys() == {name_of(each) for each in candidates}
            assert found[name_of(chosen(part, arm))] > max(found.values()) - 0.2, arm       # one rate for all


@pytest.mark.parametrize("made", [tables.glyphs, tables.shots, tables.steps, tables.batches, tables.omniglot])
def test_the_page_has_the_tables_of_the_rows(stored, made):
    page = (paths.ROOT / "benchmarks" / "comparing.md").read_text(encoding="utf-8")
    assert made(stored) in page


def test_what_the_rows_say(stored):
    """What the page and the lesson end on, each a paired difference over five seeds."""
    assert {row["seed"] for row in stored if row["part"] in (GLYPHS, WHY) and row["split"] == "test"} == set(range(5))
    pairs = (GLYPHS, PAIRS)
    assert apart(stored, pairs, (GLYPHS, PROTO)).low > -0.5                     # episodes are not needed
    assert apart(stored, (WHY, ANY), pairs).high < -5                           # but classes in the batch are
    assert apart(stored, (GLYPHS, CONTRAST), pairs).high < -2
    assert STUDY.pictures(STUDY.work(), stored)[""].alt.startswith("Without episodes: NCA less ProtoNet")


def test_relation_net_leaves_chance_with_every_seed_and_its_sum_of_shots_fails_where_their_mean_does_not(stored):
    one, five, averaged = (values(stored, GLYPHS, RELATION, *which) for which in ((1,), (5,), (5, "averaged")))
    assert min(one.values()) > 60
    assert paired_difference(five, one).high < 0 < paired_difference(averaged, one).low
