"""The figures of lesson 01 say what their rows say."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from mlcourse.datasets import factors
from mlcourse.domains import SHIFTS
from mlcourse.lessons.l01_domains import figures as plots
from mlcourse.lessons.l01_domains.scene_shift_dial import over_seeds
from mlcourse.rows import read

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
        made.append(row("MNIST", seed, [home - 0.9], [2.0], (1.0,)))
        made.append(row("typeset digits, again", seed, [home], [-0.001], (0.0,)))
        made.append(row("concept shift", seed, [0.8] * 3, [0.0] * 3, best=[0.9] * 3))
    return made


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)))


def test_losses_are_paired_by_seed():
    found = {(kind, severity): rest for kind, severity, *rest in plots.losses(rows())}
    assert {kind for kind, _ in found} == {*SHIFTS, "UCI digits", "MNIST"} and len(found) == 2 * len(SHIFTS) + 2
    pad, lost, pad_half, half = found["typeface", 1.0]
    assert pad == pytest.approx(1.99) and lost == pytest.approx(0.7) and half == pytest.approx(0, abs=1e-9)
    assert pad_half == pytest.approx(4.3027 * 0.01 / 3**0.5, rel=1e-3)


def test_the_titles_state_what_the_rows_say():
    said = plots.loss_against_distance(rows())
    assert said.alt.startswith("Between a PAD of 1.9 and 2 the losses reach from 0.0 to 70.0 points.")
    assert "UCI digits: PAD 2.00, 50.0 points lost" in said.alt and "MNIST" not in said.alt and pixels(said).std() > 10
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
    assert said.alt.startswith("Across task 55.0 %, across domain 70.0 %, across modality 80.0 %.")
    assert said.alt.index("slanted? from pixels 50.0") < said.alt.index("typeset digits") < said.alt.index("UCI sweeps")
    assert pixels(said).std() > 10


def test_a_field_by_seed_is_that_of_the_last_severity_in_the_order_of_the_seeds():
    mixed = rows((2, 0, 1))
    assert plots.by_seed(mixed, "typeface", "accuracy").tolist() == pytest.approx([0.25, 0.26, 0.27])
    assert plots.by_seed(mixed, "UCI digits", "pad").tolist() == [2.0] * 3
    with pytest.raises(ValueError, match="there is no row of 'fog' among these; the kinds are MNIST; UCI digits; blur"):
        plots.by_seed(mixed, "fog", "pad")


def test_the_worlds_say_how_often_the_lines_are_right_in_each():
    said = plots.worlds(read("shift"))
    assert said.alt.startswith("In the concept shift no point moves, and the lines are right on 36.5 %.")
    lines = [factors.fit_line(*factors.draw(factors.LEFT, 0, 2000, 3 * seed)) for seed in range(5)]
    assert set(plots.WORLDS) == {"home", *factors.KINDS}
    for name, (kind, severity) in plots.WORLDS.items():
        right = float(re.search(f"{name} (\\d+\\.\\d) %", said.alt)[1])
        x, y = factors.draw(kind, severity, 100_000, seed=77)
        counted = np.mean([float((line(x) == y).double().mean()) for line in lines])
        assert right == pytest.approx(100 * counted, abs=0.8)
    assert pixels(said).std() > 10
