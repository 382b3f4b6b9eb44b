"""The loss and gradient of a phase through torch.compile, where a run is long enough to pay for it.

A meta-step of a small network is hundreds of operators of a few microseconds each, and most of its time goes into
calling them. `trace` records the operators that the plain path calls, second derivatives included, and merges small
products; torch.compile makes one C++ function of them, for batches of one shape.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor, nn
from tqdm import tqdm

from mlcourse.engine import switch
from mlcourse.episode import Episode
from mlcourse.learner import over_tasks_seen
from mlcourse.nets import Stats, norm_of
from mlcourse.phases import Phase
from mlcourse.products import merge_products
from mlcourse.system.machine import one_core

COST = 30.0         # seconds of compiling, and
SHARE = 0.4         # the share of a step that it saves: the least of the loads of benchmarks/peers.md that it is for
TIMED = range(3, 10)                # the steps of a phase that are timed
Gradient = tuple[Tensor, tuple[Tensor | None, ...], Stats]


class Plain(Exception):
    """Why a phase stays on the plain path: a clause."""


def gradient_of(phase: Phase, step: int, part, share: float = 1.0) -> Gradient:
    """The phase's loss on a part of a batch, times `share`; its gradient, a tensor or None for each parameter that the
    optimiser trains; and what a network with running statistics took of the queries."""
    loss, seen = _loss(phase, step, part)
    loss = loss * share
    return loss.detach(), torch.autograd.grad(loss, trained_in(phase), allow_unused=True), seen


def trained_in(phase: Phase) -> list[Tensor]:
    """The parameters of the phase's optimiser that are not frozen."""
    return [p for group in phase.optimiser.param_groups for p in group["params"] if p.requires_grad]


def _loss(phase: Phase, step: int, part) -> tuple[Tensor, Stats]:
    if phase.one is None or phase.after is None or norm_of(getattr(phase.learner, "net", None)) != "running":
        return phase.loss(part, step), ()
    losses, seen = over_tasks_seen(phase.learner, lambda episode: phase.one(episode, step), part)
    return losses.mean(), seen


class Compiled:
    """`gradient_of` for batches of the shape of `example`, at any values of the learner's parameters and buffers, while
    its settings stay as they are.

    Raises Plain where the phase is not of the kind that compiles, or torch cannot compile it.
    """

    def __init__(self, phase: Phase, example: Episode):
        self.learner, self.modules, self.shape = phase.learner, list(phase.learner.modules()), _shape(example)
        self.settings = self._settings()
        graph = trace(phase, example)
        try:
            self.function = torch.compile(graph, fullgraph=True, dynamic=False, options={"cpp_wrapper": True})
            with one_core():
                self(example)
        except Exception as error:
            raise Plain(f"torch.compile fails ({_first_line(error)})") from error

    def fits(self, part) -> bool:
        """Whether a batch has the shape, strides and type that were compiled, and the learner its settings."""
        return isinstance(part, Episode) and _shape(part) == self.shape and self._settings() == self.settings

    def _settings(self) -> list:
        return [value for module in self.modules for value in vars(module).values()
                if isinstance(value, int | float | str)]

    def __call__(self, part: Episode) -> Gradient:
        with torch.no_grad():
            return self.function([t.detach() for t in _state(self.learner).values()], *part)


def trace(phase: Phase, example: Episode) -> torch.fx.GraphModule:
    """The operators of `gradient_of` on an example, as a function of the learner's tensors (see `_state`) and of the
    fields of an episode. Raises Plain where they would not be those of every step."""
    if not isinstance(example, Episode) or phase.one is None or phase.learner.engine != switch.STACKED:
        raise Plain("its tasks are not computed at once, by the stacked engine")
    if phase.chunk is not None:
        raise Plain("its network computes a few tasks at a time, and there is little else to save")
    from torch.fx.experimental.proxy_tensor import make_fx

    state = _state(phase.learner)
    place = {id(t): i for i, t in enumerate(state.values())}
    if any(id(p) not in place for p in trained_in(phase)):
        raise Plain("its optimiser trains parameters that are not the learner's")
    places = [place[id(p)] for p in trained_in(phase)]

    def gradient(values: list[Tensor], *fields: Tensor) -> Gradient:
        own = {f"learner.{name}": value for name, value in zip(state, values, strict=True)}
        loss, seen = torch.func.functional_call(_Loss(phase), own, (Episode(*fields),))
        return loss.detach(), torch.autograd.grad(loss, [values[i] for i in places], allow_unused=True), seen

    copies = [t.detach().requires_grad_(t.requires_grad) for t in state.values()]
    try:
        with one_core():
            graph = make_fx(gradient, tracing_mode="fake")(copies, *example)
            graph = make_fx(torch.func.functionalize(graph), tracing_mode="fake")(copies, *example)
    except Exception as error:
        raise Plain(f"its operators cannot be recorded ({_first_line(error)})") from error
    for node in graph.graph.nodes:
        if torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
            raise Plain("it draws random numbers")
    merge_products(graph.graph)
    graph.recompile()
    return graph


