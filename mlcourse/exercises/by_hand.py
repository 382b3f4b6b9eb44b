"""Answers that must be worked out by hand: what they call is watched while they run."""

from __future__ import annotations

import fnmatch
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mlcourse.exercises.framework import LearnerFunction, Misconception, NotYet, also

BY_AUTOGRAD = "autograd in place of a formula"
BY_DIFFERENCES = "finite differences in place of a formula"
BY_PACKAGE = "the package's function in place of your own"
BY_LIBRARY = "a library's classifier in place of your own"

FAR = 1e20      # beside a number of this size a loss has no digits left for what a small move changes in it
DIFFERENCES = (BY_DIFFERENCES, f"where a label is {FAR:g} the difference of two losses has no correct digit left, and "
               "a formula loses none; derive the derivative on paper and write down what you get.")
Shortcut = tuple[tuple[str, ...], str, str]
SHORTCUTS: tuple[Shortcut, ...] = (   # patterns of the functions that an answer went through, its name, and what to do
    (("torch.autograd.grad", "torch.autograd.backward", "torch.autograd.functional.*",
      "torch.autograd.forward_ad.make_dual", "torch._functorch.eager_transforms.*"),
     BY_AUTOGRAD, "this exercise asks for the formula, and autograd worked it out for you; derive it on paper, and use "
     "autograd to compare."),
    (("mlcourse.*",), BY_PACKAGE, "the package did the work; write out the few lines that it would run."),
    (("sklearn.neighbors.*",), BY_LIBRARY, "scikit-learn did the work; write out the distances and their minimum."),
)


class ByHand(LearnerFunction):
    """A learner's function that notes which functions it calls.

    Notes rather than forbids, so that the value still comes and what is wrong with it can be named as well.
    given: functions of the package that it may call all the same. shortcuts: what it may not.
    """

    def __init__(self, answer: object, name: str, *, given: tuple[str, ...] = (),
                 shortcuts: tuple[Shortcut, ...] = SHORTCUTS):
        super().__init__(answer, name)
        self.called: set[str] = set()
        self.given, self.shortcuts = given, shortcuts
        self.answer = self._watched(answer)

    def _watched(self, answer: Callable) -> Callable:
        def note(frame, event, _):
            if event == "call":
                self.called.add(f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_name}")

        @functools.wraps(answer)
        def call(*args):
            before = sys.getprofile()
            sys.setprofile(note)
            try:
                return answer(*args)
            finally:
                sys.setprofile(before)
        return call

    def shortcut(self) -> Misconception | None:
        """The shortcut that was taken, or None."""
        for patterns, name, why in self.shortcuts:
            if any(fnmatch.filter(self.called.difference(self.given), pattern) for pattern in patterns):
                return Misconception(name, why)
        return None


@contextmanager
def by_hand(answer: object, name: str, **options) -> Iterator[ByHand]:
    """The learner's function, to be judged inside. At the end a shortcut is raised, beside what was wrong anyway.

    options: those of `ByHand`.
    """
    function = ByHand(answer, name, **options)
    try:
        yield function
    except Misconception as found:
        shortcut = function.shortcut()
        raise (also(found, shortcut) if shortcut else found) from None
    except NotYet as found:
        if shortcut := function.shortcut():
            raise Misconception(shortcut.name, f"{shortcut} And {found}") from None
        raise
    if shortcut := function.shortcut():
        raise shortcut
