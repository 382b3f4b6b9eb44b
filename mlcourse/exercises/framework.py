"""What an exercise is, and how a learner's answer is judged without ever raising."""

from __future__ import annotations

import copy
import hashlib
import inspect
import random
import re
import traceback
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

IN_PLACE = "an argument changed in place"


class NotAttempted(Exception):
    """The stub was left empty."""


class NotYet(Exception):
    """The answer is wrong, in a way that has no name; the message says what to look at."""


class Misconception(NotYet):
    """The answer is wrong in a known way, or in several: the names, and a message that says what to look at."""

    def __init__(self, name: str, message: str, *others: str):
        super().__init__(message)
        self.names = (name, *others)

    @property
    def name(self) -> str:
        """All names in one text."""
        return ", ".join(self.names)


def look_at(key: str, why: str) -> str:
    """The message that points at one entry of an answer, a sentence whatever `why` ends in."""
    return f"look at {key}: {why}{'' if why.endswith(('.', '?')) else '.'}"


def also(first: Misconception, second: Misconception) -> Misconception:
    """Two misconceptions as one, each with its name and its message."""
    return Misconception(first.names[0], f"{first} And {second}", *first.names[1:], *second.names)


def all_of(found: Sequence[Misconception]) -> Misconception:
    """Several misconceptions, at least one, as one; a name that comes twice counts once."""
    named: dict[str, Misconception] = {}
    for each in found:
        named.setdefault(each.name, each)
    return reduce(also, named.values())


Fault = tuple[str, dict, str]       # a name, the options of the truth that make this mistake, why it is one


def faults_behind(got: object, truth: Callable, faults: Sequence[Fault], same: Callable) -> tuple[Fault, ...]:
    """The fault, or the two at once, that would give what was returned; empty where none do.

    truth(**options): the right answer, and with options the one with faults; same(got, value): whether they agree.
    Two faults that set the same option never stand together.
    """
    pairs = [(one, other) for one, other in combinations(faults, 2) if not one[1].keys() & other[1].keys()]
    for group in (*((each,) for each in faults), *pairs):
        if same(got, truth(**options_of(group))):
            return group
    return ()


def options_of(faults: Sequence[Fault]) -> dict:
    """The options of several faults as one."""
    return {key: value for _, settings, _ in faults for key, value in settings.items()}


def named(faults: Sequence[Fault]) -> list[Misconception]:
    """Faults as misconceptions."""
    return [Misconception(name, f"{why}.") for name, _, why in faults]


def explain(got: object, truth: Callable, faults: Sequence[Fault], same: Callable) -> None:
    """Raise what `faults_behind` finds as one misconception; nothing where it finds none."""
    if found := faults_behind(got, truth, faults, same):
        raise all_of(named(found))


class Crashed(NotYet):
    """The learner's function raised `error`; the message gives its type, its text and the learner's line."""

    def __init__(self, error: Exception, where: str):
        super().__init__(f"your code raised {type(error).__name__}{where}: {first_line(error)}")
        self.error = error


@dataclass(frozen=True)
class Exercise:
    """One exercise of a lesson.

    id: "LESSON.NUMBER"; answer: the name that the stub defines; difficulty: 1 to 5.
    given: code that the notebook shows before the stub (the broken version of a "spot the bug"), or "".
    stub: the source in the notebook; solution_source: what replaces it. Both rely on `import torch` alone.
    check: answer -> one sentence on what was verified; raises NotAttempted, NotYet or Misconception.
    hints: three tiers, from a nudge to nearly the answer.
    wrong: pairs (source of a wrong answer, name of the misconception that the check must report).
    mutations: pairs (line of the solution, replacement); each must make the check fail.
    """

    id: str
    title: str
    answer: str
    difficulty: int
    minutes: int
    stub: str
    solution_source: str
    check: Callable[[object], str]
    hints: tuple[str, str, str]
    wrong: tuple[tuple[str, str], ...]
    mutations: tuple[tuple[str, str], ...]
    given: str = ""

    @property
    def lesson(self) -> str:
        """The two digits of the lesson."""
        return self.id.split(".")[0]

    def reference(self) -> object:
        """The object that the reference solution defines."""
        namespace: dict = {"torch": torch}
        exec(self.solution_source, namespace)
        return namespace[self.answer]


