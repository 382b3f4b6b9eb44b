"""The figures of lesson 01 say what their rows say."""

import io

import numpy as np
import pytest
from PIL import Image

from mlcourse.datasets import load
from mlcourse.domains import SHIFTS
from mlcourse.lessons.l01_domains import figures as plots
from mlcourse.lessons.l01_domains.scene_shift_dial import over_seeds

SEVERITIES = [0.0, 0.5, 1.0]
LOSS = {kind: 0.1 * place for place, kind in enumerate(SHIFTS)}          # at severity 1; rotation loses nothing


def row(kind, seed, accuracy, pad, severity=tuple(SEVERITIES), **more):
    return {"kind": kind, "seed": seed, "severity": list(severity), "accuracy": accuracy, "pad": pad} | more


def rows(seeds=(0, 1, 2)):
    made = []
    for seed in seeds:
        home = 0.95 + 0.01 * seed
        made += [row(kind, seed, [home, home - LOSS[kind] / 2, home - LOSS[kind]], [0.0, 0.4, 2.0 - 0.01 * seed])
                 for kind in SHIFTS]
        made.append(row("UCI digits", seed, [home - 0.5], [2.0], (1.0,)))
        made.append(row("typeset digits, again", seed, [home], [-0.001], (0.0,)))
        made.append(row("concept shift", seed, [0.8] * 3, [0.0] * 3, best=[0.9] * 3))
    return made


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)))


def test_losses_are_paired_by_seed():
    found = {(kind, severity): rest for kind, severity, *rest in plots.losses(rows())}
    assert {kind for kind, _ in found} == {*SHIFTS, "UCI digits"} and len(found) == 2 * len(SHIFTS) + 1
    pad, lost, pad_half, half = found["typeface", 1.0]
    assert pad == pytest.approx(1.99) and lost == pytest.approx(0.7) and half == pytest.approx(0, abs=1e-9)
    assert pad_half == pytest.approx(4.3027 * 0.01 / 3**0.5, rel=1e-3)


def test_the_titles_state_what_the_rows_say():
    said = plots.loss_against_distance(rows()).alt
    assert said.startswith("Rotation 1: PAD 1.99, loss 0.0 points; typeface 0.5: PAD 0.40, loss 35.0 points.")
    assert "from 0.0 to 70.0 points" in said
    assert plots.dial_curves(rows()).alt.startswith("At severity 1 rotation leaves 96 % and typeface 26 %.")


def test_one_seed_is_drawn_without_an_interval():
    curve = over_seeds(rows((0,)), "blur", "accuracy")
    assert curve.mean.tolist() == pytest.approx([0.95, 0.75, 0.55]) and np.isnan(curve.half).all()
    assert pixels(plots.dial_curves(rows((0,)))).std() > 10
    with pytest.raises(ValueError, match="there is no row of 'rotation' among these"):
        plots.dial_curves([])


def test_crossings_are_drawn_in_their_order():
    made = [{"crossing": crossing, "arm": arm, "seed": seed, "accuracy": 0.9 - 0.05 * place}
            for place, (crossing, arm) in enumerate(reversed(plots.ARMS)) for seed in (0, 1)]
    said = plots.crossings(made)
    assert said.alt.startswith("The same question of handwritten digits: 65.0 % becomes 70.0 %.")
    assert said.alt.index("slanted? from pixels 50.0") < said.alt.index("typeset digits") < said.alt.index("UCI sweeps")
    assert pixels(said).std() > 10


def test_the_shifted_pictures_are_shown_for_all_kinds():
    picture = plots.shifted_pictures(load("glyphs-digits"), 7)
    assert all(kind in picture.alt for kind in SHIFTS) and pixels(picture).std() > 10
