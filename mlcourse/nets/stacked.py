"""MLP and Conv4 for T tasks at once, each task with weights of its own: the fast engine.

Every parameter has a leading task dimension, (T, …), and every layer is one batched matrix product. The networks' own
`forward` under `torch.vmap` computes the same and is the oracle of the tests; here no convolution is grouped, the first
layer's patches are taken once, and its norm is folded into its weights. Pictures lie as (T·M, height, width, channel),
so that a patch is 3 rows of neighbouring numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

EPS = 1e-5


class Patches(NamedTuple):
    """What the first convolution sees of T·M pictures, which no weight touches: `Conv4.patches` makes it.

    rows (T, P, 10): each of the P = M·h·w patches of 9 pixels less their mean over the task, and a 1.
    mean (T, 1, 9), cov (T, 9, 9): mean and covariance of the 9 pixels over the task's patches.
    side: h = w, the side of the convolution's output.
    """

    rows: Tensor
    mean: Tensor
    cov: Tensor
    side: int


def patches(x: Tensor, stride: int) -> Patches:
    """The 3×3 patches, padded by one pixel, of pictures x (T, M, 1, S, S)."""
    t, side = len(x), (x.shape[-1] - 1) // stride + 1
    pixels = F.unfold(x.flatten(0, 1), 3, padding=1, stride=stride).transpose(1, 2).reshape(t, -1, 9)
    mean = pixels.mean(1, keepdim=True)
    centred = pixels - mean
    cov = centred.mT @ centred / centred.shape[1]
    return Patches(F.pad(centred, (0, 1), value=1.0), mean, cov, side)


class Unfold(torch.autograd.Function):
    """The 3×3 patches of y (N, H, W, C), padded by a zero: (N, h, w, 3, 3, C). Its adjoint is `Fold`."""

    @staticmethod
    def forward(ctx, y: Tensor, stride: int) -> Tensor:
        ctx.stride, ctx.size = stride, y.shape[1:3]
        return _windows(F.pad(y, (0, 0, 1, 1, 1, 1)), stride).contiguous()

    @staticmethod
    def backward(ctx, g: Tensor):
        return Fold.apply(g, ctx.stride, ctx.size), None


class Fold(torch.autograd.Function):
    """The adjoint of `Unfold`: each patch added where it was taken."""

    @staticmethod
    def forward(ctx, g: Tensor, stride: int, size: tuple[int, int]) -> Tensor:
        ctx.stride = stride
        (n, h, w), c = g.shape[:3], g.shape[-1]
        padded = g.new_zeros(n, size[0] + 2, size[1] + 2, c)
        for i in range(3):
            for j in range(3):
                padded[:, i:i + stride * h:stride, j:j + stride * w:stride][:, :h, :w] += g[:, :, :, i, j]
        return padded[:, 1:-1, 1:-1]

    @staticmethod
    def backward(ctx, g: Tensor):
        return Unfold.apply(g, ctx.stride), None, None


def _windows(padded: Tensor, stride: int) -> Tensor:
    """A view of the 3×3 windows of padded (N, H, W, C): (N, h, w, 3, 3, C)."""
    n, height, width, c = padded.shape
    s = padded.stride()
    shape = (n, (height - 3) // stride + 1, (width - 3) // stride + 1, 3, 3, c)
    return padded.as_strided(shape, (s[0], stride * s[1], stride * s[2], s[1], s[2], s[3]))


def linear(x: Tensor, weight, bias: Tensor) -> Tensor:
    """x (T, M, I) times weight (T, O, I) plus bias (T, O); the weight may be a `dual.UpdatedWeight`."""
    if torch.is_tensor(weight):
        return torch.baddbmm(bias.unsqueeze(1), x, weight.mT)
    return weight.times(x) + bias.unsqueeze(1)


def kernel(weight: Tensor) -> Tensor:
    """A convolution's weight (T, O, I, 3, 3) as the matrix (T, 9·I, O) that multiplies patches."""
    return weight.permute(0, 3, 4, 2, 1).flatten(1, 3)


