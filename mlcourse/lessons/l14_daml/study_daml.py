"""DAML-style augmentation against its controls: eleven arms from a labelled source to a target, at k labels per class.

Accuracies are those of the target's test half, which nothing else sees; the generator's own marks are taken on a third
of the training half, `dev`, which the discriminator does not see either. The rate and the number of steps with which
arms adapt to labels are chosen on a stand-in for the target: a style of the source that was left out, turned. No label
of the target enters before the k.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mlcourse import datasets
from mlcourse.datasets.notes import say
from mlcourse.domains import Domain, shift_domain
from mlcourse.domains.names import quoted
from mlcourse.domains.two_sample import DISCRIMINATORS
from mlcourse.evaluate import percent_right
from mlcourse.learners.translator import among
from mlcourse.lessons.l14_daml import study_daml_arms as daml_arms
from mlcourse.lessons.l14_daml.figures_study import accuracies, samples
from mlcourse.lessons.l14_daml.study_daml_arms import ARMS, Budget, DamlSeed, Ready, adapted, tuned
from mlcourse.lessons.l14_daml.study_daml_marks import marks
from mlcourse.plots.static import Picture
from mlcourse.rows import by_seed, facts
from mlcourse.small import shrunk
from mlcourse.statistics import cell
from mlcourse.studies.pairs import command_line, file_name, options
from mlcourse.studies.study import Key, Study
from mlcourse.studies.table import table
from mlcourse.studies.transfer.setting import Setting
from mlcourse.studies.transfer.setting import setting as matched
from mlcourse.system.machine import one_core

KEY = ("source", "target", "arm", "k", "seed")
KS = (0, 1, 3, 5, 10)
PILOT = 1000        # the seed of the networks that choose
PILOT_K, PILOT_DRAWS = 5, 5
STAND_IN = ("rotation", 0.6)
GENERATOR, CHOICE = "generator", "choice"
LEAST = 10          # pictures of a two-sample test
DEV = 3             # one in DEV pictures of the target's training half is kept from the discriminator


def prepare(sources: Sequence[Domain], target: Domain, ks: Sequence[int]) -> tuple[Setting, Domain]:
    """The study's setting at 16×16, its `train` what the discriminator sees, without copies of dev and test pictures,
    and `dev`.

    Raises ValueError where no class is shared, where a single source cannot be split by style, and as `setting`.
    """
    whole = matched([shrunk(source) for source in sources], shrunk(target), ks)
    if not whole.shared:
        raise ValueError(f"no class of {whole.source.name} ({quoted(whole.source.classes)}) is a class of {target.name} "
                         f"({quoted(target.classes)}), so that no generated picture would have a label; name the classes "
                         "alike in both")
    place = torch.cat([torch.arange(int(count)) for count in torch.bincount(whole.train.labels)])   # sorted by class
    seen, dev = (whole.train.take(torch.nonzero(kept)[:, 0]) for kept in (place % DEV > 0, place % DEV == 0))
    seen = seen.take(torch.nonzero(~among(seen.images, torch.cat([dev.images, whole.test.images])))[:, 0])
    split = replace(whole, train=replace(seen, name=whole.train.name))
    few = int(torch.bincount(seen.labels, minlength=len(seen.classes)).min())
    if few < max(ks):
        raise ValueError(f"k = {max(ks)} labels per class are asked for, but of one class there are {few} pictures to "
                         "take them from; lower k, or add images")
    if min(len(dev.images), len(split.source.images)) < LEAST:
        raise ValueError(f"a generator is judged on {LEAST} pictures or more of the source and of a third of the target's "
                         f"training half, but there are {len(split.source.images)} and {len(dev.images)}; add images")
    split.several()
    return split, dev


@dataclass
class Work:
    """What was asked, and the data: the setting with what the discriminator sees as `train`, and `dev`. sheet: samples of
    the first generator that was measured, a picture beside that of the accuracies."""

    split: Setting
    dev: Domain
    arms: Sequence[str]
    seeds: Sequence[int]
    name: str
    command: str
    sheet: Picture | None = None

    def pair(self) -> tuple[str, str]:
        """The names of source and target."""
        return self.split.source.name, self.split.train.name.removesuffix("/train")


def ask(seeds: Sequence[int], source: Sequence[str], target: str, arm: Sequence[str], k: Sequence[int],
            data_dir: Path | None) -> Work:
    """The work. Raises ValueError for an unknown arm and as `prepare` does, and what `datasets.load` raises."""
    if unknown := [name for name in arm if name not in ARMS]:
        raise ValueError(f"unknown arm {unknown[0]!r}; the arms are {', '.join(ARMS)}")
    *sources, goal = domains = [datasets.load(spec, data_dir) for spec in (*source, target)]
    split, dev = prepare(sources, goal, sorted(set(k or KS)))
    say((*source, target), domains)
    return Work(split, dev, list(dict.fromkeys(arm or ARMS)), seeds, file_name("daml", source, target),
                command_line("daml", source, target))


def begin(work: Work) -> str:
    """What is measured on what."""
    split, dev = work.split, work.dev
    return (f"{split.source.name} → {work.pair()[1]}: {len(split.source.images):,} labelled source pictures; of the target "
            f"{len(split.train.images):,} pictures for the discriminator, {len(dev.images):,} to judge the generator on, "
            f"and {len(split.test.images):,} for the accuracies{f'; {split.note}' if split.note else ''}. "
            f"{split.matching}").rstrip()


def plan(work: Work, budget: Budget) -> list[Key]:
    """The choice of the rates, and for every seed the generator's marks and every arm at each k."""
    keys = [(CHOICE, 0, PILOT)]
    for seed in work.seeds:
        keys += [(GENERATOR, 0, seed), *((arm, k, seed) for arm in work.arms for k in work.split.ks)]
    return [(*work.pair(), *key) for key in keys]


