"""The predictions of lesson 13, and what happened."""

from __future__ import annotations

from mlcourse.exercises.predictions import Prediction

PREDICTIONS = (
    Prediction(
        "13.p1", "Hardly a mistake on type. How many handwritten digits in 100 does the network read?",
        ("over 90", "70 to 90", "45 to 70", "under 45"), "45 to 70",
        lambda home, away: home > 0.95 and 0.45 < away < 0.7,
        lambda home, away: f"≈{100 * away:.0f}, and ≈{100 * home:.0f} on typeset ones held back."),
    Prediction(
        "13.p2", "Five seeds, from typeset digits: how many points does CORAL add to AdaBN?",
        ("about 10", "about 5", "too few to tell from 0"), "too few to tell from 0",
        lambda gain: gain.low < 0 < gain.high,
        lambda gain: f"{gain.text(sign=True)}: the interval includes 0."),
    Prediction(
        "13.p3", "Let 1, 4 and 7 be 90 % of the target, and train CORAL again, once. What do accuracy and PAD do, from "
        "AdaBN to its last step?",
        ("both stay", "the accuracy falls, and PAD leaves its floor's band",
         "the accuracy falls, and PAD stays in the band"),
        "the accuracy falls, and PAD stays in the band",
        lambda before, after, pad, floor: after < before - 0.08 and floor[0] < pad < floor[1],
        lambda before, after, pad, floor: f"in this run the accuracy falls from ≈{100 * before:.0f} to "
                                          f"≈{100 * after:.0f} %; PAD is ≈{pad:.2f}, its floor ≈{floor[0]:.1f} to "
                                          f"≈{floor[1]:.1f}."),
    Prediction(
        "13.p4", "Typeset → handwritten, distance 0.6: of what the true shares would add to AdaBN, BBSE adds",
        ("none", "a part", "all of it"), "a part",
        lambda bbse, rest: bbse.low > 0 and rest.low > 0,
        lambda bbse, rest: f"a part: {bbse.text(sign=True)} points, and the true shares {rest.text(sign=True)} more."),
)
