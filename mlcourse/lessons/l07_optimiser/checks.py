"""The check of lesson 07 on code: a stretch of the optimiser's training."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mlcourse.exercises.framework import Crashed, LearnerFunction, Misconception, NotYet, explain, kind
from mlcourse.exercises.gradients import BACKWARD, gradients_by
from mlcourse.exercises.values import scalar

# ---------------------------------------------------------------- 07.2

STEPS = 4
RESET, GRAPH, THROUGH = "the state is forgotten", "the past is not cut off", "second order"
SHARED, FORGETS = "the gradient of the mean", "the memory is cut at every step"
LAST, START, SINGLE, CUT = ("only the last loss", "the loss before the step", "cut at every step",
                            "no gradient reaches the optimiser")
ORDER = "the three in another order"


class Tiny(nn.Module):
    """A learned optimiser of a few weights: its state is a tensor and a pair of them, each of the gradient's shape."""

    def __init__(self):
        super().__init__()
        draw = lambda *values: nn.Parameter(torch.tensor(values, dtype=torch.float64))
        self.seen, self.kept, self.made = draw(0.2, -0.4), draw(0.5, 0.3), draw(-0.3, -0.2)

    def start(self, phi: Tensor) -> tuple:
        """The state before the first step: not zero, so that it counts."""
        return (torch.full_like(phi, 0.2), (torch.full_like(phi, -0.1),))

    def forward(self, g: Tensor, state: tuple) -> tuple[Tensor, tuple]:
        v, (w,) = state
        v = torch.tanh(self.kept[0] * v + self.seen[0] * g)
        w = torch.tanh(self.kept[1] * w + self.seen[1] * v)
        return self.made[0] * v + self.made[1] * w, (v, (w,))


class Stretch(NamedTuple):
    """What a stretch returns: the meta-loss and its gradients by the optimiser's weights; φ and the state."""

    loss: Tensor
    gradients: tuple[Tensor | None, ...]
    phi: Tensor
    state: tuple[Tensor, ...]


def check_stretch(answer: object) -> str:
    """07.2: a stretch of four steps and one of a single step, from a state that is not zero."""
    stretch = LearnerFunction(answer, "stretch")
    for steps in (STEPS, 1):
        m, f, phi = Tiny(), functions(steps), points()
        got, kept = read(stretch, m, f, phi, m.start(phi), steps)
        truth = lambda m=m, f=f, steps=steps, **faults: stretched(m, f, points(), steps, **faults)
        if not same(got, truth()):
            explain(got, truth, STRETCH_FAULTS, same)
            if all(g is None for g in got.gradients):
                raise Misconception(CUT, "the meta-loss has no graph that leads to m's weights, so m would never "
                                    "train; look for no_grad or detach on the way from u to the loss.")
            raise NotYet(f"with {steps} steps the meta-loss, its gradient by m's weights, phi or the state differ from "
                         f"a slow version; take the lines [5] to [7] one after the other.")
        if kept:
            raise Misconception(GRAPH, f"the numbers are right, but {kept} drags the graph of this stretch along, so "
                                f"the next one would differentiate through it again; detach what you hand on.")
    return "Meta-loss, meta-gradient, phi and state are right for stretches of 4 steps and of 1; no graph is handed on."


def functions(seed: int):
    """Three quadratics of four numbers, φ (3, 4) -> (3,)."""
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(3, 4, 4, generator=generator, dtype=torch.float64)
    b = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    return lambda phi: ((a @ phi[..., None])[..., 0] - b).square().sum(-1)


def points() -> Tensor:
    """Where the three start."""
    return torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(3, 4)


def read(stretch: LearnerFunction, m: Tiny, f, phi: Tensor, state: tuple, steps: int) -> tuple[Stretch, str]:
    """What the learner's stretch returns, and which of φ and state still has a graph ("" where neither has)."""
    try:
        result = stretch(m, f, phi, state, steps)
    except Crashed as crash:
        if "does not require grad" in str(crash.error):
            raise Misconception("the gradient of what has no graph", "phi comes without a graph; take the gradient at "
                                "a copy that requires one, phi.detach().requires_grad_().") from None
        raise
    if any(p.grad is not None for p in m.parameters()):
        raise Misconception(BACKWARD, "the .grad of m's weights is filled: backward() ran inside; ask "
                            "torch.autograd.grad for the gradient of f, and leave the meta-loss to the caller.")
    if not isinstance(result, (tuple, list)) or len(result) != 3:
        raise NotYet(f"stretch must return three things, (meta_loss, phi, state), got {kind(result)}.")
    if misplaced(*result, shape=phi.shape):
        raise Misconception(ORDER, "returned in another order? Line [7]'s meta_loss comes first, then phi, then the "
                            "state: (meta_loss, phi, state).")
    loss = scalar(result[0], "the meta-loss must be a scalar tensor: a sum over the steps, a mean over the functions")
    ends, parts = result[1], list(flat(result[2]))
    if not isinstance(ends, Tensor) or ends.shape != phi.shape:
        raise NotYet(f"phi must come back as a tensor of shape {tuple(phi.shape)}.")
    if len(parts) != 2 or any(part.shape != phi.shape for part in parts):
        raise NotYet("the state must come back as m returned it: tuples of tensors, in the same order.")
    kept = "phi" if ends.grad_fn is not None else "the state" if any(p.grad_fn is not None for p in parts) else ""
    return Stretch(loss.detach(), gradients_by(loss, list(m.parameters())), ends.detach(),
                   tuple(part.detach() for part in parts)), kept


