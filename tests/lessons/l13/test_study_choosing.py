"""The study of the rule that chooses: its pairs, what it notes, what each rule names, and the page."""

from types import SimpleNamespace

import pytest
import torch

from mlcourse.domains import Domain
from mlcourse.episode.across import pixels
from mlcourse.lessons.l13_adaptation import study_choosing as study
from mlcourse.losses.alignment import information, mean_entropy
from mlcourse.studies.transfer.seed import Budget as Training
from mlcourse.studies.transfer.source import parted

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
