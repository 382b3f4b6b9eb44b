"""Checks of lesson 09 on code: where a memory is touched, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, explain
from mlcourse.exercises.gradients import gradients_by
from mlcourse.exercises.values import tensor

B, N, W = 3, 5, 4
EMPTY, UNDERFLOW = "the cosine of an empty row", "the power underflows"
CUT, LOG_0 = "the gradient is cut", "the logarithm of 0"
SLOPE = "no slope at an empty row"
BEFORE = "the backward pass needs what was there before this step"
FAINT, SHARPEST = 128, 25.0         # rows alike, and a sharpness at which the power of their weights is 0 in float32


def drawn(*shape: int, seed: int = 0) -> Tensor:
    """Normal numbers, float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def agree(one: Tensor, other: Tensor) -> bool:
    """Whether two focuses agree, up to the small numbers that keep a division or a logarithm finite."""
    return torch.allclose(one, other, atol=3e-3)


def called(function: LearnerFunction, inputs: Mapping[str, Tensor]) -> tuple[object, dict[str, Tensor]]:
    """What the learner's function returns for copies of the inputs that have a graph; and these copies."""
    leaf = torch.ones((), dtype=torch.float64, requires_grad=True)
    given = {name: leaf.to(each.dtype) * each for name, each in inputs.items()}
    return function(*given.values()), given


def gradients(result: object, given: Mapping[str, Tensor]) -> tuple[Tensor | None, ...]:
    """Of a sum of the result's numbers, each times a fixed one, by what was given; None where no graph leads there."""
    if not isinstance(result, Tensor):
        return (None,) * len(given)
    return gradients_by((result * drawn(*result.shape, seed=8)).sum(), list(given.values()))


def finite(*tensors: Tensor | None) -> bool:
    """Whether all numbers of all tensors are; None has none."""
    return all(bool(torch.isfinite(each).all()) for each in tensors if each is not None)


def connected(result: object, given: Mapping[str, Tensor], slow: Callable[..., Tensor]) -> None:
    """Raise Misconception where the gradients of a result by what it was made of are not those of slow(*inputs)."""
    found = gradients(result, given)
    if off := [name for name, grad in zip(given, found, strict=True) if grad is None or not bool(grad.any())]:
        raise Misconception(CUT, f"the numbers are right, but no gradient leads from them to {', '.join(off)}, and a "
                            "machine made of this never learns what to say there; look for detach, no_grad, .data or "
                            "NumPy.")
    leaves = [each.detach().double().requires_grad_() for each in given.values()]
    wanted = gradients(slow(*leaves), dict(zip(given, leaves, strict=True)))
    if off := [name for name, one, other in zip(given, found, wanted, strict=True)
               if not torch.allclose(one.double(), other, rtol=0.02, atol=0.01)]:
        raise Misconception(CUT, f"the numbers are right, but the gradient by {', '.join(off)} is not theirs: part of "
                            "it was cut off; look for detach, no_grad, .data or NumPy.")


def differs(got: Tensor, wanted: Tensor) -> str:
    """The first row of the first place in which two tensors (B, …) differ, in words."""
    one, other = (each.flatten(0, -2) for each in (got, wanted))
    row = int(((one - other).abs() > 3e-3).any(-1).int().argmax())
    return f"row {row} must be {rounded(other[row])}, yours is {rounded(one[row])}"


# ---------------------------------------------------------------- 09.1

STRENGTHS = torch.tensor([[1.0], [4.0], [9.0]], dtype=torch.float64)


def check_content(answer: object) -> str:
    """09.1: memories whose rows differ in length, three strengths, an empty row."""
    content = LearnerFunction(answer, "content", because=BEFORE)
    memory, key = drawn(B, N, W) * torch.tensor([0.6, 3.0, 1.0, 2.0, 0.8]).double()[:, None], 2 * drawn(B, W, seed=1)
    shape = f"for a memory of shape {(B, N, W)} the focus must be a tensor of shape {(B, N)}"
    result, given = called(content, {"memory": memory, "key": key, "strength": STRENGTHS})
    got = tensor(result, (B, N), shape)
    truth = lambda **faults: by_content(memory, key, STRENGTHS, **faults)
    if not agree(got, truth()):
        explain(got, truth, CONTENT_FAULTS, agree)
        raise NotYet(f"in the check, {differs(got, truth())}.")
    connected(result, given, by_content)
    memory[:, 2] = 0
    focus, given = called(content, {"memory": memory, "key": key, "strength": STRENGTHS})
    if isinstance(focus, Tensor) and not finite(focus):
        raise Misconception(EMPTY, "a memory may have a row of zeros, whose length is 0, and 0 / 0 is no number; keep "
                            "the divisor above 0, as by adding 1e-3 to it.")
    if not agree(tensor(focus, (B, N), shape), by_content(memory, key, STRENGTHS)):
        raise NotYet("a row of zeros has the cosine 0 with any key.")
    if not finite(*gradients(focus, given)):
        raise Misconception(SLOPE, "the focus is right, but its gradient is NaN where a row is all zeros, as in a "
                            "fresh memory: torch.sqrt has an infinite slope at 0; memory.norm(dim=-1) is spared that.")
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
    move = LearnerFunction(answer, "move", because=BEFORE)
    content, before = drawn(B, N, seed=2).softmax(-1), (2 * drawn(B, N, seed=3)).softmax(-1)
    shape = f"for focuses of shape {(B, N)} the result must be a tensor of shape {(B, N)}"
    args = {"content": content, "before": before, "gate": GATES, "shift": SHIFTS, "sharpness": SHARPNESS}
    result, given = called(move, args)
    got = tensor(result, (B, N), shape)
    truth = lambda **faults: moved(*args.values(), **faults)
    if not agree(got, truth()):
        explain(got, truth, MOVE_FAULTS, agree)
        raise NotYet(f"in the check, {differs(got, truth())}.")
    connected(result, given, moved)
    check_extremes(move)
    return "Gate, shift round the ends and sharpness are right, for faint focuses and for shares of 0, too."


