"""What lesson 13 trains live: by the rule of `mlcourse study transfer`, half its filters, 200 steps for 1,500."""

from __future__ import annotations

from mlcourse.datasets import Form, load
from mlcourse.domains import Domain
from mlcourse.episode.across import halves, pooled
from mlcourse.lessons.l13_adaptation.study_label_shift import faint, one_domain
from mlcourse.nets import LeNet
from mlcourse.small import SIDE
from mlcourse.studies.transfer.setting import Setting
from mlcourse.studies.transfer.source import parted, trained

WIDTH, STEPS = 10, 200


def typeset_and_handwritten() -> tuple[Domain, Domain, Domain]:
    """The source, and the training and test half of the target, 16×16, all digits in one frame."""
    source, target = (load(name, form=Form(SIDE)) for name in ("glyphs-digits", "digits"))
    return source, *halves(target)


def faint_print(source: Domain) -> Setting:
    """The one domain of study label-shift, made of typeset digits."""
    return one_domain(source, 0)


def held_back(source: Domain, draws: int = 10) -> Domain:
    """What `network` holds back of faint print's source, each digit under `draws` other draws of the noise."""
    held, _ = parted(halves(source, seed=0)[0], 0)
    return pooled([faint(held, noise) for noise in range(1, draws + 1)])


def network(source: Domain, norm: str) -> LeNet:
    """A LeNet after at most STEPS steps on the source's labels; norm: "layer" or "batch"."""
    return trained(LeNet(len(source.classes), WIDTH, norm, SIDE), source, STEPS, seed=0)
