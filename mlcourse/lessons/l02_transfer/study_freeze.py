"""What to keep of a source network: frozen at every depth, fine-tuned, tied to its start, or nothing.

Four sources and untrained weights, k labels per class of the UCI digits, all in one frame at 16×16. Every arm runs from
every source and, as its other side, from untrained weights: that pair is one algorithm, and its difference in error is
the negative transfer gap (Wang et al., CVPR 2019). Fine-tuning from untrained weights is training from scratch, and the
other side of joint training.

A quarter of the digits is put aside. It chooses each arm's rate, steps or penalty, from each source for itself, at 2
labels per class for up to 5 and at 10 for more (rows of seed CHOOSING); the other digits, cut in halves by each seed,
train and judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from types import SimpleNamespace

import torch
from torch import Tensor

from mlcourse.datasets import Form, load
from mlcourse.domains import Domain, deal
from mlcourse.episode.across import halves, pixels
from mlcourse.lessons.l02_transfer import study_freeze_arms as arms
from mlcourse.lessons.l02_transfer.sources import NONE, SOURCES, STEPS, at_depth, network, pretrained, source_domain
from mlcourse.lessons.l02_transfer.study_freeze_arms import (FINE, FROZEN, JOINT, L2SP, LONG, LOW, LPFT, PROBE, RANDOM,
                                                             Tasks, accuracies, descended, prepared, ridge_accuracies)
from mlcourse.nets import Conv4, params_of
from mlcourse.plots.static import Picture
from mlcourse.probes import embed_all, few_shot
from mlcourse.rows import facts
from mlcourse.small import SIDE
from mlcourse.studies.study import Key, Option, Study

KEY = ("source", "arm", "k", "seed")
CHOOSING, ASIDE = 1000, 0.25            # the seed of the rows that choose, and the share of the digits that they see
FEW, MANY = 2, 10                       # labels per class at which is chosen: for up to 5, and for more
KS = (1, 2, 5, 10, 20, 50)
RIDGE, EPISODES, PIXELS = "head on ", "5-way 1-shot", "pixels"
RIDGES = tuple(f"{RIDGE}{depth}" for depth in range(5))
DESCENTS = (PROBE, *(f"{FROZEN}{depth}" for depth in (3, 2, 1)), FINE, LONG, RANDOM, LPFT, L2SP, LOW, JOINT)
ARMS = (*RIDGES, *DESCENTS, EPISODES)
EVERY = (*SOURCES, NONE)


@dataclass(frozen=True)
class Budget:
    """ks: labels per class. draws: of the labels, for each of ks. source_steps: of every source network, at most.
    stops: the numbers of steps that an arm chooses from, probe_stops those of the head alone, long_stops those of LONG.
    rates, probe_rates: likewise. penalties: of the ridge heads. anchors: α of L2-SP. choosing: draws of the rows that
    choose. episodes: of EPISODES."""

    ks: tuple[int, ...] = KS
    draws: tuple[int, ...] = (4, 3, 2, 1, 1, 1)
    source_steps: int = STEPS
    stops: tuple[int, ...] = (40, 120)
    probe_stops: tuple[int, ...] = (100, 400)
    long_stops: tuple[int, ...] = (400,)
    rates: tuple[float, ...] = arms.RATES
    probe_rates: tuple[float, ...] = arms.PROBE_RATES
    penalties: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)
    anchors: tuple[float, ...] = (0.01, 0.1, 1.0)
    choosing: int = 3
    episodes: int = 1000


@cache
def digits() -> Domain:
    """The UCI digits in the frame."""
    return load("digits", form=Form(SIDE))


def target(seed: int) -> tuple[Domain, Domain]:
    """The training and the test half of a seed; for CHOOSING, twice what is put aside."""
    aside, rest = deal(digits(), (ASIDE, 1 - ASIDE))
    return (aside, aside) if seed == CHOOSING else halves(rest, least=max(KS), seed=seed)


def labelled(domain: Domain, k: int, seed: int, draw: int) -> Tensor:
    """Where k pictures of each class stand; those of a smaller k are among those of a larger."""
    order = torch.randperm(len(domain.images), generator=torch.Generator().manual_seed(1_000_003 * seed + draw))
    labels = domain.labels[order]
    return torch.cat([order[labels == c][:k] for c in range(len(domain.classes))])


@dataclass
class Seed:
    """One seed: its networks, each trained when it is first needed, and its halves of the target."""

    seed: int
    budget: Budget

    def __post_init__(self):
        self.nets: dict[str, Conv4] = {}

    def net(self, source: str) -> Conv4:
        """The network of a source, with the head of its classes."""
        if source not in self.nets:
            seed = 100 if self.seed == CHOOSING else self.seed
            self.nets[source] = pretrained(source, seed, self.budget.source_steps).requires_grad_(False)
        return self.nets[source]

    @cached_property
    def halves(self) -> tuple[Domain, Domain]:
        """`target` of this seed."""
        return target(self.seed)

    def labels(self, k: int, draws: int) -> tuple[Tensor, Tensor]:
        """x (draws, M, 1, S, S), y (draws, M) of k labels per class."""
        train = self.halves[0]
        rows = torch.stack([labelled(train, k, self.seed, draw) for draw in range(draws)])
        return pixels(train.images)[rows], train.labels[rows]

    def judged(self, k: int, draws: int) -> tuple[Tensor, Tensor]:
        """What each draw is judged on, x (draws, P, 1, S, S), y (draws, P): the test half; for CHOOSING, all pictures
        that the draw did not label."""
        train, test = self.halves
        every = torch.ones(draws, len(test.images), dtype=torch.bool)
        if self.seed == CHOOSING:
            for draw in range(draws):
                every[draw, labelled(train, k, self.seed, draw)] = False
        rows = torch.stack([torch.nonzero(mine)[:, 0] for mine in every])
        return pixels(test.images)[rows], test.labels[rows]

    def tasks(self, sources: Sequence[str], k: int, draws: int, copies: int = 1) -> Tasks:
        """A task for each source, copy and draw, in this order."""
        x, y = self.labels(k, draws)
        bodies = [{n: p for n, p in params_of(self.net(s)).items() if not n.startswith("head.")} for s in sources]
        stack = {n: torch.stack([body[n] for body in bodies]).repeat_interleave(copies * draws, 0) for n in bodies[0]}
        many = len(sources) * copies
        return Tasks(network(y.max().item() + 1, 0), stack, x.repeat(many, 1, 1, 1, 1), y.repeat(many, 1), self.seed)


# ------------------------------------------------------------ what an arm is worth


def regime(k: int) -> int:
    """Where the settings for k labels per class were chosen."""
    return FEW if k <= 5 else MANY


def run(s: Seed, arm: str, sources: Sequence[str], k: int, settings: Sequence[Mapping[str, float]], draws: int
        ) -> Tensor:
    """The accuracies (%) of a descending arm, (stops, sources, draws): from each source with its settings, "rate" and
    "stops", for LP-FT also "probe rate" and "probe steps", for L2-SP "anchor". All have the same stops."""
    copies = len(settings) // len(sources)
    tasks = s.tasks(sources, k, draws, copies)
    each = lambda name: torch.tensor([float(one[name]) for one in settings]).repeat_interleave(draws)
    extra = {"anchor": each("anchor")} if arm == L2SP else {}
    if arm == LPFT:
        extra = {"rate": each("probe rate"), "steps": each("probe steps").long()}
    if arm == JOINT:
        domain = source_domain(sources[0])
        many = lambda t: t.expand(tasks.count, *t.shape)
        tasks = Tasks(tasks.net, tasks.bodies, tasks.x, tasks.y, tasks.seed, many(pixels(domain.images)),
                      many(domain.labels), len(domain.classes))
    descent = prepared(tasks, arm, extra)
    x, y = (t.repeat(len(settings), *[1] * (t.ndim - 1)) for t in s.judged(k, draws))
    phi, done, found = descent.start, 0, []
    for stop in settings[0]["stops"]:
        phi, done = descended(tasks, descent, phi, range(done, stop), each("rate")), stop
        found.append(accuracies(tasks, descent.merged(phi), x, y).view(len(settings), draws))
    return torch.stack(found)


def grid(s: Seed, arm: str, source: str, chosen: Mapping[Key, dict], k: int) -> list[dict]:
    """The settings that an arm chooses from, each with all stops."""
    b = s.budget
    if arm == L2SP:
        like = chosen[source, FINE, k]
        return [{"rate": like["rate"], "stops": (like["steps"],), "anchor": anchor} for anchor in b.anchors]
    stops = b.long_stops if arm == LONG else b.probe_stops if arm == PROBE else b.stops
    rates = b.probe_rates if arm == PROBE else b.rates
    probe = chosen[source, PROBE, k] if arm == LPFT else {}
    more = {"probe rate": probe["rate"], "probe steps": probe["steps"]} if probe else {}
    return [{"rate": rate, "stops": stops, **more} for rate in rates]


def best(s: Seed, arm: str, source: str, k: int, chosen: Mapping[Key, dict]) -> dict:
    """The setting with the highest accuracy on what is put aside."""
    settings = grid(s, arm, source, chosen, k)
    found = run(s, arm, [source], k, settings, s.budget.choosing).mean(2)
    stop, which = divmod(int(found.argmax()), len(settings))
    setting = {name: value for name, value in settings[which].items() if name != "stops"}
    return {**setting, "steps": settings[which]["stops"][stop], "accuracy": round(float(found.max()), 3),
            "tried": [[round(float(v), 2) for v in row] for row in found]}


def ridges(s: Seed, source: str, depth: int, k: int, draws: int, penalties: Sequence[float]) -> Tensor:
    """The accuracies (%) of a ridge head on the layers up to a depth, (draws, penalties)."""
    net = network(10, 0) if depth == 0 else s.net(source)
    found = []
    for x, y, test_x, test_y in zip(*s.labels(k, draws), *s.judged(k, draws), strict=True):
        with torch.no_grad():
            z, test_z = at_depth(net, x, depth), at_depth(net, test_x, depth)
        found.append(ridge_accuracies(z, y, test_z, test_y, penalties))
    return torch.stack(found)


def episodes(s: Seed, source: str) -> float:
    """5-way 1-shot accuracy (%) on all digits, by the nearest of unit features."""
    embed = (lambda x: x) if source == PIXELS else s.net(source).features
    return 100 * float(few_shot(embed_all(embed, digits().images), digits(), episodes=s.budget.episodes).mean())


# ------------------------------------------------------------ rows


def prepare(seeds: Sequence[int], arm: Sequence[str]) -> SimpleNamespace:
    """The arms, all where none is named. Raises ValueError for an unknown one, and for a negative seed or CHOOSING."""
    if unknown := [name for name in arm if name not in ARMS]:
        raise ValueError(f"there is no arm {unknown[0]!r}; the arms are {', '.join(ARMS)}")
    if taken := [seed for seed in seeds if not 0 <= seed < 100]:
        raise ValueError(f"seeds lie in 0..99 here, as {CHOOSING} and the networks of seed 100 choose; got {taken[0]}")
    needed = set(arm or ARMS)
    needed |= {FINE} if L2SP in needed else set()
    needed |= {PROBE} if LPFT in needed else set()
    return SimpleNamespace(seeds=seeds, arms=[name for name in ARMS if name in needed])


def sides(arm: str) -> tuple[str, ...]:
    """The sources that an arm runs from."""
    if arm == EPISODES:
        return PIXELS, *EVERY
    if arm in (L2SP, LOW):
        return "typeset", "glyphs", NONE
    return (NONE,) if arm == RIDGES[0] else tuple(SOURCES) if arm == JOINT else EVERY


def ks_of(arm: str, ks: Sequence[int]) -> Sequence[int]:
    """The labels per class that an arm is measured at: LONG where there are many, JOINT at no more than 10, EPISODES
    at 1."""
    if arm == EPISODES:
        return (1,)
    return [k for k in ks if (arm != LONG or k >= MANY) and (arm != JOINT or k <= MANY)]


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """The choices of every arm and source, then every seed, arm, source and k."""
    choosing = [arm for arm in asked.arms if arm != EPISODES]
    chosen = [(arm, k, CHOOSING) for k in (FEW, MANY) for arm in choosing if k in ks_of(arm, (FEW, MANY))]
    judged = [(arm, k, seed) for seed in asked.seeds for arm in asked.arms for k in ks_of(arm, budget.ks)]
    return [(source, *key) for key in chosen + judged for source in sides(key[0])]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`. A row has its accuracy (%), the mean over its draws, and the settings that were chosen."""
    chosen = {(row["source"], row["arm"], row["k"]): row for row in kept if row["seed"] == CHOOSING}
    states: dict[int, Seed] = {}
    for arm, k, seed in dict.fromkeys(key[1:] for key in todo):
        s = states.setdefault(seed, Seed(seed, budget))
        sources = [source for source, *rest in todo if tuple(rest) == (arm, k, seed)]
        found = choices(s, arm, k, sources, chosen) if seed == CHOOSING else measured(s, arm, k, sources, chosen)
        for source, values in found:
            row = {"source": source, "arm": arm, "k": k, **values, **facts(f"mlcourse study freeze --seed {seed}"
                   if seed != CHOOSING else "mlcourse study freeze", seed)}
            if seed == CHOOSING:
                chosen[source, arm, k] = row
            yield row


