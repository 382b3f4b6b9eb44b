"""The puzzle of lesson 14: who tells real pictures from made ones, and how many are told right."""

import torch

from mlcourse.lessons.l14_daml.puzzle import twelve


def game(seed=0):
    real = torch.full((20, 1, 16, 16), 255, dtype=torch.uint8)
    return twelve(real, torch.zeros(20, 1, 16, 16), seed)


def test_six_of_twelve_are_real_and_the_places_say_which():
    for seed in range(3):
        found = game(seed)
        assert found.pictures.shape == (12, 1, 16, 16) and len(found.real) == 6
        assert {i + 1 for i, x in enumerate(found.pictures) if float(x.mean()) == 1} == found.real
    assert game(0).real != game(1).real


def test_an_answer_is_right_where_it_says_real_of_real_and_nothing_of_made_ones():
    found = game()
    assert found.right(sorted(found.real)) == 12
    assert found.right(set(range(1, 13)) - found.real) == 0
    one_wrong = sorted(found.real)[1:] + [min(set(range(1, 13)) - found.real)]
    assert found.right(one_wrong) == 10 and found.right([]) == 6
    assert game().show("Which?").png.startswith(b"\x89PNG")
