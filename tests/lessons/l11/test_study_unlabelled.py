"""The study of lesson 11 at a tiny size: every arm gives its rows, none twice; what stored rows and page say."""

import pytest
import torch
from tiny import patterns

from mlcourse.episode.pools import UnevenPools
from mlcourse.evaluate import percent_right
from mlcourse.lessons.l11_unlabelled import study_unlabelled as study
from mlcourse.lessons.l11_unlabelled import study_unlabelled_arms as arms
from mlcourse.lessons.l11_unlabelled.study_unlabelled import CHOOSING, DISTRACTORS, STUDY, Budget
from mlcourse.lessons.l11_unlabelled.study_unlabelled_arms import (ARMS, BALANCES, GLYPHS, MASKED, PROTO, RATES,
                                                                   SOFT_AT_TEST, TOLD, Indices, Seed, of_class, told)
from mlcourse.nets import Conv4

TINY = Budget(episodes=3, share=1e-4, further=1, width=4)


@pytest.fixture
def small(monkeypatch):
    """A few classes of easy pictures in the place of both data sets."""
    found = tuple(patterns(i, classes, 20, 28) for i, classes in enumerate((64, 11, 12)))
    monkeypatch.setattr(study, "data", lambda name: found)
    return found


def test_every_arm_gives_its_rows_and_none_twice(small):
    work = STUDY.work([3])
    found = list(STUDY.measure(work, [], TINY))
    assert list(map(STUDY.key_of, found)) == STUDY.plan(work, TINY)
    assert len(found) == 2 * sum(len(arm.parts) for arm in ARMS.values())
    assert list(STUDY.measure(work, found, TINY)) == []
    one, = STUDY.measure(work, [row for row in found if row is not found[5]], TINY)
    assert {**one, "core_seconds": 0, "commit": ""} == {**found[5], "core_seconds": 0, "commit": ""}
    for row in found:
        assert all(0 <= value <= 100 for value in row["accuracy"]) and row["arm"] in STUDY.line(row)
        assert row["balance"] == list(BALANCES) and row["largest"][0] == 20
        assert row["command"] == f"mlcourse study unlabelled --part {row['part']} --seed 3"
        assert ("weight_distractors" in row) == (row["arm"] not in (PROTO, TOLD) and row["distractors"] > 0)


def test_rates_are_measured_on_validation_classes_before_the_seeds(small):
    keys = STUDY.plan(STUDY.work([0], choose=True, part=[GLYPHS]), TINY)
    assert [key[-1] == CHOOSING for key in keys] == sorted((key[-1] == CHOOSING for key in keys), reverse=True)
    assert all((key[-1] == CHOOSING) == (key[-2] == "val") for key in keys)
    row = next(STUDY.measure(STUDY.work([0], choose=True, part=[GLYPHS]), [], TINY))
    assert (row["split"], row["seed"], row["command"]) == ("val", CHOOSING,
                                                           "mlcourse study unlabelled --part glyphs --choose")


def test_what_cannot_be_asked_for():
    with pytest.raises(ValueError, match="there is no part 'digits'; the parts are glyphs, omniglot"):
        STUDY.work(part=["digits"])
    with pytest.raises(ValueError, match="seed 100 is the one that the rate is chosen with"):
        STUDY.work([100])


def test_support_and_queries_are_the_same_whatever_is_in_the_pool():
    domain = patterns(0, 12, 20, 28)
    draw = lambda count, a: Indices(domain, count, a).sample(20, torch.Generator().manual_seed(5))
    batches = [draw(count, a) for count in DISTRACTORS for a in (BALANCES["even"], BALANCES["0.5"])]
    for batch in batches[1:]:
        for field in ("support_x", "query_x", "query_y", "classes"):
            assert torch.equal(getattr(batch, field), getattr(batches[0], field))
    with_others = of_class(batches[2], domain)
    assert with_others.any(-1).sum(1).tolist() == [25] * 20 and with_others.shape[1] == 50
    assert of_class(batches[1], domain).any(-1).all()


def test_what_is_told_of_the_pool_is_true_and_leaves_the_distractors_out():
    domain = patterns(0, 12, 20, 28)
    places = Indices(domain, 5, BALANCES["0.5"]).sample(20, torch.Generator().manual_seed(5))
    known = told(places, domain)
    assert known.support_x.shape == (20, 5 + 25) and known.unlabeled_x.shape == (20, 0)
    assert torch.equal(places.classes.gather(1, known.support_y), domain.labels[known.support_x])
    assert torch.equal(known.query_x, places.query_x)


def test_features_are_judged_as_pictures_are(small):
    """A masked learner on pictures of the same episodes."""
    _, _, test = small
    seed = Seed(small[0], RATES[0], 0, 1, 2, 4)
    row = seed.judged(ARMS[MASKED], 5, test, 6, 3)
    _, made, _ = seed.learner(ARMS[MASKED], 5)
    batch = UnevenPools(test, arms.WAY, arms.SHOT, arms.QUERY, unlabeled=5, distractors=5,
                        concentration=1.0).sample(6, torch.Generator().manual_seed(3))
    with torch.no_grad():
        logits = made.predictions(batch)
    wanted = percent_right(logits.flatten(0, 1), batch.query_y.flatten())
    assert row["accuracy"][row["balance"].index("1")] == pytest.approx(wanted, abs=0.9)
    assert isinstance(made.net, Conv4)


def test_arms_at_test_alone_rest_on_the_network_of_the_control(small):
    seed = Seed(small[0], RATES[0], 0, 1, 2, 4)
    keys = [seed.learner(ARMS[name], count)[0] for name in (PROTO, SOFT_AT_TEST) for count in DISTRACTORS]
    assert len(set(keys)) == 1 and len(seed.trained) == 1
    before = seed.net.convs[0].weight.clone()
    seed.learner(ARMS[MASKED], 5)
    assert torch.equal(before, seed.net.convs[0].weight) and len(seed.trained) == 2