def misplaced(first: object, second: object, third: object, shape: torch.Size) -> bool:
    """Whether a scalar comes after something else, or what has phi's shape after the tuple of a state."""
    single = lambda part: isinstance(part, Tensor) and part.numel() == 1
    late = isinstance(second, (tuple, list)) and isinstance(third, Tensor) and third.shape == shape
    return late or (not single(first) and (single(second) or single(third)))


def flat(state: object):
    """The tensors of a state, one after another."""
    if isinstance(state, Tensor):
        yield state
    elif isinstance(state, (tuple, list)):
        for part in state:
            yield from flat(part)


def stretched(m: Tiny, f, phi: Tensor, steps: int, order: int = 1, cut: str = "ends", counted: str = "after",
              carried: bool = True, sign: int = 1, over: str = "mean", summed: str = "sum",
              shared: bool = False) -> Stretch:
    """A slow stretch; the options are the known faults."""
    state, losses, first = m.start(phi), [], m.start(phi)
    phi = phi.requires_grad_()
    for _ in range(steps):
        if cut == "steps":
            phi = phi.detach().requires_grad_()
        before = f(phi)
        whole = before.mean() if shared else before.sum()
        g, = torch.autograd.grad(whole, phi, create_graph=order == 2, retain_graph=True)
        if cut == "state":
            state = (state[0].detach(), (state[1][0].detach(),))
        u, state = m(g, state if carried else first)
        phi = phi + sign * u
        losses.append(before if counted == "before" else f(phi))
    each = torch.stack(losses[-1:] if counted == "last" else losses)
    each = each.mean(1) if over == "mean" else each.sum(1)
    loss = each.sum() if summed == "sum" else each.mean()
    gradients = gradients_by(loss, list(m.parameters()))
    return Stretch(loss.detach(), gradients, phi.detach(), tuple(part.detach() for part in flat(state)))


def same(one: Stretch, other: Stretch) -> bool:
    """Whether two stretches agree in all that they return, to the digits of float32."""
    close = lambda a, b: torch.allclose(a.double(), b.double(), rtol=1e-4, atol=1e-6)
    zero = lambda g: torch.zeros(2, dtype=torch.float64) if g is None else g
    return (close(one.loss, other.loss) and close(one.phi, other.phi)
            and all(close(zero(a), zero(b)) for a, b in zip(one.gradients, other.gradients, strict=True))
            and all(close(a, b) for a, b in zip(one.state, other.state, strict=True)))


STRETCH_FAULTS = (
    (THROUGH, {"order": 2}, "g carries a graph here, and the meta-gradient runs through it; line [5] takes g as a "
     "constant, so take it at a detached copy of phi, or without create_graph"),
    (SINGLE, {"cut": "steps"}, "phi is detached before every step, so no step hears of the losses after the next; phi "
     "is cut off only at the end of the stretch, and for g a detached copy serves"),
    (FORGETS, {"cut": "state"}, "the state is detached before every step, so m never learns what to remember; it is "
     "cut off only at the end of the stretch"),
    (LAST, {"counted": "last"}, "the meta-loss is the sum over all steps; the last alone is another objective"),
    (START, {"counted": "before"}, "count the loss after each step, not before it: the first does not depend on m"),
    (RESET, {"carried": False}, "every step hands its state to the next one; m(g, state) returns the new one"),
    (SHARED, {"shared": True}, "each function has a gradient of its own; that of the mean over B functions is B times "
     "too small, so take that of their sum"),
    ("uphill", {"sign": -1}, "u is what m adds to phi; m learns the sign itself"),
    ("a sum over the functions", {"over": "sum"}, "the meta-loss is a mean over the functions, so that its size does "
     "not depend on how many there are"),
    ("a mean over the steps", {"summed": "mean"}, "the meta-loss is the sum over the steps"),
)
