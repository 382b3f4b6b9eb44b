"""Pictures of one's own: a folder of class-labelled images, and an .npz file."""

import io

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from PIL import ExifTags, Image

from mlcourse.datasets import load, load_splits
from mlcourse.datasets.pictures import decode, reduce_area, to_ink

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def mark(height=120, width=120) -> np.ndarray:
    """Booleans, True in an L of ink that no turn or mirror image of itself equals."""
    ink = np.zeros((height, width), dtype=bool)
    top, left, h, w = height // 4, width // 4, height // 2, width // 2
    ink[top:top + h, left:left + w // 4] = True
    ink[top + h - h // 6:top + h, left:left + w] = True
    return ink


def grey(ink=30, ground=220, **shape) -> Image.Image:
    return Image.fromarray(np.where(mark(**shape), ink, ground).astype(np.uint8))


def rgba(ink: int) -> Image.Image:
    alpha = mark().astype(np.uint8) * 255
    return Image.fromarray(np.dstack([np.full_like(alpha, ink)] * 3 + [alpha]))


def turned_on_its_side():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # shown correctly when turned 90 degrees clockwise
    return grey().rotate(90, expand=True), {"exif": exif, "quality": 95}


SAVED = {
    "grey.png": grey(), "bright_on_dark.png": grey(220, 30), "colour.jpg": grey().convert("RGB"),
    "one_bit.png": grey(0, 255).convert("1"), "palette.png": grey().convert("RGB").quantize(8), "animation.gif": grey(),
    "cmyk.jpg": grey().convert("CMYK"), "black_on_clear.png": rgba(0), "white_on_clear.png": rgba(255),
    "grey_alpha.png": grey().convert("LA"), "small.bmp": grey(0, 255, height=12, width=12), "web.webp": grey(),
    "sixteen_bits.png": Image.fromarray(np.where(mark(), 5000, 60000).astype(np.uint16)),
    "floats.tif": Image.fromarray(np.where(mark(), 0.1, 0.9).astype(np.float32)),
    "large.jpg": grey().resize((1500, 1500)).convert("RGB"), "sideways.jpg": turned_on_its_side(),
    "CAPITALS.PNG": grey(),
}


def save(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)


@pytest.mark.parametrize("name", SAVED)
def test_every_kind_of_picture_becomes_the_same_ink(tmp_path, name):
    image, options = SAVED[name] if isinstance(SAVED[name], tuple) else (SAVED[name], {})
    save(tmp_path / name, image, **options)
    result = to_ink(decode((tmp_path / name).read_bytes(), name)[0]).astype(float)
    assert result.shape == (28, 28)
    expected = reduce_area(mark().astype(np.uint8) * 255).astype(float)
    assert np.corrcoef(result.ravel(), expected.ravel())[0, 1] > (0.8 if name == "small.bmp" else 0.97)
    assert result.max() > 180 > 60 > np.median(result)


def test_reducing_averages_the_exact_area():
    image = np.random.default_rng(0).integers(0, 256, (105, 105), dtype=np.uint8)
    fine = image.repeat(28, 0).repeat(28, 1).astype(float)  # 2940 = 28 · 105 pixels a side
    exact = fine.reshape(28, 105, 28, 105).mean((1, 3))
    assert np.abs(reduce_area(image) - exact).max() <= 0.51
    assert np.array_equal(reduce_area(image[:28, :28]), image[:28, :28])


@pytest.mark.parametrize("top", [1, 255, 65535])
def test_floats_are_scaled_by_the_range_that_they_fill(top):
    result = to_ink(Image.fromarray(np.where(mark(), top, 0).astype(np.float32)))
    assert np.array_equal(result, reduce_area(mark() * np.uint8(255)))


@pytest.mark.parametrize("height, width", [(105, 60), (33, 200), (28, 27), (200, 31)])
def test_padding_and_reducing_are_one_step_with_the_same_result(height, width):
    image = np.random.default_rng(1).integers(0, 256, (height, width), dtype=np.uint8)
    side = max(height, width)
    square = np.full((side, side), 77, np.uint8)
    square[(side - height) // 2:, (side - width) // 2:][:height, :width] = image
    assert np.abs(reduce_area(image, 77.0).astype(int) - reduce_area(square)).max() <= 1


def test_pictures_beyond_the_limits_are_refused_before_they_are_decoded():
    for width, height in ((30_000, 2), (9_000, 9_000)):
        buffer = io.BytesIO()
        Image.new("1", (width, height)).save(buffer, "png")
        with pytest.raises(ValueError, match=f"wide.png is not a readable image .it has {width}×{height} pixels"):
            decode(buffer.getvalue(), "wide.png")


@pytest.mark.parametrize("height, width", [(40, 120), (120, 40), (1, 50), (1, 20_000)])
def test_a_picture_that_is_not_square_is_padded_with_its_border(height, width):
    result = to_ink(Image.fromarray(np.full((height, width), 200, np.uint8)))
    assert np.array_equal(result, np.full((28, 28), 55)), "one plain grey, inverted"


def make_folder(root, classes=("ash", "birch", "cedar"), per_class=2):
    for number, name in enumerate(classes):
        for i in range(per_class):
            save(root / name / f"{i}.png", grey(30 + 20 * number, height=40 + 10 * i))
    return root


def test_a_folder_loads_with_one_class_for_each_inner_folder(tmp_path):
    root = make_folder(tmp_path / "trees")
    (root / ".hidden").mkdir()
    (root / "ash" / "notes.txt").write_text("not an image")
    (root / "ash" / "._0.png").write_bytes(b"not an image either")
    domain = load(f"folder:{root}")
    assert domain.name == "folder:trees" and domain.classes == domain.groups == ("ash", "birch", "cedar")
    assert domain.images.shape == (6, 1, 28, 28) and domain.images.dtype == torch.uint8
    assert domain.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert domain.note == ("6 images of 120×40 to 120×50 pixels: 6 padded to a square, 6 inverted (their border is "
                           "bright), 6 resized\npassed over, no pictures or hidden: ash/notes.txt, .hidden and ash/._0.png")
    assert [len(part.classes) for part in load_splits(f"folder:{root}")] == [1, 1, 1]


def test_two_levels_are_groups_and_classes(tmp_path):
    for group in ("leaves", "barks", "seeds"):
        make_folder(tmp_path / group, ("ash", "birch"), 1)
    domain = load(f"folder:{tmp_path}")
    assert domain.classes == ("barks/ash", "barks/birch", "leaves/ash", "leaves/birch", "seeds/ash", "seeds/birch")
    assert domain.groups == ("barks", "barks", "leaves", "leaves", "seeds", "seeds")


def test_a_picture_in_the_final_form_is_not_changed(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 28, 28), dtype=np.uint8)
    pixels[:, [0, -1]] = pixels[:, :, [0, -1]] = 0
    for name, image in zip("ab", pixels):
        save(tmp_path / name / "x.png", Image.fromarray(image))
    domain = load(f"folder:{tmp_path}")
    assert np.array_equal(domain.images[:, 0].numpy(), pixels)
    assert domain.note == "2 images of 28×28 pixels: used as they are"


def test_bad_folders_are_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="nowhere is not a folder; give a folder with the layout PATH/class/image"):
        load(f"folder:{tmp_path / 'nowhere'}")
    with pytest.raises(ValueError, match="holds no class folders with images"):
        load(f"folder:{tmp_path}")
    save(tmp_path / "loose.png", grey())
    with pytest.raises(ValueError, match="holds no class folders with images"):
        load(f"folder:{tmp_path}")
    make_folder(tmp_path, ("ash",))
    with pytest.raises(ValueError, match="holds one class, 'ash'; at least two"):
        load(f"folder:{tmp_path}")
    (tmp_path / "birch").mkdir()
    with pytest.raises(ValueError, match="class folder .*birch holds no images; add some or remove it"):
        load(f"folder:{tmp_path}")
    make_folder(tmp_path, ("ash/inner", "birch"))
    with pytest.raises(ValueError, match="ash holds images beside folders of images"):
        load(f"folder:{tmp_path}")


def test_a_damaged_picture_is_named(tmp_path):
    root = make_folder(tmp_path)
    whole = (root / "ash" / "0.png").read_bytes()
    for damaged in (whole[:len(whole) // 2], b"", b"GIF89a"):
        (root / "birch" / "1.png").write_bytes(damaged)
        with pytest.raises(ValueError, match="birch.1.png is not a readable image .*replace it or remove it"):
            load(f"folder:{root}")


@pytest.mark.filterwarnings("ignore:::PIL")
@QUICK
@given(data=st.data(), name=st.sampled_from(["sideways.jpg", "palette.png", "animation.gif", "floats.tif", "web.webp"]))
def test_damaged_bytes_of_a_picture_never_give_anything_but_a_value_error(data, name):
    buffer = io.BytesIO()
    image, options = SAVED[name] if isinstance(SAVED[name], tuple) else (SAVED[name], {})
    image.save(buffer, {"jpg": "jpeg", "tif": "tiff"}.get(name[-3:], name.split(".")[1]), **options)
    damaged = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        result = to_ink(decode(bytes(damaged), name)[0])
    except ValueError:
        return
    assert result.shape == (28, 28) and result.dtype == np.uint8


# ---- arrays

RNG = np.random.default_rng(0)
FLAT = RNG.integers(0, 256, (6, 28, 28), dtype=np.uint8)
FLAT[:, [0, -1]] = FLAT[:, :, [0, -1]] = 0
NUMBERS = np.array([7, 3, 5, 7, 3, 5])


def npz(path, **arrays):
    np.savez(path, **arrays)
    return f"array:{path}"


@pytest.mark.parametrize("images", [FLAT, FLAT[:, None], FLAT / 255, np.stack([FLAT] * 3, 3)],
                         ids=["grey", "one channel", "floats", "colour"])
def test_every_layout_of_an_array_gives_the_same_images(tmp_path, images):
    domain = load(npz(tmp_path / "own.npz", images=images, labels=NUMBERS))
    assert domain.name == "array:own" and domain.images.shape == (6, 1, 28, 28)
    assert np.array_equal(domain.images[:, 0].numpy(), FLAT)
    assert domain.classes == domain.groups == ("3", "5", "7") and domain.labels.tolist() == [2, 0, 1, 2, 0, 1]


def test_dark_ink_on_a_bright_ground_is_inverted_and_other_sizes_are_resized(tmp_path):
    domain = load(npz(tmp_path / "own.npz", images=255 - FLAT, labels=NUMBERS))
    assert np.array_equal(domain.images[:, 0].numpy(), FLAT) and "inverted" in domain.note
    large = np.stack([np.where(mark(90, 60), 5 * i, 255).astype(np.uint8) for i in range(6)])
    domain = load(npz(tmp_path / "own.npz", images=large, labels=NUMBERS))
    assert domain.images.shape == (6, 1, 28, 28) and domain.images[0].max() > 200 and domain.images[0, 0, 0, 0] == 0
    assert domain.note == "6 images of 90×60, all inverted because their border is bright, padded to a square, resized"


def test_classes_and_groups_of_an_array(tmp_path):
    names, groups = np.array(["one", "two", "three"]), np.array(["odd", "even", "odd"])
    by_index = load(npz(tmp_path / "a.npz", images=FLAT, labels=[0, 1, 2, 0, 1, 2], classes=names, groups=groups))
    by_name = load(npz(tmp_path / "b.npz", images=FLAT, labels=names[[0, 1, 2, 0, 1, 2]], classes=names,
                       groups=groups))
    for domain in (by_index, by_name):
        assert domain.classes == ("one", "two", "three") and domain.groups == ("odd", "even", "odd")
        assert domain.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert load(npz(tmp_path / "c.npz", images=FLAT, labels=names[NUMBERS % 3])).classes == ("one", "three", "two")


NAN = np.where(np.arange(784).reshape(28, 28) == 5, np.nan, 0.5) + np.zeros((6, 1, 1))


@pytest.mark.parametrize("arrays, message", [
    ({"labels": NUMBERS}, "has no array named 'images'"),
    ({"images": FLAT}, "has no array named 'labels'"),
    ({"images": NAN, "labels": NUMBERS}, "NaN or infinite"),
    ({"images": FLAT * 1j, "labels": NUMBERS}, "images must be numbers, got complex128"),
    ({"images": FLAT.astype(str), "labels": NUMBERS}, "images must be numbers, got <U3"),
    ({"images": FLAT[0], "labels": NUMBERS}, r"must have the shape .* got \(28, 28\)"),
    ({"images": FLAT[:0], "labels": NUMBERS[:0]}, r"must have the shape .* got \(0, 28, 28\)"),
    ({"images": np.zeros((6, 28, 28, 4), np.uint8), "labels": NUMBERS}, "must have the shape"),
    ({"images": FLAT, "labels": NUMBERS[:5]}, r"labels must have the shape \(6,\), .* got \(5,\)"),
    ({"images": FLAT, "labels": NUMBERS.astype(float)}, "labels must be integers or strings, got float64"),
    ({"images": FLAT, "labels": NUMBERS, "classes": ["a", "b"]}, r"must lie in 0..1 for 2 classes, got 3..7"),
    ({"images": FLAT, "labels": NUMBERS.astype(str), "classes": ["3", "5"]}, "label '7' is not among the 2 classes"),
    ({"images": FLAT, "labels": NUMBERS % 2, "classes": ["a", "a"]}, "class names must differ, but 'a' stands twice"),
    ({"images": FLAT, "labels": NUMBERS % 2, "classes": 3}, "classes must be a list of names"),
    ({"images": FLAT, "labels": NUMBERS, "groups": ["a"]}, r"groups must have the shape \(3,\)"),
])
def test_bad_arrays_are_one_sentence(tmp_path, arrays, message):
    spec = npz(tmp_path / "own.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        load(spec)


def test_object_arrays_are_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").write_text, ("the pickle ran",))

    spec = npz(tmp_path / "own.npz", images=np.array([Trap()] * 6, dtype=object), labels=NUMBERS)
    with pytest.raises(ValueError, match="not a readable .npz file of plain arrays .*without object arrays"):
        load(spec)
    assert not (tmp_path / "sprung").exists()


def test_files_that_are_no_npz(tmp_path):
    with pytest.raises(ValueError, match="nowhere.npz is not a file"):
        load(f"array:{tmp_path / 'nowhere.npz'}")
    np.save(tmp_path / "one.npy", FLAT)
    (tmp_path / "text.npz").write_text("hello")
    for name in ("one.npy", "text.npz"):
        with pytest.raises(ValueError, match=f"{name} is not a readable .npz file"):
            load(f"array:{tmp_path / name}")


@pytest.fixture(scope="module")
def good_npz(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "good.npz"
    np.savez_compressed(path, images=FLAT, labels=NUMBERS.astype(str))
    return path.read_bytes()


@QUICK
@given(data=st.data())
def test_damaged_bytes_of_an_npz_file_never_give_anything_but_a_value_error(good_npz, tmp_path, data):
    damaged = bytearray(good_npz)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, 250) | st.integers(len(damaged) - 250, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.npz"
    path.write_bytes(damaged[:data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))])
    try:
        domain = load(f"array:{path}")
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert domain.images.shape == (6, 1, 28, 28)
