"""The study of the frame: the boxes, the halves, whose statistics, and the page that reads the rows."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.datasets.frame import framed
from mlcourse.episode.across import pixels
from mlcourse.lessons.l13_adaptation import study_frame as study
from mlcourse.rows import read
from mlcourse.small import SIDE
from mlcourse.studies.transfer.seed import Budget as Training
from mlcourse.system import paths

TINY = study.Budget(boxes=(20, 28, study.COMES), training=Training(width=2, source=5), pictures=120)
STUDY = study.STUDY


def test_the_ink_fills_its_box():
    scan = load_digits().images[0].astype(np.float32)
    for box in (12, 20, 28):
        rows = np.flatnonzero(framed(scan, 28, box / 28).any(1))
        assert rows[-1] - rows[0] + 1 == box
    assert torch.equal(study.target(20).images, datasets.load("digits", None, Form(SIDE)).images)
    assert torch.equal(study.target(study.COMES).images, datasets.load("digits@unframed", None, Form(SIDE)).images)


@pytest.fixture(scope="module")
def typeset():
    return study.networks("glyphs-digits", 1, TINY)


@pytest.mark.parametrize("box", TINY.boxes)
def test_an_arm_is_judged_on_the_halves_of_study_transfer_in_its_box(typeset, box):
    """By the networks' own forward, with the statistics that the arm is named for."""
    train, test = typeset.setting.train, typeset.setting.test
    place = {digest: i for i, digest in enumerate(study.target(20).digests.tolist())}
    there = lambda half: study.target(box).take(torch.tensor([place[d] for d in half.digests.tolist()]))
    seen, judged = there(train), there(test)
    base, x = typeset.base.net, pixels(judged.images)
    right = lambda said: 100 * float((said.argmax(1) == judged.labels).double().mean())
    known = lambda domain: base.statistics(pixels(typeset.setting.known(domain, 1).images))
    with torch.no_grad():
        by_hand = {study.LAYER: typeset.plain(x), study.SOURCE: base(x, known(typeset.setting.source)),
                   study.TARGET: base(x, known(seen))}
    for arm, said in by_hand.items():
        assert study.right_in(typeset, arm, box) == pytest.approx(right(said), abs=0.3)


def test_every_row_of_the_plan_is_measured_once(monkeypatch):
    monkeypatch.setattr(study, "SOURCES", {"glyphs-digits": "typeset digits"})
    work = SimpleNamespace(seeds=[0])
    found = list(STUDY.measure(work, [], replace(TINY, boxes=(20,))))
    assert [row["arm"] for row in found] == list(study.STYLES) and "box of 20" in study.line(found[0])
    assert not list(STUDY.measure(work, found, replace(TINY, boxes=(20,))))


def test_at_the_sources_own_box_the_arms_are_those_of_study_transfer():
    rows, theirs = read("frame"), read("transfer")
    for source in study.SOURCES:
        for arm, name in ((study.LAYER, "no adaptation"), (study.TARGET, "AdaBN")):
            kept = {row["seed"]: row["accuracy"] for row in theirs if row["k"] == 0 and
                    (row["source"], row["target"], row["arm"]) == (source, "digits", name)}
            assert study.at(rows, source, arm, 20) == pytest.approx(kept, abs=0.5)


def test_the_page_says_what_the_rows_say():
    rows = read("frame")
    assert sorted(map(STUDY.key_of, rows)) == sorted(STUDY.plan(SimpleNamespace(seeds=range(5)), STUDY.budget))
    page = (paths.RESULTS.parent / "frame.md").read_text(encoding="utf-8")
    said = " ".join(page.split())
    for source in study.SOURCES:
        assert study.table(rows, source) in page
        framing = [((arm, study.COMES), (arm, 20)) for arm in study.STYLES]
        norms = [((study.SOURCE, box), (arm, box)) for arm in (study.LAYER, study.TARGET) for box in (study.COMES, 20)]
        for parts in (*framing, *norms):
            assert study.share(rows, source, parts) in said
