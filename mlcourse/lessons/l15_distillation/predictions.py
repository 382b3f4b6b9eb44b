"""The predictions of lesson 15, and what happened."""

from __future__ import annotations

import math

from mlcourse.exercises.predictions import Prediction
from mlcourse.statistics import cell

PREDICTIONS = (
    Prediction(
        "15.p1", "Both networks will name nearly every typeset digit. How many handwritten ones will the small one read?",
        ("over 80 %", "about 65 %", "about 45 %", "about 10 %, chance"), "about 45 %",
        lambda small, seeds: 35 < small < 58 and 38 < seeds.mean() < 55,
        lambda small, seeds: f"≈{small:.0f} % from this seed; {cell(seeds)} % over the five seeds of the study."),
    Prediction(
        "15.p2", "The big network on 896 handwritten digits at τ = 4: how much of log 10, the most that there can be, is its "
        "mean entropy?",
        ("about a third", "about half", "over 70 %"), "over 70 %",
        lambda by_tau: by_tau[1] < by_tau[4] < by_tau[20] and by_tau[4] > 0.7 * math.log(10),
        lambda by_tau: f"≈{100 * by_tau[4] / math.log(10):.0f} %. It rises with τ: a high temperature makes soft targets "
                       "denser, and the claim is wrong."),
    Prediction(
        "15.p3", "After 300 steps on the teacher's soft targets the student will read",
        ("as few as before", "more than before, at most a few points above its teacher", "far more than its teacher"),
        "more than before, at most a few points above its teacher",
        lambda small, soft, big: small + 2 < soft < big + 6,
        lambda small, soft, big: f"≈{soft:.0f} %, before ≈{small:.0f} %; its teacher reads ≈{big:.0f} %."),
    Prediction(
        "15.p4", "The smallest student, of 4 filters, reads about 30 % of the handwriting. After 400 steps on its own sure "
        "predictions, the source's labels beside, it will read",
        ("fewer", "about as many", "clearly more"), "fewer",
        lambda gain: gain.high < 0,
        lambda gain: f"fewer: {gain.text(sign=True)} points, paired over five seeds. It is sure where it is wrong, and learns "
                     "its mistakes."),
    Prediction(
        "15.p5", "τ = 20, no 3 in training: how many of the 3s of the test half will the student name?",
        ("next to none", "about half", "nearly all"), "next to none",
        lambda named, after: named.mean() < 0.25 and after.mean() > 0.85,
        lambda named, after: f"next to none: {100 * named.mean():.0f} % in the mean of five seeds. But see what one number "
                             f"repairs: {100 * after.mean():.0f} % after the shift."),
)
