"""The explorers of the lesson, each with something to show: for the benchmark and the browser tests."""

from __future__ import annotations

from mlcourse import rows
from mlcourse.datasets import Form, load
from mlcourse.episode.across import halves
from mlcourse.learners import Translator
from mlcourse.lessons.l14_daml.imitation import imitate
from mlcourse.lessons.l14_daml.widget_paired_gain import PairedGainExplorer
from mlcourse.lessons.l14_daml.widget_real_generated import RealGeneratedExplorer
from mlcourse.supervised import SIDE, classifier


def real_generated() -> RealGeneratedExplorer:
    """Generated pictures after a few steps of their generator."""
    source = load("glyphs-digits", form=Form(SIDE))
    train, dev = halves(load("digits", form=Form(SIDE)))
    judge, translator = classifier(train, 50), Translator(classifier(source, 50))
    snapshots = imitate(translator, source, train, dev, judge, steps=20, every=10)
    return RealGeneratedExplorer(snapshots, translator.averaged, source, dev, judge)


def paired_gain() -> PairedGainExplorer:
    """The differences of the study."""
    found = [row for row in rows.read("daml") if row["target"] == "digits"]
    return PairedGainExplorer({"typeset → handwriting": found})