class _Loss(nn.Module):
    """Lets `functional_call` put other tensors in the place of the learner's while a phase's loss is computed."""

    def __init__(self, phase: Phase):
        super().__init__()
        self.learner, self.phase = phase.learner, phase

    def forward(self, part: Episode) -> tuple[Tensor, Stats]:
        return _loss(self.phase, _AnyStep(), part)


class _AnyStep:
    """Stands for the number of a step while operators are recorded: a loss that depends on it fails."""

    def _refuse(self, *_):
        raise TypeError("the loss depends on the step")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __hash__ = _refuse
    __index__ = __int__ = __float__ = __neg__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = _refuse


def _state(learner: nn.Module) -> dict[str, Tensor]:
    return dict(learner.named_parameters()) | dict(learner.named_buffers())


def _shape(episode: Episode) -> tuple:
    return tuple((t.shape, t.stride(), t.dtype, t.device) for t in episode)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def compiler_missing() -> str:
    """The name of the C++ compiler that torch.compile would call, where there is none of that name; else ""."""
    name = os.environ.get("CXX") or {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    return "" if shutil.which(name) else name


class Compiling:
    """The compiled form of a phase, from the step on where it pays: after a few plain steps are timed.

    What is decided is said on stderr, in one sentence for a phase. check: raises ValueError where the compiled form
    does not give the loss and gradient of the plain one.
    """

    def __init__(self, phase: Phase, first: int, check: Callable[[Compiled, Episode], None]):
        self.phase, self.first, self.check = phase, first, check
        self.compiled: Compiled | None = None
        self.times: list[float] = []
        self.decided = False

    def after(self, step: int, seconds: float, sample: Callable[[], Episode]) -> None:
        """To be called after each step, with its seconds. sample: draws the next batch, as an example."""
        if self.decided:
            return
        if step - self.first in TIMED:
            self.times.append(seconds)
        if step - self.first < TIMED[-1]:
            return
        self.decided = True
        left, each = self.phase.steps - step - 1, median(self.times)
        try:
            said = self._compile(left, each, sample)
        except Plain as why:
            said = f"not compiled: {why}"
        tqdm.write(f"{self.phase.name} is {said}", file=sys.stderr)

    def _compile(self, left: int, each: float, sample: Callable[[], Episode]) -> str:
        if name := compiler_missing():
            raise Plain(f"there is no C++ compiler ({name}); install one, or set CXX")
        if left * each * SHARE < COST:
            raise Plain(f"the {left} steps left take about {left * each:.3g} s, too little to pay for about {COST:.0f} "
                        "s of compiling")
        start, batch = time.perf_counter(), sample()
        compiled = Compiled(self.phase, batch)
        try:
            self.check(compiled, batch)
        except ValueError as error:
            raise Plain(str(error)) from error
        took = time.perf_counter() - start
        fast, slow = (self._seconds(f, batch) for f in (compiled, lambda part: gradient_of(self.phase, 0, part)))
        if fast >= slow:
            raise Plain(f"compiled, its gradient takes {1000 * fast:.3g} ms, and {1000 * slow:.3g} ms as it is")
        self.compiled = compiled
        return f"compiled, in {took:.0f} s: its gradient takes {1000 * fast:.3g} ms instead of {1000 * slow:.3g}"

    @staticmethod
    def _seconds(function: Callable, batch: Episode) -> float:
        times = []
        with one_core():
            for _ in range(7):
                start = time.perf_counter()
                function(batch)
                times.append(time.perf_counter() - start)
        return median(times)
