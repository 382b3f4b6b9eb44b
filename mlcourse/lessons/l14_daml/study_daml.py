"""DAML-style augmentation against its controls: from a labelled source to a target, at k labels per class.

Accuracies are those of the target's test half, which nothing else of its seed sees; the generator's own marks are taken
on a third of the training half, `dev`, which the discriminator does not see either. Every seed cuts the target in its
own way, so the unlabelled pictures of the pilot that chooses stand in part in the other seeds' test halves.
No label of the target enters before the k: the generator and the hand-made views are chosen by one rule, with as many
trials each, where predictions on the target's unlabelled pictures carry most information; what adapts to labels on a
stand-in for the target.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.datasets.notes import say
from mlcourse.domains import Domain, shift_domain
from mlcourse.domains.names import quoted
from mlcourse.evaluate import percent_right
from mlcourse.learners.daml import by_generator
from mlcourse.learners.translator import among
from mlcourse.lessons.l14_daml.figures_study import accuracies, samples
from mlcourse.lessons.l14_daml.study_daml_arms import (ARMS, LEAK, LEARNT, SIDE, Budget, Choice, DamlSeed, Ready,
                                                       adapted, by_hand, defined, own_labels, redrawn, tuned)
from mlcourse.lessons.l14_daml.study_daml_marks import SPLITS, leak_marks, marks
from mlcourse.losses.alignment import information
from mlcourse.plots.static import Picture
from mlcourse.rows import by_seed, facts
from mlcourse.statistics import cell
from mlcourse.studies.pairs import command_line, file_name, options
from mlcourse.studies.study import Key, Study
from mlcourse.studies.table import table
from mlcourse.studies.transfer.setting import Setting
from mlcourse.studies.transfer.setting import setting as matched
from mlcourse.system.machine import one_core

KEY = ("source", "target", "arm", "k", "seed")
KS = (0, 1, 5)
PILOT, PILOT_K = 1000, 5            # the seed of the networks that choose, and their labels per class of the stand-in
STAND_IN = ("rotation", 0.6)
STRENGTHS = (0.5, 1.0, 2.0)                     # of hand-made views
WEIGHTS = ((5.0, 1.0), (1.0, 1.0), (5.0, 5.0))      # of the label and of feature matching in the generator's loss
STEPS, RATES = (1, 3, 10, 30, 100), (0.01, 0.03, 0.1, 0.3)
GENERATOR, LEAKY, CHOICE, LABELS = "generator", "generator, leak", "choice", "choice for labels"
LEAST = 10          # pictures of a two-sample test
DEV = 3             # one in DEV pictures of the target's training half is kept from the discriminator


def parts(whole: Setting, seed: int) -> tuple[Setting, Domain]:
    """The setting of a seed, its `train` what the discriminator sees, without copies of dev and test pictures, and
    `dev`."""
    cut = whole.of_seed(seed)
    place = torch.cat([torch.arange(int(count)) for count in torch.bincount(cut.train.labels)])     # sorted by class
    seen, dev = (cut.train.take(torch.nonzero(kept)[:, 0]) for kept in (place % DEV > 0, place % DEV == 0))
    seen = seen.take(torch.nonzero(~among(seen.images, torch.cat([dev.images, cut.test.images])))[:, 0])
    return replace(cut, train=replace(seen, name=cut.train.name)), dev


def prepare(sources: Sequence[Domain], target: Domain, ks: Sequence[int]) -> Setting:
    """The study's setting.

    Raises ValueError where no class is shared, where there are too few pictures, where a single source cannot be split
    by style, and as `setting`.
    """
    whole = matched(sources, target, ks)
    if not whole.shared:
        raise ValueError(f"no class of {whole.source.name} ({quoted(whole.source.classes)}) is a class of "
                         f"{target.name} ({quoted(target.classes)}), so that no generated picture would have a label; "
                         "name the classes alike in both")
    split, dev = parts(whole, 0)
    few = int(torch.bincount(split.train.labels, minlength=len(dev.classes)).min())
    if few < max(ks):
        raise ValueError(f"k = {max(ks)} labels per class are asked for, but of one class there are {few} pictures to "
                         "take them from; lower k, or add images")
    if min(len(dev.images), len(split.source.images)) < LEAST:
        raise ValueError(f"a generator is judged on {LEAST} pictures or more of the source and of a third of the "
                         f"target's training half, but there are {len(split.source.images)} and {len(dev.images)}; add "
                         "images")
    split.domains()
    return whole


@dataclass
class Work:
    """What was asked, and the data. sheet: samples of the pilot's generator, a picture beside that of the
    accuracies."""

    whole: Setting
    arms: Sequence[str]
    seeds: Sequence[int]
    name: str
    command: str
    sheet: Picture | None = None

    def pair(self) -> tuple[str, str]:
        """The names of source and target."""
        return self.whole.source.name, self.whole.train.name.removesuffix("/train")


def ask(seeds: Sequence[int], source: Sequence[str], target: str, arm: Sequence[str], k: Sequence[int],
        data_dir: Path | None) -> Work:
    """The work. Raises ValueError for an unknown arm and as `prepare` does, and what `datasets.load` raises."""
    if unknown := [name for name in arm if name not in ARMS]:
        raise ValueError(f"unknown arm {unknown[0]!r}; the arms are {', '.join(ARMS)}")
    *sources, goal = domains = [datasets.load(spec, data_dir, Form(SIDE)) for spec in (*source, target)]
    whole = prepare(sources, goal, sorted(set(k or KS)))
    say((*source, target), domains)
    return Work(whole, list(dict.fromkeys(arm or ARMS)), seeds, file_name("daml", source, target),
                command_line("daml", source, target))


def begin(work: Work) -> str:
    """What is measured on what."""
    (split, dev), whole = parts(work.whole, 0), work.whole
    return (f"{split.source.name} → {work.pair()[1]}: {len(split.source.images):,} labelled source pictures; of the "
            f"target {len(split.train.images):,} pictures for the discriminator, {len(dev.images):,} to judge the "
            f"generator on, and {len(split.test.images):,} for the accuracies"
            f"{f'; {whole.note}' if whole.note else ''}. "
            f"{whole.matching}").rstrip()


def plan(work: Work, budget: Budget) -> list[Key]:
    """The choices, and for every seed the generators' marks and every arm at each k."""
    adapts = any(needs_labels(arm) for arm in work.arms)
    keys = [(CHOICE, 0, PILOT)] + [(LABELS, 0, PILOT)] * adapts
    for seed in work.seeds:
        keys += [(GENERATOR, 0, seed)] + [(LEAKY, 0, seed)] * (LEAK in work.arms)
        keys += [(arm, k, seed) for arm in work.arms for k in work.whole.ks if defined(arm, k)]
    return [(*work.pair(), *key) for key in keys]


