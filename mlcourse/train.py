"""One outer loop for every method: it runs a list of phases, shows progress, and can be interrupted and resumed."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map
from tqdm import tqdm

from mlcourse.checkpoint import check_writable, computed, fill, read_tensors, write_tensors
from mlcourse.compiled import Compiled, Compiling, gradient_of, trained_in
from mlcourse.domains.identity import changes
from mlcourse.engine import switch
from mlcourse.episode import Episode
from mlcourse.learner import Learner, check_finite, map_parts, yields_nan
from mlcourse.nets import Stats, check_state
from mlcourse.nets.saying import name_of
from mlcourse.phases import Phase


class Interrupted(KeyboardInterrupt):
    """Training was interrupted; what was trained is in the learner, and on disk where a path was given."""


def step_generator(seed: int, phase: int, step: int) -> torch.Generator:
    """The generator of one outer step. It depends on nothing else, so a resumed run draws the same batches."""
    state = np.random.SeedSequence((seed, phase, step)).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state) % 2**63)


def train(learner: Learner, phases: list[Phase], *, seed: int = 0, path: Path | None = None, label: str = "",
          data: dict | None = None, save_every: int = 200, progress: bool = True,
          on_step: Callable[[dict], None] | None = None, check_engine: bool = False,
          compile: bool = False, shape: Sequence[int] | None = None) -> list[dict]:
    """Run the phases in order and return a record {phase, step, loss} for every outer step.

    path: a .safetensors file for the state of the training, written every `save_every` steps, when it ends and when
    it is interrupted; if it exists, training goes on from it, with the numbers of an uninterrupted run. label: says
    what is trained, and data on what (`identity.contents`); a file with another label, seed or data is not touched.
    shape: as in `checkpoint.save`; a file in which the network computed something else is not touched either.
    on_step: called with every new record.
    check_engine: `compare_with_a_loop` on the first step that each phase takes.
    compile: through torch.compile from the tenth step of a phase on, where there is a C++ compiler and those left pay
    for it; the losses then differ by rounding. What is done is said on stderr, in a sentence for each phase.

    Raises Interrupted (a KeyboardInterrupt) after Ctrl-C or SIGTERM, at the end of the step in progress; ValueError
    when `path` holds another training or is damaged, or the learner cannot be written to it, and what `outer_step`
    and `compare_with_a_loop` raise; OSError when `path` cannot be written. Whatever is raised, the learner keeps what
    was trained.
    """
    records: list[dict] = []
    if path is not None:
        check_state(learner)
        if Path(path).exists():
            records = _restore(Path(path), learner, phases, seed, label, data)
        check_writable(Path(path).parent)
    learner.train()
    done = len(records)
    total = sum(phase.steps for phase in phases)
    with _stop_requests() as stop, tqdm(total=total, initial=done, disable=not progress, unit="step") as bar:
        for number, phase in enumerate(phases):
            first = max(0, min(done - sum(p.steps for p in phases[:number]), phase.steps))
            bar.set_description(phase.name)
            compiling = Compiling(phase, first, partial(_check_compiled, phase)) if compile else None
            for step in range(first, phase.steps):
                if check_engine and step == first:
                    compare_with_a_loop(phase, step, _two_at_least(phase, seed, number, step))
                began = time.perf_counter()
                loss = outer_step(phase, step, step_generator(seed, number, step), compiling and compiling.compiled)
                seconds = time.perf_counter() - began
                records.append({"phase": phase.name, "step": step, "loss": loss})
                bar.update()
                bar.set_postfix_str(f"loss {np.mean([r['loss'] for r in records[-20:]]):.4f}", refresh=False)
                if on_step is not None:
                    on_step(records[-1])
                if compiling is not None and not stop.is_set():
                    with stop.at_once():
                        compiling.after(step, seconds, lambda: drawn(phase, step_generator(seed, number, step + 1)))
                stopped = stop.is_set()
                if path is not None and (stopped or len(records) % save_every == 0 or len(records) == total):
                    _save(Path(path), learner, phases, records, seed, label, data, shape)
                if stopped:
                    raise Interrupted(f"interrupted after step {len(records)} of {total}")
    return records


def outer_step(phase: Phase, step: int, generator: torch.Generator, compiled: Compiled | None = None) -> float:
    """One step of a phase's optimiser; returns the loss before it. compiled: for the parts of a batch that it fits.

    The batch is differentiated in parts of at most `phase.chunk` tasks, so that memory does not grow with the number of
    tasks; the cores share the parts.
    Raises ValueError, before any parameter changes, when the loss or a gradient is not finite, or when a parameter
    gets no gradient in the first step.
    """
    if phase.before is not None:
        phase.before(step)
    batch = drawn(phase, generator)
    total, seen = _differentiate(phase, step, batch, compiled)
    _check_step(phase, step, batch, total)
    factor = phase.rate(step / phase.steps)
    for group in phase.optimiser.param_groups:
        group.setdefault("initial_lr", group["lr"])
        group["lr"] = group["initial_lr"] * factor
    phase.optimiser.step()
    if phase.after is not None:
        if seen:
            phase.learner.seen = seen
        phase.after(batch)
    return total


def drawn(phase: Phase, generator: torch.Generator):
    """A batch of a phase, drawn on the CPU whatever the device, and brought to where the phase's parameters lie."""
    device = phase.optimiser.param_groups[0]["params"][0].device
    batch = phase.sample(generator)
    return batch if device.type == "cpu" else tree_map(lambda x: x.to(device) if torch.is_tensor(x) else x, batch)


