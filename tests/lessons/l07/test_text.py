"""What the text of lesson 07 says in numbers, against sums of its own and the rows of its studies."""

import pytest
import torch

from mlcourse.course import notebooks
from mlcourse.lessons.l07_optimiser import figures, live, shipped
from mlcourse.lessons.l07_optimiser import study_optimisers_arms as arms
from mlcourse.lessons.l07_optimiser.checks_results import CLAIMS
from mlcourse.lessons.l07_optimiser.study_optimisers_settings import TRAINED
from mlcourse.optimisers import LearnedOptimiser, run
from mlcourse.rows import read
from mlcourse.statistics import paired_difference


def text():
    """The Markdown of the lesson."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("07")).cells if cell.cell_type == "markdown")


def test_the_optimiser_is_as_large_as_the_text_says():
    size = sum(p.numel() for p in LearnedOptimiser().parameters())
    assert f"about {round(size, -3):,} weights" in text()


def test_the_shipped_one_was_trained_as_the_lesson_says():
    from mlcourse import checkpoint
    training = checkpoint.card_of(shipped.path())["training"]
    source = "\n".join(cell.source for cell in notebooks.read(notebooks.find("07")).cells)
    assert f"{training['batches']} batches of {training['batch']}" in source and training["steps"] == 100


def test_a_race_without_a_graph_is_the_librarys_run():
    optimiser, (f, phi) = shipped.learned(), live.held_out(5, 0)
    torch.testing.assert_close(live.race(optimiser, f, phi, 15), run(optimiser, f, phi, 15))


def test_the_score_is_the_studys():
    losses = torch.tensor([[4.0, 4.0], [2.0, 9.0], [1.0, float("nan")]])
    assert live.score(losses).tolist() == [1.5, 4.0]
    assert float(live.score(losses).mean()) == arms.total(arms.bounded(losses))


# ---------------------------------------------------------------- the study

@pytest.fixture(scope="module")
def rows():
    return read("optimisers")


@pytest.mark.parametrize("key", CLAIMS)
def test_each_verdict_is_that_of_its_paired_interval(key, rows):
    claim = CLAIMS[key]
    gap = figures.apart(rows, claim.other, claim.column)
    assert claim.verdict == ("yes" if gap.high < 0 else "no" if gap.low > 0 else "open")


def test_within_its_horizon_it_beats_adam_by_what_the_text_says(rows):
    gap = figures.apart(rows, arms.BETAS_TOO, "as trained")
    assert gap.high < 0 and f"{-gap.mean:.2f} ± {gap.half:.2f} less mean loss" in text()


RIVALS = (arms.SGD, arms.MOMENTUM, arms.ADAM, arms.BETAS_TOO)


def printed():
    """{(column, rival): the paired interval} that the lesson prints below the study's table."""
    cells = notebooks.read(notebooks.find("07")).cells
    cell, = (cell for cell in cells if "figures.apart(" in cell.source)
    lines = [line for line in cell.outputs[0].text.split("\n\n")[1].split("\n") if line]
    return {(line[:10].strip(), line[11:29].strip()): line[30:] for line in lines}


def test_every_difference_that_the_wrap_up_claims_is_printed(rows):
    wanted = [(arms.BETAS_TOO, "as trained"), (arms.BETAS_TOO, "500 steps"), (arms.BETAS_TOO, "κ 100,000"),
              (arms.SGD, "κ 10"), (arms.SGD, "start 10×"), (arms.SGD, "left, 10×"), (arms.AGAIN, "left, 10×"),
              (arms.MOMENTUM, "left, 500")]
    wanted += [(claim.other, claim.column) for claim in CLAIMS.values()]
    shown = {(other, column): figures.apart(rows, other, column).text(2, sign=True) for other, column in wanted}
    assert printed() == {(column.strip(), other): value for (other, column), value in shown.items()}


def test_the_nearest_rival_from_far_away_is_the_one_whose_interval_is_printed(rows):
    gaps = {rival: figures.apart(rows, rival, "left, 10×") for rival in (*RIVALS, arms.AGAIN)}
    assert max(gaps, key=lambda rival: gaps[rival].mean) == arms.AGAIN and gaps[arms.AGAIN].high < 0


def test_an_adam_that_is_tuned_again_on_other_functions_can_end_a_hundredth_worse(rows):
    again, kept = (figures.by_seed(rows, arm, figures.LONG) for arm in (arms.AGAIN, arms.BETAS_TOO))
    assert max(again[seed] - kept[seed] for seed in again) == pytest.approx(0.01, abs=0.005)
    assert "on other functions: a hundredth worse is possible" in text()


def test_by_the_mean_loss_it_wins_but_from_far_away_by_what_the_text_says(rows):
    for column in ("as trained", "500 steps", "κ 100,000"):
        assert all(figures.apart(rows, rival, column).high < 0 for rival in RIVALS)
    assert "it beats Adam with β tuned: as trained, over 500 steps and on κ 100,000" in text()
    gap = figures.apart(rows, arms.SGD, "start 10×")
    assert gap.low > 0 and f"SGD has {gap.mean:.0f} ± {gap.half:.0f} less" in text()


def test_on_round_functions_it_loses_by_the_mean_loss_as_the_text_says(rows):
    assert all(figures.apart(rows, rival, "κ 10").low > 0 for rival in (arms.SGD, arms.MOMENTUM))
    assert "behind SGD on κ 10" in text()


def test_by_what_is_left_it_wins_nearby_and_from_far_away_and_rivals_pass_it_later(rows):
    left = lambda rival, setting: paired_difference(
        *(figures.by_seed(rows, arm, setting, "last") for arm in (arms.LEARNED, rival)))
    assert all(left(rival, setting).high < 0 for rival in (*RIVALS, arms.AGAIN) for setting in (TRAINED, figures.FAR))
    assert all(left(rival, figures.LONG).low > 0 for rival in (arms.MOMENTUM, arms.BETAS_TOO, arms.AGAIN))


def test_a_column_or_name_that_the_table_lacks_is_named(rows):
    with pytest.raises(ValueError, match="the columns as trained; .*got 'SGD' and 'left'"):
        figures.apart(rows, "SGD", "left")


def test_the_table_has_every_arm_and_all_seeds(rows):
    lines = figures.table(rows).split("\n")
    assert [line.split("  ")[0] for line in lines[1:]] == list(figures.SHOWN)
    for arm in figures.SHOWN:
        assert len(figures.by_seed(rows, arm, TRAINED)) == 5
