"""Checks of lesson 17 on code of a model that reads its prompt: errors by prefix, tokens, and the mask."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, explain
from mlcourse.exercises.values import described, tensor

SIZES = ((3, 4, 2), (2, 3, 3))              # prompts, points, dimensions
CUT = "the gradient is cut"


def drawn(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def prompts(size: tuple[int, int, int]) -> tuple[Tensor, Tensor]:
    """x (B, n, d) and y (B, n)."""
    return drawn(size), drawn(size[:2], 1)


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two answers agree, float32 allowed."""
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-4, atol=1e-5)


def a_tensor(value: object) -> Tensor:
    """The value. Raises NotYet unless it is a tensor: later cells go on with it."""
    if not isinstance(value, Tensor):
        raise NotYet(f"return a tensor, which later cells use, got {described(value)}; torch.stack joins several")
    return value


def check_graph(result: object, leaves: tuple[Tensor, ...], why: str) -> None:
    """Raise a Misconception unless gradients flow from the result to all leaves."""
    graph = isinstance(result, Tensor) and result.requires_grad
    found = torch.autograd.grad(result.square().sum(), leaves, allow_unused=True) if graph else (None,)
    if not all(g is not None and bool(g.any()) for g in found):
        raise Misconception(CUT, f"the numbers are right, but they carry no gradient back: {why}.")


# ---------------------------------------------------------------- 17.1

PREFIX_FAULTS = (
    ("the empty prompt left out", {"first": 1}, "the first entry is the error with no pairs at all, i = 0; there a "
                                                "good model says what the prior says"),
    ("the answer is in the prompt", {"beyond": 1}, "the i-th prediction may see the i pairs before it, x[:, :i]; "
                                                   "pair i holds its answer"),
    ("one pair held back", {"beyond": -1}, "the i-th prediction sees all i pairs before it"),
    ("the last prefix alone", {"alone": True}, "one number for each prefix is wanted, (n,), not that of the longest"),
    ("asked at the pair before", {"ask": -1}, "after i pairs the model is asked at x[:, i], which is not yet in the "
                                              "prompt"),
    ("the length, not its square", {"power": 1}, "an error is the square of the difference"),
    ("summed over the prompts", {"mean": False}, "an error is the mean over the prompts, so that their number does not "
                                                 "matter"),
    ("compared with y", {"noisy": True}, "compare with target; y belongs to the prompt"),
)


class Model:
    """A predictor whose answer depends on all that it is shown, and on one weight."""

    def __init__(self):
        self.weight = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)

    def __call__(self, x: Tensor, y: Tensor, query: Tensor) -> Tensor:
        right = (isinstance(query, Tensor) and query.ndim == 2 and x.ndim == 3 and y.shape == x.shape[:2]
                 and query.shape == (len(x), x.shape[2]))
        if not right:
            shapes = ", ".join(str(tuple(each.shape)) for each in (x, y, query) if isinstance(each, Tensor))
            raise ValueError(f"predict takes x (B, i, d), y (B, i) and the query (B, d), got {shapes}")
        seen = (y + 0.5).sum(1) - 0.3 * x.square().sum((1, 2))
        return self.weight * (1 + query.sum(1)) * (1 + seen)


def check_prefix(answer: object) -> str:
    """17.1: the errors of a model on two sets of prompts, and their gradient."""
    prefix_errors, predict = LearnerFunction(answer, "prefix_errors"), Model()
    for size in SIZES:
        x, y = prompts(size)
        target = drawn(size[:2], 2)
        got = a_tensor(prefix_errors(predict, x.clone(), y.clone(), target.clone()))
        got = tensor(got, None, f"for {size[1]} points the errors must be {size[1]} numbers")
        truth = lambda x=x, y=y, target=target, **faults: by_prefix(predict, x, y, target, **faults)
        if not same(got, truth()):
            explain(got, truth, PREFIX_FAULTS, same)
            if got.shape != (size[1],):
                raise NotYet(f"for {size[1]} points the errors must have the shape ({size[1]},), got "
                             f"{tuple(got.shape)}.")
            raise NotYet("entry i must be the mean over the prompts of the squared difference of target[:, i] and "
                         "predict(x[:, :i], y[:, :i], x[:, i]).")
    check_graph(prefix_errors(predict, x, y, target), (predict.weight,), "this is the training loss, too")
    return "An error after each prefix, the empty one first."


def by_prefix(predict: Model, x: Tensor, y: Tensor, target: Tensor, *, first: int = 0, beyond: int = 0,
              alone: bool = False, ask: int = 0, power: int = 2, mean: bool = True, noisy: bool = False) -> Tensor:
    """The errors; the options are the known faults."""
    found, target = [], y if noisy else target
    for i in range(first, x.shape[1]):
        seen = max(i + beyond, 0)
        off = (predict(x[:, :seen], y[:, :seen], x[:, max(i + ask, 0)]) - target[:, i]).abs() ** power
        found.append(off.mean() if mean else off.sum())
    return (found[-1] if alone else torch.stack(found)).detach()


