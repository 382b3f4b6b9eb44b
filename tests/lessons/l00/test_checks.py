"""What the checks of lesson 00 advise is what they accept."""

import pytest

from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge


def read_by(way):
    """An answer to 00.1 with this function of an episode for its way."""
    def read_episode(episode):
        n = way(episode)
        return {"way": n, "shot": len(episode.support_x) // n, "query": len(episode.query_x) // n,
                "unlabeled": len(episode.unlabeled_x)}
    return read_episode


@pytest.mark.parametrize("way, name", [
    (lambda episode: int(episode.classes.max()) + 1, "class ids counted as classes"),
    (lambda episode: len(episode.classes), "the way read off the classes"),
])
def test_whoever_reads_the_classes_is_sent_to_the_labels_alone(way, name):
    said = judge(exercise("00.1"), read_by(way))
    assert said.misconception == name
    assert "a learner must not look" in said.message
    assert said.message.endswith("; count the different labels in support_y.")
    assert judge(exercise("00.1"), read_by(lambda episode: len(episode.support_y.unique()))).passed
