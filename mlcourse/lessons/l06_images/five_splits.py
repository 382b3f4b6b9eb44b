"""Five splits of the glyphs for exercise 06.2: what training and test have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.datasets import load
from mlcourse.domains import Domain
from mlcourse.plots.static import Picture, strips

HALF = 10           # of the 20 drawings of a character
PAIRS = 5           # the most alike, that are shown
GREEK = {"A": "ALPHA", "E": "EPSILON", "H": "ETA", "I": "IOTA", "K": "KAPPA", "M": "MU", "N": "NU", "P": "RHO",
         "T": "TAU",
         "X": "CHI"}        # capitals that are one shape in Latin and Greek, of which the data set keeps the Latin one


class Split(NamedTuple):
    """Characters to train on and to be judged on."""

    train: Domain
    test: Domain


@cache
def glyphs() -> Domain:
    """All of them, 20 drawings each, in order."""
    return load("glyphs")


def of(*scripts: str) -> list[int]:
    """The classes of some scripts."""
    return [i for i, group in enumerate(glyphs().groups) if group in scripts]


def drawings(domain: Domain, first: bool) -> Domain:
    """The first or the last ten drawings of each character."""
    number = torch.cat([torch.arange(int((domain.labels == c).sum())) for c in range(len(domain.classes))])
    return domain.take(torch.nonzero((number < HALF) == first)[:, 0])


def by_script() -> Split:
    """Other scripts."""
    return Split(glyphs().subset(of("Ogham", "Tifinagh")), glyphs().subset(of("Hebrew")))


def by_drawing() -> Split:
    """The same characters, other drawings, and names with the half in them."""
    both = glyphs().subset(of("Hebrew", "Arabic"))
    half = lambda first, word: renamed(drawings(both, first), lambda name: f"{name} {word}")
    return Split(half(True, "(first hands)"), half(False, "(last hands)"))


def look_alikes() -> Split:
    """Latin, and the Greek capitals that have the shape of Latin ones, by other hands."""
    latin = drawings(glyphs().subset(of("Latin")), True)
    twins = [f"Latin/LATIN CAPITAL LETTER {letter}" for letter in GREEK]
    copies = drawings(glyphs().subset([glyphs().classes.index(name) for name in twins]), False)
    greek = renamed(copies, lambda name: f"Greek/GREEK CAPITAL LETTER {GREEK[name.split()[-1]]}")
    return Split(latin, replace(greek, groups=("Greek",) * len(greek.classes)))


def by_character() -> Split:
    """Every other character of each script."""
    classes = of("Georgian Asomtavruli", "Mathematical Script")
    return Split(glyphs().subset(classes[::2]), glyphs().subset(classes[1::2]))


def turned() -> Split:
    """Characters, and the same turned by a quarter, by other hands, as new classes."""
    both = glyphs().subset(of("Lao", "Tifinagh"))
    last = drawings(both, False)
    test = renamed(replace(last, images=last.images.rot90(1, (2, 3)), originals=None), lambda name: f"{name} 90°")
    return Split(drawings(both, True), test)


def renamed(domain: Domain, name: Callable[[str], str]) -> Domain:
    """The domain with other class names."""
    return replace(domain, classes=tuple(map(name, domain.classes)))


SPLITS = {"a": look_alikes, "b": by_script, "c": by_character, "d": turned, "e": by_drawing}


def look(key: str) -> Picture:
    """The five most alike pairs of a test character and a training character of a split, whichever way they are
    turned."""
    train, test = SPLITS[key]()
    far = distances(train, test)
    nearest, whom = far.min(1)
    chosen = nearest.argsort()[:PAIRS].tolist()
    first = lambda domain, c: domain.images[int(torch.nonzero(domain.labels == c)[0, 0])].float() / 255
    rows = {"test": torch.stack([first(test, c) for c in chosen]),
            "training": torch.stack([first(train, int(whom[c])) for c in chosen])}
    scripts = lambda domain: ", ".join(sorted(set(domain.groups)))
    title = f"{key}: train on {scripts(train)}; test on {scripts(test)}; the most alike pairs"
    return strips(rows, title)


def distances(train: Domain, test: Domain) -> Tensor:
    """From each test class's mean drawing to each training class's, whichever way that is turned: (C', C)."""
    ours, theirs = blurred(test), blurred(train)
    turns = [torch.cdist(ours.flatten(1), theirs.rot90(k, (2, 3)).flatten(1)) for k in range(4)]
    return torch.stack(turns).amin(0)


def blurred(domain: Domain) -> Tensor:
    """The mean drawing of each class, (C, 1, 28, 28)."""
    return torch.stack([domain.images[domain.labels == c].float().mean(0) / 255 for c in range(len(domain.classes))])
