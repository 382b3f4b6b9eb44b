"""What the page of the study of learning in context says, held against the stored rows."""

import re

import pytest

from mlcourse.lessons.l17_context import shipped
from mlcourse.lessons.l17_context import study_context_glyphs as glyphs
from mlcourse.lessons.l17_context import study_context_page as page
from mlcourse.lessons.l17_context import study_context_regression as prompts
from mlcourse.lessons.l17_context import study_context_tables as tables
from mlcourse.lessons.l17_context import study_context_words as words
from mlcourse.lessons.l17_context.study_context import CHOOSING, STUDY
from mlcourse.lessons.l17_context.study_context_results import (PROTO, REGRESSION, WORDS, ahead, apart, coins, diverse,
                                                                less_logistic, less_ridge, of, on_words,
                                                                share_of_least, to_ridge)
from mlcourse.rows import read
from mlcourse.statistics import paired_difference
from mlcourse.system import paths

ROWS = read("context")
PAGE = (paths.RESULTS.parent / "context.md").read_text(encoding="utf-8")
TABLES = {"by pairs": page.by_pairs, "shares": page.shares, "differences": page.differences, "pools": page.of_pools,
          "glyphs": page.on_glyphs, "rates": page.rates, "coins": page.of_coins, "words": page.of_words,
          "rates on words": page.rates_on_words,
          **{world: lambda rows, world=world: page.on_tables(rows, world) for world in tables.WORLDS}}


def test_every_arm_has_a_row_for_every_seed():
    chosen = [row for row in ROWS if row["split"] == "test"]
    assert sorted(map(STUDY.key_of, chosen)) == sorted(STUDY.plan(STUDY.work(), STUDY.budget))


def test_the_rates_are_the_best_on_validation_scripts():
    for arm, kind in glyphs.ARMS.items():
        found = {row["rate"]: row["accuracy"][0] for row in ROWS if (row["arm"], row["split"]) == (arm, "val")}
        assert {*found} == {*kind.rates} and (not found or max(found, key=found.get) == kind.rates[0])
    assert {row["seed"] for row in ROWS if row["split"] == "val"} == {CHOOSING}


def test_the_rates_on_words_are_the_best_on_validation_families():
    for arm in words.TRAINED:
        found, tried = page.by_rate(ROWS, arm), words.rates(arm)
        if len(tried) > 1:
            assert {*found} == {*tried} and max(found, key=found.get) == tried[0] in (min(tried), max(tried))
    assert words.rates(words.READS_ON) == words.rates(words.PROTO_GRU)[:1]
    best = {arm: page.by_rate(ROWS, arm)[words.rates(arm)[0]] for arm in (*words.NETWORKS, *words.TRIED)}
    assert best[words.MAML_GRU] > best[words.MAML_GRU_5]


@pytest.mark.parametrize("made", TABLES.values(), ids=TABLES)
def test_the_page_has_the_tables_of_the_rows(made):
    assert made(ROWS) in PAGE


def test_inside_the_prior():
    """The bars of the lesson: the checkpoint within 5 % of ridge, live training within 1.5 of it, the layer within 1 %
    of its closed form."""
    assert to_ridge(ROWS, prompts.CHECKPOINT).high < 1.05
    live = of(ROWS, REGRESSION, prompts.BY_LIVE)
    assert len(live) == 5 and max(row["to_ridge"][0][0] for row in live) < 1.5
    assert share_of_least(ROWS).high < 1.01
    for arm in (prompts.BY_MAML, prompts.STEP, prompts.BY_LIVE):
        assert to_ridge(ROWS, arm).low > to_ridge(ROWS, prompts.CHECKPOINT).high
    for arm in (*prompts.TRAINED, prompts.STEP):                    # no model beats Bayes
        assert less_ridge(ROWS, arm).low > 0


def test_the_card_tells_of_the_row():
    card, (row,) = shipped.card("context-regression"), of(ROWS, REGRESSION, prompts.CHECKPOINT)
    assert row["steps"] == card["training"]["steps"] and row["core_seconds"] == card["core_seconds"] < 600
    assert card["error_to_ridge"] == pytest.approx(row["to_ridge"][0][0], abs=0.02)     # on other prompts


def test_outside_of_the_prior():
    for situation in (prompts.FAR_W, prompts.FAR_X):
        assert to_ridge(ROWS, prompts.CHECKPOINT, situation).low > 2
    assert to_ridge(ROWS, prompts.CHECKPOINT, prompts.NOISY).high < 1
    for situation in prompts.SITUATIONS:
        assert to_ridge(ROWS, prompts.TOLD, situation).mean <= to_ridge(ROWS, prompts.CHECKPOINT, situation).low


def test_few_tasks_are_looked_up_and_many_are_not():
    distance = lambda size, which: diverse(ROWS, size, "from", which).mean
    for size in prompts.POOLS:
        assert (distance(size, "pool") < distance(size, "ridge")) == (size <= 4)