@dataclass(frozen=True)
class CheckResult:
    """What a check found. `message` has been printed already, so a notebook shows nothing more.

    status: "passed", "not yet" or "not attempted"; misconception: its name, or None.
    """

    id: str
    status: str
    message: str = field(repr=False)
    misconception: str | None = None

    @property
    def passed(self) -> bool:
        return self.status == "passed"

    def __repr__(self) -> str:
        return f"<{self.id} {self.status}>"

    def _ipython_display_(self) -> None:
        """Nothing: the message was printed."""


class LearnerFunction:
    """The learner's function; whatever goes wrong inside it becomes NotAttempted, NotYet or Crashed, and an argument
    that it leaves changed a Misconception (`kept` says what is looked at).

    changes: places, from 0, of the arguments that a right answer may change. because: why the others must stay.
    A call that never returns is not detected: the learner interrupts the kernel.
    """

    def __init__(self, answer: object, name: str, *, changes: tuple[int, ...] = (),
                 because: str = "later cells use the same numbers again"):
        if answer is None or answer is ...:
            raise NotAttempted
        if not callable(answer):
            raise NotYet(f"the check needs the function {name} itself, but got {kind(answer)}; pass {name} without "
                         f"brackets, and run the cell that defines it again if {name} has become something else since")
        self.answer, self.name, self.changes, self.because = answer, name, changes, because
        self.code = getattr(answer, "__code__", None)

    def __call__(self, *args):
        before = [() if place in self.changes else kept(each) for place, each in enumerate(args)]
        try:
            result = self.answer(*args)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            own = [frame for frame in frames if self.code and frame.filename == self.code.co_filename]
            if isinstance(error, NotImplementedError) and own and own[-1] is frames[-1]:
                raise NotAttempted from None
            raise Crashed(error, where(own)) from error
        if result is None and self.code and not is_empty(self.code):
            raise NotYet(f"{self.name} returned None; end it with a return statement")
        if result is None or result is ... or result is NotImplemented:
            raise NotAttempted
        if changed := [place for place, pairs in enumerate(before) if any(differs(*pair) for pair in pairs)]:
            raise self.in_place(changed, args[changed[0]])
        return result

    def in_place(self, places: list[int], first: object) -> Misconception:
        """What is said of arguments that were changed; `first` is one of them."""
        called = [argument(self.answer, place) for place in places]
        new = "tensor" if isinstance(first, (Tensor, np.ndarray)) else f"{type(first).__name__} with new tensors"
        return Misconception(IN_PLACE, f"your function changed its argument{'s' if called[1:] else ''} "
                             f"{' and '.join(called)} in place; {self.because}, so make a new {new} (x = x - m instead "
                             "of x -= m).")


def kept(value: object) -> list[tuple[object, object]]:
    """What a function could change in place inside a value, each with a copy: tensors, arrays, lists and dicts.

    Networks, optimisers and generators are left out: they are there to change. So is what torch.func wraps, since under
    vmap a tensor cannot say what is in it.
    """
    if isinstance(value, Tensor):
        return [] if torch._C._functorch.is_functorch_wrapped_tensor(value) else [(value, value.detach().clone())]
    if isinstance(value, np.ndarray):
        return [(value, value.copy())]
    own = [(value, copy.copy(value))] if isinstance(value, (dict, list)) else []
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return own + [pair for each in inside for pair in kept(each)]


def differs(now: object, before: object) -> bool:
    """Whether one of `kept` is no longer what it was; NaN is still NaN, and a list or a dict holds the same objects."""
    if isinstance(now, (Tensor, np.ndarray)):
        same = now.shape == before.shape and ((now == before) | ((now != now) & (before != before))).all()
        return not bool(same)
    if isinstance(now, dict):
        return now.keys() != before.keys() or any(now[key] is not each for key, each in before.items())
    return len(now) != len(before) or any(one is not other for one, other in zip(now, before))


