"""What the text of lesson 06 says in numbers, against the rows of its study, other pages, and sums of its own."""

import re

import pytest

from mlcourse import checkpoint
from mlcourse.course import notebooks
from mlcourse.datasets import load_splits, omniglot
from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.lessons.l06_images import figures, tables
from mlcourse.lessons.l06_images.checks_results import CLAIMS
from mlcourse.lessons.l06_images.results import by_seed, company, leak, mean, rival
from mlcourse.lessons.l06_images.selection import expected_best
from mlcourse.lessons.l06_images.settings import CHOSEN, Budget
from mlcourse.rows import read
from mlcourse.statistics import paired_difference, t_interval
from mlcourse.system import paths

ROWS = read("protocol")
PAGE = " ".join((paths.ROOT / "benchmarks" / "protocol.md").read_text(encoding="utf-8").split())


def text():
    """The Markdown of the lesson."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("06")).cells if cell.cell_type == "markdown")


def test_the_shipped_pair_reached_what_its_page_says():
    page = (paths.ROOT / "benchmarks" / "omniglot.md").read_text(encoding="utf-8")
    for method in ("maml", "protonet"):
        result = checkpoint.card_of(paths.DATA / "checkpoints" / f"{method}-omniglot.safetensors")["result"]
        assert result["command"] == f"mlcourse train {method} --domain omniglot --episodes 1000"
        said = re.search(rf"`{re.escape(result['command'])}`\s+([\d.]+ ± [\d.]+) %", page).group(1)
        assert f"{100 * result['mean']:.1f} ± {100 * result['ci95']:.1f}" == said


def test_the_settings_of_the_study_are_those_that_the_text_states():
    budget = Budget()
    assert f"{budget.width} filters, {budget.steps} outer steps" in text()
    assert budget.pretraining == 3 * budget.steps and "three times as many steps" in text()
    seconds = [f"{mean(ROWS, 'rivals', arm, 'core_seconds').mean:.0f}" for arm in ("ProtoNet", "RFS", "Baseline++")]
    assert f"after {seconds[0]} to {seconds[1]} core seconds of training" in PAGE and seconds[1] == seconds[2]
    assert {row["seed"] for row in ROWS if row["split"] == "test"} >= {0, 1}


def test_the_best_of_twenty_is_nearly_two_of_its_deviations_above():
    assert expected_best(20) == pytest.approx(1.87, abs=0.01)


@pytest.mark.parametrize("key, one, other", [("a", "MAML", "RFS"), ("b", "Baseline++", "MAML"),
                                             ("c", "Baseline++", "ProtoNet")])
def test_a_verdict_is_that_of_its_paired_interval(key, one, other):
    gap = rival(ROWS, one, other)
    assert CLAIMS[key].verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open")
    assert one in exercise("06.6").stub and other.split()[-1] in exercise("06.6").stub


def test_what_a_pass_says_of_the_rivals_is_in_the_rows():
    message = judge(exercise("06.6"), exercise("06.6").reference()).message
    gaps = {arm: rival(ROWS, arm, "ProtoNet") for arm in ("RFS", "Baseline++")}
    assert "ProtoNet (RFS {} points, Baseline++ {})".format(*(gap.text(sign=True) for gap in gaps.values())) in message
    assert all(gap.high < 0 for gap in gaps.values())
    assert [CLAIMS[key].verdict for key in "ab"] == ["open", "yes"]
    assert "RFS is not told from MAML; Baseline++ is above it, with three times the steps" in message
    assert f"has {mean(ROWS, 'norms', 'ProtoNet', 'all', norm='running').text()} over five trainings" in CLAIMS["d"].why


def test_the_live_rates_are_those_that_validation_chose():
    source = "\n".join(cell.source for cell in notebooks.read(notebooks.find("06")).cells if cell.cell_type == "code")
    (inner, steps), (outer, _) = CHOSEN["MAML", "batch"], CHOSEN["ProtoNet", "batch"]
    assert f"lr={inner['lr']:.1f})" in source and f"steps={steps} if name" in source
    assert f'("ProtoNet", {outer["outer"]:g}), ("MAML", {inner["outer"]:g})' in source


def said(estimate):
    """An estimate as a loss or a gain in the text."""
    return estimate.text().lstrip("-")


def test_what_the_text_says_of_the_splits_is_in_the_rows():
    gain, same, turned = (leak(ROWS, each) for each in ("by picture", "by class", "turned"))
    assert f"it gains {said(gain)} points**" in text() and gain.low > 0
    assert f"({same.text(sign=True)})" in text() and same.low < 0 < same.high
    other = leak(ROWS, "by script, turned")
    assert f"Turned copies cost {said(turned)}" in text() and f"on other scripts turned {other.text(sign=True)}" in PAGE
    assert max(turned.high, other.high) < 0


def test_what_the_text_says_of_the_norms_is_in_the_rows():
    alone = [company(ROWS, arm, "batch", "alone", "all") for arm in ("MAML", "ProtoNet")]
    table = figures.norms_table(ROWS)
    assert all(f" {gap.text(sign=True)}" in table for gap in alone)
    assert all(abs(mean(ROWS, "norms", arm, "alone", norm="batch").mean - 20) < 1 for arm in ("MAML", "ProtoNet"))
    less = lambda arm, *norms: paired_difference(*(by_seed(ROWS, "norms", arm, "all", norm=each) for each in norms))
    assert f"*support* for MAML ({less('MAML', 'support', 'batch').text(sign=True)} points against" in text()
    assert all(less("MAML", "support", other).low > 0 for other in ("running", "layer", "none"))
    gap = less("ProtoNet", "running", "batch").text(sign=True)
    assert gap in table and less("MAML", "support", "batch").text(sign=True) in table
    assert f"ProtoNet *running* has the highest mean ({gap}); the study (paired) does not tell support, " in text()
    assert "does not tell support, layer and none from it" in text()
    for other in ("support", "layer", "none"):
        gap = less("ProtoNet", "running", other)
        assert gap.mean > 0 > gap.low and gap.text(sign=True) in PAGE


def test_what_the_text_says_of_fixed_labels_is_in_the_rows():
    fixed, dealt = (paired_difference(*(by_seed(ROWS, "labels", "MAML", field, setting=each)
                                        for field in ("reshuffled", "new"))) for each in ("0 shuffled", "1 shuffled"))
    assert f"no easier for it than new ones ({fixed.text(sign=True)} points)" in text() and fixed.low < 0 < fixed.high
    assert all(gap.text(sign=True) in PAGE and f" {gap.text(sign=True)}" in figures.labels_table(ROWS)
               for gap in (fixed, dealt))
    memory, whole = (mean(ROWS, "labels", "MAML", field, setting="0 shuffled").mean for field in ("no_step", "known"))
    assert f"still has {memory:.0f} of its {whole:.0f} %" in text()


def test_the_numbers_of_the_wrap_up_are_in_the_rows():
    gain = leak(ROWS, "by picture").mean
    alone = [company(ROWS, arm, "batch", "alone", "all").mean for arm in ("MAML", "ProtoNet")]
    assert f"(the same ones: {gain:+.1f} points)" in text()
    assert "(alone: {:+.1f} and {:+.1f})".format(*alone) in text()
    best = next(cell for cell in notebooks.read(notebooks.find("06")).cells if 'outcome("06.p3")' in cell.source)
    points = re.search(r"≈([\d.]+) points", best.outputs[0].text).group(1)
    assert f"(the best of twenty: ≈+{points})" in text()


def test_what_the_page_says_of_the_luck_of_the_best_is_in_the_rows():
    of = lambda field: by_seed(ROWS, "selection", "ProtoNet", field, setting="100 episodes")
    above = lambda one, other: {seed: of(one)[seed] - of(other)[seed] for seed in of(one)}
    gap = paired_difference(above("reported", "test_all"), above("fresh", "all"))
    expected = t_interval(of("expected").values())
    assert gap.low < 0 < gap.high
    assert f"and {expected.text()}; measured are" in PAGE and f"and {gap.text(sign=True)}. By test" in PAGE


def test_the_scripts_that_omniglots_training_alphabets_share_are_those_that_its_page_names():
    page = " ".join((paths.ROOT / "benchmarks" / "omniglot.md").read_text(encoding="utf-8").split())
    assert ("Hebrew, Tifinagh and Georgian Mkhedruli are among Omniglot's training alphabets, Arabic is among its "
            "validation alphabets, Lao in none") in page
    same = {"Hebrew": "Hebrew", "Tifinagh": "Tifinagh", "Georgian Mkhedruli": "Mkhedruli_(Georgian)"}
    glyphs = set(load_splits("glyphs").test.groups)
    assert set(same.values()) <= set(omniglot.SPLITS["train"]) and glyphs - set(same) == {"Arabic", "Lao", "Digits"}
    assert not any(script in name for script in ("Arabic", "Lao", "Digits") for name in omniglot.SPLITS["train"])
    assert any("Arabic" in name for name in omniglot.SPLITS["val"])
    assert not any(script in name for script in ("Lao", *same.values()) for name in omniglot.SPLITS["val"])


def test_what_further_says_of_turned_test_classes_is_in_the_rows():
    once, each = (less for turn, _, less in tables.turns(ROWS)[1:] if turn in ("one an episode", "one a class"))
    assert f"gain {once} points and {each}" in text()
