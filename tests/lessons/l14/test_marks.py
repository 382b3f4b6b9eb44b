"""What an explorer of lesson 14 computed is marked ≈, and what it read from rows is not."""

import torch
from marks import check_marked
from tiny import patterns

from mlcourse.domains import shift_domain
from mlcourse.lessons.l14_daml.explorers import paired_gain
from mlcourse.lessons.l14_daml.imitation import Snapshot
from mlcourse.lessons.l14_daml.widget_paired_gain import PairedGainExplorer
from mlcourse.lessons.l14_daml.widget_real_generated import RealGeneratedExplorer
from mlcourse.nets import Conv4
from mlcourse.nets.gan import Redrawing


def generated():
    source = patterns(0, 3, 30)
    weights = {name: p.detach() for name, p in Redrawing().named_parameters()}
    scores = torch.linspace(-1.25, 0.75, 9)
    snapshots = [Snapshot(step, weights, 1.25, 0.875, scores, -scores) for step in (0, 2)]
    return RealGeneratedExplorer(snapshots, Redrawing(), source, shift_domain(source, "inversion", 1.0),
                                 Conv4(3, 4, norm="none", side=16))


def test_real_and_generated():
    check_marked(generated, {0, 1, 2, 16})


def test_the_paired_gain_is_stored():
    explorer = paired_gain()
    assert isinstance(explorer, PairedGainExplorer) and "≈" not in explorer.alt
