"""What lesson 05 tries live, the dials and the broken updates, and what it reads of its studies."""

import numpy as np
import pytest
import torch

from mlcourse.course import notebooks
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.exercises import exercise
from mlcourse.learners import MAML
from mlcourse.lessons.l05_meta_sgd import figures, pipeline, study_meta_transfer as meta_transfer
from mlcourse.lessons.l05_meta_sgd.broken import Meta, inner_step, try_updates
from mlcourse.lessons.l05_meta_sgd.checks_results import BEST_ON_VALIDATION, CLAIMS
from mlcourse.lessons.l05_meta_sgd.dials import TENSORS, dials
from mlcourse.lessons.l05_meta_sgd.study_rates import FIXED, ONE, POSITIVE, TENSOR, WEIGHT
from mlcourse.nets import MLP, call
from mlcourse.rows import read
from mlcourse.statistics import holm, paired_difference, paired_p_value, t_interval

ROWS = read("meta_transfer")
ACCURACY = pipeline.accuracies(ROWS)


def text():
    """The Markdown of the lesson."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("05")).cells if cell.cell_type == "markdown")


def test_the_dials_take_one_step_with_a_rate_for_each_tensor():
    learner, rates = MAML(MLP((1, 5, 4, 1), seed=1)), dict(zip(TENSORS, (0.1, 0.0, -0.2, 0.05, 0.3, -0.1)))
    found, tasks = dials(learner, 3, seed=4, shot=6)(rates), SinusoidSampler(6, 50).sample(
        3, torch.Generator().manual_seed(4))
    for i, task in enumerate(map(tasks.task, range(3))):
        theta = learner.theta()
        loss = ((call(learner.net, theta, task.support_x) - task.support_y) ** 2).mean()
        g = torch.autograd.grad(loss, list(theta.values()))
        phi = {name: p - rate * each for (name, p), rate, each in zip(theta.items(), rates.values(), g)}
        assert found[i].item() == pytest.approx(
            ((call(learner.net, phi, task.query_x) - task.query_y) ** 2).mean().item(), rel=1e-4)


def test_each_broken_update_says_what_torch_says(capsys):
    namespace = {"torch": torch}
    exec(exercise("05.2").given, namespace)
    try_updates(*(namespace[f"update_{letter}"] for letter in "abcd"))
    a, b, c, d = capsys.readouterr().out.splitlines()
    assert a.startswith("update_a: TypeError") and a.endswith("(theta has moved already)")
    assert b.startswith("update_b: TypeError") and "moved" not in b
    assert "a leaf Variable that requires grad" in c and "cannot assign" in d


def test_the_inner_step_given_is_differentiable_by_both():
    meta = Meta()
    phi = inner_step(meta, lambda w: (w ** 2).sum())
    torch.testing.assert_close(phi, meta.theta - meta.alpha * 2 * meta.theta)
    by_theta, by_alpha = torch.autograd.grad(phi.sum(), (meta.theta, meta.alpha))
    torch.testing.assert_close(by_theta, 1 - 2 * meta.alpha)
    torch.testing.assert_close(by_alpha, -2 * meta.theta)


def test_the_verdicts_of_the_exercise_are_those_of_the_paired_intervals():
    for claim in CLAIMS.values():
        gap = paired_difference(ACCURACY[claim.one, claim.target], ACCURACY[claim.other, claim.target])
        assert ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open") == claim.verdict, claim
    assert sorted(claim.verdict for claim in CLAIMS.values()) == ["no", "open", "open", "yes"]


def test_the_arm_to_take_is_the_best_where_labels_may_be_used_and_five_steps_on_the_digits_tempt_to_another():
    mean = lambda arm, target: ACCURACY[arm, target].mean()
    seen = pipeline.validation(ROWS)
    assert max(seen, key=seen.get) == max(pipeline.ARMS, key=lambda arm: mean(arm, "new scripts")) == BEST_ON_VALIDATION
    assert max("ABCDE", key=lambda arm: mean(arm, "digits, 5 steps")) == "D"


def test_an_arm_is_chosen_by_the_validation_row_of_its_own_setting():
    setting = {name: meta_transfer.name_of(each) for name, each in meta_transfer.CHOSEN.items()}
    rows = {row["arm"]: row["accuracy"] for row in ROWS if row["split"] == "val"
            and row["seed"] == meta_transfer.CHOOSING and row["setting"] == setting.get(row["arm"])}
    letters = {name: arm for arm, (_, name) in pipeline.ARMS.items() if arm != "E"}
    assert pipeline.validation(ROWS) == {letter: round(rows[name], 1) for name, letter in letters.items()}


def test_what_the_lesson_says_of_its_stages_is_in_the_rows():
    for arm in "CD":
        gains = [ACCURACY[arm, to] - ACCURACY["F", to] for to in ("new scripts", "digits")]
        assert min(t_interval(gain).low for gain in gains) > 0 and t_interval(gains[1] / gains[0]).high < 1
    families = [(arm, other, row["domain"], row["steps"]) for arm, other in (
        (meta_transfer.FULL, meta_transfer.NO_RATES), (meta_transfer.NO_PRETRAIN, meta_transfer.NEITHER))
        for row in ROWS if row["arm"] == arm and row["split"] != "val" and row["seed"] == 0]
    seeds = lambda arm, domain, steps: {row["seed"]: row["accuracy"] for row in ROWS if (
        row["arm"], row["domain"], row["steps"]) == (arm, domain, steps) and row["split"] != "val"}
    pairs = {key: (seeds(key[0], *key[2:]), seeds(key[1], *key[2:])) for key in families}
    told = holm({key: paired_p_value(*pair) for key, pair in pairs.items()})
    assert len(told) == 8 and all(p > 0.05 for key, p in told.items() if paired_difference(*pairs[key]).mean > 0)
    assert min(told.values()) == pytest.approx(0.05, abs=5e-4)
    assert max(abs(paired_difference(*pair).mean) for pair in pairs.values()) == pytest.approx(1.5, abs=0.05)
    assert "**Learned rates change every mean by less than 2 points.**" in text()


def test_the_lesson_says_what_else_fine_tuning_does():
    assert meta_transfer.CHOSEN[pipeline.ARMS["F"][1]]["steps"] == 10
    assert "F also adapts otherwise: ten steps, a new head; the difference is of both" in text()


def test_the_signs_of_the_weights_that_were_chosen_are_not_those_of_all():
    assert {row["signs_agree"] for row in figures.tested(read("rates")) if row["arm"] == WEIGHT} == {1.0}
    assert "All 60 have the sign asked for, as a rate that helps must" in text()


def test_a_training_without_negative_rates_keeps_most_of_the_gain():
    error = figures.by_arm(figures.tested(read("rates")), "mse")
    kept = t_interval((error[FIXED] - error[POSITIVE]) / (error[FIXED] - error[WEIGHT]))
    assert kept.low > 0.5 and kept.text(2) == "0.93 ± 0.09"


def test_the_arms_under_short_names_are_the_rows():
    for (arm, target), values in ACCURACY.items():
        domain, five = pipeline.TARGETS[target]
        rows = {row["seed"]: row["accuracy"] for row in ROWS if row["arm"] == pipeline.ARMS[arm][1]
                and row["split"] != "val" and row["domain"] == domain and (row["steps"] == 5) == five}
        assert values.tolist() == [rows[seed] for seed in range(5)]
    assert {(arm, target) for arm in pipeline.ARMS for target in pipeline.TARGETS} - set(ACCURACY) == {
        ("F", "digits, 5 steps"), ("G", "digits, 5 steps")}
    lines = pipeline.table(ACCURACY).splitlines()
    assert len({len(line) for line in lines}) == 1 and lines[1].startswith("A  600 Meta-SGD") and "90.9±0.4" in lines[1]


def test_the_picture_of_rates_gives_no_answer_away():
    shown = figures.granularity(read("rates"), (FIXED, ONE, TENSOR, WEIGHT)).alt
    assert "negative" not in shown and all(arm in shown for arm in (FIXED, ONE, TENSOR, WEIGHT))


def test_the_sweep_names_the_tensors_that_are_best_below_zero():
    rates = [-0.1, 0.0, 0.1]
    alt = figures.rate_sweep(rates, {"W₁": [3.0, 2.0, 1.0], "b₁": [0.5, 0.6, np.nan]}, 0.1).alt
    assert alt.startswith("Lowest error at a rate below zero: b₁. ") and "b₁ at ≈-0.1" in alt
    assert "no tensor" in figures.rate_sweep(rates, {"W₁": [3.0, 2.0, 1.0]}, 0.1).alt
