"""What the text of lesson 04 says in numbers, against sums of its own and the rows of its study."""

import pytest
import torch

from mlcourse.course import notebooks
from mlcourse.lessons.l04_first_order import figures
from mlcourse.lessons.l04_first_order.arrows import FIRST, JOINT, SECOND, angle, arrows, two_tasks
from mlcourse.lessons.l04_first_order import arms
from mlcourse.lessons.l04_first_order.checks_results import ARMS, CLAIMS, FITS, LARGE, LIMIT, PARTIAL
from mlcourse.nets import MLP
from mlcourse.rows import read
from mlcourse.statistics import paired_difference
from mlcourse.system import paths


def page():
    """The study's page, its line breaks left out."""
    return " ".join((paths.ROOT / "benchmarks" / "first-order.md").read_text(encoding="utf-8").split())


def text():
    """The Markdown of the lesson."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("04")).cells if cell.cell_type == "markdown")


def test_theta_is_as_long_as_the_text_says():
    size = sum(p.numel() for p in MLP().parameters())
    assert f"{size:,}" == "1,761" and "all 1,761 parameters" in text() and round(size**2 / 1e6) == 3


def test_what_fomaml_keeps_is_not_told_before_the_prediction():
    before = text().split("## 4 ")[0].split("**On paper.**")[0].lower()
    assert "what does fomaml keep?" in before and "half" not in before


def test_what_to_try_with_the_arrows_comes_true():
    at = lambda alpha, steps: arrows(MLP(seed=0), two_tasks(), alpha, steps, (JOINT, FIRST, SECOND))
    missing = lambda found: float((found[SECOND] - found[FIRST]).norm() / found[SECOND].norm())
    small, usual, several = at(1e-4, 1), at(0.01, 1), at(0.01, 3)
    assert angle(small[FIRST], small[SECOND]) < 0.1
    tiny = at(1e-6, 1)
    assert all(angle(each[JOINT], each[SECOND]) == pytest.approx(2, abs=0.3) for each in (small, tiny))
    tasks = two_tasks()
    both = tasks._replace(query_x=torch.cat([tasks.support_x, tasks.query_x], 1),
                          query_y=torch.cat([tasks.support_y, tasks.query_y], 1))
    assert angle(tiny[JOINT], arrows(MLP(seed=0), both, 1e-6, 1, (SECOND,))[SECOND]) < 0.01
    assert "joint training's stays ≈2° off, for it follows both sets, they the query set" in text()
    assert missing(several) == pytest.approx(2 * missing(usual), rel=0.05)
    assert "about twice as large a share of MAML's arrow" in text()


def test_one_part_of_the_step_raises_the_product_not_every_step():
    theta = torch.tensor(1.0, requires_grad=True)               # both losses ½ H θ² with H = 1
    g, = torch.autograd.grad(((theta - 0.1 * theta) ** 2 / 2), theta)
    assert (theta - 0.1 * g) ** 2 < theta**2 and "this part of the step raises the product" in text()


def test_with_the_same_samples_reptiles_second_term_is_of_a_gradient_with_itself():
    A, b, at = torch.tensor([[2.0, 0.3], [0.3, 1.0]]), torch.tensor([0.5, -1.0]), torch.tensor([0.4, 0.7])
    gradient, alpha, k = lambda theta: A @ theta + b, 1e-2, 3
    phi = at
    for _ in range(k):
        phi = phi - alpha * gradient(phi)
    theta = at.clone().requires_grad_()
    product, = torch.autograd.grad(gradient(theta) @ gradient(theta), theta)
    brought = (at - phi) / alpha - k * gradient(at)
    torch.testing.assert_close(brought, -alpha * k * (k - 1) / 4 * product, rtol=0.02, atol=0)
    assert "With the same samples in every step, as below, the product is of a gradient with itself," in text()


def test_the_product_by_hand():
    theta = torch.tensor(2.0, requires_grad=True)
    g, = torch.autograd.grad(theta**3, theta, create_graph=True)
    slope, = torch.autograd.grad(5 * g, theta)
    assert slope == 60 and r"30\,\theta=60" in text()


# ---------------------------------------------------------------- the study

@pytest.fixture(scope="module")
def rows():
    return read("first_order")


def test_the_table_is_of_five_seeds(rows):
    for arm in figures.arms(rows):
        for domain in figures.PLACES:
            assert set(figures.by_seed(rows, arm, domain)) == set(range(5)), (arm, domain)


@pytest.mark.parametrize("key", CLAIMS)
def test_each_verdict_of_the_bill_is_that_of_its_paired_interval(key, rows):
    claim = CLAIMS[key]
    gap = paired_difference(*(figures.by_seed(rows, arm, figures.HOME) for arm in (claim.one, claim.other)))
    assert claim.verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open")


def test_the_arm_that_is_asked_for_is_the_most_accurate_of_those_that_fit_and_move_every_weight(rows):
    needs = {arm: figures.cost(rows, arm, 20, "peak_mb") for arm in figures.costed(rows) if arm.lower() in ARMS}
    fitting = {arm for arm, memory in needs.items() if memory <= LIMIT}
    partial = {arm for arm in needs if arms.KINDS[arm].only}
    mean = {arm: sum(figures.by_seed(rows, arm, figures.HOME).values()) for arm in needs}
    best = lambda among: max(among, key=mean.get)
    assert {arm.lower() for arm in needs} == set(ARMS) and {arm.lower() for arm in partial} == set(PARTIAL)
    assert {arm.lower() for arm in set(needs) - fitting} == set(LARGE)
    assert best(fitting - partial) == FITS
    assert FITS not in (best(needs), best(fitting), best(set(needs) - partial))         # both conditions bind
    claim = CLAIMS["a"]                         # what the message on passing says of MAML
    assert (claim.one, claim.other, claim.verdict) == (best(set(needs) - partial), FITS, "yes")


def test_what_moves_is_said_as_the_rows_have_it(rows):
    said, gap = text(), lambda *which: figures.gap(rows, *which).text(sign=True)
    home, away = figures.PLACES
    loss = lambda what, place: gap("MAML", what, "own", place).removeprefix("-")
    assert (f"with the head alone moving at test they lose {loss('head', home)} points at home and "
            f"{loss('head', away)} away, with the body alone {loss('body', home)} at home") in said
    for arm in ("MAML", "BOIL"):
        assert all(figures.gap(rows, arm, "own", "none", place).low > 0 for place in figures.PLACES)
    assert "MAML's and BOIL's inner loops are worth points at both places" in said
    assert f"its adapted head is no better than none, at home even {gap('ANIL', 'own', 'none', home)}" in said
    assert figures.gap(rows, "ANIL", "own", "none", home).high < 0
    assert figures.gap(rows, "ANIL", "own", "none", away).high < 0.5
    for place in figures.PLACES:
        head, *body = (figures.share(rows, "MAML", place, layer).mean
                       for layer in ("head", "conv 1", "conv 2", "conv 3", "conv 4"))
        assert head > max(body) and "Relative to its length the head moves farthest" in said


def test_the_table_turns_with_the_domain(rows):
    home, away = (paired_difference(figures.by_seed(rows, "ANIL", place), figures.by_seed(rows, "MAML", place))
                  for place in figures.PLACES)
    assert home.low > 0 > away.high
    assert f"leads MAML by {home.text()} points at *home*" in text()
    assert f"ANIL is {home.text()} points ahead of MAML at home and {-away.mean:.1f} ± {away.half:.1f} behind" in text()
    worth = [paired_difference(figures.by_seed(rows, "MAML", place), figures.by_seed(rows, "MAML", place, "none"))
             for place in figures.PLACES]
    assert all(each.low > 0 for each in worth)


def test_published_numbers_are_those_of_the_page():
    assert "MAML 98.7 ± 0.4 and FOMAML 98.3 ± 0.5, both transductive, Reptile 97.68 with transduction" in page()
    assert ("with larger networks, longer training and a norm that mixes the queries: MAML 98.7, FOMAML 98.3, "
            "Reptile 97.7." in text())


def test_only_anil_is_ahead_of_fine_tuning(rows):
    fine = figures.by_seed(rows, "fine-tuning", figures.HOME)
    gaps = {arm: paired_difference(figures.by_seed(rows, arm, figures.HOME), fine) for arm in figures.arms(rows)
            if arm != "fine-tuning"}
    assert {arm for arm, gap in gaps.items() if gap.low > 0} == {"ANIL"}
    assert {arm for arm, gap in gaps.items() if gap.high < 0} == {"Reptile"} and len(gaps) == 5
    assert ("**Only ANIL is told ahead of fine-tuning** on new scripts; Reptile is behind; the other three are open."
            in text())


def test_errors_on_sinusoids_are_those_of_the_rows(rows):
    error = {arm: {row["seed"]: row["mse"] for row in rows if row["part"] == "sinusoids" and row["split"] == "test"
                   and row["arm"] == arm} for arm in ("MAML", "FOMAML", "Reptile")}
    mean = {arm: sum(values.values()) / len(values) for arm, values in error.items()}
    more = paired_difference(error["FOMAML"], error["MAML"])
    assert f"on sinusoids by {more.text(2)} ({mean['FOMAML']:.2f} against {mean['MAML']:.2f})," in page()
    assert f"on sinusoids Reptile's error is {mean['Reptile']:.2f}." in page()
