"""Files are known by their content: what cannot be read is named in one sentence, what is no picture is passed over."""

import io
import os
import struct
import zlib
from functools import partial

import numpy as np
import pytest
from own_pictures import drawing, save, two_classes
from PIL import Image, ImageOps, features

from mlcourse.datasets import load
from mlcourse.datasets.identify import is_picture
from mlcourse.datasets.pictures import decode, to_ink

FORMATS = ("png", "jpeg", "gif", "bmp", "tiff", "webp", "jpeg2000", "ppm", "qoi", "ico", "dds", "sgi", "avif")


def encoded(kind="png", image=None, **options) -> bytes:
    """A picture file's bytes."""
    buffer = io.BytesIO()
    (image or drawing("RGB")).save(buffer, kind, **options)
    return buffer.getvalue()


def with_chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG with one more chunk, well formed."""
    png = encoded()
    return png[:33] + struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) + png[33:]


def said(root):
    return load(f"folder:{root}").note.split("\n")[1:]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", ["1.jfif", "1.txt", "1", "1.png"])
def test_a_picture_is_read_whatever_its_file_is_called(tmp_path, kind, name):
    if kind == "avif" and not features.check("avif"):
        pytest.skip("this Pillow does not read AVIF")
    (two_classes(tmp_path) / name).write_bytes(encoded(kind))
    domain = load(f"folder:{tmp_path}")
    assert len(domain.images) == 3 and len(domain.note.split("\n")) == 1
    assert np.corrcoef(domain.images[0].flatten(), domain.images[-1].flatten())[0, 1] > 0.95


OTHER = {
    "list.csv": b"P1,x\n1,2\n", "notes.txt": b"P1 was good\n", "a.json": b"{}", "b.zip": b"PK\3\4aaaa",
    "c.pdf": b"%PDF-1.4", "d.ps": b"%!PS-Adobe-3.0\n", "e.h5": b"\x89HDF\r\n\x1a\n" + bytes(500), "f.mp4": b"\0\0\0\x18ftypmp42" + bytes(20),
    "g.yaml": b"Name: Rex\nComment: 1\n", "h.html": b"<!DOCTYPE html><svg></svg>", "empty": b"", "i.bmw": b"BMW is it",
    "j.npy": b"\x93NUMPY\1\0", "k.bin": bytes([0, 0, 2]) + bytes(range(200)), ".hidden.png": encoded()}


@pytest.mark.parametrize("name", OTHER)
def test_a_file_that_is_no_picture_is_passed_over_and_named(tmp_path, name):
    (two_classes(tmp_path) / name).write_bytes(OTHER[name])
    assert said(tmp_path) == [f"passed over, no pictures or hidden: a/{name}"]


@pytest.mark.filterwarnings("ignore:::PIL")
def test_random_bytes_are_no_picture(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(200):
        data = bytearray(rng.bytes(400))
        data[:3] = 0, 0, (1, 2, 3, 9, 10, 11)[i % 6]        # as a TGA begins
        (tmp_path / "x.bin").write_bytes(data)
        assert not is_picture(tmp_path / "x.bin")


def test_many_files_that_are_no_pictures_are_counted(tmp_path):
    folder = two_classes(tmp_path)
    for i in range(20):
        (folder / f"{i:02d}.csv").write_text("1,2")
    assert said(tmp_path) == ["passed over, no pictures or hidden: a/00.csv, a/01.csv, a/02.csv and 17 more"]


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


@pytest.mark.parametrize(("name", "data", "kind"), [
    ("1.HEIC", HEIC, "HEIC"), ("1.jpg", HEIC, "HEIC"), ("1", HEIC.replace(b"heic", b"mif1", 1), "HEIC"),
    ("1.jxl", b"\xff\x0a" + bytes(30), "JPEG XL"), ("1.svg", b'<?xml version="1.0"?>\n<svg></svg>', "SVG"),
    ("1.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "EPS")])
def test_a_format_that_is_not_read_is_named_with_what_to_do(tmp_path, name, data, kind):
    (two_classes(tmp_path) / name).write_bytes(data)
    with pytest.raises(ValueError, match=f"a/{name} is a picture of the format {kind}, which Pillow does not read here; "
                                         "save it as PNG or JPEG, or remove it"):
        load(f"folder:{tmp_path}")


def test_avif_without_a_decoder_is_such_a_format(tmp_path, monkeypatch):
    (two_classes(tmp_path) / "1.avif").write_bytes(b"\0\0\0\x1cftypavif\0\0\0\0mif1avif" + bytes(100))
    with pytest.raises(ValueError, match="1.avif is "):
        load(f"folder:{tmp_path}")
    monkeypatch.setattr(features, "check", lambda name: False)
    with pytest.raises(ValueError, match="1.avif is a picture of the format AVIF, which Pillow does not read here"):
        load(f"folder:{tmp_path}")


@pytest.mark.parametrize(("kind", "mode"), [("gif", "P"), ("tiff", "L"), ("webp", "RGB"), ("png", "RGB"), ("mpo", "RGB")])
def test_of_several_pages_or_frames_the_first_is_taken_and_said(tmp_path, kind, mode):
    first, second = drawing(mode), ImageOps.mirror(drawing(mode))
    data = encoded(kind, first, save_all=True, append_images=[second, second])
    (two_classes(tmp_path) / f"1.{kind}").write_bytes(data)
    domain = load(f"folder:{tmp_path}")
    assert domain.note.split("\n")[1:] == [f"of several pages or frames the first is taken: a/1.{kind}"]
    assert np.abs(domain.images[0, 0].numpy().astype(int) - to_ink(first)).max() < 60


def half(kind) -> bytes:
    data = encoded(kind)
    return data[:len(data) // 2]


DAMAGED = {
    "empty": (lambda: b"", "it is empty"), "text": (lambda: b"hello", "its content is of no known picture format"),
    "half": (lambda: encoded()[:90], "truncated"),
    "head": (lambda: encoded()[:12], "its content is of no known picture format"),
    "bomb": (lambda: encoded(image=Image.new("1", (30_000, 30_000))), "900000000 pixels. exceeds limit"),
    "text bomb": (lambda: with_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(10 ** 8))), "Decompressed data too large"),
    **{f"half {kind}": (partial(half, kind), "is not a readable image") for kind in FORMATS if kind not in ("png", "avif")},
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_picture_is_one_sentence_with_its_file(tmp_path, name):
    make, why = DAMAGED[name]
    (two_classes(tmp_path) / "bad.png").write_bytes(make())
    with pytest.raises(ValueError, match="a/bad.png is not a readable image .*; replace it or remove it") as error:
        load(f"folder:{tmp_path}")
    assert (why in str(error.value) or why.replace(".", ")") in str(error.value)) and "0x" not in str(error.value)


@pytest.mark.parametrize("exif", [b"garbage", b"Exif\0\0nonsense", b"\0" * 8, b"II"])
def test_damaged_exif_data_are_one_sentence_with_their_file(tmp_path, exif):
    (two_classes(tmp_path) / "bad.png").write_bytes(with_chunk(b"eXIf", exif))
    with pytest.raises(ValueError, match="a/bad.png cannot be converted .*; save it anew or remove it"):
        load(f"folder:{tmp_path}")


@pytest.mark.parametrize("orientation", range(10))
def test_a_picture_is_turned_upright_as_its_exif_data_say(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode(encoded(image=drawing().crop((4, 0, 30, 40)), exif=exif), "x").image
    assert np.array_equal(to_ink(image), to_ink(ImageOps.exif_transpose(image)))


def test_all_files_that_cannot_be_read_are_said_at_once(tmp_path):
    folder = two_classes(tmp_path)
    for i in range(6):
        (folder / f"{i}.png").write_bytes(b"x")
    with pytest.raises(ValueError, match="a/0.png is not a readable image .*; likewise .*a/1.png, .*3.png and 2 more$"):
        load(f"folder:{tmp_path}")


def test_a_link_to_nothing_and_a_file_that_may_not_be_read_are_named(tmp_path, monkeypatch):
    link = two_classes(tmp_path) / "1.png"
    link.symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(ValueError, match="1.png is a link to a file that is not there; mend it or remove it"):
        load(f"folder:{tmp_path}")
    link.unlink()
    os.mkfifo(tmp_path / "a" / "pipe.png")
    assert said(tmp_path) == ["passed over, no pictures or hidden: a/pipe.png"]

    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", refuse)
    monkeypatch.setattr(type(tmp_path), "read_bytes", refuse)
    with pytest.raises(ValueError, match="whole.png cannot be read .Permission denied.; change its permissions"):
        load(f"folder:{tmp_path}")


def test_a_name_that_cannot_be_shown_is_escaped(tmp_path):
    (two_classes(tmp_path) / "line\nbreak.txt").write_text("x")
    assert said(tmp_path) == ["passed over, no pictures or hidden: a/line\\nbreak.txt"]
    os.rename(save(tmp_path / "x.png"), os.fsencode(tmp_path) + b"/caf\xe9.png")
    assert said(tmp_path)[0] == "left out, in no class folder: caf\\udce9.png"
