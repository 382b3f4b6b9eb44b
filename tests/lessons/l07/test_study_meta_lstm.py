"""The study of the LSTM meta-learner at a tiny size, and what its stored rows say."""

import pytest
import torch
from tiny import patterns

from mlcourse.episode import EpisodeSampler, Splits
from mlcourse.lessons.l07_optimiser.study_meta_lstm import (ARMS, CANDIDATES, HEAD, STUDY, WHOLE, Budget,
                                                            FeatureSampler, Work, samplers)

TINY = Budget(head_steps=2, head_tasks=2, whole_steps=1, whole_tasks=1, query=2, width=4, episodes=3)


def work(choose=True):
    splits = Splits(*(patterns(i, classes=6, per_class=18, side=28) for i in range(3)))
    features = Splits(*(domain.images.flatten(1)[:, ::98].float() / 255 for domain in splits))
    return Work([4], [HEAD, WHOLE], choose, splits, features)


def test_every_arm_gives_its_row_and_none_twice():
    asked = work()
    found = list(STUDY.measure(asked, [], TINY))
    assert sorted(map(STUDY.key_of, found)) == sorted(STUDY.plan(asked, TINY))
    tested = [row for row in found if row["split"] == "test"]
    assert {(row["net"], row["arm"]) for row in tested} == set(CANDIDATES) == {
        (net, arm) for net in (HEAD, WHOLE) for arm in ARMS}
    assert {row["outer_steps"] for row in tested} == {0, 1, 2} and all(row["arm"] in STUDY.line(row) for row in found)
    assert list(STUDY.measure(asked, found, TINY)) == []
    assert "head on frozen features: MAML" in STUDY.report(asked, found)


def test_features_make_the_very_episodes_of_the_pictures():
    asked = work()
    draw = lambda sampler: sampler.sample(3, torch.Generator().manual_seed(0))
    pictures, made = draw(EpisodeSampler(asked.splits.test, 5, 1)), draw(samplers(asked, HEAD, "test", 2)[1])
    assert torch.equal(pictures.query_y, made.query_y) and torch.equal(pictures.classes, made.classes)
    torch.testing.assert_close(pictures.query_x.flatten(2)[..., ::98], made.query_x)


def test_the_training_episodes_of_all_arms_are_of_the_training_classes():
    asked = work()
    for net in (HEAD, WHOLE):
        source, judge = samplers(asked, net, "val", 2)
        assert source.domain is asked.splits.train and judge.domain is asked.splits.val
        assert (source.way, source.shot, source.query) == (5, 1, 2) and (judge.way, judge.shot) == (5, 1)
    assert isinstance(samplers(asked, HEAD, "test", 2)[0], FeatureSampler)


def test_an_unknown_network_is_refused():
    with pytest.raises(ValueError, match="there is no network 'body'; choose from head, whole"):
        STUDY.work(net=["body"])
    assert all(len({*tried}) == len(tried) for tried in CANDIDATES.values())
