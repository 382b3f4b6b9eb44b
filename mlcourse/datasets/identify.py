"""Which files are pictures: known by their content, whatever they are called."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PIL import Image, features

NO_PICTURES = {"BUFR", "GRIB", "HDF5", "MPEG", "EPS"}   # Pillow knows their names only, or starts another program
WEAK = {"TGA", "SPIDER", "IPTC", "GBR", "PCX"}          # known by a few bytes that other files have too
UNREADABLE = {".heic", ".heif", ".hif", ".avif", ".jxl", ".svg", ".svgz", ".eps"}
BEGIN = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")
BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"heim": "HEIC", b"heis": "HEIC",
          b"hevc": "HEIC", b"hevx": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC"}


@lru_cache(maxsize=1)
def formats() -> tuple[str, ...]:
    """Pillow's names of the picture formats that are read."""
    Image.init()
    return tuple(name for name in Image.ID if name not in NO_PICTURES)


@lru_cache(maxsize=1)
def _suffixes() -> dict[str, str]:
    """Suffixes of picture formats, in lower case, and their format; "" for those that are not read."""
    known = set(formats())
    return {suffix: name for suffix, name in Image.registered_extensions().items() if name in known} | {
        suffix: "" for suffix in UNREADABLE if Image.registered_extensions().get(suffix) not in known}


def is_picture(file: Path) -> bool:
    """Whether a file is a picture by its content, or claims to be one by its name: a damaged picture, or one of a
    format that is not read, is a picture, and `decode` says what is wrong with it.

    A file that may not be read is taken for one, and so is a link to nothing with a suffix of pictures.
    """
    claims = file.suffix.lower() in _suffixes()
    if not file.is_file():
        return claims and file.is_symlink()
    try:
        with Image.open(file, formats=formats()) as image:
            return image.format not in WEAK or _suffixes().get(file.suffix.lower()) == image.format
    except PermissionError:
        return True
    except Exception:  # plugins raise almost anything on files that are not theirs
        return claims or _begins_like_one(file)


def _begins_like_one(file: Path) -> bool:
    with file.open("rb") as opened:
        begin = opened.read(1000)
    return begin.startswith(BEGIN) or unread_format(begin) is not None


def unread_format(data: bytes) -> str | None:
    """The name of a picture format that is known by its content, and is not read by this Pillow; None otherwise."""
    if data[4:8] == b"ftyp" and data[8:12] in BRANDS:
        name = "AVIF" if b"avif" in data[16:64] else BRANDS[data[8:12]]
        return None if name == "AVIF" and name in formats() and features.check("avif") else name
    if data.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")):
        return "JPEG XL"
    if data.startswith(b"%!PS-Adobe") and b"EPSF" in data[:40]:
        return "EPS"
    begin = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if begin.startswith(b"<svg") or begin.startswith(b"<?xml") and b"<svg" in begin:
        return "SVG"
    return None
