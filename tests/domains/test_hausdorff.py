"""The modified Hausdorff distance: closed forms, and a plain double loop as its oracle."""

import numpy as np
import pytest

from mlcourse.domains.hausdorff import ink_points, modified_hausdorff


def distance(a, b):
    return modified_hausdorff([np.array(a, dtype=float)], [np.array(b, dtype=float)])[0, 0]


def test_closed_forms():
    assert distance([(0, 0)], [(3, 4)]) == 5
    assert distance([(0, 0), (1, 0)], [(0, 0), (1, 0)]) == 0
    # from A every point is 1 away; from B the far point adds 10, so the mean is (1 + 1 + 10) / 3, not the maximum 10
    assert distance([(0, 0), (1, 0)], [(0, 1), (1, 1), (11, 0)]) == pytest.approx(4)
    # one stray point of n moves the mean by its distance over n
    line = [(i, 0) for i in range(10)]
    assert distance(line, [*line, (9, 22)]) == pytest.approx(22 / 11)


def test_it_is_symmetric_and_equals_a_double_loop():
    rng = np.random.default_rng(0)
    first, second = ([rng.normal(size=(n, 2)) for n in sizes] for sizes in ((3, 7), (5, 1, 4)))
    nearest = lambda a, b: np.mean([min(np.sqrt(((p - q) ** 2).sum()) for q in b) for p in a])
    wanted = [[max(nearest(a, b), nearest(b, a)) for b in second] for a in first]
    assert np.allclose(modified_hausdorff(first, second), wanted)
    assert np.allclose(modified_hausdorff(second, first).T, wanted)


def test_ink_is_centred_so_that_a_shift_of_the_drawing_changes_nothing():
    drawing = np.zeros((9, 9), dtype=bool)
    drawing[1:4, 2] = drawing[3, 2:6] = True
    points = ink_points(drawing)
    assert points.shape == (6, 2) and np.allclose(points.mean(0), 0)
    assert distance(points, ink_points(np.roll(drawing, (3, 2), (0, 1)))) == pytest.approx(0)
    with pytest.raises(ValueError, match="the drawing has no ink"):
        ink_points(np.zeros((9, 9), dtype=bool))