# ---------------------------------------------------------------- 17.2

TOKEN_FAULTS = (
    ("y_i is in its own token", {"y_at": 0}, "whoever reads token i reads the answer; it may hold y_(i-1)"),
    ("x_i twice", {"x_at": 0}, "the second x of a token is that of the pair before"),
    ("shifted the other way", {"x_at": 1, "y_at": 1}, "token i holds the pair before, i - 1, and not the one after"),
    ("the last pair rolled to the front", {"roll": True}, "before the first pair stand zeros; torch.roll puts the last "
                                                          "pair there"),
    ("the first token says that a pair came before", {"flag": "ones"}, "the last number is 0 in the first token: the "
                                                                       "zeros before it are no pair"),
    ("the last number the wrong way round", {"flag": "turned"}, "1 where a pair came before, 0 in the first token"),
)


def check_tokens(answer: object) -> str:
    """17.2: the tokens of two sets of prompts."""
    tokens = LearnerFunction(answer, "tokens")
    for size in SIZES:
        x, y = prompts(size)
        wanted = (*size[:2], 2 * size[2] + 2)
        got = tensor(a_tensor(tokens(x.clone(), y.clone())), wanted,
                     f"for x of shape {size} the tokens must have the shape {wanted}")
        truth = lambda x=x, y=y, **faults: tokens_of(x, y, **faults)
        if not same(got, truth()):
            explain(got, truth, TOKEN_FAULTS, same)
            raise NotYet("token i must be x_i, then x and y of the pair before, then 1; the first is x_0 and zeros.")
    return "Each token holds its own x and the pair before it, never its own y."


def tokens_of(x: Tensor, y: Tensor, *, x_at: int = -1, y_at: int = -1, roll: bool = False,
              flag: str = "right") -> Tensor:
    """The tokens, number by number; the options are the known faults."""
    prompts, points, dims = x.shape
    out = x.new_zeros(prompts, points, 2 * dims + 2)
    out[..., :dims] = x
    for i in range(points):
        for at, part, values in ((i + x_at, slice(dims, -2), x), (i + y_at, slice(-2, -1), y.unsqueeze(-1))):
            if 0 <= at < points or roll:
                out[:, i, part] = values[:, at % points]
        out[:, i, -1] = {"right": i > 0, "ones": True, "turned": i == 0}[flag]
    return out


# ---------------------------------------------------------------- 17.3

READ_FAULTS = (
    ("a score of 0 still counts", {"fill": "zero"}, "a softmax gives e^0 = 1 to a score of 0; only a score of minus "
                                                    "infinity has weight 0"),
    ("masked after the softmax", {"fill": "after"}, "the later scores are still in the denominator, so the rows no "
                                                    "longer sum to 1; mask the scores"),
    ("the past is masked", {"side": "past"}, "row t may read the columns 0 to t"),
    ("a token cannot read itself", {"side": "strict"}, "token t holds x_t, where it is asked, and the pair before; it "
                                                       "needs both"),
    ("no mask", {"side": "none"}, "without a mask token t reads the pairs that come later"),
    ("a softmax over the readers", {"axis": -2}, "each reader's weights sum to 1: softmax over the last axis"),
    ("not divided by √d", {"scaled": False}, "the scores are divided by the square root of d, as in the broken code"),
)


def check_look_back(answer: object) -> str:
    """17.3: causal attention on two sets of sequences, and its gradient."""
    look_back = LearnerFunction(answer, "look_back")
    for size in SIZES:
        q, k, v = parts = tuple(2 * drawn(size, seed) for seed in range(3))
        got = tensor(look_back(*(each.clone() for each in parts)), size,
                     f"for v of shape {size} what is read must have the same shape")
        truth = lambda q=q, k=k, v=v, **faults: read_of(q, k, v, **faults)
        if not same(got, truth()):
            explain(got, truth, READ_FAULTS, same)
            raise NotYet("row t must be the mean of v_0 to v_t, weighted by a softmax over the scores of these alone; "
                         "the first row is v_0.")
    leaves = tuple(each.clone().requires_grad_() for each in parts)
    check_graph(look_back(*(1 * each for each in leaves)), leaves,
                "the network learns what to ask, to offer and to give")
    return "What comes later changes nothing that was read before."


def read_of(q: Tensor, k: Tensor, v: Tensor, *, fill: str = "infinity", side: str = "future", axis: int = -1,
            scaled: bool = True) -> Tensor:
    """What is read; the options are the known faults. A row with nothing to read gives 0."""
    scores = q @ k.mT / (q.shape[-1] ** 0.5 if scaled else 1)
    ones = torch.ones(scores.shape[-2:], dtype=torch.bool)
    allowed = {"future": ones.tril(), "past": ones.triu(), "strict": ones.tril(-1), "none": ones}[side]
    if fill == "after":
        return (scores.softmax(axis) * allowed) @ v
    filled = scores.masked_fill(~allowed, 0.0 if fill == "zero" else -torch.inf)
    return filled.softmax(axis).nan_to_num(0.0) @ v
