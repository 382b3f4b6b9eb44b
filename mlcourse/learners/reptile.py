"""Reptile: move the initialisation towards the adapted weights.

Nichol, Achiam, Schulman: On First-Order Meta-Learning Algorithms, 2018, Algorithm 2.

    φ_i ← k steps of an inner optimiser on mini-batches of task i, from θ
    θ ← θ + ε · mean_i(φ_i - θ)

Written as a loss, ½ |θ - stop(φ_i)|², whose gradient is θ - φ_i: SGD with rate ε then does the outer step.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mlcourse.engine import adam
from mlcourse.engine.adam import Averages
from mlcourse.engine.descend import check_rate, check_steps, descend, gradient
from mlcourse.episode import Episode
from mlcourse.learner import Adapted, check_head, require_grad
from mlcourse.learners.maml import MAML
from mlcourse.method import Method
from mlcourse.nets import Params, trainable
from mlcourse.phases import Phase, check_counts, linear_decay, over_episodes, trained_by


class Reptile(MAML):
    """Reptile with k = `steps` inner steps of rate `lr`.

    In training the inner loop uses every labelled sample of the episode (Reptile needs no split); at test it adapts
    on the support set alone. k = 1 with SGD on all samples is joint training by SGD.
    beta2: 0 takes SGD; else Adam with β1 = 0 and this β2, 0.999 in the paper's runs. batch: how many samples make a
    mini-batch, see `mini_batches`; None takes all of them in every step.

    v, ones: Adam's averages (`adam.Averages`) that every inner loop starts from, also at test. As in the authors' code
    they outlive the task. There the tasks of an outer step hand them on to each other; here all start from the same
    ones, and the loss moves these to the mean of where the tasks end, as it moves θ. With one task in an outer step,
    and as long as ε is not annealed, that is the same.
    Deviation from the paper: SGD on all samples unless told otherwise; mini-batches go through the samples in the
    episode's own order, which is random, but not drawn anew for a second pass; METHOD has an inner rate of 6e-3 in
    place of 1e-3, and 8,000 outer steps in place of 100,000.
    The loss is a device for the outer step; never select a model by it.
    Raises ValueError for a β2 outside [0, 1), for a batch below 1, and as MAML does.
    """

    order = 1
    stacks = True

    def __init__(self, net: nn.Module, lr: float = 0.01, steps: int = 1, beta2: float = 0.0, batch: int | None = None):
        super().__init__(net, lr, steps)
        if not 0 <= beta2 < 1:
            raise ValueError(f"beta2 must lie in [0, 1), got {beta2}; take 0.999, or 0 for SGD in place of Adam")
        check_counts(**({} if batch is None else {"batch": batch}))
        self.beta2, self.batch = beta2, batch
        self.config |= {"beta2": beta2, "batch": batch}
        if beta2:
            zeros = {name: torch.zeros_like(p) for name, p in trainable(net).items()}
            # "." may not stand in a parameter's name
            self.v = nn.ParameterDict({name.replace(".", "/"): nn.Parameter(zero) for name, zero in zeros.items()})
            self.ones = nn.Parameter(next(iter(zeros.values())).new_zeros(()))

    def averages(self, tasks: tuple = ()) -> Averages | None:
        """Adam's averages before the first step; with `tasks` = (T,), v as that of T tasks. None for SGD."""
        if not self.beta2:
            return None
        return Averages({name.replace("/", "."): v.expand(*tasks, *v.shape) for name, v in self.v.items()}, self.ones)

    def inner(self, episode: Episode, x: Tensor, y: Tensor, steps: int) -> tuple[Params, Averages | None]:
        """φ, and Adam's averages, after `steps` steps on these samples of the episode."""
        check_steps(steps)
        tasks = episode.batch_shape
        phi, averages = self.theta(tasks), self.averages(tasks)
        batches = [(self.prepare(x, episode), y) for x, y in mini_batches(x, y, self.batch, steps, len(tasks))]
        for i in range(steps):
            x, y = batches[i % len(batches)]
            loss = lambda p, x=x, y=y: self.loss_at(p, x, y)
            if averages is None:
                phi = descend(loss, phi, 1, self.lr, order=1, stacked=bool(tasks))
            else:
                at = {name: p.detach() for name, p in phi.items()}
                g = gradient(loss, at, order=1, stacked=bool(tasks))
                phi, averages = adam.step(phi, g, averages, self.lr, self.beta2)
        return phi, averages

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """φ after `steps` inner steps on the support set."""
        if not self.beta2 and self.batch is None:
            return super().adapt(episode, steps)
        check_head(self, episode)
        phi, _ = self.inner(episode, episode.support_x, episode.support_y, self.steps if steps is None else steps)
        return self.adapted(phi, episode)

    def loss(self, episode: Episode) -> Tensor:
        """½ |θ - stop(φ)|², summed over all parameters, and with Adam over its averages."""
        require_grad(self)
        check_head(self, episode)
        tasks = episode.batch_shape
        theta, averages = self.theta(tasks), self.averages(tasks)
        phi, after = self.inner(episode, *episode.samples(), self.steps)
        pairs = [(theta[name], phi[name]) for name in theta]
        if averages is not None:
            pairs += [(averages.v[name], after.v[name]) for name in averages.v]
            pairs += [(averages.ones.expand(tasks), after.ones.expand(tasks))]
        squares = [(before - reached.detach()).square() for before, reached in pairs]
        return 0.5 * sum(s.flatten(len(tasks)).sum(-1) if s.dim() > len(tasks) else s for s in squares)

    def phases(self, sampler, steps: int, *, tasks: int = 5, lr: float = 1.0) -> list[Phase]:
        """SGD with rate ε = `lr`, annealed to 0 along a line; Adam's averages have 1 in place of `lr`, annealed alike.
        Raises what `episodic_phase` raises."""
        check_counts(tasks=tasks)
        check_rate(lr, "outer learning rate")
        groups = [{"params": [], "lr": lr}, {"params": [], "lr": 1.0}]
        for name, p in trained_by(self):
            groups[not name.startswith("net.")]["params"].append((name, p))
        return [over_episodes(self, "meta-train", lambda generator: sampler.sample(tasks, generator),
                              lambda episode, step: self.loss(episode),
                              torch.optim.SGD([group for group in groups if group["params"]]), steps, linear_decay)]


def mini_batches(x: Tensor, y: Tensor, batch: int | None, steps: int, dim: int) -> list[tuple[Tensor, Tensor]]:
    """The mini-batches of `steps` steps on n samples, until they repeat: `batch` samples after another in the order in
    which they lie, the first following on the last; all samples where there are no more than `batch` of them, or batch
    is None. dim: along which the samples lie."""
    n = y.shape[dim]
    if batch is None or batch >= n:
        return [(x, y)]
    order = torch.arange(batch, device=y.device)
    passes = [(order + i * batch) % n for i in range(min(steps, n // math.gcd(n, batch)))]
    return [(x.index_select(dim, at), y.index_select(dim, at)) for at in passes]


METHOD = Method("reptile", Reptile, "move the initialisation towards adapted weights", "headed",
                {"lr": 6e-3, "steps": 5, "beta2": 0.999, "batch": 10}, {"steps": 8000, "tasks": 5, "lr": 1.0},
                train_query=9, test_steps=20,
                sinusoids=({"lr": 0.01, "steps": 8}, {"steps": 3000, "tasks": 5, "lr": 1.0}))
