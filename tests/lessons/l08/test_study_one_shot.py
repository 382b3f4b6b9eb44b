"""The study of the one-shot runs' ingredients: each arm lacks what its name says; the page says what the rows say."""

import pytest
import torch
from tiny import patterns

from mlcourse.domains import Domain
from mlcourse.episode.within import WithinGroups
from mlcourse.job import RUN_QUERY, RUN_VIEWS
from mlcourse.lessons.l08_compare import study_one_shot as study
from mlcourse.lessons.l08_compare.study_one_shot import (ALL, ANY, ARMS, DRAWN, EACH, FIXED, FLAT, ONE, STUDY, UPRIGHT,
                                                         Budget)
from mlcourse.phases import constant, cosine_decay
from mlcourse.rows import read
from mlcourse.system import paths

TINY = Budget(steps=1, runs=2, width=2)


@pytest.fixture(scope="module")
def alphabets():
    """Two alphabets of 21 characters."""
    drawn = patterns(0, 42, 8, 28)
    return Domain("two alphabets", drawn.images, drawn.labels, drawn.classes, ("a",) * 21 + ("b",) * 21)


def test_each_arm_lacks_what_its_name_says(alphabets):
    made = {arm: study.source(arm, alphabets) for arm in ARMS}
    assert all(isinstance(sampler, WithinGroups) and sampler.way == 20 for sampler in made.values())
    assert {arm: (sampler.query, sampler.strength) for arm, sampler in made.items()} == (
        dict.fromkeys(ARMS, (RUN_QUERY, RUN_VIEWS)) | {ONE: (1, RUN_VIEWS), DRAWN: (RUN_QUERY, 0.0)})
    sizes = {arm: sorted(map(len, sampler.members)) for arm, sampler in made.items()}
    other = {EACH: [84] * 2, UPRIGHT: [21] * 2, ANY: [168]}
    assert sizes == dict.fromkeys((ALL, FIXED, DRAWN, ONE, FLAT), [21] * 8) | other


@pytest.mark.parametrize(("arm", "rate"), [(ALL, cosine_decay), (FLAT, constant)])
def test_the_rate_is_annealed_but_where_it_is_constant(arm, rate, alphabets, monkeypatch):
    monkeypatch.setattr(study, "training", lambda: alphabets)
    phases = []
    monkeypatch.setattr(study, "train", lambda learner, given, **settings: phases.extend(given))
    study.trained(arm, 0, TINY)
    assert [phase.rate for phase in phases] == [rate]


@pytest.mark.parametrize("arm", [ALL, FIXED])
def test_every_set_of_drawings_is_the_support_set_but_where_it_is_fixed(arm, alphabets, monkeypatch):
    monkeypatch.setattr(study, "training", lambda: alphabets)
    seen = []
    monkeypatch.setattr(study, "train", lambda *given, **settings: seen.extend(given))
    study.trained(arm, 0, TINY)
    learner, (phase,) = seen
    batch = phase.sample(torch.Generator().manual_seed(0))
    loss = learner.loss if arm == FIXED else learner.loss_in_turn
    assert torch.equal(phase.loss(batch, 0), loss(batch.task(0)))


def test_the_page_says_what_the_rows_say():
    rows = read("one_shot")
    assert sorted(map(STUDY.key_of, rows)) == sorted(STUDY.plan(STUDY.work([0]), STUDY.budget))
    page = (paths.RESULTS.parent / "one-shot.md").read_text(encoding="utf-8")
    assert study.table(rows) in page
    apart = study.paired_difference(study.errors(rows, EACH), study.errors(rows, UPRIGHT), "runs").text(1)
    assert f"{apart} points above that without any turns" in page
    more = study.paired_difference(study.errors(rows, ALL), study.errors(rows, ANY), "runs").text(1)
    assert f"within one alphabet cost {more} points" in page
    few, fixed = (study.paired_difference(study.errors(rows, arm), study.errors(rows, ALL), "runs").text(1)
                  for arm in (ONE, FIXED))
    assert f"bring most: {few} and {fixed}" in " ".join(page.split())
