"""The episode inspector: what it draws is an episode, and what it says of it is what prototypes say."""

import pytest
import torch
from marks import check_marked

from mlcourse.lessons.l06_images import inspector
from mlcourse.lessons.l06_images.inspector import NEW, QUERY, SPLITS, TRAINING, WAY
from mlcourse.lessons.l06_images.network import protonet
from mlcourse.lessons.l06_images.widget_inspector import EpisodeInspector
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


@pytest.mark.parametrize("split", SPLITS)
def test_labels_dealt_anew_name_the_same_pictures(split):
    first, other = (inspector.draw(3, 2, split, labelling) for labelling in (0, 4))
    assert torch.equal(first.episode.support_x, other.episode.support_x)
    assert torch.equal(first.episode.query_x, other.episode.query_x)
    assert not torch.equal(first.episode.query_y, other.episode.query_y)
    for drawn in (first, other):
        named = {int(y): drawn.names[int(y)] for y in drawn.episode.query_y}
        assert len(set(named.values())) == WAY
    spoken = [[drawn.names[int(y)] for y in drawn.episode.query_y] for drawn in (first, other)]
    assert spoken[0] == spoken[1]
    assert [int(c) for c in first.episode.classes[first.episode.query_y]] == [
        int(c) for c in other.episode.classes[other.episode.query_y]]


def test_another_shot_keeps_the_queries_and_the_support_so_far():
    few, more = (inspector.draw(3, shot, NEW, 0).episode for shot in (1, 5))
    assert torch.equal(few.query_x, more.query_x) and torch.equal(few.query_y, more.query_y)
    assert few.support_y.tolist() == list(range(WAY)) and more.support_y.bincount().tolist() == [5] * WAY
    kept = torch.cat([more.support_x[more.support_y == c][:1] for c in range(WAY)])
    assert torch.equal(few.support_x, kept)


def test_new_scripts_are_none_of_the_training_scripts():
    splits = inspector.splits()
    assert not set(splits.train.groups) & set(splits.test.groups)
    assert inspector.draw(1, 1, NEW, 0).names != inspector.draw(1, 1, TRAINING, 0).names


@torch.no_grad()
def test_the_answers_are_those_of_the_nearest_means():
    episode = inspector.draw(5, 3, NEW, 1).episode
    said = inspector.answers(episode)
    for name, embed in (("pixels", lambda x: x.flatten(1)), ("network", protonet().net.features)):
        z, asked = embed(episode.support_x), embed(episode.query_x)
        means = torch.stack([z[episode.support_y == n].mean(0) for n in range(WAY)])
        nearest = [min(range(WAY), key=lambda n, q=q: float((q - means[n]).square().sum())) for q in asked]
        assert said[name].tolist() == nearest


def test_the_record_counts_what_is_right():
    explorer = EpisodeInspector(episode=2, shot=2)
    record = explorer.record
    assert record.queries.shape == (WAY * QUERY, 28, 28) and [len(each) for each in record.support] == [2] * WAY
    right = sum(int(a == b) for a, b in zip(record.said["pixels"], record.truth, strict=True))
    assert record.right("pixels") == right and f"bare pixels ≈{right}" in explorer.headline(record)


def test_every_control_can_be_swept_and_moves_the_picture():
    explorer, pictures = EpisodeInspector(), {}
    for name, _, _ in sweep(explorer):
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert set(pictures) == set(explorer.controls) and all(len(seen) > 1 for seen in pictures.values())


def test_what_was_computed_is_marked():
    check_marked(EpisodeInspector, {0.0, 1.0, 2.0, 3.0, 4.0, 15.0})
