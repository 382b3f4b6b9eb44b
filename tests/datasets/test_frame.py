"""One frame for all digits: the box, the centre, what stays, and the name of what is left as it comes."""

import numpy as np
import pytest
import torch

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.datasets.frame import framed

FRAMED = ["digits", "glyphs-digits/STIX Bold"]


def box_and_centre(pictures):
    """The longer edge of each picture's ink, and its centre of mass (row, column)."""
    ink = pictures.numpy().astype(float)
    edges = [np.ptp(np.flatnonzero((picture > 0).any(1))) + 1 for picture in ink]
    widths = [np.ptp(np.flatnonzero((picture > 0).any(0))) + 1 for picture in ink]
    place, total = np.arange(ink.shape[-1]), ink.sum((1, 2))
    return np.maximum(edges, widths), np.stack([ink.sum(2) @ place / total, ink.sum(1) @ place / total], 1)


@pytest.mark.parametrize("spec", FRAMED)
@pytest.mark.parametrize("side, box", [(28, 20), (16, 11)])
def test_the_ink_fills_the_box_and_its_mass_is_in_the_middle(spec, side, box):
    pictures = datasets.load(spec, form=Form(side)).images[::7, 0]
    edges, centres = box_and_centre(pictures)
    assert edges.max() == box and edges.min() >= box - 1
    assert np.abs(centres - side / 2).max() <= 0.5 + 0.02       # whole pixels; the ink is rounded to bytes


def test_mnist_stands_in_the_same_frame_as_it_comes():
    try:
        mnist = datasets.load("mnist")
    except datasets.DataError as absent:
        pytest.skip(str(absent))
    edges, centres = box_and_centre(mnist.images[:1000, 0])
    assert edges.max() == 20 and edges.min() >= 19 and np.abs(centres - 14).max() <= 0.52
    as_it_comes = datasets.load("mnist@unframed")
    assert as_it_comes.name == "mnist@unframed" and torch.equal(as_it_comes.images, mnist.images)


def test_a_framed_picture_stays_where_it_is():
    picture = np.zeros((28, 28), np.float32)
    picture[4:24, 9:20] = np.arange(220).reshape(20, 11) + 30           # heavier below and on the right
    once = framed(picture)
    assert np.array_equal(framed(once), once)
    assert np.array_equal(np.sort(once.ravel()), np.sort(picture.ravel())), "moved, not changed"


def test_proportions_stay_and_a_blank_stays_blank():
    bar = np.zeros((10, 40), np.float32)
    bar[4:6, 5:35] = 255                                                # 2 × 30 pixels
    ink = framed(bar) > 127
    assert (ink.any(1).sum(), ink.any(0).sum()) == (1, 20)
    assert not framed(np.zeros((8, 8), np.float32)).any()


def test_ink_far_to_one_side_stays_in_the_picture():
    comma = np.zeros((20, 20), np.float32)
    comma[0, 0], comma[18:20, 16:20] = 1, 255
    out = framed(comma)
    assert out.sum() == comma.sum() and out[0].any() and out[18:20].any()


@pytest.mark.parametrize("spec", FRAMED)
def test_unframed_digits_have_a_name_and_are_the_same_pictures(spec):
    framed_, as_it_comes = datasets.load(spec), datasets.load(spec + "@unframed")
    assert as_it_comes.name == spec + "@unframed" and framed_.name == spec
    assert torch.equal(framed_.digests, as_it_comes.digests) and torch.equal(framed_.labels, as_it_comes.labels)
    assert not torch.equal(framed_.images, as_it_comes.images) and "in a box of" not in as_it_comes.note
    asked = datasets.load(spec, form=Form(framed=False))
    assert asked.name == as_it_comes.name and torch.equal(asked.images, as_it_comes.images)


def test_a_shift_comes_after_the_frame():
    spec = "digits@unframed@rotation=0.5"
    assert datasets.load(spec).name == spec and datasets.parse(spec).unplaced == spec
    assert datasets.parse(spec).name == "digits" and datasets.parse("folder:a@unframed").path == "a@unframed"


@pytest.mark.parametrize("spec", ["glyphs@unframed", "omniglot@unframed"])
def test_what_has_no_frame_refuses_to_be_unframed(spec):
    with pytest.raises(ValueError, match="comes as it is in any case; leave @unframed out, which only glyphs-digits, digits"):
        datasets.load(spec)
