"""What is learned in context, inside the prior and outside of it, and what it costs.

    regression    Transformers on prompts of linear regression beside ridge, least squares and one gradient step
    diversity     the same Transformer trained on 1, 4, …, 1,024 tasks
    linear        one layer of linear attention beside its closed form
    glyphs        CAML and a conditional neural process on frozen features, beside ProtoNets fitted to the same features
    tables        prior-fitted networks beside what is fitted to each table
    coin          a network trained on two coins, judged on a third
    words         ProtoNet and MAML with a GRU and a Transformer on made-up words, beside counts of letters

The rates of parts "glyphs" and "words" were chosen on validation scripts and families with training seed CHOOSING (rows
of split "val"), for each arm the one with the best accuracy: at one shot on glyphs, the mean of both shots on words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

from mlcourse.lessons.l17_context import study_context_glyphs as glyphs
from mlcourse.lessons.l17_context import study_context_regression as prompts
from mlcourse.lessons.l17_context import study_context_tables as tables
from mlcourse.lessons.l17_context import study_context_words as words
from mlcourse.lessons.l17_context.study_context_picture import drawn
from mlcourse.lessons.l17_context.study_context_results import (COIN, DIVERSITY, GLYPHS, LAYER, LINEAR, NETWORK, PARTS,
                                                                REGRESSION, TABLES, WORDS)
from mlcourse.plots.static import Picture
from mlcourse.rows import facts
from mlcourse.studies.study import Key, Option, Study

KEY = ("part", "arm", "rate", "split", "seed")
CHOOSING = 100
ONE_SEED = {(REGRESSION, prompts.CHECKPOINT): (0,), **{(REGRESSION, arm): (0,) for arm in prompts.FIXED},
            **{(TABLES, arm): (0,) for arm in tables.FITTED}, (GLYPHS, glyphs.PROTO): (0,)}
FEWER = {(REGRESSION, prompts.BY_MAML): 3, DIVERSITY: 1, TABLES: 1}         # how many of the seeds these have


@dataclass(frozen=True)
class Budget:
    """share: of the steps of every training. prompts, episodes (on glyphs), tables, flips: judged. words,
    words_to_choose: episodes of words that are judged, and that their rates are chosen by."""

    share: float = 1.0
    prompts: int = 4000
    episodes: int = 1000
    tables: int = 600
    flips: int = 1000
    words: int = 200
    words_to_choose: int = 300


def arms(part: str) -> tuple[str, ...]:
    """The arms of a part; of "diversity" the sizes of the pools."""
    return {REGRESSION: (*prompts.TRAINED, *prompts.FIXED), DIVERSITY: tuple(map(str, prompts.POOLS)), LINEAR: (LAYER,),
            GLYPHS: tuple(glyphs.ARMS), TABLES: (*tables.PFNS, *tables.FITTED), COIN: (NETWORK,),
            WORDS: words.ARMS}[part]


def rates(part: str, arm: str) -> tuple[float, ...]:
    """Those that were tried, the chosen one first; none where there was nothing to choose."""
    return glyphs.ARMS[arm].rates if part == GLYPHS else words.rates(arm) if part == WORDS else ()


def prepare(seeds: Sequence[int], part: Sequence[str], choose: bool) -> SimpleNamespace:
    """The parts, all where none is named. Raises ValueError for an unknown one, or the seed that chooses."""
    if unknown := [name for name in part if name not in PARTS]:
        raise ValueError(f"there is no part {unknown[0]!r}; the parts are {', '.join(PARTS)}")
    if CHOOSING in seeds:
        raise ValueError(f"seed {CHOOSING} is the one that rates are chosen with; take another")
    return SimpleNamespace(seeds=seeds, parts=[name for name in PARTS if name in (part or PARTS)], choose=choose)


def plan(asked: SimpleNamespace, budget: Budget) -> list[Key]:
    """Every arm of the parts with every seed that it has, and before them, if rates are to be chosen, those."""
    choosing = [(part, arm, rate, "val", CHOOSING) for part in asked.parts
                for arm in {GLYPHS: glyphs.ARMS, WORDS: words.TRAINED}.get(part, ())
                for rate in rates(part, arm) if len(rates(part, arm)) > 1]
    return (choosing if asked.choose else []) + [
        (part, arm, (*rates(part, arm), 0.0)[0], "test", seed) for part in asked.parts for arm in arms(part)
        for seed in ONE_SEED.get((part, arm), asked.seeds[:FEWER.get((part, arm), FEWER.get(part))])]


def rows(asked: SimpleNamespace, budget: Budget, todo: Sequence[Key], kept: Sequence[dict]) -> Iterator[dict]:
    """The rows of `todo`. core_seconds: of the processor, not of the clock, spent in training."""
    for part, arm, rate, split, seed in todo:
        options = f"--part {part} " + ("--choose" if split == "val" else f"--seed {seed}")
        yield {"part": part, "arm": arm, "rate": rate, "split": split, **values(part, arm, rate, split, seed, budget),
               **facts(f"mlcourse study context {options}", seed)}


def values(part: str, arm: str, rate: float, split: str, seed: int, budget: Budget) -> dict:
    """What a row holds beside its key."""
    if part == REGRESSION:
        return prompts.regression(arm, seed, budget.share, budget.prompts)
    if part == DIVERSITY:
        return prompts.diversity(int(arm), seed, budget.share, budget.prompts)
    if part == LINEAR:
        return prompts.attention(seed, budget.share, budget.prompts)
    if part == GLYPHS:
        return glyphs.judged(arm, rate, split, seed, budget.share, budget.episodes)
    if part == COIN:
        return tables.coin(seed, budget.share, budget.flips)
    if part == WORDS:
        episodes = budget.words if split == "test" else budget.words_to_choose
        return words.judged(arm, rate, split, seed, budget.share, episodes)
    if arm in tables.FITTED:
        return {"steps": 0, "core_seconds": 0.0, **tables.judged(arm, None, budget.tables)}
    model, steps, seconds = tables.pfn(tables.PFNS[arm], seed, budget.share)
    return {"steps": steps, "core_seconds": seconds, **tables.judged(arm, model, budget.tables)}


def line(row: dict) -> str:
    """The row as a line of a table."""
    part, found = row["part"], ""
    if part == REGRESSION:
        shares = zip(row["situations"], row["to_ridge"], strict=True)
        found = "  ".join(f"{name} {share:.3f}" for name, (share, _) in shares)
    elif part == DIVERSITY:
        found = f"new tasks {row['new']['Transformer']:.3f}, ridge {row['new']['ridge']:.3f}; from {row['from']}"
    elif part == LINEAR:
        found = f"{row['to_best'][0]:.4f} of the least error"
    elif part in (GLYPHS, WORDS):
        found = f"rate {row['rate']:g}  " + "  ".join(f"{value:.2f} %" for value in row["accuracy"])
    elif part == TABLES:
        found = "  ".join(f"{world} {losses[-1]:.3f}" for world, losses in zip(row["worlds"], row["loss"], strict=True))
    else:
        said = row["outside"]
        found = f"after {row['after'][-1]} flips {said['network'][-1]:.3f}, Bayes {said['bayes'][-1]:.3f}"
    return (f"{part:10s} {row['arm']:25s} {row['split']:4s} seed {row['seed']:3d}  {found}  "
            f"{row['core_seconds']:6.1f} s")


def pictures(asked: SimpleNamespace, found: Sequence[dict]) -> Mapping[str, Picture]:
    """The errors over the prompt, inside and outside of the prior. Raises ValueError where rows are missing."""
    return {"": drawn(found)}


STUDY = Study(
    "context",
    """Lesson 17: Transformers that learn linear regression from their prompts, linear attention, prior-fitted networks
    and CAML, beside what they are to be measured by, in the prior they were trained on and outside of it; and ProtoNet
    and MAML on words.

    About an hour of one core for five seeds of all parts, and ten minutes for the rates.""",
    ("--part regression", "--part glyphs --choose"), KEY, Budget(), plan, rows, line, prepare=prepare,
    pictures=pictures, options=(
        Option("part", str, rf"{', '.join(PARTS)}; repeat it for several.  \[default: all]", several=True),
        Option("choose", bool, "Measure the rates of parts glyphs and words on what is for validation first.")))
