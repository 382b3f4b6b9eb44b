"""The meta-step as others write it: a loop over tasks with torch.autograd.grad, with higher, and with TorchOpt.

Each follows the MAML example of its library. It takes a network of torch's stock layers and a `Work`, and leaves the
meta-gradient in the network's parameters (and, for Meta-SGD, in the rates).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.episode import Episode
from mlcourse.nets import MLP, Conv4


@dataclass(frozen=True)
class Work:
    """What a meta-step computes: `steps` inner steps of rate `lr` on each task of `batch`, then the gradient of the
    mean query loss. order: 1 drops second derivatives. alpha: Meta-SGD's rates in the order of the parameters, which
    then take the place of `lr`."""

    batch: Episode
    lr: float
    steps: int = 1
    order: int = 2
    alpha: tuple[Tensor, ...] = ()


def stock(net: MLP | Conv4) -> nn.Sequential:
    """The same network, weights included, of torch's stock layers in training mode."""
    conv = isinstance(net, Conv4)
    layers = [] if conv else [nn.Flatten()]
    for linear, norm in zip(net.convs if conv else net.body, net.norms, strict=True):
        layers.append(_like(linear, nn.Conv2d(linear.in_channels, linear.out_channels, 3, net.stride, padding=1,
                                              bias=False) if conv else
                            nn.Linear(linear.in_features, linear.out_features, bias=linear.bias is not None)))
        if net.norm == "batch":
            layers.append((nn.BatchNorm2d if conv else nn.BatchNorm1d)(len(norm.gain)))
            layers[-1].load_state_dict({"weight": norm.gain, "bias": norm.shift}, strict=False)
        layers.append(nn.ReLU())
        layers += [nn.MaxPool2d(2)] if conv and net.pool == "max" else []
    layers += [nn.AdaptiveAvgPool2d(1)] if conv and net.pool == "stride" else []
    layers += [nn.Flatten()] if conv else []
    layers.append(_like(net.head, nn.Linear(net.head.in_features, net.head.out_features)))
    return nn.Sequential(*layers).to(net.head.weight.dtype)


def _like(linear: nn.Module, own: nn.Module) -> nn.Module:
    own.load_state_dict(linear.state_dict())
    return own


def criterion(prediction: Tensor, y: Tensor) -> Tensor:
    """Mean squared error or cross-entropy, as `task_loss`."""
    return F.mse_loss(prediction, y) if y.is_floating_point() else F.cross_entropy(prediction, y)


def loop(net: nn.Module, work: Work) -> None:
    """One task after the other, torch.autograd.grad with create_graph, the network called with functional_call."""
    names, theta = zip(*net.named_parameters(), strict=True)
    rates = work.alpha or [work.lr] * len(theta)
    total = 0.0
    for i in range(work.batch.tasks):
        task, phi = work.batch.task(i), theta
        for _ in range(work.steps):
            prediction = torch.func.functional_call(net, dict(zip(names, phi, strict=True)), (task.support_x,))
            grads = torch.autograd.grad(criterion(prediction, task.support_y), phi, create_graph=work.order == 2)
            phi = [p - rate * g for p, rate, g in zip(phi, rates, grads, strict=True)]
        prediction = torch.func.functional_call(net, dict(zip(names, phi, strict=True)), (task.query_x,))
        total = total + criterion(prediction, task.query_y)
    (total / work.batch.tasks).backward()


def with_higher(net: nn.Module, work: Work) -> None:
    """higher, as in its examples/maml-omniglot.py: a patched copy of the network and a differentiable optimiser per
    task, backward per task. First order: `track_higher_grads=False`, and the query gradient at the last parameters."""
    import higher

    groups = [{"params": [p]} for p in net.parameters()] if work.alpha else net.parameters()
    optimiser = torch.optim.SGD(groups, lr=work.lr)
    override = {"lr": list(work.alpha)} if work.alpha else None
    for i in range(work.batch.tasks):
        task = work.batch.task(i)
        with higher.innerloop_ctx(net, optimiser, copy_initial_weights=False, override=override,
                                  track_higher_grads=work.order == 2) as (fnet, diffopt):
            for _ in range(work.steps):
                diffopt.step(criterion(fnet(task.support_x), task.support_y))
            loss = criterion(fnet(task.query_x), task.query_y) / work.batch.tasks
            if work.order == 2:
                loss.backward()
            else:
                for p, g in zip(net.parameters(), torch.autograd.grad(loss, list(fnet.parameters())), strict=True):
                    p.grad = g if p.grad is None else p.grad + g


def with_torchopt(net: nn.Module, work: Work) -> None:
    """TorchOpt, as in its examples/few-shot/maml_omniglot.py: MetaSGD on the network itself, whose state is extracted
    before each task and recovered after it, and one backward for all. It has neither first order nor learned rates."""
    import torchopt

    if work.order != 2 or work.alpha:
        raise ValueError("TorchOpt's differentiable optimiser has neither first order nor learned rates")
    optimiser = torchopt.MetaSGD(net, lr=work.lr)
    start = torchopt.extract_state_dict(net, by="reference", detach_buffers=True)
    state = torchopt.extract_state_dict(optimiser, by="reference")
    losses = []
    for i in range(work.batch.tasks):
        task = work.batch.task(i)
        for _ in range(work.steps):
            optimiser.step(criterion(net(task.support_x), task.support_y))
        losses.append(criterion(net(task.query_x), task.query_y))
        torchopt.recover_state_dict(net, start)
        torchopt.recover_state_dict(optimiser, state)
    torch.stack(losses).mean().backward()


PEERS = {"loop": loop, "higher": with_higher, "torchopt": with_torchopt}
