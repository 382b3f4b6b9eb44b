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

from mlcourse.nets.norms import Stats, check_values

EPS = 1e-5


class Patches(NamedTuple):
    """What the first convolution sees of T·M pictures, which no weight touches: `patches` makes it.

    rows (T, P, K + 1): each of the P = M·h·w patches of K = 9·C pixels less their mean over the task, and a 1.
    mean (T, 1, K), cov (T, K, K): mean and covariance of the K pixels over the task's patches.
    With norm="layer" rows (T, P, K) are the pixels as they are, mean (T, M, K) and cov (T, M, K, K) those of each
    picture.
    side: h = w, the side of the convolution's output.
    """

    rows: Tensor
    mean: Tensor
    cov: Tensor
    side: int


def patches(x: Tensor, stride: int, norm: str) -> Patches:
    """The 3×3 patches, padded by one pixel, of pictures x (T, M, C, S, S), as a network with this norm needs them; the
    pixels in the order row, column, channel of `kernel`."""
    t, m, channels, side = *x.shape[:3], (x.shape[-1] - 1) // stride + 1
    pixels = F.unfold(x.flatten(0, 1), 3, padding=1, stride=stride).transpose(1, 2)
    if channels > 1:
        pixels = pixels.unflatten(2, (channels, 9)).transpose(2, 3).flatten(2)
    pixels = pixels.reshape(*((t, m, side * side) if norm == "layer" else (t, m * side * side)), 9 * channels)
    mean = pixels.mean(-2, keepdim=True)
    centred = pixels - mean
    cov = centred.mT @ centred / centred.shape[-2]
    if norm == "layer":
        return Patches(pixels.flatten(1, 2), mean.squeeze(2), cov, side)
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


def linear_of_tasks(x: Tensor, weight, bias: Tensor) -> Tensor:
    """x (T, M, I) times weight (T, O, I) plus bias (T, O); the weight may be a `dual.UpdatedWeight`."""
    if torch.is_tensor(weight):
        return torch.baddbmm(bias.unsqueeze(1), x, weight.mT)
    return weight.times(x) + bias.unsqueeze(1)


def kernel(weight: Tensor) -> Tensor:
    """A convolution's weight (T, O, I, 3, 3) as the matrix (T, 9·I, O) that multiplies patches."""
    return weight.permute(0, 3, 4, 2, 1).flatten(1, 3)


def mlp(net, params: dict[str, Tensor], x: Tensor, stats: Stats | None = None) -> tuple[Tensor, Stats]:
    """The features (T, M, size) of `MLP` for x (T, M, *D), and the (mean, variance) of every norm, each (T, C).

    stats: as in `conv4`.
    """
    h, used = x.flatten(2), []
    for i in range(len(net.body)):
        weight = params[f"body.{i}.weight"]
        if net.norm == "none":
            h = linear_of_tasks(h, weight, params[f"body.{i}.bias"]).relu_()
        else:
            z = torch.bmm(h, weight.mT) if torch.is_tensor(weight) else weight.times(h)
            given = stats[i] if stats else None
            h, moments = normalise(z, params[f"norms.{i}.gain"], params[f"norms.{i}.shift"], given)
            used.append(moments)
            h = h.relu_()
    return h, tuple(used)


