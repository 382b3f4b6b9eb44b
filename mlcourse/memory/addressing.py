"""How a memory is addressed, read and written: pure functions of a memory (…, N, W) of N rows, and of weights (…, N)
over its rows, which are positive and sum to 1. Any leading dimensions.

Graves, Wayne, Danihelka: Neural Turing Machines, arXiv 1410.5401, 2014, sections 3.1 to 3.3.

    w^c = softmax_i(β · cosine(k, M(i)))              `content`, equations 5 and 6
    w^g = g w^c + (1 - g) w_{t-1}                     `interpolate`, 7
    w̃(i) = Σ_j w^g(j) s(i - j), indices modulo N      `shift`, 8
    w(i) = w̃(i)^γ / Σ_j w̃(j)^γ                        `sharpen`, 9
    r = Σ_i w(i) M(i)                                 `read`, 2
    M(i) ← M(i) ∘ (1 - w(i) e) + w(i) a               `erase_add`, 3 and 4
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

NORM = 1e-3         # is added to the product of norms: the cosine with a row of zeros is 0, and has a gradient
SMALL = 1e-8        # is added to weights before their logarithm is taken


class Head(NamedTuple):
    """What a controller says to one head: key (…, W), strength β > 0 (…, 1), gate g in (0, 1) (…, 1), the shares of the
    moves -1, 0 and +1 (…, 3), and sharpness γ ≥ 1 (…, 1)."""

    key: Tensor
    beta: Tensor
    gate: Tensor
    moves: Tensor
    gamma: Tensor


def cosine(memory: Tensor, key: Tensor) -> Tensor:
    """The cosine of a key (…, W) with every row, (…, N)."""
    product = (memory @ key.unsqueeze(-1)).squeeze(-1)
    return product / (memory.norm(dim=-1) * key.norm(dim=-1, keepdim=True) + NORM)


def content(memory: Tensor, key: Tensor, beta: Tensor | float = 1.0) -> Tensor:
    """w^c: rows weighted by how much they look like the key (…, W), with strength β, a number or (…, 1).

    A cosine lies in [-1, 1], so with strength β no row of N gets more than e^2β / (e^2β + N - 1).
    """
    return (beta * cosine(memory, key)).softmax(-1)


def interpolate(w_content: Tensor, w_before: Tensor, gate: Tensor | float) -> Tensor:
    """w^g: the content's weights where the gate (…, 1) is 1, those of the step before where it is 0."""
    return gate * w_content + (1 - gate) * w_before


def shift(w: Tensor, moves: Tensor) -> Tensor:
    """w̃: weights moved by -1, 0 and +1 rows, in the shares `moves` (…, 3), around the end. With the share of +1 at 1,
    the weight of row 0 goes to row 1, and that of the last row to row 0."""
    back, stay, forward = moves.split(1, -1)
    return back * w.roll(-1, -1) + stay * w + forward * w.roll(1, -1)


def sharpen(w: Tensor, gamma: Tensor | float) -> Tensor:
    """Weights to the power γ, a number or (…, 1), made to sum to 1; by their logarithms, so that no power vanishes."""
    return (gamma * (w + SMALL).log()).softmax(-1)


def address(memory: Tensor, head: Head, w_before: Tensor) -> Tensor:
    """The weights of a head (…, N): by content, interpolated with those of the step before, shifted, sharpened."""
    w = interpolate(content(memory, head.key, head.beta), w_before, head.gate)
    return sharpen(shift(w, head.moves), head.gamma)


def read(memory: Tensor, w: Tensor) -> Tensor:
    """r (…, W): the mean of the rows, by their weights."""
    return (w.unsqueeze(-2) @ memory).squeeze(-2)


def erase_add(memory: Tensor, w: Tensor, erase: Tensor, add: Tensor) -> Tensor:
    """The memory after a write: each row is erased by `erase` (…, W), in [0, 1], and then `add` (…, W) is added to it,
    both by the row's weight."""
    w = w.unsqueeze(-1)
    return memory * (1 - w * erase.unsqueeze(-2)) + w * add.unsqueeze(-2)


def largest_weight(rows: int, beta: float = 1.0, least: float = -1.0) -> float:
    """The largest weight that `content` can give to one of so many rows: its cosine with the key is 1, and that of all
    others `least`, -1 at the lowest."""
    ratio = float(torch.tensor(beta * (least - 1), dtype=torch.float64).exp())
    return 1 / (1 + (rows - 1) * ratio)
