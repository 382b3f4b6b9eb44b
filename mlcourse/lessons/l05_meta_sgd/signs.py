"""What the gradients say about the sign of one learned rate: Meta-SGD looked at one weight at a time.

Meta-SGD's outer gradient by the rate of a weight w is ∂L/∂α_w = -mean_i ∂L(φ_i; Q_i)/∂w · ∂L(θ; S_i)/∂w (Li et al.
2017, the derivative of equation 2). At a learned α it is 0 whatever the sign of α_w. What tells the sign is the same
product where α_w is 0 and all other weights move: then a negative mean asks for a negative rate.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vmap

from mlcourse.episode import Episode
from mlcourse.losses import task_loss
from mlcourse.nets import Params, call


class Weight(NamedTuple):
    """One weight: the name of its tensor and its place in the flattened tensor."""

    tensor: str
    index: int


def support_gradients(net, theta: Params, tasks: Episode) -> Params:
    """∇L(θ; S_i) of every task: tensors with a leading task dimension."""
    loss = lambda params, x, y: task_loss(call(net, params, x), y)
    return vmap(grad(loss), (None, 0, 0))(theta, tasks.support_x, tasks.support_y)


def alive(g: Params) -> Params:
    """By tensor, whether a weight has a support gradient on any task: what a rate needs to do anything."""
    return {name: each.abs().amax(0) > 0 for name, each in g.items()}


def query_gradient_unmoved(net, theta: Params, alpha: Params, g: Params, weight: Weight, tasks: Episode) -> Tensor:
    """∂L(φ_i; Q_i)/∂w at φ = θ - α ∘ g but with the weight w where it was: (T,)."""
    phi = {name: theta[name] - alpha[name] * g[name] for name in theta}
    picked = phi.pop(weight.tensor)
    picked.view(tasks.tasks, -1)[:, weight.index] = theta[weight.tensor].reshape(-1)[weight.index]
    loss = lambda tensor, rest, x, y: task_loss(call(net, {**rest, weight.tensor: tensor}, x), y)
    found = vmap(grad(loss))(picked, phi, tasks.query_x, tasks.query_y)
    return found.reshape(tasks.tasks, -1)[:, weight.index]


def loss_along(net, theta: Params, alpha: Params, g: Params, weight: Weight, rates: Tensor, tasks: Episode) -> Tensor:
    """The mean query loss of the tasks where the picked weight has each of `rates` (R,) instead of its own: (R,)."""
    phi = {name: theta[name] - alpha[name] * g[name] for name in theta}
    start, slope = theta[weight.tensor].reshape(-1)[weight.index], g[weight.tensor].flatten(1)[:, weight.index]
    moved = start - rates[:, None] * slope                                        # (R, T)
    tensor = phi[weight.tensor].expand(len(rates), *phi[weight.tensor].shape).clone()
    tensor.flatten(2)[:, :, weight.index] = moved
    many = {name: p.expand(len(rates), *p.shape) for name, p in phi.items()} | {weight.tensor: tensor}
    flat = {name: p.flatten(0, 1) for name, p in many.items()}
    x, y = (part.repeat(len(rates), 1, 1) for part in (tasks.query_x, tasks.query_y))
    return task_loss(call(net, flat, x), y).view(len(rates), -1).mean(1)


@torch.no_grad()
def agreement_at_theta(net, theta: Params, tasks: Episode) -> float:
    """Among the weights that have a support gradient on some task, the share whose support and query gradients, both at
    θ, have a positive mean product over the tasks."""
    loss = lambda params, x, y: task_loss(call(net, params, x), y)
    g_s = support_gradients(net, theta, tasks)
    g_q = vmap(grad(loss), (None, 0, 0))(theta, tasks.query_x, tasks.query_y)
    at_work = alive(g_s)
    products = torch.cat([(g_s[name] * g_q[name]).mean(0)[at_work[name]] for name in theta])
    return float((products > 0).float().mean())


@torch.no_grad()
def negative_share(net, theta: Params, alpha: Params, tasks: Episode) -> float:
    """The share of negative rates among the weights that have a support gradient on some task."""
    at_work = alive(support_gradients(net, theta, tasks))
    return float(torch.cat([alpha[name][at_work[name]] < 0 for name in theta]).float().mean())


class Signs(NamedTuple):
    """For each of W weights: its rate, the mean product of its support gradient and its query gradient where it alone
    has not moved, and what setting its rate to 0 adds to the mean query loss. All (W,)."""

    rate: Tensor
    product: Tensor
    worth: Tensor


@torch.no_grad()
def signs(net, theta: Params, alpha: Params, tasks: Episode, weights: int = 300, seed: int = 0) -> Signs:
    """`Signs` of that many weights, drawn at random from those that have a support gradient on some task."""
    g = support_gradients(net, theta, tasks)
    at_work = [Weight(name, int(i)) for name, each in alive(g).items() for i in each.flatten().nonzero()]
    drawn = torch.randperm(len(at_work), generator=torch.Generator().manual_seed(seed))[:weights]
    found = []
    for weight in (at_work[i] for i in drawn):
        rate = alpha[weight.tensor].reshape(-1)[weight.index]
        slope = g[weight.tensor].flatten(1)[:, weight.index]
        product = (slope * query_gradient_unmoved(net, theta, alpha, g, weight, tasks)).mean()
        still, moved = loss_along(net, theta, alpha, g, weight, torch.stack([torch.zeros(()), rate]), tasks)
        found.append(torch.stack([rate, product, still - moved]))
    return Signs(*torch.stack(found).T)