def conv4(net, params: dict[str, Tensor], seen: Patches, stats: Stats | None = None) -> tuple[Tensor, Stats]:
    """The features (T, M, size) of `Conv4` for the patches of T·M pictures, and the (mean, variance) that every norm
    takes of a task's samples, each (T, C); an empty tuple with norm "layer" or "none".

    stats: those to normalise with, each (T, C) or (C,); None takes the task's own.
    """
    t, z, side, used = len(seen.rows), seen.rows, seen.side, []
    for i in range(4):
        weight = kernel(params[f"convs.{i}.weight"])
        if net.norm == "none":
            bias = params[f"convs.{i}.bias"].unsqueeze(1)
            z = _first_biased(weight, seen, bias) if i == 0 else torch.baddbmm(bias, z, weight)
        else:
            own, given = (params[f"norms.{i}.gain"], params[f"norms.{i}.shift"]), stats[i] if stats else None
            if net.norm == "layer":
                z = _first_layered(weight, seen, *own) if i == 0 else layered(torch.bmm(z, weight), side, *own)
            elif i == 0:
                z, moments = _first(weight, seen, own, given)
            else:
                z, moments = normalise(torch.bmm(z, weight), *own, given)
            if net.norm != "layer":
                used.append(moments)
        z, side = _pool(z, side) if i < net.pooled else (z, side)
        z = z.relu_()
        if i < 3:
            z = Unfold.apply(z.view(-1, side, side, z.shape[-1]), net.stride)
            side = z.shape[1]
            z = z.view(t, -1, 9 * z.shape[-1])
    z = z.view(t, -1, side * side, z.shape[-1])
    return (z.mean(2) if net.pool == "stride" else z.mT.flatten(2)), tuple(used)


def _first(weight, seen: Patches, own, given) -> tuple[Tensor, tuple]:
    """The first convolution and its norm as one product: mean and variance of P·W follow from those of the patches P,
    so the norm of P·W is P times a rescaled W."""
    if given is None:
        check_values(False, seen.rows.shape[1])
    mean = torch.bmm(seen.mean, weight)
    var = (weight * torch.bmm(seen.cov, weight)).sum(1, keepdim=True)
    scale, offset = _affine(mean, var, *own, given)
    return torch.bmm(seen.rows, torch.cat([weight * scale, offset], 1)), (mean[:, 0], var[:, 0])


def _first_biased(weight: Tensor, seen: Patches, bias: Tensor) -> Tensor:
    """The first convolution where no norm follows."""
    return torch.bmm(seen.rows, torch.cat([weight, torch.bmm(seen.mean, weight) + bias], 1))


def _first_layered(weight: Tensor, seen: Patches, gain: Tensor, shift: Tensor) -> Tensor:
    """The first convolution and its layer norm as one product: mean μ and variance of a picture's p·w, over its patches
    p and the channels' w, follow from mean and covariance of p, so that the norm of p·w is a product with the numbers
    p/σ, -μ/σ and 1."""
    t, m, channels = len(weight), seen.mean.shape[1], weight.shape[2]
    check_values(True, channels * seen.side ** 2)
    middle = weight.mean(2, keepdim=True)
    mean = torch.bmm(seen.mean, middle)
    within = torch.bmm(seen.cov.flatten(2), (torch.bmm(weight, weight.mT) / channels).view(t, -1, 1))
    between = torch.bmm(seen.mean, weight - middle).square().mean(2, keepdim=True)
    scale = torch.rsqrt(within + between + EPS).unsqueeze(2)
    rows = seen.rows.view(t, m, seen.side ** 2, seen.rows.shape[-1])
    rows = torch.cat([rows * scale, (-mean.unsqueeze(2) * scale).expand(*rows.shape[:3], 1),
                      torch.ones_like(rows[..., :1])], 3)
    gain, shift = gain.unsqueeze(1), shift.unsqueeze(1)
    return torch.bmm(rows.flatten(1, 2), torch.cat([weight * gain, gain, shift], 1))


def layered(z: Tensor, side: int, gain: Tensor, shift: Tensor) -> Tensor:
    """Layer normalisation of z (T, M·side², C), over the positions and channels of each sample, with gain and shift
    (T, C)."""
    check_values(True, side ** 2 * z.shape[2])
    samples = z.view(len(z), z.shape[1] // side ** 2, side ** 2, z.shape[2])
    normal = F.layer_norm(samples, samples.shape[2:], eps=EPS)
    return torch.addcmul(shift[:, None, None], normal, gain[:, None, None]).flatten(1, 2)


def normalise(z: Tensor, gain: Tensor, shift: Tensor, given=None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Batch normalisation of z (T, P, C) with gain and shift (T, C), and the (mean, variance) of z, each (T, C).

    given: the statistics to normalise with, each (T, C) or (C,); None takes those of z. Raises ValueError where those
    would be of a single value.
    """
    if given is None:
        check_values(False, z.shape[1])
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
