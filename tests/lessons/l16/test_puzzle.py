"""The opening puzzle: eight characters, whose partners are other drawings of the same."""

import torch

from mlcourse.datasets import load_splits
from mlcourse.lessons.l16_contrast.puzzle import puzzle
from mlcourse.lessons.l16_contrast.study_contrast import chalk


def test_the_partner_in_chalk_is_another_drawing_of_the_same_character():
    test = load_splits("glyphs").test
    game = puzzle(test)
    assert sorted(game.truth) == list(range(1, 9))
    images, rendered = test.images.float() / 255, chalk(test.images).float() / 255
    row = lambda picture, among: int(torch.where((among == picture).flatten(1).all(1))[0])
    for picture, place in zip(game.paper, game.truth):
        one, other = row(picture, images), row(game.cloth[place - 1], rendered)
        assert test.labels[one] == test.labels[other] and one != other
    assert game.right(game.truth) == 8 and game.right([0] * 8) == 0