def needs_labels(arm: str) -> bool:
    """Whether how an arm adapts to labels is chosen."""
    return ARMS[arm].task or arm == LEARNT


def rows(work: Work, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`, on one core.

    A row of an arm has its accuracy (%) on the test half at k labels per class, the mean over the draws of them. The
    row "generator" of a seed has the marks of its generator (`marks`). Raises ValueError where `kept` has rows of the
    same names on other pictures.
    """
    whole, (source, target) = work.whole, work.pair()
    common = {"source": source, "target": target, "data": whole.fingerprint()}
    mine = of(kept, source, target)
    if any(row["data"] != common["data"] for row in mine):
        raise ValueError(f"the file holds rows of {source} and {target} that were made with other pictures or labels "
                         "under these names; write to another file, or remove it")
    made = lambda arm, k, values, seed: {**common, "arm": arm, "k": k, **values, **facts(work.command, seed)}
    choices = {row["arm"]: row for row in mine if row["arm"] in (CHOICE, LABELS)}
    todo = [key[2:] for key in todo]
    with one_core():
        pilot = DamlSeed(*parts(whole, PILOT), PILOT, chosen(choices), budget)
        for name, choose in ((CHOICE, choose_pictures), (LABELS, choose_adaptation)):
            if (name, 0, PILOT) in todo:
                choices[name] = made(name, 0, choose(pilot), PILOT)
                pilot.choice = chosen(choices)
                work.sheet = work.sheet or sheet(pilot)
                yield choices[name]
        for seed in work.seeds:
            s = DamlSeed(*parts(whole, seed), seed, chosen(choices), budget)
            for name, measure in ((GENERATOR, marks), (LEAKY, leak_marks)):
                if (name, 0, seed) in todo:
                    yield made(name, 0, measure(s), seed)
            for arm in work.arms:
                if missing := [k for k in whole.ks if (arm, k, seed) in todo]:
                    for k, values in measured(s, arm, missing):
                        yield made(arm, k, values, seed)


def chosen(choices: Mapping[str, dict]) -> Choice:
    """What the rows of the choices say."""
    fields = {name: row[name] for row in choices.values() for name in Choice.__dataclass_fields__ if name in row}
    return Choice(**fields)


def measured(s: DamlSeed, arm: str, ks: Sequence[int]) -> Iterator[tuple[int, dict]]:
    """(k, values) of an arm."""
    each = ARMS[arm]
    ready = each.ready(s, s.choice.rates[arm]) if each.task else each.ready(s)
    for k in ks:
        if k == 0:
            yield k, {"accuracy": percent_right(ready.says(s.setting.test.images), s.setting.test.labels), "draws": 0}
        else:
            yield k, {"accuracy": from_labels(s, ready, k, each.task), "draws": s.budget.draws}


def from_labels(s: DamlSeed, ready: Ready, k: int, task: bool) -> float:
    """The accuracy (%) from k labels per class, the mean over the draws. task: each draw has labels of its own."""
    test, scores = s.setting.test, []
    for draw in range(s.budget.draws):
        x, y = s.setting.labelled(k, s.seed, draw)
        called = own_labels(s, draw) if task else torch.arange(len(test.classes))
        scores.append(percent_right(ready.says(test.images, ready.adapt(x, called[y])), called[test.labels]))
    return round(sum(scores) / len(scores), 3)


# ------------------------------------------------------------ choosing


def choose_pictures(pilot: DamlSeed) -> dict:
    """The strength of hand-made views, and the weights of the generator's loss, under which a classifier of source and
    such pictures predicts the target's unlabelled pictures most informatively (nats). The pilot keeps the generator
    that is chosen."""
    trials, said = {}, lambda net: round(float(information(Ready(net).says(pilot.setting.train.images))), 4)

    def generated(label: float, match: float) -> float:
        trial = trials[label, match] = replace(pilot, choice=Choice(label=label, match=match))
        trial.start = pilot.start
        return said(trial.with_generated)

    by_strength = {strength: said(pilot.more(by_hand(strength))) for strength in STRENGTHS}
    by_weights = {weights: generated(*weights) for weights in WEIGHTS}
    label, match = max(by_weights, key=by_weights.get)
    pilot.translator = trials[label, match].translator
    return {"strength": max(by_strength, key=by_strength.get), "label": label, "match": match,
            "by_strength": {f"{strength:g}": score for strength, score in by_strength.items()},
            "by_weights": {f"label {a:g}, match {b:g}": score for (a, b), score in by_weights.items()}}


def choose_adaptation(pilot: DamlSeed) -> dict:
    """The number of steps at learnt rates, and each arm's rate on relabelled tasks, that serve best on the stand-in:
    half of the source, turned."""
    stand_in = shift_domain(pilot.setting.source, *STAND_IN)
    half = torch.randperm(len(stand_in.images), generator=pilot.generator(5)).chunk(2)
    train, test = (stand_in.take(rows[:1000]) for rows in half)
    on = replace(pilot, setting=replace(pilot.setting, train=train, test=test))
    score = lambda ready, task: from_labels(on, ready, PILOT_K, task)
    by_steps = {steps: score(adapted(pilot.daml, steps), False) for steps in STEPS}
    by_rate = {}
    for name, arm in ARMS.items():
        if arm.task:
            net = arm.ready(pilot, RATES[0]).net
            by_rate[name] = {rate: score(tuned(net, rate), True) for rate in RATES}
    return {"steps": max(by_steps, key=by_steps.get),
            "rates": {name: max(by, key=by.get) for name, by in by_rate.items()},
            "by_steps": {str(steps): score for steps, score in by_steps.items()},
            "by_rate": {name: {f"{rate:g}": score for rate, score in by.items()} for name, by in by_rate.items()}}


# ------------------------------------------------------------ what the rows say


def of(found: Sequence[dict], source: str, target: str) -> list[dict]:
    """The rows of one pair."""
    return [row for row in found if (row["source"], row["target"]) == (source, target)]


def line(row: dict) -> str:
    """One line of the table."""
    if row["arm"] == CHOICE:
        return f"chosen: strength {row['strength']:g}; weights of label {row['label']:g}, of matching {row['match']:g}"
    if row["arm"] == LABELS:
        return f"chosen on the stand-in: {row['steps']} steps at learnt rates; rates {row['rates']}"
    if row["arm"] == LEAKY:
        return (f"generator with the leak, seed {row['seed']}: nearest picture of its own {row['nearest_test']:.2f}, "
                f"of the training half {row['nearest_train']:.2f}")
    if row["arm"] == GENERATOR:
        pads = ", ".join(f"{row[f'pad_generated_{kind}']:.2f} ({kind})" for kind in SPLITS)
        return f"generator, seed {row['seed']}: PAD to the target {pads}, label fidelity {row['label_fidelity']:.1f} %"
    return f"{row['arm']:38s} k = {row['k']:2d}   seed {row['seed']}   {row['accuracy']:5.1f} %"


def report(work: Work, found: Sequence[dict]) -> str:
    """The table of accuracies and the generator's marks, over the seeds that were asked for."""
    ks, mine = work.whole.ks, [row for row in of(found, *work.pair()) if row["seed"] in work.seeds]
    values = lambda arm, k, field="accuracy": by_seed(mine, arm, k, field).values()
    mark = lambda field, arm=GENERATOR: cell(values(arm, 0, field), 2)
    every = lambda pad: "   ".join(f"{kind} {mark(f'pad_{pad}_{kind}')}" for kind in SPLITS)
    marked = [("PAD source-target", every("source")), ("PAD generated-target", every("generated")),
              ("PAD target-target", every("floor")), ("accepted, %", mark("acceptance")),
              ("label fidelity, %", mark("label_fidelity")), ("the same of the source", mark("source_fidelity")),
              ("diversity", mark("diversity")), ("nearest, seen", mark("nearest_train")),
              ("nearest, test", mark("nearest_test"))]
    accuracies_of = [("accuracy, %", *(f"k = {k}" for k in ks)),
                     *((arm, *(cell(values(arm, k)) if values(arm, k) else "" for k in ks)) for arm in work.arms)]
    return "\n".join((table(accuracies_of), *(f"{what:24s}{said}" for what, said in marked)))


def sheet(s: DamlSeed) -> Picture:
    """Source pictures, what the generator makes of the same, and target pictures."""
    bases = s.setting.source.take(torch.randperm(len(s.setting.source.images), generator=s.generator(6))[:400])
    return samples(bases, redrawn(bases, by_generator(s.translator), s.generator(3)), s.setting.train)


def pictures(work: Work, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Accuracies over k, and samples where a generator was trained."""
    mine = [row for row in of(found, *work.pair()) if row["seed"] in work.seeds]
    return {"": accuracies(mine, work.arms, work.whole.ks)} | ({"-samples": work.sheet} if work.sheet else {})


STUDY = Study(
    "daml",
    """Lesson 14: a generator that imitates the target inside meta-learning, against everything that could explain its
    gain.

    Source alone; source and hand-made views; source and generated pictures; PixelDA's own classifier; MLDG; phase 2
    with hand-made views and with generated pictures, fine-tuned or at its learnt rates; a generator whose
    discriminator saw the test half; and all of this where every task has labels of its own. 0, 1 and 5 labels per
    class, three draws of them within each of five seeds, every one with its own split of the target; and of every
    generator its PAD to the target by two discriminators, label fidelity, diversity and memorisation. 16×16 pictures;
    classes match by name. Of pictures that stand on both sides, as where the target is a shift of the source, half go
    to either. About six minutes for each seed on one core. Ctrl-C keeps what is measured; the same command goes on
    from there.""",
    ("--source glyphs-digits --target digits",
     "--source glyphs-digits --target glyphs-digits@stroke=1 --k 0 --seed 0 --out mine.json"),
    KEY, Budget(), plan, rows, line, options(KS), pilot=PILOT, prepare=ask, begin=begin, report=report,
    pictures=pictures, file=lambda work: work.name)
