"""What the text of lesson 03 says in numbers, against sums of its own."""

import re

import numpy as np
import pytest
import torch

from mlcourse.course import notebooks
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.lessons.l03_maml.checks_ratio import CLAIMS, OPEN
from mlcourse.lessons.l03_maml.figures import PUBLISHED
from mlcourse.system import paths


def text():
    return "\n".join(cell.source for cell in notebooks.read(paths.NOTEBOOKS / "03_maml.ipynb").cells
                     if cell.cell_type == "markdown")


def test_the_mean_of_the_tasks_and_the_error_of_a_network_that_knows_no_point():
    amplitude, phase, x = np.meshgrid(np.linspace(0.1, 5, 81), np.linspace(0, np.pi, 81), np.linspace(-5, 5, 81),
                                      indexing="ij")
    weight = np.ones(81)
    weight[[0, -1]] = 0.5                                       # the trapezoid rule
    y = amplitude * np.sin(x - phase)
    over_tasks = np.einsum("i,j,ijk->k", weight, weight, y) / 80 ** 2
    assert over_tasks == pytest.approx(-1.62 * np.cos(x[0, 0]), abs=0.01)
    left = np.einsum("i,j,k,ijk->", weight, weight, weight, (y - over_tasks) ** 2) / 80 ** 3
    assert left == pytest.approx(3.01, abs=0.005)
    assert "-1.62\\cos x" in text() and "3.01" in text()


def test_no_code_beside_a_prediction_gives_its_answer():
    code = "\n".join(cell.source for cell in notebooks.read(paths.NOTEBOOKS / "03_maml.ipynb").cells
                     if cell.cell_type == "code")
    assert "cosine" not in code and str(PUBLISHED["pretrained"][0]) not in code


def test_what_is_called_negative_transfer_is_worse_than_a_start_without_it():
    stored = "\n".join(output.get("text", "") for cell in notebooks.read(paths.NOTEBOOKS / "03_maml.ipynb").cells
                       for output in cell.get("outputs", []))
    for rival, said in (("random start", "the random start's by ≈{} ± {}"), ("answering 0", "answering 0 by ≈{} ± {}")):
        mean, half = map(float, re.search(rf"frequency 2.0: MAML minus {rival} ≈\+(\S+) ± (\S+)", stored).groups())
        assert mean - half > 0 and said.format(f"{mean:.1f}", f"{half:.1f}") in text()


def test_each_verdict_follows_from_its_interval():
    for said, right in CLAIMS.values():
        numbers = [float(part) for part in said.replace("±", " ").replace(",", " ").replace(";", " ").split()
                   if part.lstrip("-").replace(".", "").isdigit()]
        if "paired" in said:
            difference, half = numbers[-2:]
        else:
            (one, h1, other, h2) = numbers[-4:]
            difference, half = one - other, (h1 ** 2 + h2 ** 2) ** 0.5
        assert right == (OPEN if abs(difference) <= half else "larger" if difference > 0 else "smaller")


def test_for_a_weighted_sum_of_waves_the_mean_of_the_tasks_is_the_best_start():
    batch = SinusoidSampler(shot=10, query=10).sample(5000, torch.Generator().manual_seed(0))
    waves = lambda x: torch.cat([x.sin(), x.cos()], -1)
    mse = lambda weights, x, y: ((waves(x) @ weights - y) ** 2).mean()

    def after_a_step(weights, task):
        phi = weights - 0.1 * torch.func.grad(mse)(weights, task.support_x, task.support_y)
        return mse(phi, task.query_x, task.query_y)

    mean_loss = lambda weights: torch.vmap(lambda task: after_a_step(weights, task))(batch).mean()
    at_mean, at_zero = (torch.func.grad(mean_loss)(torch.tensor([[0.0], [cosine]])).norm() for cosine in (-1.623, 0.0))
    assert at_mean < 0.1 < 1 < at_zero