def argument(function: Callable, place: int) -> str:
    """The name of an argument, as code; its number where the function does not name it."""
    try:
        plain = [each.name for each in inspect.signature(function).parameters.values()
                 if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):
        plain = []
    return f"`{plain[place]}`" if place < len(plain) else str(place + 1)


def fingerprint(answer: object) -> str:
    """A text by which an answer is told from another: a function's by its code, however often it is defined anew."""
    code = getattr(answer, "__code__", None)
    said = _code(code) + repr(getattr(answer, "__defaults__", None)) if code else repr(answer)
    return hashlib.sha256(re.sub(r" at 0x[0-9a-fA-F]+", "", said).encode()).hexdigest()[:16]


def _code(code) -> str:
    """The bytecode of a function and of those inside it, with their names and constants."""
    inner = [_code(c) if hasattr(c, "co_code") else repr(c) for c in code.co_consts]
    return repr((code.co_code, code.co_names, code.co_varnames, inner))


def where(frames: list[traceback.FrameSummary]) -> str:
    """Which of the learner's own lines raised, as the middle of a sentence; "" where that is unknown."""
    if not frames:
        return ""
    text = f" (`{frames[-1].line}`)" if frames[-1].line else ""
    return f" in line {frames[-1].lineno} of its cell{text}"


def is_empty(code) -> bool:
    """Whether a function's body does nothing: it reads no name, holds no constant but its docstring,
    and stores no local variable."""
    constants = [c for c in code.co_consts if c is not None and c is not ... and not isinstance(c, str)]
    return not code.co_names and not constants and code.co_nlocals == code.co_argcount + code.co_kwonlyargcount


def kind(value: object) -> str:
    """The type of a value with its article: "an int", "a Tensor"."""
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def first_line(error: Exception) -> str:
    """The first line of an error's text, without memory addresses, at most 200 characters."""
    text = (str(error).strip() or "no message").splitlines()[0]
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)[:200]


@contextmanager
def repeatable():
    """Grad mode on, and the global random generators seeded inside and put back afterwards, so that an
    answer that draws random numbers gets the same verdict each time and the notebook's own draws stay."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def is_stub(exercise: Exercise, answer: object) -> bool:
    """Whether an answer is the stub as it stands in the notebook, which may hold first lines of the answer."""
    namespace: dict = {"torch": torch}
    exec(exercise.stub, namespace)
    return fingerprint(answer) == fingerprint(namespace[exercise.answer])


def judge(exercise: Exercise, answer: object) -> CheckResult:
    """Run an exercise's check. A wrong answer of any kind gives a result and raises nothing."""
    name = f"{exercise.id} {exercise.answer}"
    try:
        with repeatable():
            if is_stub(exercise, answer):
                raise NotAttempted
            verified = exercise.check(answer)
    except NotAttempted:
        return CheckResult(exercise.id, "not attempted", f"{name}: not attempted. Fill in the stub, run it, and check "
                                                         f"again; hint(\"{exercise.id}\") helps.")
    except Misconception as found:
        return CheckResult(exercise.id, "not yet", f"{name}: not yet ({found.name}): {found}", found.name)
    except NotYet as found:
        return CheckResult(exercise.id, "not yet", f"{name}: not yet: {found}")
    except Exception as error:
        return CheckResult(exercise.id, "not yet", f"{name}: not yet: the check could not use what it got "
                                                   f"({type(error).__name__}: {first_line(error)}); compare the "
                                                   f"returned value with the stub's description.")
    return CheckResult(exercise.id, "passed", f"{name}: passed. {verified}")


def edited(source: str, *edits: tuple[str, str]) -> str:
    """A source with each old text replaced by the new one. Raises ValueError when an old text is absent."""
    for old, new in edits:
        if old not in source:
            raise ValueError(f"{old!r} is not in the source to edit")
        source = source.replace(old, new)
    return source
