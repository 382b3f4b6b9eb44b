"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse import rows, small
from mlcourse.datasets import load
from mlcourse.episode.across import halves
from mlcourse.learners import Translator
from mlcourse.lessons.l14_daml.imitation import imitate
from mlcourse.lessons.l14_daml.widget_paired_gain import PairedGainExplorer
from mlcourse.lessons.l14_daml.widget_real_generated import RealGeneratedExplorer
from mlcourse.supervised import classifier


def real_generated() -> RealGeneratedExplorer:
    """Generated pictures after a few steps of their generator."""
    source = small.shrunk(load("glyphs-digits@unframed"))
    train, dev = halves(small.shrunk(load("digits@unframed")))
    judge, translator = classifier(train, 50), Translator(classifier(source, 50))
    snapshots = imitate(translator, source, train, dev, judge, steps=20, every=10)
    return RealGeneratedExplorer(snapshots, translator.averaged, source, dev, judge)


def paired_gain() -> PairedGainExplorer:
    """The differences of the study."""
    found = rows.read("daml")
    return PairedGainExplorer({target: [row for row in found if row["target"] == target]
                               for target in sorted({row["target"] for row in found})})
