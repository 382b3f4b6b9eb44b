"""The study of the network: what stands side by side, what it is judged on, and the page that reads the rows."""

from types import SimpleNamespace

import pytest
import torch

from mlcourse.episode.across import pixels
from mlcourse.lessons.l13_adaptation import study_network as study
from mlcourse.lessons.l13_adaptation.study_choosing import BY_HAND, TO_PRINT, domains
from mlcourse.nets import LeNet
from mlcourse.rows import read
from mlcourse.studies.transfer.setting import setting
from mlcourse.studies.transfer.source import trained
from mlcourse.system import paths

TINY = study.Budget(source=5, width=10, pictures=40)
STUDY = study.STUDY


def test_every_row_is_measured_once_and_its_number_is_that_of_its_network():
    work = SimpleNamespace(seeds=[1])
    found = list(STUDY.measure(work, [], TINY))
    assert sorted(map(STUDY.key_of, found)) == sorted(STUDY.plan(work, TINY)) and all(map(study.line, found))
    assert not list(STUDY.measure(work, found, TINY))
    source, target = domains(TO_PRINT, 40)
    own = setting([source], target, (0,)).of_seed(1)
    net = trained(LeNet(10, 10, "layer", 16, seed=1), own.source, 5, 1)
    with torch.no_grad():
        right = 100 * float((net(pixels(own.test.images)).argmax(1) == own.test.labels).double().mean())
    assert study.of(found, study.IN_USE, (TO_PRINT,))[1] == pytest.approx(right, abs=0.4)


def test_no_picture_of_the_source_is_redrawn_in_the_target_at_either_side():
    for side in (16, 28):
        source, target = domains(BY_HAND, 40, side)
        own = setting([source], target, (0,)).of_seed(0)
        assert own.source.images.shape[-1] == own.test.images.shape[-1] == side
        assert not set(own.source.digests.tolist()) & set(own.target.digests.tolist())


def test_a_mean_over_pairs_and_a_difference_are_paired_over_seeds():
    values = {(study.IN_USE, BY_HAND): (50.0, 52.0), (study.IN_USE, TO_PRINT): (60.0, 62.0),
              ("plain LeNet, 28×28", BY_HAND): (51.0, 53.0), ("plain LeNet, 28×28", TO_PRINT): (63.0, 65.0)}
    rows = [{"pair": pair, "network": network, "seed": seed, "accuracy": accuracy}
            for (network, pair), each in values.items() for seed, accuracy in enumerate(each)]
    assert study.of(rows, study.IN_USE) == {0: 55.0, 1: 57.0}
    assert study.ahead(rows, "plain LeNet, 28×28").mean == 2.0


def test_the_page_says_what_the_rows_say_and_the_network_in_use_stays():
    rows = read("network")
    seeds = sorted({row["seed"] for row in rows})
    assert sorted(map(STUDY.key_of, rows)) == sorted(STUDY.plan(SimpleNamespace(seeds=seeds), STUDY.budget))
    page = (paths.RESULTS.parent / "network.md").read_text(encoding="utf-8")
    assert study.table(rows) in page
    for network in list(study.NETWORKS)[1:]:
        gap = study.ahead(rows, network)
        assert gap.high < 0 and gap.text().removeprefix("-") in page
