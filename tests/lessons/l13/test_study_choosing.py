"""The study of the rule that chooses: its pairs, what it notes, what each rule names, and the page."""

from types import SimpleNamespace

import pytest
import torch

from mlcourse.domains import Domain
from mlcourse.episode.across import pixels
from mlcourse.lessons.l13_adaptation import study_choosing as study
from mlcourse.losses.alignment import information, mean_entropy
from mlcourse.rows import read
from mlcourse.statistics import paired_difference
from mlcourse.studies.transfer.seed import Budget as Training
from mlcourse.studies.transfer.source import parted
from mlcourse.system import paths

TINY = study.Budget(Training(width=2, source=5, align=50), 60)
STUDY = study.STUDY


def known(domain: Domain) -> set[int]:
    return set(domain.digests.tolist())


@pytest.mark.parametrize("pair", study.PAIRS)
def test_no_picture_stands_on_both_sides_and_none_that_is_held_back_is_trained_on(pair):
    s = study.started(pair, 0, TINY)
    assert not known(s.setting.source) & (known(s.setting.train) | known(s.setting.test))
    held, _ = parted(s.setting.source, 0)
    _, phases = study.learner_of(s, "CORAL", 1.0)
    trained = phases[0].sample(torch.Generator().manual_seed(0)).support_x.flatten(0, 1)
    pictures = lambda x: {picture.numpy().tobytes() for picture in x}
    assert len(held.images) and not pictures(pixels(held.images)) & pictures(trained)
    assert not torch.equal(*(domain.images[:100] for domain in study.domains(pair, 10)))


def test_what_is_noted_is_what_its_name_says():
    """By the network's own forward, under the statistics of the target's unlabelled pictures."""
    s = study.started(study.TO_PRINT, 0, TINY)
    held, _ = parted(s.setting.source, 0)
    judged, net = s.setting.known(s.setting.test, 0), s.base.net
    found = study.noted(s, s.base, held, judged)
    with torch.no_grad():
        own = net.statistics(s.episode.unlabeled_x[0])
        logits = net(s.episode.unlabeled_x[0], own)
        right = (net(pixels(judged.images), own).argmax(1) == judged.labels).double().mean()
        loss = torch.nn.functional.cross_entropy(net(pixels(held.images)), held.labels)
    wanted = {study.INFORMATION: float(information(logits)), study.ENTROPY: float(mean_entropy(logits)),
              study.SOURCE: float(loss), "accuracy": 100 * float(right)}
    assert found == pytest.approx(wanted, abs=1e-3)


def test_every_rule_names_the_weight_and_step_of_its_sentence():
    fields = ("weight", "accuracy", study.INFORMATION, study.ENTROPY, study.SOURCE)
    trials = [dict(zip(fields, values, strict=True)) for values in (
        (10.0, [50.0, 60.0], [1.0, 2.0], [0.5, 0.4], [0.3, 0.2]),
        (1.0, [70.0, 65.0], [1.5, 1.0], [0.1, 0.2], [0.5, 0.6]),
        (100.0, [80.0, 40.0], [0.1, 0.2], [0.9, 0.8], [0.4, 0.1]))]
    assert [study.by_rule(trials, rule) for rule in study.RULES] == [60.0, 70.0, 40.0, 60.0]
    assert study.best(trials) == 80.0


def test_every_row_of_the_plan_is_measured_once(monkeypatch):
    monkeypatch.setattr(study, "PAIRS", (study.TO_PRINT,))
    monkeypatch.setattr(study, "TRIED", {"CORAL": (1.0,), "self-training": (1.0,)})
    work = SimpleNamespace(seeds=[0])
    found = list(STUDY.measure(work, [], TINY))
    assert [len(row["accuracy"]) for row in found] == [2, 2] and all(map(study.line, found))
    assert not list(STUDY.measure(work, found, TINY))
    two = [*found, *({**row, "seed": 1} for row in found)]
    assert study.TO_PRINT in study.report(work, two)


def test_the_page_says_what_the_rows_say():
    rows = read("choosing")
    assert sorted(map(STUDY.key_of, rows)) == sorted(STUDY.plan(SimpleNamespace(seeds=range(5)), STUDY.budget))
    page = (paths.RESULTS.parent / "choosing.md").read_text(encoding="utf-8")
    said = " ".join(page.split())
    assert study.table(rows) in page
    more = [study.against(rows, rule) for rule in study.RULES[1:]]
    assert all(gap.text(sign=True) in said for gap in more)
    assert all(gap.high > 0 for gap in more), "a rule that costs less would take information's place"
    for arm, harmed, gained in (("CORAL", "2.2 ± 1.2", "+3.2 ± 4.0"), ("DANN", "12.1 ± 5.6", "12.4 ± 3.4"),
                                ("self-training", "16.5 ± 3.3", "12.0 ± 5.3")):
        gains = [paired_difference(study.by_seed(rows, arm, pair, lambda t: study.by_rule(t, study.INFORMATION)),
                                   study.by_seed(rows, arm, pair, lambda t: t[0]["before"])) for pair in study.PAIRS]
        assert gains[0].high < 0 and harmed in said and gains[0].text() == f"-{harmed}"
        assert gained in said and gained.removeprefix("+") == gains[1].text() and (gains[1].low > 0) == (arm != "CORAL")
    for arm, harmed in (("DANN", "4.3 ± 1.7"), ("self-training", "14.0 ± 3.8")):
        gap = paired_difference(study.by_seed(rows, arm, study.BY_HAND, lambda t: t[0]["before"]),
                                study.by_seed(rows, arm, study.BY_HAND, study.best))
        assert gap.low > 0 and gap.text() == harmed and harmed in said
