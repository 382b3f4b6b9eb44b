"""Checks of lesson 09 on code: where a memory is touched, and how it is written."""

from __future__ import annotations

import torch
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, explain
from mlcourse.exercises.values import tensor

B, N, W = 3, 5, 4
EMPTY, UNDERFLOW = "the cosine of an empty row", "the power underflows"
IN_PLACE, CUT = "the inputs changed in place", "the gradient is cut"
FAINT, SHARPEST = 128, 25.0         # rows alike, and a sharpness at which the power of their weights is 0 in float32


def drawn(*shape: int, seed: int = 0) -> Tensor:
    """Normal numbers, float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def agree(one: Tensor, other: Tensor) -> bool:
    """Whether two focuses agree, up to the small numbers that keep a division or a logarithm finite."""
    return torch.allclose(one, other, atol=3e-3)


def called(function: LearnerFunction, *inputs: Tensor) -> object:
    """What the learner's function returns for copies of the inputs that have a graph. Raises Misconception where a copy
    is changed in place."""
    leaf = torch.ones((), dtype=torch.float64, requires_grad=True)
    given = [leaf.to(each.dtype) * each for each in inputs]
    result = function(*given)
    if not all(torch.equal(one, other) for one, other in zip(given, inputs, strict=True)):
        raise Misconception(IN_PLACE, "what the function was given is no longer what it was, and the backward pass "
                            "needs it as it was before this step; build new tensors.")
    return result


def connected(result: object) -> None:
    """Raise Misconception where no graph leads from a result to what it was made of."""
    if not isinstance(result, Tensor) or not result.requires_grad:
        raise Misconception(CUT, "the numbers are right, but no graph leads from them to the inputs, so a machine that "
                            "is made of this learns nothing; look for detach, no_grad, .data or NumPy.")


def differs(got: Tensor, wanted: Tensor) -> str:
    """The first row of the first place in which two tensors (B, …) differ, in words."""
    one, other = (each.flatten(0, -2) for each in (got, wanted))
    row = int(((one - other).abs() > 3e-3).any(-1).int().argmax())
    return f"row {row} must be {rounded(other[row])}, yours is {rounded(one[row])}"


# ---------------------------------------------------------------- 09.1

STRENGTHS = torch.tensor([[1.0], [4.0], [9.0]], dtype=torch.float64)


def check_content(answer: object) -> str:
    """09.1: memories whose rows differ in length, three strengths, an empty row."""
    content = LearnerFunction(answer, "content")
    memory, key = drawn(B, N, W) * torch.tensor([0.6, 3.0, 1.0, 2.0, 0.8]).double()[:, None], 2 * drawn(B, W, seed=1)
    shape = f"for a memory of shape {(B, N, W)} the focus must be a tensor of shape {(B, N)}"
    result = called(content, memory, key, STRENGTHS)
    got = tensor(result, (B, N), shape)
    truth = lambda **faults: by_content(memory, key, STRENGTHS, **faults)
    if not agree(got, truth()):
        explain(got, truth, CONTENT_FAULTS, agree)
        raise NotYet(f"in the check, {differs(got, truth())}.")
    connected(result)
    memory[:, 2] = 0
    focus = content(memory.clone(), key.clone(), STRENGTHS.clone())
    if isinstance(focus, Tensor) and not bool(torch.isfinite(focus).all()):
        raise Misconception(EMPTY, "a memory may have a row of zeros, whose length is 0, and 0 / 0 is no number; keep "
                            "the divisor above 0, as by adding 1e-3 to it.")
    if not agree(tensor(focus, (B, N), shape), by_content(memory, key, STRENGTHS)):
        raise NotYet("a row of zeros has the cosine 0 with any key.")
    return "The focus is right for rows of any length, three strengths and an empty row."


def rounded(values: Tensor) -> str:
    """Numbers in brackets, three digits each."""
    return f"({', '.join(f'{value:.3f}' for value in values.tolist())})"


def by_content(memory: Tensor, key: Tensor, strength: Tensor, alike: str = "cosine", strong: str = "inside",
               over: int = -1, soft: bool = True) -> Tensor:
    """(B, N); the options are the known faults."""
    product = (memory * key[:, None]).sum(-1)
    if alike == "cosine":
        product = product / (memory.norm(dim=-1) * key.norm(dim=-1, keepdim=True) + 1e-9)
    elif alike == "half":
        product = product / (memory.norm(dim=-1) + 1e-9)
    scores = {"inside": strength * product, "divides": product / strength}.get(strong, product)
    focus = scores.softmax(over) if soft else scores
    return strength * focus if strong == "outside" else focus


CONTENT_FAULTS = (
    ("no strength", {"strong": "none"}, "the cosines are multiplied by the strength before the softmax; without it no "
     "row can stand out"),
    ("the strength outside the softmax", {"strong": "outside"}, "the strength belongs inside the softmax; outside it "
     "the weights no longer sum to 1"),
    ("the strength as a temperature", {"strong": "divides"}, "the cosines are multiplied by the strength, not divided "
     "by it: more strength, a sharper focus"),
    ("the longest row wins", {"alike": "product"}, "divide each inner product by the lengths of row and key; else a "
     "row stands out by its size alone"),
    ("the key's length is left in", {"alike": "half"}, "divide by the length of the key as well, or it acts as a "
     "second strength"),
    ("softmax over the batch", {"over": 0}, "the weights of one memory's rows sum to 1: the softmax goes over the "
     "rows, the last dimension"),
    ("no softmax", {"soft": False}, "the focus is a softmax over the rows, so that its weights are positive and sum "
     "to 1"),
)

# ---------------------------------------------------------------- 09.2

SHIFTS = torch.tensor([[0.0, 0.0, 1.0], [0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], dtype=torch.float64)
GATES = torch.tensor([[0.3], [0.9], [0.6]], dtype=torch.float64)
SHARPNESS = torch.tensor([[1.0], [3.0], [2.0]], dtype=torch.float64)


def check_move(answer: object) -> str:
    """09.2: three gates, shifts and sharpnesses; then many rows alike, in float32."""
    move = LearnerFunction(answer, "move")
    content, before = drawn(B, N, seed=2).softmax(-1), (2 * drawn(B, N, seed=3)).softmax(-1)
    shape = f"for focuses of shape {(B, N)} the result must be a tensor of shape {(B, N)}"
    args = content, before, GATES, SHIFTS, SHARPNESS
    result = called(move, *args)
    got = tensor(result, (B, N), shape)
    truth = lambda **faults: moved(*args, **faults)
    if not agree(got, truth()):
        explain(got, truth, MOVE_FAULTS, agree)
        raise NotYet(f"in the check, {differs(got, truth())}.")
    connected(result)
    faint = torch.full((1, FAINT), 1 / FAINT)
    focus = move(faint, faint.clone(), torch.tensor([[0.5]]), torch.tensor([[0.0, 1.0, 0.0]]),
                 torch.tensor([[SHARPEST]]))
    gone = isinstance(focus, Tensor) and not bool(torch.isfinite(focus).all())
    shape = f"for focuses of shape {(1, FAINT)} the result must be a tensor of that shape"
    if gone or not torch.allclose(tensor(focus, (1, FAINT), shape), faint.double(), rtol=0.01):
        raise Misconception(UNDERFLOW, f"{FAINT} rows alike must stay alike at sharpness {SHARPEST:g}, but "
                            f"(1/{FAINT})**{SHARPEST:g} is 0 in float32; take the softmax of sharpness · log(weight + "
                            f"1e-8), which is the same and keeps its digits.")
    return "Gate, shift round the ends and sharpness are right, for faint focuses, too."


def moved(content: Tensor, before: Tensor, gate: Tensor, shift: Tensor, sharpness: Tensor, new: bool = True,
          way: int = 1, round_the_ends: bool = True, shifted: str = "mixed", sharp: str = "after",
          normed: bool = True, log: bool = True) -> Tensor:
    """(B, N); the options are the known faults."""
    if not new:
        gate = 1 - gate
    mix = lambda fresh, old: gate * fresh + (1 - gate) * old
    roll = lambda w: shifts(w, shift, way, round_the_ends)
    power = lambda w: w**sharpness / ((w**sharpness).sum(-1, keepdim=True) if normed else 1)
    focus = {"mixed": lambda: mix(content, before), "content": lambda: mix(roll(content), before),
             "before": lambda: mix(content, roll(before))}[shifted]()
    if sharp == "before":
        focus = power(focus)
    if shifted == "mixed":
        focus = roll(focus)
    if not log:
        return (sharpness * focus).softmax(-1)
    return power(focus) if sharp == "after" else focus


def shifts(focus: Tensor, shift: Tensor, way: int, round_the_ends: bool) -> Tensor:
    """Every weight moved by -1, 0 and 1 rows, by the shares of `shift` (B, 3); a loop."""
    rows = focus.shape[1]
    out = torch.zeros_like(focus)
    for row in range(rows):
        for k, by in enumerate((-1, 0, 1)):
            to = row + way * by
            if round_the_ends or 0 <= to < rows:
                out[:, to % rows] += shift[:, k] * focus[:, row]
    return out


MOVE_FAULTS = (
    ("the gate the other way round", {"new": False}, "gate 1 takes the focus by content, gate 0 keeps the one before"),
    ("the shift the other way round", {"way": -1}, "the last share of shift moves the focus one row forward, to a "
     "larger number; torch.roll(w, 1, -1) does that, and a convolution of torch does the opposite"),
    ("rows lost at the ends", {"round_the_ends": False}, "the rows form a circle: forward from the last one is the "
     "first"),
    ("only the content is shifted", {"shifted": "content"}, "mix first, then shift what came out; else a machine that "
     "keeps its focus can never step on"),
    ("only the focus before is shifted", {"shifted": "before"}, "mix first, then shift what came out, the content's "
     "part as well"),
    ("sharpened before the shift", {"sharp": "before"}, "the shift blurs, so what follows it has to sharpen"),
    ("not sharpened", {"sharp": "none"}, "raise the weights to the power `sharpness` and let them sum to 1 again"),
    ("a softmax without the logarithm", {"log": False}, "softmax(sharpness · focus) is no power; take the logarithm of "
     "the focus first"),
    ("weights that do not sum to 1", {"normed": False}, "divide the powers by their sum over the rows"),
)

# ---------------------------------------------------------------- 09.3


def check_write(answer: object) -> str:
    """09.3: a focus on several rows, an erase vector between 0 and 1, an add vector."""
    write = LearnerFunction(answer, "write")
    memory, focus = drawn(B, N, W, seed=4), drawn(B, N, seed=5).softmax(-1)
    erase, add = drawn(B, W, seed=6).sigmoid(), drawn(B, W, seed=7)
    result = called(write, memory, focus, erase, add)
    got = tensor(result, (B, N, W), f"the new memory must be a tensor of shape {(B, N, W)}")
    truth = lambda **faults: written(memory, focus, erase, add, **faults)
    same = lambda one, other: torch.allclose(one, other, rtol=1e-5, atol=1e-6)
    if not same(got, truth()):
        explain(got, truth, WRITE_FAULTS, same)
        raise NotYet(f"in the check, {differs(got, truth())}.")
    connected(result)
    return "What is erased and added is right in every row, and the old memory was left alone."


def written(memory: Tensor, focus: Tensor, erase: Tensor, add: Tensor, first: str = "erase", where: str = "focus",
            erased: bool = True, added: str = "focus") -> Tensor:
    """(B, N, W); the options are the known faults."""
    out = torch.empty_like(memory)
    for row in range(memory.shape[1]):
        share = focus[:, row, None]
        keep = 1 - erase * (share if where == "focus" else 1) if erased else torch.ones_like(erase)
        plus = add * (share if added == "focus" else 1)
        out[:, row] = keep * memory[:, row] + plus if first == "erase" else keep * (memory[:, row] + plus)
    return out


WRITE_FAULTS = (
    ("added before it is erased", {"first": "add"}, "erase first: what a step adds must not be erased by the same "
     "step"),
    ("every row is erased", {"where": "everywhere"}, "a row is erased by its share of the focus only"),
    ("nothing is erased", {"erased": False}, "multiply each row by 1 - focus · erase first, or old contents pile up"),
    ("every row is written", {"added": "everywhere"}, "a row is added to by its share of the focus only"),
)
