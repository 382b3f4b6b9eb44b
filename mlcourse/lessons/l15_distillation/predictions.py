"""The predictions of lesson 15, and what happened."""

from __future__ import annotations

import math

from mlcourse.exercises.predictions import Prediction
from mlcourse.statistics import cell

PREDICTIONS = (
    Prediction(
        "15.p1", "Both will name nearly every typeset digit. How many handwritten ones will the small one?",
        ("over 80 %", "about 65 %", "about 45 %", "about 10 %, chance"), "about 45 %",
        lambda small, seeds: 35 < small < 58 and 38 < seeds.mean() < 55,
        lambda small, seeds: f"≈{small:.0f} % after 300 steps; {cell(seeds)} % over the study's five seeds, after up "
                            "to 600."),
    Prediction(
        "15.p2",
        "The teacher on handwriting at τ = 4: how much of log 10, the most that there can be, is the mean entropy?",
        ("about a third", "about half", "over 70 %"), "over 70 %",
        lambda by_tau: by_tau[1] < by_tau[4] < by_tau[20] and by_tau[4] > 0.7 * math.log(10),
        lambda by_tau: f"≈{100 * by_tau[4] / math.log(10):.0f} %. It rises with τ: denser, not sparser."),
    Prediction(
        "15.p3", "After 300 steps on the teacher's soft targets the student will read",
        ("as few as before", "more, up to its teacher's share", "far more than its teacher"),
        "more, up to its teacher's share",
        lambda small, soft, big: small + 2 < soft < big + 3,
        lambda small, soft, big: f"≈{soft:.0f} %, before ≈{small:.0f} %; its teacher reads ≈{big:.0f} %."),
    Prediction(
        "15.p4", "A student of 4 filters reads about 30 %. After 400 steps on own labels it will read",
        ("fewer", "about as many", "clearly more"), "fewer",
        lambda gain: gain.high < 0,
        lambda gain: f"fewer: {gain.text(sign=True)} points, paired over five seeds. Of its first own labels, the "
                     "surest tenth, 60 ± 14 % were right."),
    Prediction(
        "15.p5", "τ = 20, no 3 in training: how many of the 3s of the test half will the student name?",
        ("next to none", "about half", "nearly all"), "next to none",
        lambda named, after: named.mean() < 0.25 and after.mean() > 0.85,
        lambda named, after: f"next to none, {100 * named.mean():.0f} %; after a shift by one number "
                             f"{100 * after.mean():.0f} %."),
)
