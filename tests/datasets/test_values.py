"""The range of the values comes from the content of the whole data set, and is said."""

import numpy as np
import pytest
from own_pictures import mark, save
from PIL import Image, ImageCms

from mlcourse.datasets import load
from mlcourse.datasets.pictures import to_ink
from mlcourse.datasets.values import value_range

KINDS = {           # values from the ground (0) to the ink (1) of `mark`, the suffix, and the range that is said
    "12 bits in 16": ((3700, 200, np.uint16), "png", "integer values of more than 8 bits in 4 images lie in 200 to 3,700: "
                      "0 is black, 4,095 is white"),
    "12 bits, bright ink": ((200, 3700, np.uint16), "tif", "0 is black, 4,095 is white"),
    "16 bits": ((60000, 5000, np.uint16), "png", "0 is black, 65,535 is white"),
    "8 bits in 16": ((250, 20, np.uint16), "png", "0 is black, 255 is white"),
    "16 bits around 32,768": ((32768, 33768, np.uint16), "png", "32,768 is black, 33,768 is white"),
    "32 bits": ((100_000, 10_000, np.int32), "tif", "10,000 is black, 100,000 is white"),
    "below zero": ((-1000, 2000, np.int32), "tif", "-1,000 is black, 2,000 is white"),
    "0 to 1": ((0.9, 0.1, np.float32), "tif", "floating-point values in 4 images lie in 0.1 to 0.9: 0 is black, 1 is "
               "white"),
    "portable float map": ((0.9, 0.1, np.float32), "pfm", "0 is black, 1 is white"),
    "-1 to 1": ((0.9, -0.9, np.float32), "tif", "-1 is black, 1 is white"),
    "standardised": ((2.6, -2.2, np.float32), "tif", "-2.2 is black, 2.6 is white"),
    "floats to 255": ((250, 10, np.float32), "tif", "0 is black, 255 is white"),
    "a little beyond 0 to 1": ((1.0, -0.05, np.float32), "tif", "-0.05 is black, 1 is white"),
    "0 to 16 in bytes": ((0, 16, np.uint8), "png", "8-bit values in 4 images lie in 0 to 16: 0 is black, 16 is white"),
    "0 and 1 in bytes": ((1, 0, np.uint8), "png", "0 is black, 1 is white"),
}


def coded(ground, ink, dtype):
    """`mark` in these values."""
    return (ground + (ink - ground) * mark()).astype(dtype)


@pytest.mark.parametrize("name", KINDS)
def test_pictures_of_every_range_become_the_same_ink(tmp_path, name):
    values, suffix, said = KINDS[name]
    for i in range(4):
        save(tmp_path / "ab"[i % 2] / f"{i}.{suffix}", Image.fromarray(coded(*values)))
    domain = load(f"folder:{tmp_path}")
    ink = domain.images[0, 0].numpy().astype(float)
    assert np.corrcoef(ink.ravel(), to_ink(Image.fromarray(coded(0, 255, np.uint8))).ravel())[0, 1] > 0.99
    assert ink.max() > 180 > 60 > np.median(ink) and said in domain.note
    assert ("inverted" in domain.note) == (values[0] > values[1])


def test_the_range_is_that_of_all_pictures_so_that_they_stay_comparable(tmp_path):
    for i, ink in enumerate((4000, 2000, 1000, 500)):
        save(tmp_path / "ab"[i % 2] / f"{i}.png", Image.fromarray(coded(0, ink, np.uint16)))
    peaks = load(f"folder:{tmp_path}").images.flatten(1).amax(1)
    assert peaks.tolist() == pytest.approx([float(peaks[0]) / part for part in (1, 4, 2, 8)], abs=1)   # a: 0, 2; b: 1, 3


def test_bytes_wide_integers_and_floats_have_each_their_range(tmp_path):
    for i, values in enumerate([(230, 20, np.uint8), (3700, 200, np.uint16), (0.9, 0.1, np.float32)]):
        for name, turned in (("a", 0), ("b", 1)):
            save(tmp_path / name / f"{i}.tif", Image.fromarray(np.rot90(coded(*values), turned)))
    domain = load(f"folder:{tmp_path}")
    assert (domain.images.flatten(1).amax(1) > 180).all()
    assert [line.split(" lie ")[0] for line in domain.note.split("\n")[1:]] == [
        "floating-point values in 2 images", "integer values of more than 8 bits in 2 images"]


