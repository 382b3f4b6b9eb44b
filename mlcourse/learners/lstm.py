"""The LSTM meta-learner: the weights of a network as the cell state of an LSTM that sees their gradients.

Ravi, Larochelle: Optimization as a Model for Few-Shot Learning, ICLR 2017, sections 3.2 to 3.5.

    c_t = σ(f_t) ∘ c_{t-1} - σ(i_t) ∘ ∇L_t             the weights after step t; c_0 is learned
    f_t = W_F [h_t, c_{t-1}, f_{t-1}] + b_F            h_t: an LSTM's that sees ∇L_t and L_t, each by `log_and_sign`
    i_t = W_I [h_t, c_{t-1}, i_{t-1}] + b_I

L_t is the mean loss of the support set at c_{t-1}. W, b and the LSTM are the same for every weight of the network, the
states are its own: a step holds 20 numbers and their gates for each weight, so take a small network, or a head alone.
Gates that stay at f = +∞ and i = b make it gradient descent with the rate σ(b).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_steps, value_and_gradient
from mlcourse.episode import Episode
from mlcourse.learner import Adapted, NetLearner, check_adaptable, check_head
from mlcourse.method import Method
from mlcourse.nets import Params
from mlcourse.nets.lstm import LSTMCell
from mlcourse.optimisers.learned import log_and_sign
from mlcourse.phases import check_counts

FORGET = 4.5        # σ(4.5) = 0.989: the middle of the authors' U(4, 5)


class MetaLSTM(NetLearner):
    """The LSTM meta-learner with `hidden` units, `steps` steps on the whole support set, and c_0 = θ.

    rate: σ(i) at the start, in (0, 1); the authors' draw lies between 0.007 and 0.018. Gradients and losses that the
    LSTM sees are constants. So are, as the paper has it, the gradients in the step; in a subclass with order = 2 they
    are not, and meta-training knows that a step changes the gradients of those after it.
    Deviations: the authors draw b_F from U(4, 5) and b_I from U(-5, -4), here both are numbers; they clip the
    meta-gradient at 0.25. W_F and W_I start in U[-0.01, 0.01] as theirs.
    Raises ValueError for a rate outside (0, 1), and counts below 1.
    """

    adapts = True
    stacks = True
    exact_gradient = False
    order = 1

    def __init__(self, net: nn.Module, rate: float = 0.01, steps: int = 8, hidden: int = 20, seed: int = 0):
        super().__init__(net)
        check_adaptable(self)
        check_counts(steps=steps, hidden=hidden)
        if not 0 < rate < 1:
            raise ValueError(f"the rate is the value of a gate, between 0 and 1, got {rate}")
        self.steps = steps
        self.config = {"rate": rate, "steps": steps, "hidden": hidden, "seed": seed}
        self.lstm = LSTMCell(4, hidden, seed)
        generator = torch.Generator().manual_seed(seed + 1)
        self.gates = nn.Parameter(0.02 * torch.rand(2, hidden + 2, generator=generator) - 0.01)       # W_F, W_I
        self.bias = nn.Parameter(torch.tensor([FORGET, math.log(rate / (1 - rate))]))                 # b_F, b_I

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """c_T after `steps` steps on the support set."""
        check_head(self, episode)
        steps = self.steps if steps is None else steps
        check_steps(steps)
        x, tasks = self.prepare(episode.support_x, episode), episode.batch_shape
        theta = self.theta(tasks)
        shapes = {name: p.shape[len(tasks):] for name, p in theta.items()}
        c = flat(theta, len(tasks))
        state, f, i = self.lstm.start(c[..., None]), torch.zeros_like(c), torch.zeros_like(c)
        for _ in range(steps):
            loss, gradient = value_and_gradient(lambda phi: self.loss_at(phi, x, episode.support_y), by_name(c, shapes),
                                                order=self.order, stacked=bool(tasks))
            g = flat(gradient, len(tasks))
            seen = torch.cat([log_and_sign(g.detach()), log_and_sign(loss[..., None].expand_as(g))], -1)
            state = self.lstm(seen, state)
            (w_f, w_i), (b_f, b_i) = self.gates, self.bias
            f, i = (torch.cat([state[0], c[..., None], gate[..., None]], -1) @ w + b
                    for w, b, gate in ((w_f, b_f, f), (w_i, b_i, i)))
            c = f.sigmoid() * c - i.sigmoid() * g
        return self.adapted(by_name(c, shapes), episode)


def flat(params: Params, leading: int) -> Tensor:
    """All parameters, (*T, …) each with so many leading dimensions, one after another: (*T, P)."""
    return torch.cat([p.flatten(leading) if p.ndim > leading else p[..., None] for p in params.values()], -1)


def by_name(c: Tensor, shapes: dict[str, torch.Size]) -> Params:
    """What `flat` made of parameters of these shapes."""
    parts = c.split([shape.numel() for shape in shapes.values()], -1)
    return {name: part.unflatten(-1, shape) if shape else part[..., 0]
            for (name, shape), part in zip(shapes.items(), parts, strict=True)}


METHOD = Method("lstm", MetaLSTM, "an LSTM whose cell state is the weights", "headed", {"rate": 0.5},
                {"steps": 300, "tasks": 2, "lr": 6e-3}, train_query=5,
                sinusoids=({"rate": 0.01, "steps": 5}, {"steps": 3000, "tasks": 25, "lr": 3e-3}))
