"""One meta-step: ours against a loop, higher, TorchOpt and JAX, in the same run.

All compute the same meta-gradient of the same weights on the same episodes with the same threads, in turn; gradients
are compared in float64 first. Omniglot loads have as many queries as shots, as Finn et al. trained; one more row has
15. Floating-point operations are those that the plain loop's convolutions and matrix products do. Ours is also measured
compiled where `train(compile=True)` compiles in a long run. What JAX and torch.compile compile, they compile before.
A turn of a small load is many meta-steps, as a training is.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mlcourse.bench import peer_code
from mlcourse.bench.peer_code import Work, stock
from mlcourse.bench.peer_jax import jax_step, with_jax
from mlcourse.bench.sampler import arrays
from mlcourse.compiled import Compiled, Gradient, compiler_missing
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.episode import Episode, EpisodeSampler
from mlcourse.learner import Learner, map_parts
from mlcourse.learners import FOMAML, MAML, MetaSGD
from mlcourse.nets import MLP, Conv4
from mlcourse.phases import in_threads
from mlcourse.rows import facts
from mlcourse.system.machine import one_core
from mlcourse.system.memory import peak_memories
from mlcourse.system.timing import in_turn

KEY = ("workload", "peer")
PEERS = {**peer_code.PEERS, "jax": with_jax}
BUT_TORCHOPT = ("loop", "higher", "jax")        # TorchOpt has neither first order nor learned rates
EXTRA = "Conv4-64, 32 tasks 1-shot, 15 queries"
SEED = 0
ROUNDS = 7
FILL = 50.0             # milliseconds of a turn, at least
SINUSOID, CONNECTED = (1, 40, 40, 1), (784, 256, 128, 64, 64, 5)


@dataclass(frozen=True)
class Load:
    """A workload: the learner and its batch of tasks. peers: those that can do it."""

    name: str
    learner: Callable[[], Learner]
    tasks: int
    shot: int = 1
    query: int = 1
    peers: tuple[str, ...] = tuple(PEERS)

    def batch(self) -> Episode:
        """The episodes: sinusoids of `shot` points, or 5-way tasks of random pictures: time does not depend on them."""
        generator = torch.Generator().manual_seed(SEED + 1)
        if self.name.startswith("sinusoid"):
            return SinusoidSampler(self.shot, self.query).sample(self.tasks, generator)
        return EpisodeSampler(arrays(40), 5, self.shot, self.query).sample(self.tasks, generator)


class Summary(NamedTuple):
    """Ratios to the best peer: their geometric mean over `workloads` loads, the least, and which load that is."""

    geometric_mean: float
    least: float
    which: str
    workloads: int


def _mlp(sizes, steps, norm="none", lr=0.01, kind=MAML):
    return lambda: kind(MLP(sizes, norm), lr, steps)


def _conv(steps=1, pool="stride", kind=MAML):
    return lambda: kind(Conv4(5, pool=pool), 0.4, steps)


LOADS = {load.name: load for load in (
    Load("sinusoid MLP, 25 tasks, 1 step", _mlp(SINUSOID, 1), 25, 10, 10),
    Load("sinusoid MLP, 25 tasks, 5 steps", _mlp(SINUSOID, 5), 25, 10, 10),
    Load("sinusoid FOMAML, 25 tasks, 5 steps", _mlp(SINUSOID, 5, kind=FOMAML), 25, 10, 10, BUT_TORCHOPT),
    Load("sinusoid Meta-SGD, 25 tasks, 1 step", lambda: MetaSGD(MLP(SINUSOID)), 25, 10, 10, BUT_TORCHOPT),
    Load("fully connected, 32 tasks, 1 step", _mlp(CONNECTED, 1, "batch", 0.4), 32),
    Load("fully connected, 32 tasks, 5 steps", _mlp(CONNECTED, 5, "batch", 0.4), 32),
    Load("Conv4-64, 32 tasks 1-shot", _conv(), 32),
    Load("Conv4-64, 16 tasks 5-shot", _conv(), 16, 5, 5),
    Load("Conv4-64, 8 tasks, 5 steps", _conv(5), 8),
    Load("Conv4-64 max-pool, 8 tasks", _conv(pool="max"), 8),
    Load("Conv4-64 FOMAML, 32 tasks 1-shot", _conv(kind=FOMAML), 32, peers=BUT_TORCHOPT),
    Load("Conv4-64 Meta-SGD, 32 tasks 1-shot", lambda: MetaSGD(Conv4(5)), 32, peers=BUT_TORCHOPT),
    Load(EXTRA, _conv(), 32, 1, 15),
)}


def rows(names: list[str], rounds: int = ROUNDS) -> Iterator[dict]:
    """The rows of these loads, one for each peer. Raises ValueError for an unknown load, RuntimeError where a gradient
    differs from ours by more than 1e-4 of its norm."""
    for name in names:
        if name not in LOADS:
            raise ValueError(f"unknown workload {name!r}; known are: {'; '.join(LOADS)}")
    for name in names:
        yield from measure(LOADS[name], rounds)


def measure(load: Load, rounds: int) -> Iterator[dict]:
    """Time ours and every peer in turn, after two turns that do not count."""
    differences = {peer: difference(load, peer) for peer in load.peers}
    square = torch.randn(2048, 2048)
    names = ["ours", *(["compiled"] if compiles(load) else []), *load.peers]
    sides = {side: step_of(load.name, side) for side in names}
    times = in_turn({**sides, "product": lambda: square @ square}, rounds, FILL)
    medians = {name: statistics.median(measured) for name, measured in times.items()}
    flop, rate = operations(load), 2 * 2048**3 / medians["product"] / 1e6
    memory = dict(zip(sides, peak_memories(step_of, [(load.name, side) for side in sides]), strict=True))
    for peer in load.peers:
        yield {"workload": load.name, "peer": peer, "ours_ms": round(medians["ours"], 2),
               "peer_ms": round(medians[peer], 2), **_ratios("ratio", times["ours"], times[peer]),
               **({"compiled_ms": round(medians["compiled"], 2),
                   **_ratios("compiled_ratio", times["compiled"], times[peer])} if "compiled" in times else {}),
               "gradient_difference": float(f"{differences[peer]:.1e}"), "gflop": round(flop / 1e9, 4),
               "product_gflops": round(rate, 1), "peak_share": round(flop / 1e6 / medians["ours"] / rate, 3),
               "peer_share": round(flop / 1e6 / medians[peer] / rate, 3), "ours_peak_mb": memory["ours"],
               "peer_peak_mb": memory[peer], "rounds": rounds,
               **facts(f"mlcourse bench peers {load.name!r}", SEED)}


def _ratios(name: str, ours: list[float], theirs: list[float]) -> dict:
    ratios = sorted(b / a for a, b in zip(ours, theirs, strict=True))
    return {name: round(statistics.median(ratios), 2), f"{name}_range": [round(ratios[0], 2), round(ratios[-1], 2)]}


def compiles(load: Load) -> bool:
    """Whether `train(compile=True)` compiles this load in a long run: a small network, and a C++ compiler."""
    return load.learner().tasks_at_once is None and not compiler_missing()


def ours(learner: Learner, batch: Episode) -> list[torch.Tensor]:
    """The meta-gradient as train.py computes it."""
    parameters = list(learner.parameters())

    def gradient(part):
        return torch.autograd.grad(learner.losses(part).sum() / batch.tasks, parameters)

    pieces = map_parts(gradient, batch, learner.tasks_at_once, in_threads(learner))
    return [sum(each[1:], each[0]) for each in zip(*pieces, strict=True)]


def compiled_step(compiled: Compiled, batch: Episode) -> Gradient:
    """The meta-gradient as train.py computes it once it is compiled."""
    with one_core():
        return compiled(batch)


def work_of(learner: Learner, batch: Episode) -> Work:
    """The same meta-step in the words that the peers understand."""
    if isinstance(learner, MetaSGD):
        rates = learner.rates()
        return Work(batch, 1.0, learner.steps,
                    alpha=tuple(rates[name].detach().clone().requires_grad_() for name in stock_order(learner.net)))
    return Work(batch, learner.lr, learner.steps, learner.order)


def stock_order(net: nn.Module) -> list[str]:
    """The names of our parameters in the order of the stock network's: layer, norm, layer, norm, …, head."""
    layer = "convs" if isinstance(net, Conv4) else "body"
    place = lambda name: (name.startswith("head"), int(name.split(".")[1]) if not name.startswith("head") else 0,
                          not name.startswith(layer))
    return sorted((name for name, _ in net.named_parameters()), key=place)