@pytest.mark.parametrize(("low", "high", "dtype", "span"), [
    (0, 255, np.uint8, (0, 255)), (10, 60, np.uint8, (0, 255)), (7, 7, np.uint8, (0, 255)), (0, 31, np.uint8, (0, 31)),
    (0, 1, np.bool_, (0, 1)), (0, 1, np.float64, (0, 1)), (0, 0.2, np.float64, (0, 1)),
    (0, 0.01, np.float64, (0, 0.01)), (0, 16, np.float64, (0, 16)), (0, 100, np.int64, (0, 100)),
    (0, 1023, np.int32, (0, 1023)), (0, 1024, np.int32, (0, 2047)),
    (-128, 127, np.int8, (-128, 127)), (-0.2, 1, np.float32, (-0.2, 1)), (5, 5, np.int32, (0, 255)),
    (70_000, 70_000, np.int32, (70_000, 70_001))])
def test_the_range_of_values(low, high, dtype, span):
    assert value_range(low, high, np.dtype(dtype)) == span


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_with_their_file(tmp_path, value):
    values = coded(0.9, 0.1, np.float32)
    save(tmp_path / "b" / "fine.tif", Image.fromarray(values))
    values[3, 3] = value
    save(tmp_path / "a" / "gap.tif", Image.fromarray(values))
    with pytest.raises(ValueError, match="gap.tif cannot be converted .it holds values that are not finite"):
        load(f"folder:{tmp_path}")


@pytest.mark.parametrize("mode", Image.MODES)
def test_every_mode_gives_the_same_ink(mode):
    grey = Image.fromarray(coded(255, 0, np.uint8))
    if mode.startswith(("I", "F")):
        image = Image.fromarray(coded(65535, 0, np.uint16 if mode.startswith("I;") else np.int32)).convert(
            mode if mode != "I;16N" else "I;16")
    elif mode == "LAB":
        image = ImageCms.profileToProfile(grey.convert("RGB"), ImageCms.createProfile("sRGB"),
                                          ImageCms.createProfile("LAB"), outputMode="LAB")
    else:
        between = {"La": "LA", "PA": "P", "RGBa": "RGBA", "HSV": "RGB"}.get(mode, "RGB")
        image = grey.convert(between).convert(mode)
    assert image.mode == mode.replace("16N", "16")
    assert np.abs(to_ink(image).astype(int) - to_ink(grey)).max() <= 1


# ---- arrays

BYTES = np.random.default_rng(0).integers(0, 256, (6, 28, 28))
BYTES[:, [0, -1]] = BYTES[:, :, [0, -1]] = 0
BYTES[0, 5, 5] = 255


@pytest.mark.parametrize(("images", "said"), [
    (BYTES.astype(np.uint16), "the uint16 values lie in 0 to 255: 0 is black, 255 is white"),
    (BYTES.astype(np.int32), "0 is black, 255 is white"), (BYTES, "the int64 values"), (BYTES * 257, "65,535 is white"),
    (BYTES * 16, "the int64 values lie in 0 to 4,080: 0 is black, 4,095 is white"),
    (BYTES / 255, "the float64 values lie in 0 to 1: 0 is black, 1 is white"),
    ((BYTES / 255).astype(np.float16), "the float16 values"), (BYTES.astype(float), "0 is black, 255 is white"),
    (BYTES / 127.5 - 1, "-1 is black, 1 is white"), ((BYTES - 128).astype(np.int8), "-128 is black, 127 is white"),
    ((BYTES - 60) / 70, "-0.8571 is black, 2.786 is white"), (BYTES.astype(np.uint64) * 2 ** 40, "is white"),
    (1 - BYTES / 255, "all inverted because their border is bright\nthe float64 values lie in 0 to 1"),
    (np.stack([BYTES] * 3, 3) * 16, "4,095 is white")])
def test_arrays_of_every_dtype_and_range_give_the_same_images(tmp_path, images, said):
    np.savez(tmp_path / "own.npz", images=images, labels=[0, 1, 2] * 2)
    domain = load(f"array:{tmp_path / 'own.npz'}")
    assert np.abs(domain.images[:, 0].numpy().astype(int) - BYTES).max() <= 1 and said in domain.note


def test_arrays_of_true_and_false(tmp_path):
    np.savez(tmp_path / "own.npz", images=BYTES > 127, labels=[0, 1, 2] * 2)
    domain = load(f"array:{tmp_path / 'own.npz'}")
    assert np.array_equal(domain.images[:, 0].numpy(), 255 * (BYTES > 127))
    assert "the bool values lie in 0 to 1: 0 is black, 1 is white" in domain.note