def choices(s: Seed, arm: str, k: int, sources: Sequence[str], chosen: Mapping[Key, dict]
            ) -> Iterator[tuple[str, dict]]:
    """What is chosen for an arm from each source."""
    for source in sources:
        if arm in RIDGES:
            found = ridges(s, source, RIDGES.index(arm), k, s.budget.choosing, s.budget.penalties).mean(0)
            yield source, {"penalty": s.budget.penalties[int(found.argmax())], "accuracy": round(float(found.max()), 3),
                           "tried": [round(float(v), 2) for v in found]}
        else:
            yield source, best(s, arm, source, k, chosen)


def measured(s: Seed, arm: str, k: int, sources: Sequence[str], chosen: Mapping[Key, dict]
             ) -> Iterator[tuple[str, dict]]:
    """What an arm is worth from each source."""
    if arm == EPISODES:
        yield from ((source, {"accuracy": round(episodes(s, source), 3)}) for source in sources)
        return
    draws = s.budget.draws[s.budget.ks.index(k)]
    setting = {source: chosen[source, arm, regime(k)] for source in sources}
    if arm in RIDGES:
        for source in sources:
            value = ridges(s, source, RIDGES.index(arm), k, draws, [setting[source]["penalty"]]).mean()
            yield source, {"accuracy": round(float(value), 3), "penalty": setting[source]["penalty"], "draws": draws}
        return
    for steps in sorted({each["steps"] for each in setting.values()}):
        alike = [source for source in sources if setting[source]["steps"] == steps]
        for group in [[source] for source in alike] if arm == JOINT else [alike]:
            settings = [{**setting[source], "stops": (steps,)} for source in group]
            found = run(s, arm, group, k, settings, draws)[0].mean(1)
            for source, value in zip(group, found.tolist(), strict=True):
                how = {name: setting[source][name] for name in ("rate", "steps", "anchor") if name in setting[source]}
                yield source, {"accuracy": round(value, 3), **how, "draws": draws}


def line(row: dict) -> str:
    """One line of the table."""
    how = "   ".join(f"{name} {row[name]:g}" for name in ("rate", "steps", "penalty", "anchor") if name in row)
    what = f"{row['source']:9s} {row['arm']:17s} k = {row['k']:2d}   seed {row['seed']:4d}"
    return f"{what}   {row['accuracy']:5.1f} %   {how}".rstrip()


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Accuracy over labels per class, and the gap to untrained weights."""
    from mlcourse.lessons.l02_transfer.figures_study import study_picture

    return {"": study_picture(found)}


STUDY = Study(
    "freeze",
    """Lesson 02: what to keep of a source network, at 1 to 50 labels per class of handwritten digits: frozen at every
    depth, fine-tuned, LP-FT, L2-SP, LoRA and joint training from four sources, and the same from untrained weights.

    About half an hour on one core, a quarter of it to choose every arm's settings.""",
    ("", "--seed 0 --arm fine-tuned"), KEY, Budget(), plan, rows, line, pilot=CHOOSING, prepare=prepare,
    pictures=pictures, options=(Option("arm", str, r"Repeat it for several.  \[default: all]", several=True),))