def _two_at_least(phase: Phase, seed: int, number: int, step: int):
    """The batch of a step, and that of the next with it where it holds one episode, which no engine can mix."""
    batch = drawn(phase, step_generator(seed, number, step))
    if not isinstance(batch, Episode) or batch.tasks > 1:
        return batch
    return Episode(*map(torch.cat, zip(batch, drawn(phase, step_generator(seed, number, step + 1)), strict=True)))


def compare_with_a_loop(phase: Phase, step: int, batch) -> None:
    """Compare a phase's loss and gradient on a batch with those of a loop over its tasks: is the engine right?

    Nothing is changed. A phase whose loss is no mean over episodes, or is computed by a loop anyway, passes.
    What differs is looked at once more in float64, because a ReLU whose input is rounded to either side of 0 changes a
    gradient without a fault of the engine; a method that fails in float64 is judged as it stands.
    Raises ValueError, naming what differs and by how much, beyond the rounding of the numbers' type.
    """
    if phase.one is None or phase.learner.engine == switch.LOOP:
        return
    found = _engine_fault(phase, step, batch)
    if found:
        try:
            with _in_double(phase):
                found = _engine_fault(phase, step, batch.to(torch.float64))
        except (RuntimeError, TypeError, ValueError):
            pass
    if found:
        raise ValueError(f"the {phase.learner.engine} engine gives {type(phase.learner).__name__}, in {phase.name}, "
                         f"{found}; {_REMEDY[phase.learner.engine]}")


def _check_compiled(phase: Phase, compiled: Compiled, batch: Episode) -> None:
    """Raises ValueError where a compiled phase does not give the loss and gradient of the plain one on a batch."""
    found = []
    for loss, gradients, _ in (gradient_of(phase, 0, batch), compiled(batch)):
        found.append({"loss": loss} | {str(i): g for i, g in enumerate(gradients) if g is not None})
    rounding = torch.finfo(found[0]["loss"].dtype).eps ** 0.5
    if found[0].keys() != found[1].keys() or max(_differences(*found[::-1], rounding).values()) > 10 * rounding:
        raise ValueError("what torch.compile makes of it has another gradient")