def _clean(peer: Callable, net: nn.Module, work: Work) -> None:
    """A peer's meta-step from empty gradients."""
    for p in [*net.parameters(), *work.alpha]:
        p.grad = None
    peer(net, work)


def difference(load: Load, peer: str) -> float:
    """|ours - peer's| / |peer's| of the whole meta-gradient in float64, on two of the tasks."""
    learner = load.learner().double()
    batch = load.batch().task(slice(0, 2)).to(torch.float64)
    names, gradients = [name for name, _ in learner.named_parameters()], ours(learner, batch)
    mine = dict(zip(names, gradients, strict=True))
    net, work = stock(learner.net), work_of(learner, batch)
    _clean(PEERS[peer], net, work)
    order = stock_order(learner.net)
    theirs = [p.grad for p in [*net.parameters(), *work.alpha]]
    mine = [mine[f"net.{name}"] for name in order] + [mine[f"alpha.{name.replace('.', '/')}"] for name in order
                                                      if work.alpha]
    flat = lambda tensors: torch.cat([t.flatten() for t in tensors])
    relative = float((flat(mine) - flat(theirs)).norm() / flat(theirs).norm())
    if relative > 1e-4:
        raise RuntimeError(f"{load.name}: our gradient and that of {peer} differ by {relative:.1e} of its norm")
    return relative


