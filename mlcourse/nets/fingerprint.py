"""What a network computes, in a few numbers: by them an edited network is told from the one that was trained."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool1d

SAMPLES, MOST = 4, 64
TOLERANCE = 1e-3


def answers(net: nn.Module, shape: Sequence[int], weights: dict[str, Tensor] | None = None) -> list[float] | None:
    """What a network makes, in eval mode, of four random samples of a shape, always the same: 64 means of each sample's
    outputs. None where it cannot be copied, cannot compute them, or answers otherwise when asked again.

    weights: a state_dict to compute with; None takes its own. The network itself stays as it is.
    """
    try:
        net = copy.deepcopy(net).eval()
        if weights is not None:
            net.load_state_dict(weights)
        like = next((t for t in (*net.parameters(), *net.buffers()) if t.is_floating_point()), torch.zeros(()))
        x = torch.rand(SAMPLES, *shape, generator=torch.Generator().manual_seed(0)).to(like)
        drawn_on = [like.device] if like.device.type == "cuda" else []
        with torch.no_grad(), torch.random.fork_rng(drawn_on), torch.backends.cudnn.flags(allow_tf32=False):
            first, again = (net(x) for _ in range(2))
            found, other = (_means(z) for z in (first, again))
    except Exception:          # whatever the code of somebody's own network raises
        return None
    return found.tolist() if distance(found.tolist(), other.tolist()) <= tolerance(like) else None


def _means(z: Tensor) -> Tensor:
    outputs = z.detach().double().cpu().reshape(SAMPLES, 1, -1)
    return (outputs if outputs.shape[-1] <= MOST else adaptive_avg_pool1d(outputs, MOST)).flatten()


def tolerance(like: Tensor) -> float:
    """How far answers may be apart, as a share, in the type of a tensor: on another machine they are rounded otherwise.
    """
    return max(TOLERANCE, 10 * torch.finfo(like.dtype).eps)


def distance(before: Sequence[float], now: Sequence[float] | None) -> float:
    """How far answers are from those of before, as a share of the largest of them; infinity for those that are none, of
    another number, or not finite in other places."""
    if now is None or len(now) != len(before):
        return float("inf")
    a, b = torch.tensor(before, dtype=torch.float64), torch.tensor(now, dtype=torch.float64)
    finite = a.isfinite()
    if not torch.equal(finite, b.isfinite()) or not torch.allclose(a[~finite], b[~finite], equal_nan=True):
        return float("inf")
    apart = (a - b)[finite].abs().max() if finite.any() else 0.0
    size = a[finite].abs().max() if finite.any() else 0.0
    return 0.0 if apart == 0 else float(apart / size)
