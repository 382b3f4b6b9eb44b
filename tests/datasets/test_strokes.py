"""Pen strokes: redrawn they give back the skeleton, in order, and the shipped file is what the tracing makes."""

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from mlcourse.datasets.glyphs import stored as glyphs
from mlcourse.datasets import strokes


@pytest.fixture(scope="module")
def images():
    return glyphs.load().images[::331]


@pytest.fixture(scope="module")
def traced(images):
    return strokes.trace(images)


def picture(*rows):
    """A uint8 picture (1, 1, 28, 28) with these lines of text, from row 10, column 8."""
    out = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    for i, row in enumerate(rows):
        for j, ink in enumerate(row):
            out[0, 0, 10 + i, 8 + j] = 255 * (ink == "#")
    return out


def test_redrawn_strokes_lie_within_a_pixel_of_the_skeleton_and_cover_it(images, traced):
    lines = strokes.skeletons(images)
    drawn = strokes.draw(torch.from_numpy(traced))[:, 0].numpy() > 0.5
    for skeleton, again in zip(lines, drawn):
        coarse = skeleton.reshape(28, 2, 28, 2).any((1, 3))
        to_line = distance_transform_edt(~coarse)[again]
        to_path = distance_transform_edt(~again)[coarse]
        assert to_line.max() <= 1.5 and to_line.mean() < 0.4
        assert (to_path <= 1.5).mean() > 0.9 and to_path.max() <= 3.1


def test_shapes_ranges_and_pens(traced):
    assert traced.shape[1:] == (64, 3) and traced.dtype == np.float32
    assert np.abs(traced[..., :2]).max() <= 1
    assert set(np.unique(traced[..., 2])) == {0.0, 1.0} and (traced[:, 0, 2] == 0).all()


def test_points_of_a_stroke_are_evenly_spaced(traced):
    for path in traced[:10]:
        steps, pen = np.hypot(*np.diff(path[:, :2], axis=0).T), path[1:, 2] > 0
        starts = np.flatnonzero(path[:, 2] == 0)
        for a, b in zip(starts, [*starts[1:], 64]):
            inside = steps[a:b - 1][pen[a:b - 1]]
            assert inside.max() <= 1.6 * inside.mean() + 1e-6       # chords of a bent path are a little shorter


def test_a_bar_is_one_stroke_from_its_upper_left_end():
    for drawn in (picture("############"), picture(*["#"] * 12)):
        path = strokes.trace(drawn)[0]
        assert (path[:, 2] == 0).sum() == 1
        steps = np.diff(path[:, :2].sum(1))
        assert (steps > 0).all()


def test_two_bars_are_two_strokes_the_upper_one_first():
    path = strokes.trace(picture("############", "", "", "", "", "######"))[0]
    starts = np.flatnonzero(path[:, 2] == 0)
    assert len(starts) == 2 and path[0, 1] < path[starts[1], 1]
    assert starts[1] > 64 - starts[1]                               # the longer bar has more of the points


def test_a_ring_closes_and_a_dot_has_two_points_at_one_place():
    ring = picture("  ########  ", " #        # ", *["#          #"] * 6, " #        # ", "  ########  ")
    path = strokes.trace(ring)[0]
    assert (path[:, 2] == 0).sum() == 1
    assert np.hypot(*(path[0] - path[-1])[:2]) < 3 / 14
    dot = strokes.trace(picture("##", "##"))[0]
    assert np.ptp(dot[:, :2], axis=0).max() < 0.2


def test_straight_on_where_lines_cross():
    cross = picture(*["     #     "] * 5, "###########", *["     #     "] * 5)
    path = strokes.trace(cross)[0]
    first = path[:np.flatnonzero(path[:, 2] == 0)[1]]
    extent = np.ptp(first[:, :2], axis=0)
    assert extent.max() > 0.6 and extent.min() < 0.15


def test_an_empty_picture_is_told():
    with pytest.raises(ValueError, match="picture 1 has no line to follow"):
        strokes.trace(torch.cat([picture("######"), torch.zeros(1, 1, 28, 28, dtype=torch.uint8)]))


def test_too_many_strokes_lose_the_shortest():
    many = [np.array([[i, 0], [i, 10 - i % 9]]) for i in range(40)]
    path = strokes.resample(many)
    assert len(path) == 64 and (path[:, 2] == 0).sum() == 32


def test_packing_keeps_a_quarter_of_a_pixel_and_the_file_is_what_tracing_makes(images, traced):
    again = strokes.unpack(strokes.pack(traced))
    assert np.abs(again.numpy() - traced)[..., :2].max() <= 0.5 / 4 / 14 + 1e-6
    assert np.array_equal(again[..., 2].numpy(), traced[..., 2])
    shipped = strokes.load_strokes()
    assert shipped.shape == (len(glyphs.load().images), 64, 3)
    torch.testing.assert_close(shipped[::331], again, rtol=0, atol=1e-6)


def test_the_file_is_small_and_a_damaged_or_missing_one_is_told(tmp_path):
    path = glyphs.DATA / strokes.FILE
    assert path.stat().st_size < 1_000_000
    with pytest.raises(FileNotFoundError, match="make it again with `mlcourse data build strokes --folder .*data'?`"):
        strokes.load_strokes(tmp_path)
    (tmp_path / strokes.FILE).write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match="is damaged"):
        strokes.load_strokes(tmp_path)