def check_extremes(move: LearnerFunction) -> None:
    """Many rows alike, in float32; then a gate of 0 and a focus on one row."""
    faint = torch.full((1, FAINT), 1 / FAINT)
    focus = move(faint, faint.clone(), torch.tensor([[0.5]]), torch.tensor([[0.0, 1.0, 0.0]]),
                 torch.tensor([[SHARPEST]]))
    gone = isinstance(focus, Tensor) and not finite(focus)
    shape = f"for focuses of shape {(1, FAINT)} the result must be a tensor of that shape"
    if gone or not torch.allclose(tensor(focus, (1, FAINT), shape), faint.double(), rtol=0.01):
        raise Misconception(UNDERFLOW, f"{FAINT} rows alike must stay alike at sharpness {SHARPEST:g}, but "
                            f"(1/{FAINT})**{SHARPEST:g} is 0 in float32; take the softmax of sharpness · log(weight + "
                            f"1e-8), which is the same and keeps its digits.")
    first = torch.nn.functional.one_hot(torch.zeros(B, dtype=torch.long), N).float()
    result, given = called(move, {
        "content": torch.full((B, N), 1 / N), "before": first, "gate": torch.zeros(B, 1),
        "shift": torch.tensor([[0.0, 0.1, 0.9]]).expand(B, 3), "sharpness": SHARPNESS.float()})
    shape = f"for focuses of shape {(B, N)} the result must be a tensor of shape {(B, N)}"
    if not agree(tensor(result, (B, N), shape), moved(*given.values()).double()):
        raise NotYet("with a gate of 0 and the focus before on one row, that focus alone is shifted and sharpened.")
    if not finite(*gradients(result, given)):
        raise Misconception(LOG_0, "the gate may be 0 and the focus before lie on one row; then other rows have the "
                            "share 0, whose logarithm is -inf, and gradients become NaN; add 1e-8 to every share.")


def moved(content: Tensor, before: Tensor, gate: Tensor, shift: Tensor, sharpness: Tensor, new: bool = True,
          way: int = 1, ends: str = "round", shifted: str = "mixed", sharp: str = "after", total: str = "rows",
          log: bool = True) -> Tensor:
    """(B, N); the options are the known faults."""
    if not new:
        gate = 1 - gate
    mix = lambda fresh, old: gate * fresh + (1 - gate) * old
    roll = lambda w: shifts(w, shift, way, ends)
    totals = {"rows": lambda w: w.sum(-1, keepdim=True), "all": lambda w: w.sum(), "none": lambda w: 1}
    power = lambda w: w**sharpness / totals[total](w**sharpness)
    focus = {"mixed": lambda: mix(content, before), "content": lambda: mix(roll(content), before),
             "before": lambda: mix(content, roll(before))}[shifted]()
    if sharp == "before":
        focus = power(focus)
    if shifted == "mixed":
        focus = roll(focus)
    if not log:
        return (sharpness * focus).softmax(-1)
    return power(focus) if sharp == "after" else focus


def shifts(focus: Tensor, shift: Tensor, way: int, ends: str) -> Tensor:
    """Every weight moved by -1, 0 and 1 rows, by the shares of `shift` (B, 3). ends: "round", or a fault: "lost", "next
    memory" (the last row goes on to the next memory's first) and "batch" (moved from memory to memory)."""
    if ends in ("batch", "next memory"):
        turn = (lambda by: focus.roll(by, 0)) if ends == "batch" else focus.roll
        return sum(shift[:, k, None] * turn(way * by) for k, by in enumerate((-1, 0, 1)))
    rows = focus.shape[1]
    out = [0] * rows
    for row in range(rows):
        for k, by in enumerate((-1, 0, 1)):
            to = row + way * by
            if ends == "round" or 0 <= to < rows:
                out[to % rows] = out[to % rows] + shift[:, k] * focus[:, row]
    return torch.stack(out, -1)


