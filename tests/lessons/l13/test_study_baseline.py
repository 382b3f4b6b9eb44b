"""The study of the baseline: its networks, what they are judged on, and the page that reads the rows."""

from types import SimpleNamespace

import torch

from mlcourse import datasets
from mlcourse.datasets import Form
from mlcourse.episode.across import halves, pixels
from mlcourse.lessons.l13_adaptation import study_baseline as study
from mlcourse.nets import LeNet
from mlcourse.rows import by_seed, read
from mlcourse.studies.transfer.source import trained
from mlcourse.system import paths

TINY = study.Budget(source=5, width=2, pictures=30)
STUDY = study.STUDY


def test_the_plain_network_is_lenet_without_norm_or_padding():
    net = study.plain(10, 0)
    assert [tuple(p.shape) for p in net.parameters()] == [(20, 1, 5, 5), (20,), (50, 20, 5, 5), (50,), (500, 800),
                                                          (500,), (10, 500), (10,)]
    assert not any(isinstance(m, (torch.nn.BatchNorm2d, torch.nn.LayerNorm)) for m in net.modules())
    state = torch.get_rng_state()
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), study.plain(10, 0).parameters(), strict=True))
    assert torch.equal(state, torch.get_rng_state())


def test_every_row_is_measured_once_and_the_baseline_is_that_of_study_transfer():
    work = SimpleNamespace(seeds=[1])
    found = list(STUDY.measure(work, [], TINY))
    assert sorted(map(STUDY.key_of, found)) == sorted(STUDY.plan(work, TINY)) and all(map(study.line, found))
    assert not list(STUDY.measure(work, found, TINY))
    source, target = (datasets.load(name, None, Form(16)).first(30) for name in ("mnist", "digits"))
    net, (_, test) = trained(LeNet(10, 2, "layer", 16, seed=1), source, 5, 1), halves(target, seed=1)
    with torch.no_grad():
        right = 100 * float((net(pixels(test.images)).argmax(1) == test.labels).double().mean())
    assert abs(study.of(found, ("mnist", "digits"), study.OURS)[1] - right) < 0.4


def test_the_rows_of_the_baseline_are_those_of_the_transfer_study():
    """Up to what another processor rounds otherwise in 1,500 steps of Adam."""
    rows, theirs = read("baseline"), read("transfer")
    for source in ("glyphs-digits", "mnist"):
        mine = [row for row in theirs if (row["source"], row["target"]) == (source, "digits")]
        kept = by_seed(mine, "no adaptation", 0)
        ours = study.of(rows, (source, "digits"), study.OURS)
        assert all(abs(ours[seed] - kept[seed]) < 6 for seed in kept)


def test_the_page_says_what_the_rows_say():
    rows = read("baseline")
    seeds = sorted({row["seed"] for row in rows})
    assert sorted(map(STUDY.key_of, rows)) == sorted(STUDY.plan(SimpleNamespace(seeds=seeds), STUDY.budget))
    assert study.table(rows) in (paths.RESULTS.parent / "baseline.md").read_text(encoding="utf-8")
