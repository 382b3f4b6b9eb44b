"""The meta-step in JAX: jit(grad), compiled before it is timed.

The code is the course's own, written as JAX is meant to be: the network a function of its parameters, the inner loop
`jax.grad` in a Python loop, the tasks by `jax.vmap`, or one after another by `jax.lax.map` where the network convolves:
there `vmap` makes grouped convolutions, with which XLA on a CPU is several times slower. Pictures lie as (N, H, W, C),
as in JAX's own libraries. XLA takes the cores that there are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from mlcourse.bench.peer_code import Work

LAYOUT = ("NHWC", "OIHW", "NHWC")


def with_jax(net: nn.Module, work: Work) -> None:
    """The meta-gradient by JAX, left in the parameters and rates as the other peers do."""
    for p, g in zip([*net.parameters(), *work.alpha], jax_step(net, work)(), strict=True):
        p.grad = torch.from_numpy(np.array(g))


def jax_step(net: nn.Module, work: Work) -> Callable[[], list]:
    """A function that computes the meta-gradient of a stock network's parameters, then of the rates: JAX arrays."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)       # float32 stays float32

    def task_gradient(phi, x, y):
        return jax.grad(lambda phi: criterion(forward(net, phi, x), y))(phi)

    def query_loss(theta, alpha, support_x, support_y, query_x, query_y):
        phi = theta
        for _ in range(work.steps):
            g = task_gradient(phi, support_x, support_y)
            g = jax.lax.stop_gradient(g) if work.order == 1 else g
            phi = [p - rate * each for p, rate, each in zip(phi, alpha or [work.lr] * len(phi), g, strict=True)]
        return criterion(forward(net, phi, query_x), query_y)

    def meta_loss(theta, alpha, *fields):
        of_task = lambda task: query_loss(theta, alpha, *task)
        return (jax.lax.map(of_task, fields) if convolves else jax.vmap(of_task)(fields)).mean()

    convolves = any(isinstance(layer, nn.Conv2d) for layer in net)
    batch = work.batch
    to_jax = lambda t: jnp.asarray(t.detach().numpy())
    pictures = lambda x: to_jax(x.movedim(2, -1) if x.ndim == 5 else x)
    inputs = ([to_jax(p) for p in net.parameters()], [to_jax(a) for a in work.alpha], pictures(batch.support_x),
              to_jax(batch.support_y), pictures(batch.query_x), to_jax(batch.query_y))
    compiled = jax.jit(jax.grad(meta_loss, argnums=(0, 1))).lower(*inputs).compile()

    def step():
        theta, alpha = jax.block_until_ready(compiled(*inputs))
        return [*theta, *alpha]

    return step


def forward(net: nn.Sequential, phi: list, x):
    """The stock network with parameters `phi` in place of its own, norms by the samples' statistics."""
    import jax
    import jax.numpy as jnp

    own = iter(phi)
    for layer in net:
        if isinstance(layer, nn.Flatten):
            x = x.reshape(len(x), -1)
        elif isinstance(layer, nn.Linear):
            x = x @ next(own).T + (next(own) if layer.bias is not None else 0)
        elif isinstance(layer, nn.Conv2d):
            x = jax.lax.conv_general_dilated(x, next(own), layer.stride, [(1, 1), (1, 1)], dimension_numbers=LAYOUT)
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            axes = tuple(range(x.ndim - 1))
            centred = x - x.mean(axes)
            x = centred * jax.lax.rsqrt((centred * centred).mean(axes) + layer.eps) * next(own) + next(own)
        elif isinstance(layer, nn.ReLU):
            x = jnp.maximum(x, 0)
        elif isinstance(layer, nn.MaxPool2d):
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        elif isinstance(layer, nn.AdaptiveAvgPool2d):
            x = x.mean((1, 2))
        else:
            raise ValueError(f"no JAX form of {type(layer).__name__}; add it to peer_jax.forward")
    return x


def criterion(prediction, y):
    """Mean squared error or cross-entropy, as `task_loss`."""
    import jax
    import jax.numpy as jnp

    if jnp.issubdtype(y.dtype, jnp.floating):
        return ((prediction - y) ** 2).mean()
    return -jnp.take_along_axis(jax.nn.log_softmax(prediction), y[:, None], 1).mean()
