"""The arms that `mlcourse study comparing` trains in each part, with the settings that validation classes chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlcourse.learners import NCA, R2D2, MatchingNet, ProtoNet, RelationNet, SupCon
from mlcourse.lessons.l08_compare.study_comparing_arms import PICTURES, Arm, UnitNCA

GLYPHS, WHY, OMNIGLOT = "glyphs", "why", "omniglot"
PARTS = (GLYPHS, WHY, OMNIGLOT)
PROTO, MATCHING, RELATION, RIDGE, PAIRS, CONTRAST = "ProtoNet", "MatchingNet", "RelationNet", "R2D2", "NCA", "SupCon"
UNIT, WARM, HEADED, FEWER, FEWEST, ANY = (
    "NCA, unit length", "NCA, unit length, warm", "SupCon, no views", "NCA, 32 × 4", "NCA, 16 × 8", "NCA, any pictures")

RATE = 8e-3         # of all on 64 classes × 2, so that they differ in one thing at a time


def at_rates(arm: Arm) -> tuple[Arm, ...]:
    """The arm, and the same at other rates."""
    return (arm, *(replace(arm, lr=rate) for rate in (4e-3, 8e-3, 1.6e-2) if rate != arm.lr))


PROTO_ARM = Arm(ProtoNet, 64, 1, RATE)
PAIRS_ARM = Arm(NCA, 64, 1, RATE)
CONTRAST_ARM = Arm(SupCon, 64, 1, RATE, {"views": 0.5})
RIDGE_ARM = Arm(R2D2, 32, 3, 1.6e-2, {"penalty": 100.0})
RELATION_ARM = Arm(RelationNet, 8, 15, 2e-3, pool="early", width=32)
RELATION_LONG = Arm(RelationNet, 5, 5, 4e-3, pool="early", steps=3900)

# by part and arm, the candidates; the first was chosen, on validation classes with a training seed that is not reported
CANDIDATES: Mapping[tuple[str, str], tuple[Arm, ...]] = {
    (GLYPHS, PROTO): at_rates(PROTO_ARM),
    (GLYPHS, MATCHING): at_rates(Arm(MatchingNet, 64, 1, RATE)),
    (GLYPHS, RELATION): (RELATION_ARM, *(replace(RELATION_ARM, lr=rate) for rate in (1e-3, 4e-3))),
    (GLYPHS, RIDGE): (*at_rates(RIDGE_ARM), replace(RIDGE_ARM, way=16, query=7, lr=4e-3)),
    (GLYPHS, PAIRS): at_rates(PAIRS_ARM),
    (GLYPHS, CONTRAST): (*at_rates(CONTRAST_ARM), *(replace(CONTRAST_ARM, settings={"views": 0.5, "tau": tau})
                                                    for tau in (0.05, 0.025))),
    (WHY, UNIT): tuple(Arm(UnitNCA, 64, 1, RATE, {"tau": tau}) for tau in (0.1, 0.05, 0.2, 0.5)),
    (WHY, WARM): (Arm(UnitNCA, 64, 1, RATE, {"tau": 0.2}),),
    (WHY, HEADED): (replace(CONTRAST_ARM, settings={"views": 0.0}),),
    (WHY, FEWER): (replace(PAIRS_ARM, way=32, query=3),),
    (WHY, FEWEST): (replace(PAIRS_ARM, way=16, query=7),),
    (WHY, ANY): (replace(PAIRS_ARM, way=0, query=0),),
    (OMNIGLOT, PROTO): (Arm(ProtoNet, 60, 5, 4e-3, pool="max", steps=560),),
    (OMNIGLOT, MATCHING): (Arm(MatchingNet, 60, 5, 8e-3, pool="max", steps=560),),
    (OMNIGLOT, RELATION): (RELATION_LONG, *(replace(RELATION_LONG, lr=rate) for rate in (1e-3, 2e-3, 8e-3))),
    (OMNIGLOT, RIDGE): (Arm(R2D2, 30, 5, 5e-3, {"penalty": 100.0}, pool="max", steps=900),),
}


def chosen(part: str, arm: str) -> Arm:
    """The arm with the settings that it is reported with."""
    return CANDIDATES[part, arm][0]


def name_of(arm: Arm) -> str:
    """What of an arm may be chosen, in a few words."""
    batch = f"{arm.way} × {1 + arm.query}" if arm.way else f"{PICTURES} pictures"
    more = [f"{name} {value:g}" for name, value in arm.settings.items()]
    return ", ".join([batch, f"rate {arm.lr:g}", *more])
