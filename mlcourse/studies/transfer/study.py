"""From a labelled source to a target: every way to carry over and to adapt, at a few labels per class, over seeds.

Each seed cuts the target in its own way, and trains two networks on the source, one with layer norm and one with batch
norm; the arms go on from them. The weights of CORAL and DANN are chosen once, by a network of another seed, where
predictions on the target's unlabelled pictures carry the most information; everything else is fixed. No label of the
target enters before the k that an arm is given, and the target's test half is used for the accuracies alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.datasets.notes import say
from mlcourse.domains.distances import proxy_a_distance, proxy_a_floor
from mlcourse.domains.names import quoted
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.pairs import command_line, file_name, options
from mlcourse.studies.study import Key, Option, Study
from mlcourse.studies.table import table
from mlcourse.studies.transfer import advice
from mlcourse.studies.transfer import arms as every
from mlcourse.studies.transfer.arms import WEIGHTS, Arm
from mlcourse.studies.transfer.picture import transfer as draw
from mlcourse.studies.transfer.seed import Budget, Seed
from mlcourse.studies.transfer.setting import LEAST_SOURCE, LEAST_TARGET, Setting
from mlcourse.studies.transfer.setting import setting as matched
from mlcourse.studies.transfer.transfer import CHOICE, choose, measure

KEY = ("source", "target", "arm", "k", "seed")
KS = (0, 1, 5, 10)
SIDE = 16               # of the pictures, in pixels
PILOT = 1000            # the seed of the network that chooses


@dataclass(frozen=True)
class Work:
    """What was asked, and the data."""

    setting: Setting
    arms: Sequence[Arm]
    seeds: Sequence[int]
    name: str
    command: str


def prepare(seeds: Sequence[int], source: Sequence[str], target: str, arm: Sequence[str], k: Sequence[int],
            side: int | None, data_dir: Path | None) -> Work:
    """The work. Raises what `arms.named`, `datasets.load`, `setting` and `check` raise."""
    chosen = every.named(dict.fromkeys(arm or every.USUAL))
    *sources, goal = domains = [datasets.load(spec, data_dir, Form(side or SIDE)) for spec in (*source, target)]
    setting = matched(sources, goal, sorted(set(k or KS)))
    check(setting, chosen, asked=bool(arm) and every.ALL not in arm)
    say((*source, target), domains)
    return Work(setting, chosen, seeds, file_name("transfer", source, target), command_line("transfer", source, target))


def check(setting: Setting, arms: Sequence[Arm], asked: bool) -> None:
    """Raises ValueError, before anything runs, for an arm that needs several domains where one source cannot be split;
    where the arms were asked for by name, also for one that is nowhere defined."""
    for arm in arms:
        if asked and not any(defined(setting, arm, k) for k in setting.ks):
            why = (f"no class of the source is a class of the target ({_classes(setting)})" if not setting.shared else
                   "it needs labels of the target, so k of 1 or more")
            raise ValueError(f"{arm.name} is not defined here: {why}; leave it out, or change what is missing")
    if setting.shared and any(arm.several for arm in arms):
        try:
            setting.domains()
        except ValueError as error:
            wants = ", ".join(f"--arm {arm.name!r}" for arm in arms if not arm.several)
            raise ValueError(f"{error}; or run only the arms that need no second domain: {wants}") from error


def protocol(setting: Setting, arms: Sequence[Arm]) -> str:
    """What is measured, in words."""
    count = lambda domain: f"{len(domain.images):,}"
    text = (f"{setting.source.name} → {target_name(setting)}: {count(setting.source)} labelled source pictures; of the "
            f"target {count(setting.train)} pictures without labels to adapt to, and {count(setting.test)} held out "
            f"for the accuracies.")
    if setting.shared:
        text += f" {len(setting.train.classes)} classes are shared."
    else:
        text += (f" No class of the source is a class of the target ({_classes(setting)}), so nothing is defined "
                 "without labels, nor is any alignment; what remains learns a new head from the k labels per class.")
    text += f" {setting.matching}".rstrip()
    if setting.note:
        text += f" {setting.note[0].upper()}{setting.note[1:]}."
    if setting.shared and len(setting.sources) == 1 and any(arm.several for arm in arms):
        text += f" Where a method needs several sources, the one is split into {len(setting.domains())} by style."
    return text


def _classes(setting: Setting) -> str:
    """The names of the classes on either side."""
    return f"{quoted(setting.source.classes)}; {quoted(setting.train.classes)}"


def begin(work: Work) -> str:
    """What is measured on what."""
    return protocol(work.setting, work.arms)


def target_name(setting: Setting) -> str:
    """The target's own name."""
    return setting.train.name.removesuffix("/train")


def defined(setting: Setting, arm: Arm, k: int) -> bool:
    """Whether an arm has a meaning at k labels per class."""
    return (arm.zero or k > 0) and (setting.shared or (not arm.shared and k > 0))


def chooses(setting: Setting, arm: Arm) -> bool:
    """Whether an arm has a weight to choose."""
    return arm.name in WEIGHTS and setting.shared


def of(setting: Setting, kept: Sequence[dict]) -> list[dict]:
    """The rows of this source and target."""
    return [row for row in kept if (row["source"], row["target"]) == (setting.source.name, target_name(setting))]


def plan(work: Work, budget: Budget) -> list[Key]:
    """The choice of every weight that is to be chosen, and every arm at each k where it has a meaning."""
    setting = work.setting
    keys = [(CHOICE + arm.name, 0, PILOT) for arm in work.arms if chooses(setting, arm)]
    keys += [(arm.name, k, seed) for seed in work.seeds for arm in work.arms
             for k in setting.ks if defined(setting, arm, k)]
    return [(setting.source.name, target_name(setting), *key) for key in keys]


