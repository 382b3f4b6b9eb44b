"""Checks of lesson 09 on what a memory can do at most, on paper, and on how an episode is run."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mlcourse.exercises.entries import numbers
from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, all_of, explain, look_at
from mlcourse.exercises.gradients import gradients_by
from mlcourse.exercises.values import tensor

# ---------------------------------------------------------------- 09.4

ROWS, WAY = 4, 5
KEYS = ("largest", "strength", "first")


def truths() -> dict[str, float]:
    """The three numbers."""
    others = ROWS - 1
    return dict(zip(KEYS, (math.e / (math.e + others / math.e), math.log(others),
                           sum(1 / left for left in range(1, WAY + 1)) / WAY), strict=True))


ROUTES = (      # the key, a value that a mistake leads to, its name, and what to look at
    ("largest", math.e / (math.e + ROWS - 1), "the others unrelated, not opposite", "the largest share comes about "
     "where every other row is opposite to the key, with the cosine -1"),
    ("largest", 1 / ROWS, "a softmax taken for an average", "the cosines differ, and exp(1) is larger than exp(-1)"),
    ("largest", math.e**2 / (math.e**2 + ROWS), "the row counted among the others", "the other rows are 3"),
    ("strength", math.log(ROWS - 1) / 2, "the others opposite, not unrelated", "here the others have the cosine 0, so "
     "only the row's own exponential grows"),
    ("strength", ROWS - 1, "the logarithm is forgotten", "exp(strength) has to be 3, not the strength"),
    ("strength", 1.0, "the strength left at 1", "at strength 1 the share is e / (e + 3), less than a half; "
     "exp(strength) has to be as large as the three others together"),
    ("strength", math.log(ROWS), "the row counted among the others", "the other rows are 3"),
    ("first", 1 / WAY, "chance at every first sight", "labels that were shown already belong to other classes: at the "
     "last new class one label is left"),
    ("first", 1.0, "the label is known", "at a first presentation nobody has told the label yet"),
    ("first", 2 / (WAY + 1), "one over the mean number left", "take the mean of the five chances, not the chance of "
     "the mean number"),
)


def check_shares(answer: object) -> str:
    """09.4: the bound on a share without strength, and that of elimination."""
    given = numbers(answer, KEYS)
    given |= {key: given[key] / 100 for key in KEYS if key != "strength" and given[key] > 1}        # in per cent
    off = [key for key, right in truths().items() if not meant(given[key], right)]
    found = {key: Misconception(name, look_at(key, why)) for key, value, name, why in ROUTES
             if key in off and meant(given[key], value)}
    rest = " And ".join(UNNAMED[key].format(given[key]) for key in off if key not in found)
    if found:
        named = all_of(list(found.values()))
        raise Misconception(named.names[0], f"{named}{f' And {rest}' if rest else ''}", *named.names[1:])
    if off:
        raise NotYet(rest)
    return ("Of 32 rows one gets 19 % at most without a strength, of 128 rows 5.5 %; above 45.7 % at first sight, look "
            "for a leak.")


SHARE = " is not {:g}; a row's share is exp(strength · cosine) over the sum of all four."
UNNAMED = {"largest": "largest" + SHARE, "strength": "strength" + SHARE,
           "first": "first is not {:g}; write down the chance at the first new class, at the second, up to the fifth, "
                    "and take their mean."}


def meant(one: float, other: float) -> bool:
    """Whether a number is meant, to two digits."""
    return abs(one - other) <= 0.011 * max(abs(other), 0.01) + 3e-4


# ---------------------------------------------------------------- 09.5

T, B, D = 5, 3, 2
LEAK, AHEAD, LATER = "the label beside its own picture", "the label of the next picture", "the label two steps late"
WRAPPED, NAMED, NEVER = "the first label is not unknown", "no label taken for class 0", "no label ever"
CARRIED, FORGETS = "the memory of the episode before", "the memory is emptied at every step"
SWAPPED = "the label before its picture"
CUT = "the gradient is cut"


class Machine:
    """A small recurrent machine with fixed weights: start(B) -> state, (x, state) -> (answer, state)."""

    def __init__(self):
        self.seen, self.kept, self.said = draw(0, D + WAY, 4) / 2, draw(1, 4, 4) / 2, draw(2, 4, WAY) / 2
        self.memory = self.start(B)

    def start(self, batch: int) -> Tensor:
        """The state before the first step: not zero, so that it counts."""
        return torch.full((batch, 4), 0.3, dtype=torch.float64)

    def __call__(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        state = torch.tanh(x.double() @ self.seen + state @ self.kept)
        return state @ self.said, state


def check_episode(answer: object) -> str:
    """09.5: two episodes one after the other."""
    episode, machine = LearnerFunction(answer, "episode"), Machine()
    got = []
    for seed in (0, 1):
        z, y = streams(seed)
        z.requires_grad_()
        result = episode(machine, 1 * z, y.clone())
        got.append(tensor(result, (T, B, WAY),
                          f"for z of shape {(T, B, D)} the answers must have the shape {(T, B, WAY)}"))
    same = lambda one, other: torch.allclose(one, other, rtol=1e-5, atol=1e-6)
    truth = lambda **faults: torch.stack(both(**faults)).detach()
    if not same(torch.stack(got), truth()):
        explain(torch.stack(got), truth, EPISODE_FAULTS, same)
        raise NotYet("the answers to two episodes differ from what the machine says when step t sees picture t and "
                     "label t - 1, and starts anew each time.")
    whole = lambda answers: (answers * draw(8, T, B, WAY)).sum()
    grad, = gradients_by(whole(result), [z]) if isinstance(result, Tensor) else (None,)
    wanted, = torch.autograd.grad(whole(run(Machine(), z, y, None)[0]), [z])
    if grad is None or not torch.allclose(grad, wanted, rtol=1e-3, atol=1e-5):
        raise Misconception(CUT, "the numbers are right, but no gradient leads from each answer to all pictures up to "
                            "it, so the machine never learns what to keep; hand the state on as it is.")
    few = tensor(episode(machine, z.detach()[:-1, 1:], y[:-1, 1:]), (T - 1, B - 1, WAY),
                 f"for z of shape {(T - 1, B - 1, D)} the answers must have the shape {(T - 1, B - 1, WAY)}")
    if not same(few, got[-1][:-1, 1:]):
        raise NotYet(f"{B - 1} of the {B} episodes and {T - 1} of their {T} steps are answered otherwise than with "
                     "the rest.")
    return "Two episodes in a row: each label comes one step late, and nothing is carried from one to the next."


def draw(seed: int, *shape: int) -> Tensor:
    """Normal numbers, float64."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def streams(seed: int) -> tuple[Tensor, Tensor]:
    """What is seen (T, B, D) and its labels (T, B), of which the first and the last differ."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.stack([torch.randperm(WAY, generator=generator) for _ in range(B)], 1)
    return torch.randn((T, B, D), generator=generator, dtype=torch.float64), y


def both(**faults) -> list[Tensor]:
    """The answers to the two episodes of the check."""
    machine, left = Machine(), None
    answers = []
    for seed in (0, 1):
        found, left = run(machine, *streams(seed), left, **faults)
        answers.append(found)
    return answers


def run(machine: Machine, z: Tensor, y: Tensor, left: Tensor | None, offset: int = 1, first: str = "unknown",
        reset: str = "episode", order: str = "z, label") -> tuple[Tensor, Tensor]:
    """A slow episode, its answers (T, B, WAY) and the state at its end; the options are the known faults."""
    state = left if reset == "never" and left is not None else machine.start(B)
    answers = []
    for t in range(T):
        label, at = torch.zeros(B, WAY, dtype=torch.float64), t - offset
        if 0 <= at < T or first == "wrapped":
            label[torch.arange(B), y[at % T]] = 1
        elif first == "nearest":
            label[torch.arange(B), y[min(max(at, 0), T - 1)]] = 1
        elif first == "class 0":
            label[:, 0] = 1
        if reset == "steps":
            state = machine.start(B)
        answer, state = machine(torch.cat([z[t], label] if order == "z, label" else [label, z[t]], -1), state)
        answers.append(answer)
    return torch.stack(answers), state


EPISODE_FAULTS = (
    (LEAK, {"offset": 0}, "step t sees its own label, so it answers by copying what stands beside it; give it the "
     "label of step t - 1"),
    (AHEAD, {"offset": -1}, "step t sees the label of step t + 1; one step late is t - 1"),
    (LATER, {"offset": 2}, "step t sees the label of step t - 2; one step late is t - 1"),
    (NEVER, {"offset": T}, "no step sees a label, so nobody can know what a class is called; step t sees the label of "
     "step t - 1"),
    (WRAPPED, {"first": "wrapped"}, "before the first step no label is known, so zeros stand there; torch.roll and the "
     "index -1 put the last label there"),
    (WRAPPED, {"first": "nearest"}, "before the first step no label is known, so zeros stand there, not the label of "
     "the first picture"),
    (NAMED, {"first": "class 0"}, "before the first step no label is known; five zeros say so, the number 0 made "
     "one-hot says class 0"),
    (CARRIED, {"reset": "never"}, "the second episode must start with machine.start(B): what is left from the first "
     "one says that a class has the label that it had there"),
    (FORGETS, {"reset": "steps"}, "machine.start(B) belongs before the loop; inside it nothing is remembered at all"),
    (SWAPPED, {"order": "label, z"}, "the machine expects the picture first and the label after it, as "
     "torch.cat([z[t], label], -1) has them"),
)
