"""TENT where it is meant to be used, on a stream of test pictures, and where it fails."""

from __future__ import annotations

import torch

from mlcourse.domains import Domain
from mlcourse.episode.across import pixels
from mlcourse.evaluate import percent_right
from mlcourse.learners import TENT, AdaBN
from mlcourse.learners.tent import batches
from mlcourse.nets import call


def in_streams(base: AdaBN, test: Domain, seed: int) -> dict[str, float]:
    """The accuracy (%) of a source network on a target's test half when its pictures come in batches that are answered
    once, each under its own statistics: TENT's and, without its steps, AdaBN's; in batches of 100, of 10, and of 100
    sorted by class."""
    order = torch.randperm(len(test.images), generator=torch.Generator().manual_seed(seed))
    by_class = test.labels.argsort(stable=True)
    found = {}
    for name, rows, size in (("mixed", order, 100), ("small", order, 10), ("by class", by_class, 100)):
        stream = test.take(rows)
        tent, x = TENT(base.net, batch=size), pixels(stream.images)
        with torch.no_grad():
            still = torch.cat([call(base.net, base.theta(), part) for part in batches(x, size)])
        found[f"stream {name}"] = percent_right(tent.online(x), stream.labels)
        found[f"stream {name}, no steps"] = percent_right(still, stream.labels)
    return found