def rows(work: Work, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`.

    A row has the arm's accuracy (%) on the target's test half at k labels per class, the mean over its draws; at k = 0
    also the PAD between source and target as the arm sees them, with its interval over splits and its floor.
    Raises ValueError, before anything is measured, where `kept` has rows of the same names on other pictures.
    """
    setting = work.setting
    common = {"source": setting.source.name, "target": target_name(setting), "data": setting.fingerprint()}
    mine = of(setting, kept)
    if any(row["data"] != common["data"] for row in mine):
        raise ValueError(f"the file holds rows of {common['source']} and {common['target']} that were made with other "
                         "pictures or labels under these names; write to another file, or remove it")
    weights = {row["arm"].removeprefix(CHOICE): row["weight"] for row in mine if row["arm"].startswith(CHOICE)}
    pilot, todo = Seed(setting.of_seed(PILOT), PILOT, {}, budget), [key[2:] for key in todo]
    for row in choose(pilot, [arm.name for arm in work.arms if (CHOICE + arm.name, 0, PILOT) in todo]):
        weights[row["arm"].removeprefix(CHOICE)] = row["weight"]
        yield {**common, **row, **facts(work.command, PILOT)}
    for seed in work.seeds:
        state = Seed(setting.of_seed(seed), seed, weights, budget)
        for arm in work.arms:
            if ks := [k for k in setting.ks if (arm.name, k, seed) in todo]:
                for k, values in measure(state, arm, ks):
                    yield {**common, "arm": arm.name, "k": k, **values, "classes": len(setting.train.classes),
                           **facts(work.command, seed)}


def line(row: dict) -> str:
    """One line of the table."""
    if row["arm"].startswith(CHOICE):
        return f"{row['arm']}: weight {row['weight']:g}"
    pad = f"   PAD {row['pad']:.2f}" if "pad" in row else ""
    return f"{row['arm']:15s} k = {row['k']:2d}   seed {row['seed']}   {row['accuracy']:5.1f} %{pad}"


def pixel_distance(setting: Setting) -> str:
    """The PAD of the pictures themselves with its interval, and the target's floor, in words."""
    if not setting.measurable:
        return f"not measured: it needs {LEAST_SOURCE} pictures of the source and {LEAST_TARGET} of the target's half"
    a, b = setting.known(setting.source, 1), setting.known(setting.train, 0)
    pad, floor = proxy_a_distance(a, b), proxy_a_floor(b)
    value, least = (f"{each.value:.2f} [{each.low:.2f}, {each.high:.2f}]" for each in (pad, floor))
    return f"{value}, floor {least}"


def asked(work: Work, found: Sequence[dict]) -> list[dict]:
    """The rows of the arms, in their order, and of the seeds and ks."""
    order = {arm.name: i for i, arm in enumerate(work.arms)}
    mine = [row for row in of(work.setting, found)
            if row["arm"] in order and row["seed"] in work.seeds and row["k"] in work.setting.ks]
    return sorted(mine, key=lambda row: (order[row["arm"]], row["k"], row["seed"]))


def report(work: Work, found: Sequence[dict]) -> str:
    """The table, the distance of the pixels and the advice."""
    mine, setting = asked(work, found), work.setting
    cells, distance = advice.table(mine), advice.pads(mine)
    lines = [("accuracy, %", *(f"k = {k}" for k in setting.ks), "PAD")]
    for name in (arm.name for arm in work.arms):
        by_k = cells.get(name, {})
        shown = [by_k[k].text() if k in by_k else "needs labels" if k == 0 and setting.shared else "not defined"
                 for k in setting.ks]
        lines.append((name, *shown, f"{distance[name]:.2f}" if name in distance else ""))
    return "\n".join(filter(None, (table(lines), against_none(mine), f"PAD of pixels {pixel_distance(setting)}",
                                   advice.advice(mine))))


def against_none(mine: Sequence[dict]) -> str:
    """A table of the gains over no adaptation at k = 0, with p-values adjusted for their number; "" where there are
    none."""
    found = advice.gains(mine)
    rows = [(arm, more.text(sign=True), f"{p:.4f}" if p >= 0.0001 else "< 0.0001") for arm, (more, p) in found.items()]
    return table([("over no adaptation", "points at k = 0", "p, Holm"), *rows]) if rows else ""


def pictures(work: Work, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Accuracy over k, and PAD."""
    return {"": draw(asked(work, found), 100 / len(work.setting.train.classes))}


SIDED = Option("side", int, rf"Of the pictures, in pixels.  \[default: {SIDE}]", least=16)
STUDY = Study(
    "transfer",
    f"""From a labelled source to a target: what to carry over and what to adapt, measured.

    The arms: {', '.join(every.USUAL)}; with --arm all also {', '.join(a.name for a in every.ARMS if not a.usual)}. Each
    with 0, 1, 5 and 10 labels per class of the target, over five seeds, each with its own split of the target, with
    95 % intervals, the proxy A-distance of the domains, a picture, and advice computed from the numbers.
    Classes match by name. Ctrl-C keeps what is measured; the same command goes on from there.""",
    ("--source glyphs-digits --target digits", "--source mnist --target digits --out mine.json --plot mine.png",
     "--source folder:site_a --source folder:site_b --target folder:site_c"),
    KEY, Budget(), plan, rows, line, (*options(KS, f"the {len(every.USUAL)} named first"), SIDED), pilot=PILOT,
    piece=lambda key: every.named([key[2]])[0].norm, prepare=prepare, begin=begin, report=report, pictures=pictures,
    file=lambda work: work.name)
