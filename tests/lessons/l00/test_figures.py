"""The bars of lesson 00, and what its predictions rest on."""

import torch
from marks import unmarked

from mlcourse.exercises import predictions
from mlcourse.lessons.l00_start.figures import accuracy_bars
from mlcourse.statistics import interval


def test_a_bar_is_the_mean_over_episodes_with_its_interval():
    values = torch.linspace(0.2, 0.8, 40)
    mean, half = interval(values)
    alt = accuracy_bars({"some machine": values}, "A finding").alt
    assert f"some machine ≈{100 * mean:.3g} ± {100 * half:.2g}" in alt and unmarked(alt) == []


def test_the_predictions_hold_for_what_they_say_and_for_nothing_far_from_it():
    pixels, inverted = (predictions.named(id) for id in ("00.p1", "00.p2"))
    assert pixels.holds(mean=0.59, half=0.02) and "≈59 ± 2 %" in pixels.happened(mean=0.59, half=0.02)
    assert not pixels.holds(mean=0.4, half=0.02) and not pixels.holds(mean=0.9, half=0.02)
    assert inverted.holds(before=0.98, lost=0.19, half=0.02)
    assert not any(inverted.holds(before=0.98, lost=lost, half=half) for lost, half in ((0.05, 0.02), (0.6, 0.02)))
