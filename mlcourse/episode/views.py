"""Views of a picture: small random changes that leave the character what it is.

The randomness is a tensor that enters with the batch: `draws` makes it, `view` is a pure function of picture and draws,
differentiable in the picture. So a batch of views repeats exactly, and passes through vmap like any other samples.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

GRID = 4                      # the smooth deformation has GRID × GRID control points
AFFINE = 6                    # random numbers for an affine map, the first of a view's
DRAWS = 10 + 2 * GRID ** 2    # random numbers for one view


def draws(count: int, generator: torch.Generator, dtype: torch.dtype = torch.float32) -> Tensor:
    """The randomness of `count` views, uniform in [-1, 1]: (count, DRAWS)."""
    return 2 * torch.rand(count, DRAWS, generator=generator, dtype=dtype) - 1


def view(x: Tensor, u: Tensor, strength: float = 1.0) -> Tensor:
    """A view of each picture x (M, 1, S, S) in [0, 1] by its draws u (M, DRAWS): (M, 1, S, S) in [0, 1].

    At strength 1: turned by up to 15°, sheared by up to 0.3, each side scaled by a factor of up to 1.25, shifted by up
    to a tenth of the side, bent smoothly by up to about a tenth, strokes thicker or thinner by up to half a pixel or
    so, and, for half of the views, a square of up to three tenths of the side blanked. Strength scales all of it; 0
    gives back the pictures. Raises ValueError for a strength outside [0, 2] or draws that do not fit.
    """
    _check(x, u, strength, DRAWS)
    if strength == 0:
        return x
    u = u.to(x.dtype) * torch.cat([torch.full((7,), strength), torch.ones(3), torch.full((2 * GRID ** 2,), strength)]
                                  ).to(x)
    return _cut(_stroke(_bend(x, u[:, :6], u[:, 10:]), u[:, 6]), u[:, 7:10], strength)


def affine_view(x: Tensor, u: Tensor, strength: float = 1.0) -> Tensor:
    """The affine part of `view` alone, by draws u (M, AFFINE): turned, sheared, scaled and shifted as there.

    Raises ValueError as `view` does.
    """
    _check(x, u, strength, AFFINE)
    if strength == 0:
        return x
    return F.grid_sample(x, _affine_grid(x, strength * u.to(x.dtype)), align_corners=False)


def two_views(x: Tensor, generator: torch.Generator, strength: float = 1.0) -> tuple[Tensor, Tensor]:
    """Two views of the same pictures x (M, 1, S, S), with independent draws."""
    return tuple(view(x, draws(len(x), generator), strength) for _ in range(2))


def _check(x: Tensor, u: Tensor, strength: float, count: int) -> None:
    if not 0 <= strength <= 2:
        raise ValueError(f"the strength of a view must lie between 0 and 2, got {strength}")
    if u.shape != (len(x), count):
        raise ValueError(f"{len(x)} pictures need draws of shape ({len(x)}, {count}), got {tuple(u.shape)}")


def _bend(x: Tensor, affine: Tensor, field: Tensor) -> Tensor:
    """The affine map and the smooth deformation, in one resampling. Outside the picture lies background (0)."""
    bent = F.interpolate(0.25 * field.view(-1, 2, GRID, GRID), x.shape[-2:], mode="bicubic", align_corners=True)
    return F.grid_sample(x, _affine_grid(x, affine) + bent.permute(0, 2, 3, 1), align_corners=False)


def _affine_grid(x: Tensor, affine: Tensor) -> Tensor:
    """Where each pixel of the view comes from: (M, H, W, 2), in [-1, 1] within the picture."""
    angle, shear = math.radians(15) * affine[:, 0], 0.3 * affine[:, 1]
    wide, high = ((math.log(1.25) * affine[:, i]).exp() for i in (2, 3))
    cos, sin = angle.cos(), angle.sin()
    rows = torch.stack([cos * wide, (shear * cos - sin) * high, 0.2 * affine[:, 4],
                        sin * wide, (shear * sin + cos) * high, 0.2 * affine[:, 5]], 1)
    h, w = x.shape[-2:]
    across = ((torch.arange(w) + 0.5) * 2 / w - 1).to(x).expand(h, w)
    down = ((torch.arange(h) + 0.5) * 2 / h - 1).to(x)[:, None].expand(h, w)
    place = torch.stack([across, down, torch.ones_like(across)], -1)
    return place @ rows.view(-1, 1, 2, 3).mT


def _stroke(x: Tensor, amount: Tensor) -> Tensor:
    """Thicker strokes for a positive amount, thinner ones for a negative."""
    thick, thin = F.max_pool2d(x, 3, 1, 1), -F.max_pool2d(-x, 3, 1, 1)
    amount = 0.5 * amount.view(-1, 1, 1, 1)
    return x + amount.clamp(min=0) * (thick - x) - amount.clamp(max=0) * (thin - x)


def _cut(x: Tensor, place: Tensor, strength: float) -> Tensor:
    """A blank square around place[:, :2], its half side up to 0.15 of the picture's; none where place[:, 2] < 0."""
    at = torch.linspace(-1, 1, x.shape[-1]).to(x)
    half = 0.3 * strength * place[:, 2, None].clamp(min=0)
    near = [(at - place[:, i, None]).abs() < half for i in (0, 1)]
    return x * ~(near[0][:, None, :, None] & near[1][:, None, None, :])
