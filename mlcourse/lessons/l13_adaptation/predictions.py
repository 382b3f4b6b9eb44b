"""The predictions of lesson 13, and what happened."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "13.p1", "Hardly a mistake on type. How many handwritten digits in 100 does the network read?", ("over 90", "70 to 90", "45 to 70", "under 45"), "45 to 70",
        lambda home, away: home > 0.95 and 0.45 < away < 0.7,
        lambda home, away: f"≈{100 * away:.0f}, and ≈{100 * home:.0f} on unseen typeset ones."),
    Prediction(
        "13.p2", "Five seeds, from typeset digits: how many points does CORAL add to AdaBN?",
        ("about 10", "about 5", "too few to tell from 0"), "too few to tell from 0",
        lambda gain: gain.low < 0 < gain.high,
        lambda gain: f"{gain.text(sign=True)}: the interval includes 0."),
    Prediction(
        "13.p3", "Let 1, 4 and 7 be 90 % of the target, and train CORAL again. What do accuracy and PAD do?",
        ("both stay", "the accuracy falls, and PAD rises", "the accuracy falls, and PAD stays near its floor"),
        "the accuracy falls, and PAD stays near its floor",
        lambda before, after, pad: after < before - 0.08 and pad < 0.5,
        lambda before, after, pad: f"the accuracy falls from ≈{100 * before:.0f} to ≈{100 * after:.0f} %, with a PAD "
                                   f"of ≈{pad:.2f}."),
    Prediction(
        "13.p4", "Typeset → handwritten, distance 0.6: of what the true shares would add to AdaBN, BBSE adds", ("none", "a part", "all of it"), "a part",
        lambda bbse, true: 0 < bbse.mean < true.mean,
        lambda bbse, true: f"a part: {bbse.text(sign=True)} points of {true.text(sign=True)}."),
    Prediction(
        "13.p5", "The first version of this lesson measured AdaBN over no adaptation, same data, and found", ("about 7 points, as now", "about 15", "about 30"), "about 30",
        lambda then, now: then.mean > 25 > 10 > now.mean,
        lambda then, now: f"{then.text(sign=True)} points, where we have {now.text(sign=True)}."),
)