def operations(load: Load) -> int:
    """The floating-point operations of the plain loop's convolutions and matrix products, counted on two tasks."""
    learner = load.learner()
    part = replace(load, tasks=2)
    with FlopCounterMode(display=False) as counter:
        PEERS["loop"](stock(learner.net), work_of(learner, part.batch()))
    return counter.get_total_flops() * load.tasks // 2


def step_of(name: str, side: str) -> Callable[[], object]:
    """A function that computes the meta-step of this load as ours, ours "compiled", or as a peer does. Raises Plain
    where ours does not compile."""
    learner, batch = LOADS[name].learner(), LOADS[name].batch()
    if side == "compiled":
        compiled = Compiled(learner.phases(LOADS[name], 1, tasks=len(batch.domain))[0], batch)
        return lambda: compiled_step(compiled, batch)
    if side == "ours":
        return lambda: ours(learner, batch)
    net, work = stock(learner.net), work_of(learner, batch)
    return jax_step(net, work) if side == "jax" else lambda: _clean(PEERS[side], net, work)


def summary(rows: list[dict], compiled: bool = False) -> Summary | None:
    """The ratios to the best peer of each load but EXTRA: the best is the one with the least ratio. None without
    rows. compiled: ours compiled, where it was."""
    ratios = {}
    for row in rows:
        if row["workload"] != EXTRA:
            ratios.setdefault(row["workload"], []).append(
                (row.get("compiled_ratio") if compiled else None) or row["ratio"])
    best = {workload: min(of_peers) for workload, of_peers in ratios.items()}
    if not best:
        return None
    which = min(best, key=best.get)
    return Summary(math.prod(best.values()) ** (1 / len(best)), best[which], which, len(best))


def conclusions(rows: list[dict]) -> list[str]:
    """Lines below the table: none without a load that counts."""
    found = {"": summary(rows)}
    if any("compiled_ratio" in row for row in rows):
        found[", ours compiled where a long training is"] = summary(rows, compiled=True)
    return [f"against the best peer{how}: geometric mean {each.geometric_mean:.2f} over {each.workloads} workloads, "
            f"least {each.least:.2f} ({each.which})" for how, each in found.items() if each is not None]


def line(row: dict) -> str:
    """The row as a line of a table."""
    compiled = f"  compiled {row['compiled_ms']:6.2f} ms" if "compiled_ms" in row else ""
    return (f"{row['workload']:40s} ours {row['ours_ms']:8.2f} ms{compiled}  {row['peer']:8s} "
            f"{row['peer_ms']:8.2f} ms  ratio {row['ratio']:5.2f}  {100 * row['peak_share']:4.0f} % of the product "
            "rate")