def rows(work: Work, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`, on one core.

    A row of an arm has its accuracy (%) on the test half at k labels per class, the mean over the draws of them, and at
    k = 0 also that on dev. The row "generator" of a seed has the marks of its generator (`marks`). Raises ValueError
    where `kept` has rows of the same names on other pictures.
    """
    split, (source, target) = work.split, work.pair()
    common = {"source": source, "target": target, "data": split.fingerprint()}
    mine = of(kept, source, target)
    if any(row["data"] != common["data"] for row in mine):
        raise ValueError(f"the file holds rows of {source} and {target} that were made with other pictures or labels "
                         "under these names; write to another file, or remove it")
    made = lambda arm, k, values, seed: {**common, "arm": arm, "k": k, **values, **facts(work.command, seed)}
    chosen = next((row for row in mine if row["arm"] == CHOICE), None)
    todo = [key[2:] for key in todo]
    with one_core():
        if chosen is None:
            chosen = made(CHOICE, 0, choose(split, work.dev, budget), PILOT)
            yield chosen
        for seed in work.seeds:
            s = DamlSeed(split, work.dev, seed, budget)
            if (GENERATOR, 0, seed) in todo:
                yield made(GENERATOR, 0, marks(s), seed)
                work.sheet = work.sheet or samples(s.bases, s.generated[0], split.train)
            for arm in work.arms:
                if missing := [k for k in split.ks if (arm, k, seed) in todo]:
                    ready = ARMS[arm].ready(s, chosen["rate"], chosen["steps"])
                    for k, values in measured(s, ready, arm, missing):
                        yield made(arm, k, values, seed)


def measured(s: DamlSeed, ready: Ready, arm: str, ks: Sequence[int]) -> Iterator[tuple[int, dict]]:
    """(k, values) of an arm. The oracle takes no k labels: it has them all."""
    test, draws = s.setting.test, s.budget.draws
    untouched = percent_right(ready.says(test.images), test.labels)
    for k in ks:
        if k == 0 or arm == "target oracle":
            yield k, {"accuracy": untouched, "dev": percent_right(ready.says(s.dev.images), s.dev.labels), "draws": 0}
            continue
        adapted_to = lambda draw: ready.says(test.images, ready.adapt(*s.setting.labelled(k, s.seed, draw)))
        scores = [percent_right(adapted_to(draw), test.labels) for draw in range(draws)]
        yield k, {"accuracy": round(sum(scores) / draws, 3), "draws": draws}


def choose(split: Setting, dev: Domain, budget: Budget) -> dict:
    """The rate of fine-tuning, and the number of steps at learnt rates, that serve best on the stand-in: PILOT_K labels
    per class of it are given, and the accuracy (%) on all of its pictures is taken."""
    *sources, left_out = split.several()
    if len(sources) < 2:
        sources = [*sources, left_out]
    left_out = shift_domain(left_out, *STAND_IN)
    s = DamlSeed(replace(split, sources=tuple(sources), train=left_out, test=left_out), dev, PILOT, budget)

    def score(ready: Ready) -> float:
        mean = 0.0
        for draw in range(PILOT_DRAWS):
            params = ready.adapt(*s.setting.labelled(PILOT_K, PILOT, draw))
            mean += percent_right(ready.says(left_out.images, params), left_out.labels) / PILOT_DRAWS
        return round(mean, 3)

    by_rate = {rate: score(tuned(s.source_only, rate)) for rate in daml_arms.RATES}
    by_steps = {steps: score(adapted(s.meta_real, steps)) for steps in daml_arms.STEPS}
    return {"rate": max(by_rate, key=by_rate.get), "steps": max(by_steps, key=by_steps.get),
            "by_rate": {f"{rate:g}": score for rate, score in by_rate.items()},
            "by_steps": {str(steps): score for steps, score in by_steps.items()}}


# ------------------------------------------------------------ what the rows say


def of(found: Sequence[dict], source: str, target: str) -> list[dict]:
    """The rows of one pair."""
    return [row for row in found if (row["source"], row["target"]) == (source, target)]


def line(row: dict) -> str:
    """One line of the table."""
    if row["arm"] == CHOICE:
        return f"chosen on the stand-in: rate {row['rate']:g}, {row['steps']} steps"
    if row["arm"] == GENERATOR:
        pads = ", ".join(f"{row[f'pad_generated_{kind}']:.2f} ({kind})" for kind in DISCRIMINATORS)
        return f"generator, seed {row['seed']}: PAD to the target {pads}, label fidelity {row['label_fidelity']:.1f} %"
    return f"{row['arm']:24s} k = {row['k']:2d}   seed {row['seed']}   {row['accuracy']:5.1f} %"


def report(work: Work, found: Sequence[dict]) -> str:
    """The table of accuracies and the generator's marks, over the seeds that were asked for."""
    ks, mine = work.split.ks, [row for row in of(found, *work.pair()) if row["seed"] in work.seeds]
    values = lambda arm, k, field="accuracy": by_seed(mine, arm, k, field).values()
    mark = lambda field: cell(values(GENERATOR, 0, field), 2)
    every = lambda pad: "   ".join(f"{kind} {mark(f'pad_{pad}_{kind}')}" for kind in DISCRIMINATORS)
    marked = [("PAD source-target", every("source")), ("PAD generated-target", every("generated")),
              ("PAD target-target", every("floor")), ("accepted, %", mark("acceptance")),
              ("label fidelity, %", mark("label_fidelity")), ("trained on generated, %", mark("train_on_generated")),
              ("diversity", mark("diversity")), ("nearest, generated", mark("nearest_generated")),
              ("nearest, test", mark("nearest_test"))]
    accuracies_of = [("accuracy, %", *(f"k = {k}" for k in ks)),
                     *((arm, *(cell(values(arm, k)) for k in ks)) for arm in work.arms)]
    return "\n".join((table(accuracies_of), *(f"{what:24s}{said}" for what, said in marked)))


def pictures(work: Work, found: Sequence[dict]) -> Mapping[str, Picture]:
    """Accuracies over k, and samples where a generator was trained."""
    mine = [row for row in of(found, *work.pair()) if row["seed"] in work.seeds]
    shown = [arm for arm in work.arms if by_seed(mine, arm, max(work.split.ks))]
    return {"": accuracies(mine, shown, work.split.ks)} | ({"-samples": work.sheet} if work.sheet else {})


STUDY = Study(
    "daml",
    """Lesson 14: a generator that imitates the target inside meta-learning, against everything that could explain its
    gain.

    Source alone; source and generated pictures; source and hand-made ones; meta-learning on real pictures alone; MLDG;
    DAML; the same with hand-made pictures, and with shuffled labels, in place of generated ones; the target's own
    labels; and DAML and its hand-made twin fine-tuned as the classifiers are, not at their learnt rates.
    0, 1, 3, 5 and 10 labels per class, 20 draws of them within each of five seeds, 95 % intervals paired by seed; and
    of every generator its PAD to the target by two discriminators, label fidelity, diversity and memorisation. 16×16
    pictures; classes match by name. Of pictures that stand on both sides, as where the target is a shift of the source,
    half go to either. About five minutes for each seed on one core. Ctrl-C keeps what is measured; the same command goes
    on from there.""",
    ("--source glyphs-digits --target digits",
     "--source glyphs-digits --target glyphs-digits@stroke=1 --seed 0 --out mine.json"),
    KEY, Budget(), plan, rows, line, options(KS), prepare=ask, begin=begin, report=report, pictures=pictures,
    file=lambda work: work.name)
