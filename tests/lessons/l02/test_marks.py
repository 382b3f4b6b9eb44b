"""What the explorers of lesson 02 computed is marked ≈."""

from marks import check_marked
from tiny import patterns

from mlcourse.domains import deal
from mlcourse.lessons.l02_transfer import widget_head_start
from mlcourse.lessons.l02_transfer.explorers import FreezeLadder, HeadStart
from mlcourse.lessons.l02_transfer.sources import network
from mlcourse.lessons.l02_transfer.study_freeze import CHOOSING

KEPT = {1, 2, 3, 4, 31, 80}        # blocks, and accuracies of stored rows
ROWS = [{"source": "none", "arm": "fine-tuned", "k": k, "seed": seed, "accuracy": 30.0 + k}
        for k in (1, 50) for seed in (0, 1)]


def digits():
    return deal(patterns(0, 10, 120, 16), (0.5, 0.5))


def test_the_freeze_ladder():
    assert CHOOSING == 1000
    bodies = {"typeset": network(0, 3), "glyphs": network(0, 4)}
    check_marked(lambda: FreezeLadder(ROWS, bodies=bodies, halves=digits()), KEPT)


def test_the_head_start(monkeypatch):
    monkeypatch.setattr(widget_head_start, "STEPS", 4)
    check_marked(lambda: HeadStart(net=network(0, 1), halves=digits()), {4})