MOVE_FAULTS = (
    ("the gate the other way round", {"new": False}, "gate 1 takes the focus by content, gate 0 keeps the one before"),
    ("the shift the other way round", {"way": -1}, "the last share of shift moves the focus one row forward, to a "
     "larger number; torch.roll(w, 1, -1) does that, and a convolution of torch does the opposite"),
    ("rows lost at the ends", {"ends": "lost"}, "the rows form a circle: forward from the last one is the first"),
    ("rolled without a dimension", {"ends": "next memory"}, "torch.roll without a dimension turns all numbers as one "
     "line, so that a memory's last row goes to the next memory; give it the dimension -1"),
    ("rolled over the batch", {"ends": "batch"}, "the focus moves from row to row, the last dimension, not from one "
     "memory of the batch to the next"),
    ("only the content is shifted", {"shifted": "content"}, "mix first, then shift what came out; else a machine that "
     "keeps its focus can never step on"),
    ("only the focus before is shifted", {"shifted": "before"}, "mix first, then shift what came out, the content's "
     "part as well"),
    ("sharpened before the shift", {"sharp": "before"}, "the shift blurs, so what follows it has to sharpen"),
    ("not sharpened", {"sharp": "none"}, "raise the weights to the power `sharpness` and let them sum to 1 again"),
    ("a softmax without the logarithm", {"log": False}, "softmax(sharpness · focus) is no power; take the logarithm of "
     "the focus first"),
    ("weights that do not sum to 1", {"total": "none"}, "divide the powers by their sum over the rows"),
    ("one sum for the whole batch", {"total": "all"}, "each focus sums to 1: sum over the rows alone, the last "
     "dimension, with keepdim"),
)

# ---------------------------------------------------------------- 09.3


def check_write(answer: object) -> str:
    """09.3: a focus on several rows, an erase vector between 0 and 1, an add vector."""
    write = LearnerFunction(answer, "write", because=BEFORE)
    memory, focus = drawn(B, N, W, seed=4), drawn(B, N, seed=5).softmax(-1)
    erase, add = drawn(B, W, seed=6).sigmoid(), drawn(B, W, seed=7)
    result, given = called(write, {"memory": memory, "focus": focus, "erase": erase, "add": add})
    got = tensor(result, (B, N, W), f"the new memory must be a tensor of shape {(B, N, W)}")
    truth = lambda **faults: written(memory, focus, erase, add, **faults)
    same = lambda one, other: torch.allclose(one, other, rtol=1e-5, atol=1e-6)
    if not same(got, truth()):
        explain(got, truth, WRITE_FAULTS, same)
        raise NotYet(f"in the check, {differs(got, truth())}.")
    connected(result, given, written)
    return "What is erased and added is right in every row, and the old memory was left alone."


def written(memory: Tensor, focus: Tensor, erase: Tensor, add: Tensor, first: str = "erase", kept: str = "by share",
            added: str = "focus", rows: str = "all") -> Tensor:
    """(B, N, W); the options are the known faults."""
    if rows == "one":
        focus = torch.nn.functional.one_hot(focus.argmax(-1), focus.shape[-1]).to(focus.dtype)
    out = []
    for row in range(memory.shape[1]):
        share = focus[:, row, None]
        keep = {"by share": 1 - erase * share, "nowhere": 1 - erase, "all": 1, "twice": (1 - erase) * (1 - share),
                "what goes": erase * share}[kept]
        plus = add * (share if added == "focus" else 1)
        out.append(keep * memory[:, row] + plus if first == "erase" else keep * (memory[:, row] + plus))
    return torch.stack(out, 1)


WRITE_FAULTS = (
    ("added before it is erased", {"first": "add"}, "erase first: what a step adds must not be erased by the same "
     "step"),
    ("every row is erased", {"kept": "nowhere"}, "a row is erased by its share of the focus only"),
    ("nothing is erased", {"kept": "all"}, "multiply each row by 1 - focus · erase first, or old contents pile up"),
    ("1 less each in place of 1 less the product", {"kept": "twice"}, "what goes is focus · erase, so 1 - focus · "
     "erase stays; (1 - focus) · (1 - erase) also loses what only one of them names"),
    ("what goes is kept", {"kept": "what goes"}, "focus · erase is what goes; 1 less this stays"),
    ("only the row of most focus is written", {"rows": "one"}, "every row is erased and added to by its share, or no "
     "gradient would say which row should have had more"),
    ("every row is written", {"added": "everywhere"}, "a row is added to by its share of the focus only"),
)