def mlp(net, params: dict[str, Tensor], x: Tensor) -> Tensor:
    """The features (T, M, size) of `MLP` for x (T, M, *D)."""
    h = x.flatten(2)
    for i in range(len(net.body)):
        weight = params[f"body.{i}.weight"]
        if net.norm == "none":
            h = linear(h, weight, params[f"body.{i}.bias"]).relu_()
        else:
            z = torch.bmm(h, weight.mT) if torch.is_tensor(weight) else weight.times(h)
            h, _ = normalise(z, params[f"norms.{i}.gain"], params[f"norms.{i}.shift"])
            h = h.relu_()
    return h


def conv4(net, params: dict[str, Tensor], x: Tensor | Patches, stats) -> tuple[Tensor, list]:
    """The features (T, M, size) of `Conv4` for x (T, M, 1, S, S), and the (mean, variance) of every norm, each (T, C).

    stats: those to normalise with, each (T, C) or (C,); None takes the task's own.
    """
    seen = x if isinstance(x, Patches) else patches(x, net.stride)
    t, side, used = len(seen.rows), seen.side, []
    for i in range(4):
        weight = kernel(params[f"convs.{i}.weight"])
        own = None if net.norm == "none" else (params[f"norms.{i}.gain"], params[f"norms.{i}.shift"])
        given = stats[i] if stats is not None else None
        if i == 0:
            z, moments = _first(weight, seen, own, given) if own else (_first_biased(weight, seen, params), None)
        elif own:
            z, moments = normalise(torch.bmm(z, weight), *own, given)
        else:
            z, moments = torch.baddbmm(params[f"convs.{i}.bias"].unsqueeze(1), z, weight), None
        used.append(moments)
        z, side = _pool(z, side) if net.pool == "max" else (z, side)
        z = z.relu_()
        if i < 3:
            z = Unfold.apply(z.view(-1, side, side, z.shape[-1]), net.stride)
            side = z.shape[1]
            z = z.view(t, -1, 9 * z.shape[-1])
    z = z.view(t, -1, side * side, z.shape[-1])
    return (z.mean(2) if net.pool == "stride" else z.mT.flatten(2)), used


def _first(weight, seen: Patches, own, given) -> tuple[Tensor, tuple]:
    """The first convolution and its norm as one product: mean and variance of P·W follow from those of the patches P, so
    the norm of P·W is P times a rescaled W."""
    mean = torch.bmm(seen.mean, weight)
    var = (weight * torch.bmm(seen.cov, weight)).sum(1, keepdim=True)
    scale, offset = _affine(mean, var, *own, given)
    return torch.bmm(seen.rows, torch.cat([weight * scale, offset], 1)), (mean[:, 0], var[:, 0])


def _first_biased(weight, seen: Patches, params) -> Tensor:
    """The first convolution where no norm follows."""
    offset = torch.bmm(seen.mean, weight) + params["convs.0.bias"].unsqueeze(1)
    return torch.bmm(seen.rows, torch.cat([weight, offset], 1))


def normalise(z: Tensor, gain: Tensor, shift: Tensor, given=None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Batch normalisation of z (T, P, C) with gain and shift (T, C), and the (mean, variance) of z, each (T, C).

    given: the statistics to normalise with, each (T, C) or (C,); None takes those of z.
    """
    mean = z.mean(1, keepdim=True)
    centred = z - mean
    var = centred.square().mean(1, keepdim=True)
    scale, offset = _affine(mean, var, gain, shift, given)
    return torch.addcmul(offset, centred, scale), (mean[:, 0], var[:, 0])


def _affine(mean: Tensor, var: Tensor, gain: Tensor, shift: Tensor, given) -> tuple[Tensor, Tensor]:
    """Scale and offset, (T, 1, C), that make centred values normalised ones."""
    gain, shift = gain.unsqueeze(1), shift.unsqueeze(1)
    if given is None:
        return gain * torch.rsqrt(var + EPS), shift
    given_mean, given_var = (s.unsqueeze(-2) if s.ndim == 2 else s for s in given)
    scale = gain * torch.rsqrt(given_var + EPS)
    return scale, shift + (mean - given_mean) * scale


def _pool(z: Tensor, side: int) -> tuple[Tensor, int]:
    """2×2 max-pooling of z (T, M·side², C)."""
    t, _, c = z.shape
    pictures = z.reshape(-1, side, side, c).permute(0, 3, 1, 2)
    pooled = F.max_pool2d(pictures, 2).permute(0, 2, 3, 1)
    return pooled.reshape(t, -1, c), pooled.shape[1]