def _engine_fault(phase: Phase, step: int, batch) -> str:
    """How the engine's loss or gradient on this batch differs from the loop's; "" where they agree."""
    trained = {name: p for name, p in _named(phase) if p.requires_grad}
    fast = {"loss": torch.tensor(_differentiate(phase, step, batch)[0], dtype=torch.float64)}
    fast |= {name: torch.zeros_like(p) if p.grad is None else p.grad for name, p in trained.items()}
    phase.optimiser.zero_grad(set_to_none=True)
    slow = dict.fromkeys(fast, 0)
    for task in range(batch.tasks):
        loss = phase.one(batch.task(task), step) / batch.tasks
        gradients = torch.autograd.grad(loss, list(trained.values()), allow_unused=True, materialize_grads=True)
        slow = {name: slow[name] + part for name, part in zip(fast, (loss.detach(), *gradients), strict=True)}
    rounding = torch.finfo(loss.dtype).eps ** 0.5
    off = _differences(fast, slow, rounding)
    worst = "loss" if off["loss"] > 10 * rounding else max(off, key=off.get)
    if off[worst] <= 10 * rounding:
        return ""
    what = (f"a loss of {float(fast['loss']):.6g} where a loop over tasks gives {float(slow['loss']):.6g}"
            if worst == "loss" else f"a gradient of {worst!r} that differs from a loop over tasks")
    return f"{what} ({100 * off[worst]:.3g} % off)"


@contextmanager
def _in_double(phase: Phase) -> Iterator[None]:
    """The phase's parameters and its learner's tensors in float64, and afterwards the very numbers that they were."""
    tensors = [*phase.learner.parameters(), *phase.learner.buffers(), *(p for _, p in _named(phase))]
    before = [(t, t.data) for t in tensors if t.is_floating_point()]
    try:
        for t, data in before:
            t.data = data.double()
        yield
    finally:
        phase.optimiser.zero_grad(set_to_none=True)
        for t, data in before:
            t.data = data


_REMEDY = {
    switch.STACKED: "a method that it uses is written for one episode: let it take a leading task dimension, or set "
                    "stacks = False in the class",
    switch.VMAP: "torch.vmap has no right derivative for a part of the method or its network, or the tasks are not "
                 "independent: replace that part, or set refused_by_vmap = True on the learner for a loop",
}


def _differences(fast: dict[str, Tensor], slow: dict[str, Tensor], least: float) -> dict[str, float]:
    """How far the loss and each gradient are off, as a share of their size in the loop, or of a hundredth of the whole
    gradient and of `least` where it is below that, because it is then made of rounding. 0 where the loop is not finite.
    """
    size = {name: float(torch.linalg.vector_norm(t)) for name, t in slow.items()}
    whole = sum(s ** 2 for name, s in size.items() if name != "loss") ** 0.5
    found = {}
    for name, t in slow.items():
        apart = float(torch.linalg.vector_norm(fast[name].to(t) - t))
        share = apart / max(size[name], least, 0.0 if name == "loss" else whole / 100)
        found[name] = 0.0 if not np.isfinite(size[name]) else share if np.isfinite(share) else np.inf
    return found


def _named(phase: Phase) -> Iterator[tuple[str, Tensor]]:
    """The parameters of a phase's optimiser with their names, or places where it was given none."""
    for number, group in enumerate(phase.optimiser.param_groups):
        places = [f"{number}.{i}" for i in range(len(group["params"]))]
        yield from zip(group.get("param_names", places), group["params"], strict=True)


def _check_step(phase: Phase, step: int, batch, loss: float) -> None:
    if not np.isfinite(loss):
        if isinstance(batch, Episode):
            check_finite(batch)
            if yields_nan(phase.learner, batch):
                remedy = ("mend the network: the rates are not to blame" if step == 0 else
                          "lower the outer rate, or mend the network")
                raise ValueError(f"the loss is {loss} at step {step} of {phase.name}, and before any inner step the "
                                 f"network, a {name_of(phase.learner.net)}, makes values that are NaN or infinite of "
                                 f"finite samples; {remedy}")
        raise ValueError(f"the loss is {loss} at step {step} of {phase.name}; lower the inner or the outer rate")
    if step == 0:
        _check_gradients_exist(phase)
    gradients = [p.grad for group in phase.optimiser.param_groups for p in group["params"] if p.grad is not None]
    if not torch.isfinite(torch.nn.utils.get_total_norm(gradients, float("inf"))):
        raise ValueError(f"the loss is {loss:.4g} at step {step} of {phase.name}, but its gradient is not finite; "
                         "lower the inner or the outer rate")


