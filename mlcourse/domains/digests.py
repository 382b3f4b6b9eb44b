"""Pictures known by what they show."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def digests(images: Tensor) -> Tensor:
    """A number for each picture, uint8 (M, C, H, W), the same on every machine: int64 (M,), of its size and pixels by
    BLAKE2b (RFC 7693). 0 for a picture of one colour throughout, by which nothing is known."""
    size = ",".join(map(str, images.shape[1:])).encode()[:16]
    rows = images.flatten(1).cpu().numpy()
    plain = (rows == rows[:, :1]).all(1).tolist()
    number = lambda row: int.from_bytes(hashlib.blake2b(row.tobytes(), digest_size=8, salt=size).digest(), "little",
                                        signed=True)
    return torch.tensor([0 if empty else number(row) for row, empty in zip(rows, plain, strict=True)],
                        dtype=torch.int64)
