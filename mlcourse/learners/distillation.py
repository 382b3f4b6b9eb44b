"""Distillation: a student learns a teacher's answers, on pictures that need no labels.

Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, NIPS 2014 workshop, arXiv 1503.02531, section 2.
Across domains the teacher knows the source's labels, and the pictures are the target's.

    v = teacher(x)                     frozen                                                (`Teacher`)
    z = f_θ(x)                         the student
    descend  τ² KL(softmax(v/τ) ‖ softmax(z/τ)) on unlabelled x  +  w · L_y(θ; support)       (`loss`)
    predict softmax(z): τ = 1                                                                (`predict`)
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learner import Adapted, require_grad
from mlcourse.learners.adabn import AdaBN
from mlcourse.losses.distillation import distillation
from mlcourse.nets import head, norm_of, of_tasks


class Teacher:
    """A trained network that answers and never learns: logits (…, N) of pictures (…, 1, S, S).

    net, state: as `adapt` of a learner around `net` leaves them for one episode, or for a batch of one. Everything is
    copied, so that no training can reach it; no parameter asks for a gradient.
    """

    def __init__(self, net: nn.Module, state: Adapted):
        batched = of_tasks(net, state.params)
        own = lambda t: (t[0] if batched else t).detach().clone()
        self.net = copy.deepcopy(net).requires_grad_(False)
        for name, p in self.net.named_parameters():
            p.copy_(own(state.params[name]))
        self.stats = tuple((own(mean), own(var)) for mean, var in state.stats)

    @torch.no_grad()
    def __call__(self, x: Tensor) -> Tensor:
        if x.ndim > 4 and not self.stats and norm_of(self.net) == "batch":      # statistics are those of one task
            return torch.stack([self(task) for task in x])
        pictures = x.flatten(0, -4)
        v = self.net(pictures, self.stats) if self.stats else self.net(pictures)
        return v.view(*x.shape[:-3], -1)


class Distillation(AdaBN):
    """A student on the unlabelled pictures of an episode; it predicts with their norm statistics, as AdaBN does.

    net: the student's network. teacher: pictures (M, 1, S, S) → logits (M, N), a `Teacher` or another frozen function;
    it is no part of the learner's parameters. temperature: τ of both sides in training. hard: w, the weight of the
    cross-entropy of the support set's labels; 0 leaves labels out.
    Raises ValueError for a teacher with a parameter that would train, a temperature that is not positive or a negative
    weight; and what AdaBN raises.
    """

    stacks = True

    def __init__(self, net: nn.Module, teacher: Callable[[Tensor], Tensor], temperature: float = 4.0,
                 hard: float = 0.0):
        super().__init__(net)
        check_rate(temperature, "temperature")
        if hard < 0:
            raise ValueError(f"the weight of the hard labels must be 0 or more, got {hard}")
        _check_frozen(teacher)
        object.__setattr__(self, "teacher", teacher)        # not a submodule: its parameters are not the student's
        self.temperature, self.hard = temperature, hard
        self.config = {"temperature": temperature, "hard": hard}

    def loss(self, episode: Episode) -> Tensor:
        """τ² KL of the soft targets on the unlabelled pictures, and w times the cross-entropy of the support set."""
        require_grad(self)
        self.check(episode)
        x = episode.unlabeled_x
        z = head(self.theta(episode.batch_shape), self.embed(x, episode))
        soft = distillation(z, self.answers(x), self.temperature)
        if not self.hard:
            return soft
        return soft + self.hard * self.label_loss(self.embed(episode.support_x, episode), episode)

    def answers(self, x: Tensor) -> Tensor:
        """The teacher's logits of pictures (M, 1, S, S), or (T, M, 1, S, S), which it sees task by task."""
        if x.ndim == 4 or isinstance(self.teacher, Teacher):
            return self.teacher(x)
        return torch.stack([self.teacher(task) for task in x])


def _check_frozen(teacher) -> None:
    """Raises ValueError, naming it, for a parameter of the teacher that a training could change."""
    named = teacher.named_parameters() if isinstance(teacher, nn.Module) else ()
    for name, p in named:
        if p.requires_grad:
            raise ValueError(f"the teacher's parameter {name!r} would train along with the student; freeze the teacher "
                             "first, with teacher.requires_grad_(False) or as a Teacher, which is a frozen copy")
