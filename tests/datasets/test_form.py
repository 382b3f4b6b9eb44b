"""Pictures of any side, grey or in colour: from every source, against averages taken by hand."""

from collections import Counter

import numpy as np
import pytest
import torch
from own_pictures import save
from PIL import Image, ImageCms

from mlcourse import datasets
from mlcourse.datasets import Form, array, folder
from mlcourse.datasets.form import resized
from mlcourse.datasets.pictures import area_weights, reduced
from mlcourse.domains import shift

SHADES = {"red": (220, 30, 20), "green": (20, 160, 60), "blue": (30, 60, 210)}


def colours(tmp_path, mode="RGB", size=(90, 60)):
    """A folder of one plain picture with a dark spot for each of three colours."""
    for place, (name, shade) in enumerate(SHADES.items()):
        for i in range(2):
            picture = Image.new("RGB", size, shade)
            picture.paste((10 + 20 * i, 10, 10), (30 + 9 * place, 20, 42 + 9 * place, 32))
            save(tmp_path / name / f"{i}.tif", as_mode(picture, mode), format="tiff")
    return tmp_path


def as_mode(picture, mode):
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        return ImageCms.applyTransform(picture, ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
    return picture.convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "CMYK", "LAB"])
def test_a_folder_in_colour_keeps_its_colours(tmp_path, mode):
    domain = folder.load(colours(tmp_path, mode), Form(84, colour=True))
    assert domain.images.shape == (6, 3, 84, 84)
    for name, shade in SHADES.items():
        mine = domain.images[domain.labels == domain.classes.index(name), :, 40, 80].float()
        assert (mine - torch.tensor(shade)).abs().max() < 12
    assert "inverted" not in domain.note and "6 padded to a square" in domain.note and "6 resized" in domain.note


def test_a_grey_file_in_colour_is_three_times_its_grey(tmp_path):
    for name in "ab":
        for i in range(2):
            save(tmp_path / name / f"{i}.png", Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20) * (150 + i)))
    domain = folder.load(tmp_path, Form(20, colour=True))
    assert torch.equal(domain.images[:, :1].expand(-1, 3, -1, -1), domain.images)
    assert domain.images.float().mean() > 60


def test_a_transparent_picture_lies_on_the_same_ground_in_colour():
    picture = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    picture.paste((200, 60, 60, 255), (5, 5, 15, 15))
    small = reduced(picture, Counter(), 20, colour=True)
    assert small.values[:, 10, 10].tolist() == [200, 60, 60] and small.values[:, 0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("side", [7, 20, 28])
@pytest.mark.parametrize("spec", ["glyphs", "digits@unframed", "glyphs-digits@unframed"])
def test_a_smaller_side_is_the_mean_of_the_area(spec, side):
    whole, small = datasets.load(spec), datasets.load(spec, form=Form(side))
    exact = np.zeros((side, side))
    fine = np.kron(whole.images[5, 0].numpy().astype(float), np.ones((side, side)))         # each pixel side × side
    exact = fine.reshape(side, 28, side, 28).mean((1, 3))
    assert np.abs(small.images[5, 0].numpy() - exact).max() <= 0.51
    assert torch.equal(small.digests, whole.digests), "known as the same pictures"


def test_a_larger_side_is_bicubic_as_pillows():
    whole = datasets.load("glyphs")
    large = datasets.load("glyphs", form=Form(84, colour=True))
    picture = Image.fromarray(whole.images[3, 0].numpy().astype(np.float32))
    theirs = np.asarray(picture.resize((84, 84), Image.Resampling.BICUBIC)).clip(0, 255).round()
    assert np.abs(large.images[3, 1].numpy().astype(int) - theirs).max() <= 1
    assert "enlarged bicubically to 84×84, the same grey in three channels" in large.note


def test_the_same_form_is_the_same_object():
    domain = datasets.load("digits")
    assert Form().of(domain) is domain and resized(domain.images, 28) is domain.images


@pytest.mark.parametrize("side, to", [(28, 5), (105, 84), (9, 9)])
def test_area_weights_share_out_every_pixel(side, to):
    weights = area_weights(side, to)
    assert np.allclose(weights.sum(1), 1, atol=1e-6) and np.allclose(weights.sum(0), to / side, atol=1e-6)


def test_arrays_in_colour(tmp_path):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (6, 12, 20, 3), dtype=np.uint8), np.repeat([0, 1, 2], 2)
    found = {}
    for name, given in (("last", images), ("first", images.transpose(0, 3, 1, 2)), ("floats", images / 255)):
        np.savez(tmp_path / f"{name}.npz", images=given, labels=labels)
        found[name] = array.load(tmp_path / f"{name}.npz", Form(20, colour=True)).images
    assert found["last"].shape == (6, 3, 20, 20)
    assert torch.equal(found["last"], found["first"]) and torch.equal(found["last"], found["floats"])
    assert torch.equal(found["last"][:, :, 4:16], torch.from_numpy(images).permute(0, 3, 1, 2))
    np.savez(tmp_path / "grey.npz", images=images[..., 0], labels=labels)
    grey = array.load(tmp_path / "grey.npz", Form(20, colour=True)).images
    assert torch.equal(grey[:, 0], grey[:, 2]) and torch.equal(grey[:, 0, 4:16], torch.from_numpy(images[..., 0]))


@pytest.mark.parametrize("kind", ["rotation", "noise", "texture", "inversion", "contrast"])
def test_a_shift_moves_the_channels_alike(kind):
    x = torch.randint(0, 256, (1100, 1, 12, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    colour = torch.cat([x, x.flip(3), x], 1)
    shifted = shift(colour, kind, 0.6, seed=3)
    for channel in range(3):
        alone = torch.cat([shift(part, kind, 0.6, seed=3) for part in (colour[:, channel:channel + 1],)])
        assert torch.equal(shifted[:, channel:channel + 1], alone)


@pytest.mark.parametrize("side", [0, -3, 513])
def test_a_side_that_is_none_is_refused(side):
    with pytest.raises(ValueError, match=f"side must lie between 1 and 512 pixels, got {side}"):
        datasets.load("digits", form=Form(side))