def _check_gradients_exist(phase: Phase) -> None:
    for group in phase.optimiser.param_groups:
        for i, p in enumerate(group["params"]):
            if p.grad is None:
                name = repr(group["param_names"][i]) if "param_names" in group else f"{i} of shape {tuple(p.shape)}"
                why = "takes no part in the loss" if p.requires_grad else "is frozen (requires_grad is False)"
                raise ValueError(f"parameter {name} {why}, so it gets no gradient in {phase.name}; give the optimiser "
                                 "only parameters that the phase trains")


def _differentiate(phase: Phase, step: int, batch, compiled: Compiled | None = None) -> tuple[float, Stats]:
    """Leave the gradient of the phase's loss on this batch in the parameters; return the loss, and the statistics as
    `gradient_of` does."""
    def gradient(part):
        if compiled is not None and part is batch and compiled.fits(part):
            return compiled(part)
        return gradient_of(phase, step, part, 1.0 if part is batch else part.tasks / batch.tasks)

    phase.optimiser.zero_grad(set_to_none=True)
    results = (map_parts(gradient, batch, phase.chunk, phase.parallel) if isinstance(batch, Episode)
               else [gradient(batch)])
    losses, gradients, seen = zip(*results, strict=True)
    for p, pieces in zip(trained_in(phase), zip(*gradients, strict=True), strict=True):
        p.grad = None if pieces[0] is None else sum(pieces[1:], pieces[0])
    return sum(map(float, losses)), tree_map(lambda *tensors: torch.cat(tensors), seen[0], *seen[1:])


class _Stop(threading.Event):
    """Set by Ctrl-C and SIGTERM."""

    leaving = False

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """A block that a request ends at once, wherever it is."""
        self.leaving = True
        try:
            yield
        except BaseException:
            if not self.is_set():
                raise
        finally:
            self.leaving = False


@contextmanager
def _stop_requests() -> Iterator[_Stop]:
    """An event that Ctrl-C and SIGTERM set, so that a step in progress ends first; a second Ctrl-C stops at once."""
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(number, frame):
        again = stop.is_set()
        stop.set()
        if again or stop.leaving:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _save(path: Path, learner: Learner, phases: list[Phase], records: list[dict], seed: int, label: str,
          data: dict | None, shape: Sequence[int] | None) -> None:
    tensors = {f"learner.{name}": t for name, t in learner.state_dict().items()}
    scalars = {}
    for number, phase in enumerate(phases):
        for index, state in phase.optimiser.state_dict()["state"].items():
            for key, value in state.items():
                name = f"optimiser.{number}.{index}.{key}"
                if torch.is_tensor(value):
                    tensors[name] = value
                else:
                    scalars[name] = value
    write_tensors(path, tensors, {"label": label, "seed": seed, "data": data,
                                  "phases": [[p.name, p.steps] for p in phases], "scalars": scalars,
                                  "records": records, **computed(learner, shape)})


def _restore(path: Path, learner: Learner, phases: list[Phase], seed: int, label: str,
             data: dict | None) -> list[dict]:
    tensors, meta = read_tensors(path)
    expected = {"label": label, "seed": seed, "phases": [[p.name, p.steps] for p in phases]}
    for key, value in expected.items():
        if meta.get(key) != value:
            raise ValueError(f"{path} holds another training ({key} {meta.get(key)!r}, now {value!r}); continue with "
                             "the settings it was started with, choose another --folder, or remove it")
    if became := changes(meta.get("data"), data):
        raise ValueError(f"{path} holds a training on other data ({became}); restore them, choose another --folder, or "
                         "remove it")
    flat = {**meta["scalars"], **{name: t for name, t in tensors.items() if name.startswith("optimiser.")}}
    states: list[dict[int, dict]] = [{} for _ in phases]
    for name, value in flat.items():
        _, number, index, key = name.split(".", 3)
        states[int(number)].setdefault(int(index), {})[key] = value
    own = {name.removeprefix("learner."): t for name, t in tensors.items() if name.startswith("learner.")}
    fill(learner, own, path, meta.get("answers"))
    for phase, state in zip(phases, states, strict=True):
        phase.optimiser.load_state_dict({**phase.optimiser.state_dict(), "state": state})
    return meta["records"]
