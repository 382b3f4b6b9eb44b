"""The quiz marks what a machine computed, and not what you did."""

import torch
from marks import unmarked

from mlcourse.domains import Domain
from mlcourse.lessons.l00_start.widget_you_against_machine import YouAgainstMachine


def test_the_machines_of_a_quiz_are_marked_and_you_are_not():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 255, (8 * 20, 1, 28, 28), dtype=torch.uint8, generator=generator)
    names = tuple(f"c{i}" for i in range(8))
    labels = torch.arange(8).repeat_interleave(20)
    quiz = YouAgainstMachine(Domain("noise", images, labels, names, ("S",) * 8), key=None)
    for label in quiz.episode.query_y.tolist():
        quiz.answer(label)
    you, machine = quiz.record.scores
    assert f"with ≈{machine.correct}" in quiz.alt and f"nearest neighbour ≈{machine.correct};" in quiz.alt
    assert unmarked(quiz.alt, {10, 2, 95, round(100 * you.low), 100}) == []