def test_the_coins():
    wrong = coins(ROWS, "outside", "bayes_wrong")
    assert wrong[0] < wrong[10] < wrong[100] and coins(ROWS, "outside", "network_wrong")[100] > 0.085
    assert max(coins(ROWS, "inside", "apart").values()) < 0.01


def test_frozen_features_never_the_one_without_the_other():
    """CAML beside a ProtoNet that was given the same seconds on the same features."""
    for arm in (glyphs.BY_CAML, glyphs.BY_CNP):
        for other in (PROTO, glyphs.BY_MAP, glyphs.BY_RESIDUAL):
            assert apart(ROWS, arm, other).high < 0 and apart(ROWS, arm, other, 5).high < 0
    assert apart(ROWS, glyphs.BY_RESIDUAL, PROTO).low > 0 and apart(ROWS, glyphs.BY_MAP, PROTO).high < 0


def test_small_tables():
    own, networks = tables.PFNS
    few, many = tables.CONTEXTS[0], tables.CONTEXTS[-1]
    assert less_logistic(ROWS, own, tables.LOGISTIC, few).high < 0
    assert less_logistic(ROWS, networks, tables.NETWORKS, few).high < 0
    assert less_logistic(ROWS, networks, tables.NETWORKS, many).high < 0
    assert less_logistic(ROWS, networks, tables.LOGISTIC, many).low > 0
    for arm in tables.PFNS:
        assert less_logistic(ROWS, arm, tables.REAL, many).low > 0


def test_words():
    """Each method gains with each network; what is counted is passed by ProtoNet, and by MAML with one of them."""
    for shot in words.SHOTS:
        for arm in words.NETWORKS:
            assert ahead(ROWS, arm, words.untrained(arm), shot).low > 0
        for arm in (words.PROTO_GRU, words.PROTO_TRANSFORMER):
            assert ahead(ROWS, arm, words.COUNTS, shot).low > 0
        for arm in (words.LETTERS_ALONE, words.PAIRS, words.MAML_GRU):
            assert ahead(ROWS, arm, words.COUNTS, shot).high < 0
    assert ahead(ROWS, words.READS_ON, words.PROTO_GRU, 5).high < 0 < ahead(ROWS, words.READS_ON, words.PROTO_GRU).high
    assert ahead(ROWS, words.MAML_TRANSFORMER, words.COUNTS).low > 0
    assert ahead(ROWS, words.MAML_TRANSFORMER, words.COUNTS, 5).high < 0
    assert all(row["episodes"] == 200 for arm in words.ARMS for row in of(ROWS, WORDS, arm))


def words_of_the_page():
    """The numbers of the section on words, in its order."""
    gap = lambda one, other, shot: ahead(ROWS, one, other, shot).text(1, sign=True)
    proto, transformer, counts = words.PROTO_GRU, words.PROTO_TRANSFORMER, words.COUNTS
    yield from (gap(arm, words.untrained(arm), 1) for arm in words.NETWORKS)
    for one, other in ((proto, counts), (transformer, counts), (words.MAML_TRANSFORMER, counts),
                       (words.MAML_GRU, counts), (transformer, proto), (words.MAML_TRANSFORMER, words.MAML_GRU)):
        yield from (gap(one, other, shot) for shot in words.SHOTS)
    yield from (gap(words.READS_ON, proto, shot) for shot in (5, 1))
    for shot in words.SHOTS:
        longer, own = (on_words(ROWS, words.READS_ON, shot, field) for field in ("longer", "accuracy"))
        yield paired_difference(longer, own).text(1, sign=True)


def test_the_numbers_in_its_prose_are_those_of_the_rows():
    prose = " ".join(line for line in PAGE.splitlines() if not line.startswith("|"))
    share = lambda arm, situation=prompts.PRIOR, digits=2: to_ridge(ROWS, arm, situation).text(digits)
    less = lambda one, other: apart(ROWS, one, other).text(2, sign=True)
    of_tables = lambda arm, world, n: less_logistic(ROWS, arm, world, n).text(3, sign=True)
    own, networks = tables.PFNS
    wanted = [share(prompts.CHECKPOINT, digits=3), share(prompts.BY_LIVE), share(prompts.BY_MAML),
              *(share(prompts.CHECKPOINT, each) for each in (prompts.FAR_W, prompts.FAR_X, prompts.NOISY)),
              share_of_least(ROWS).text(4),
              *(less(arm, PROTO) for arm in (glyphs.BY_CAML, glyphs.BY_CNP, glyphs.BY_MAP, glyphs.BY_RESIDUAL)),
              less(glyphs.BY_CAML, glyphs.BY_RESIDUAL),
              *(of_tables(*each) for each in (
                  (own, tables.LOGISTIC, 5), (networks, tables.NETWORKS, 5), (own, tables.LOGISTIC, 30),
                  (networks, tables.NETWORKS, 30), (networks, tables.LOGISTIC, 5), (networks, tables.LOGISTIC, 30),
                  (own, tables.REAL, 30), (networks, tables.REAL, 30))),
              *words_of_the_page()]
    assert re.findall(r"[+-]?\d+\.\d+ ± \d+\.\d+", prose) == wanted
