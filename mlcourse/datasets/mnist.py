"""MNIST: handwritten digits, 28×28, ink high, from the official idx files.

LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 1998.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch

from mlcourse.datasets import store
from mlcourse.datasets.form import GREY, Form
from mlcourse.datasets.frame import as_it_comes
from mlcourse.datasets.source import Source
from mlcourse.domains import Domain

PARTS = {"train": "training", "t10k": "test"}
LARGEST = 2**30  # bytes


def load(data_dir=None, form: Form = GREY) -> Domain:
    """The MNIST digits, classes "0" to "9": the 60,000 training images where present, then the 10,000 test images.

    Reads mnist/train-… and mnist/t10k-… (images-idx3-ubyte and labels-idx1-ubyte, with or without .gz) from the data
    directories. They stand in the frame as they come.
    Raises DataError when neither part is there, or one file of a pair; ValueError for damaged files.
    """
    images, labels, counts = [], [], []
    for part, word in PARTS.items():
        pair = [find(f"{part}-{kind}", data_dir) for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")]
        if pair == [None, None]:
            continue
        for kind, path in zip(("images-idx3-ubyte", "labels-idx1-ubyte"), pair):
            if path is None:
                raise store.missing(f"mnist/{part}-{kind}.gz", "mlcourse data get mnist", data_dir)
        pixels, digits = read_pair(*pair)
        images.append(pixels)
        labels.append(digits)
        counts.append(f"{len(pixels):,} {word} images")
    if not images:
        raise store.missing("mnist/t10k-images-idx3-ubyte.gz", "mlcourse data get mnist", data_dir)
    names = tuple("0123456789")
    domain = Domain("mnist", torch.from_numpy(np.concatenate(images))[:, None],
                    torch.from_numpy(np.concatenate(labels).astype(np.int64)), names, names,
                    f"{' and '.join(counts)} as they are: 28×28, ink high")
    return as_it_comes(domain, form)


def find(stem: str, data_dir=None) -> Path | None:
    """The file of this stem in the data directories, compressed or not, or None."""
    return store.find(f"mnist/{stem}.gz", data_dir) or store.find(f"mnist/{stem}", data_dir)


def read_pair(images_path, labels_path) -> tuple[np.ndarray, np.ndarray]:
    """uint8 images (M, 28, 28) and uint8 labels (M,) in 0..9 from two idx files that belong together."""
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if images.shape[1:] != (28, 28):
        raise ValueError(f"{images_path} holds images of {images.shape[1]}×{images.shape[2]} pixels, expected 28×28; "
                         f"use MNIST's own file")
    if len(images) != len(labels) or not len(images):
        raise ValueError(f"{images_path} holds {len(images)} images but {labels_path} {len(labels)} labels; "
                         f"use two files that belong together")
    if labels.max() > 9:
        raise ValueError(f"{labels_path} holds the label {labels.max()}, expected 0 to 9; use MNIST's own file")
    return images, labels


def read_idx(path, dimensions: int) -> np.ndarray:
    """The uint8 array of an idx file, gzipped or not, with 1 to 4 dimensions as expected.

    The header is the bytes 0, 0, 8 (unsigned bytes), the number of dimensions, and each length as a big-endian uint32.
    Raises ValueError, naming the file, when the header or the number of bytes is wrong or the compression is damaged.
    """
    path = Path(path)
    try:
        with open(path, "rb") as raw:
            is_gzip = raw.read(2) == b"\x1f\x8b"
        with (gzip.open if is_gzip else open)(path, "rb") as file:
            magic = file.read(4)
            if magic != bytes([0, 0, 8, dimensions]):
                raise ValueError(f"it begins with {magic.hex(' ') or 'nothing'}, expected 00 00 08 0{dimensions}")
            header = file.read(4 * dimensions)
            if len(header) < 4 * dimensions:
                raise ValueError("it ends inside its header")
            shape = np.frombuffer(header, dtype=">u4").tolist()
            size = math.prod(shape)
            if size > LARGEST:
                raise ValueError(f"its header announces {size:,} bytes")
            data = file.read(size + 1)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ValueError(f"{path} is not an idx file of bytes with {dimensions} dimensions ({error}); "
                         f"delete it and download it again") from error
    if len(data) != size:
        found = f"only {len(data):,}" if len(data) < size else "more"
        raise ValueError(f"{path} announces {size:,} bytes and holds {found}; delete it and download it again")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape).copy()


SOURCE = Source("mnist", "handwritten digits, training and test", load, classes=10, images=70000, remote=True,
                framed=True,
                files=store.remote_files("https://storage.googleapis.com/cvdf-datasets/mnist/",
                                         "http://yann.lecun.com/exdb/mnist/", {
                    "mnist/train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
                    "mnist/train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
                    "mnist/t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
                    "mnist/t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c"}))
