"""The shift dial: eight ways in which the same characters can come from another domain, each with a severity."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 1024  # images worked on at a time, so that the float copies stay in the cache


def shift(images: Tensor, kind: str, severity: float, seed: int = 0) -> Tensor:
    """The images as another domain would show them.

    images: uint8 (M, C, H, W), ink high (0 background, 255 ink); the channels of a colour picture are shifted alike.
    kind: one of SHIFTS. severity: 0 to 1; 0 returns the images bit for bit, 1 is strong, yet a person still reads the
    characters.
    Returns uint8 (M, C, H, W), new memory.

    Lengths are for images 28 pixels high and scale with H. At severity s:
    rotation    turned counter-clockwise by 60·s degrees
    contrast    the ink fades to between 52 and 20 per cent at s = 1, by a factor of its own for every image
    inversion   a fraction s of the images is inverted, dark ink on a light ground
    stroke      strokes grow thicker by up to 1.2 pixels on every side
    blur        a Gaussian blur of standard deviation 1.5·√s pixels (variance in proportion to s)
    texture     woven stripes behind the ink, different for every image
    noise       Gaussian noise of standard deviation 0.4·s on every pixel (ink is 1), clipped
    typeface    condensed and slanted, upright strokes heavier and level strokes lighter

    Rotation, stroke, blur and typeface draw nothing at random. In the others image i takes the i-th
    draw of the seed, whatever the severity: turning the dial changes one picture gradually, and the first
    images of a longer batch come out the same.

    Raises ValueError for an unknown kind, a severity outside [0, 1], or images of another dtype or shape.
    """
    if kind not in _SHIFTS:
        raise ValueError(f"unknown kind of shift {kind!r}; choose one of {', '.join(SHIFTS)}")
    if not 0 <= severity <= 1:
        raise ValueError(f"severity must lie between 0 (no change) and 1, got {severity}")
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"images must be uint8 of shape (M, 1, H, W) or (M, 3, H, W), got {images.dtype} of shape "
                         f"{tuple(images.shape)}; convert them first")
    if severity == 0 or images.numel() == 0:
        return images.clone()
    generator = torch.Generator().manual_seed(seed)
    shifted = torch.empty_like(images, memory_format=torch.contiguous_format)
    for start in range(0, len(images), CHUNK):
        before = generator.get_state()
        for channel in range(images.shape[1]):
            x = images[start:start + CHUNK, channel].float().div_(255)
            y = _SHIFTS[kind](x, float(severity), generator.set_state(before))
            shifted[start:start + CHUNK, channel] = y.clamp_(0, 1).mul_(255).round_().byte()
    return shifted


# Every function below takes float (M, H, W) in [0, 1], a severity in (0, 1] and a generator, and returns a new tensor.


def _rotation(x: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    turn = math.radians(60 * severity)
    return _affine(x, ((math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))))


def _contrast(x: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    fade = 0.48 + 0.32 * torch.rand(len(x), 1, 1, generator=generator)
    return x * (1 - severity * fade)


def _inversion(x: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    inverted = torch.rand(len(x), 1, 1, generator=generator) < severity
    return torch.where(inverted, 1 - x, x)


def _stroke(x: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    pixels = 1.2 * severity * x.shape[1] / 28
    grown = x
    for step in range(math.ceil(pixels)):
        x, grown = grown, _dilate(grown, diagonals=step % 2 == 1)
    return torch.lerp(x, grown, pixels - math.ceil(pixels) + 1)


def _blur(x: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    deviation = 1.5 * math.sqrt(severity) * x.shape[1] / 28
    return _gaussian(x.shape[1], deviation) @ x @ _gaussian(x.shape[2], deviation).T


def _texture(x: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    # three gratings sin(a·row + b·column + phase) for every image; each is the sum of two products of a row
    # and a column factor, so that one matrix product draws all of them
    m, h, w = x.shape
    length, direction, phase = torch.rand(m, 3, 3, generator=generator).unbind(1)
    wave = 2 * math.pi / ((3 + 5 * length) * h / 28)
    rows = (wave * (math.pi * direction).sin())[:, None] * torch.arange(h)[:, None] + (2 * math.pi * phase)[:, None]
    columns = (wave * (math.pi * direction).cos())[..., None] * torch.arange(w)
    cloth = torch.cat([rows.sin(), rows.cos()], 2) @ torch.cat([columns.cos(), columns.sin()], 1)
    cloth = cloth.mul_(0.25).add_(0.5).clamp_(0, 1)
    return x + (1 - x) * cloth.mul_(0.6 * severity)


def _noise(x: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    normal = torch.special.ndtri(torch.rand(x.shape, generator=generator))
    return normal.mul_(0.4 * severity).add_(x)


def _typeface(x: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    heavy = F.max_pool2d(x[:, None], (1, 3), 1, (0, 1))[:, 0]
    light = -F.max_pool2d(-x[:, None], (3, 1), 1, (1, 0))[:, 0]
    x = x + severity * (0.8 * (heavy - x) - 0.5 * (x - light))
    width, slant = 1 - 0.3 * severity, 0.35 * severity
    return _affine(x, ((1, 0), (slant / width, 1 / width)))


def _affine(x: Tensor, matrix) -> Tensor:
    """Output pixel p shows the input at matrix @ p, with p = (row, column) from the centre; bilinear.

    Outside the image lies its background: the median of its border pixels.
    """
    h, w = x.shape[1:]
    row = (torch.arange(h) - (h - 1) / 2)[:, None].expand(h, w)
    column = (torch.arange(w) - (w - 1) / 2).expand(h, w)
    (a, b), (c, d) = matrix
    grid = torch.stack([(c * row + d * column) * 2 / w, (a * row + b * column) * 2 / h], -1)
    border = torch.cat([x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]], 1)
    background = border.median(1).values[:, None, None]
    # one grid serves every image, so the images can stand as channels of one
    inside = F.grid_sample((x - background)[None], grid[None], align_corners=False)
    return inside[0] + background


def _dilate(x: Tensor, diagonals: bool) -> Tensor:
    """The largest of every pixel and its 4 neighbours, or its 8 neighbours."""
    level = F.max_pool2d(x[:, None], (1, 3), 1, (0, 1))
    if diagonals:
        return F.max_pool2d(level, (3, 1), 1, (1, 0))[:, 0]
    return torch.maximum(level, F.max_pool2d(x[:, None], (3, 1), 1, (1, 0)))[:, 0]


def _gaussian(size: int, deviation: float) -> Tensor:
    """(size, size): row i holds the weights with which a Gaussian around i averages a line; they add up to 1."""
    distance = torch.arange(size)[:, None] - torch.arange(size)
    return torch.softmax(-distance.square() / (2 * deviation ** 2), 1)


_SHIFTS = {"rotation": _rotation, "contrast": _contrast, "inversion": _inversion, "stroke": _stroke,
           "blur": _blur, "texture": _texture, "noise": _noise, "typeface": _typeface}
SHIFTS = tuple(_SHIFTS)
