"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

import torch

from mlcourse.datasets import load
from mlcourse.lessons.l15_distillation.widget_temperature import TemperatureExplorer


def temperature() -> TemperatureExplorer:
    """Over the digits; teacher and students answer at random."""
    digits, generator = load("digits"), torch.Generator().manual_seed(0)
    teacher, *students = 3 * torch.randn(3, len(digits.labels), 10, generator=generator)
    return TemperatureExplorer(teacher, dict(zip(("one", "other"), students, strict=True)), digits.images.float() / 255,
                               digits.labels, digits.classes, list(range(30)))
