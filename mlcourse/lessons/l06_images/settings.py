"""What `mlcourse study protocol` computes: its parts, how much of each, and the settings that validation chose."""

from __future__ import annotations

from dataclasses import dataclass

from mlcourse.lessons.l06_images.arms import COSINES, FINE, LEARNED, PIXELS, PROTOTYPES, REGRESSION, SECOND, WIDE
from mlcourse.nets import NORMS

COMPANIONS, LEAKS, LABELS, RIVALS, SELECTION, WAYS, TURNED = (
    "norms", "splits", "labels", "rivals", "selection", "ways", "turns")
PARTS = (COMPANIONS, LEAKS, LABELS, RIVALS, SELECTION, WAYS, TURNED)
CHOOSING, VALIDATION, TEST, FRESH = 100, 1, 2, 3        # a training seed; seeds of three sets of episodes
SHARES = (0.0, 0.1, 1.0)                                # of the episodes whose labels are shuffled
KNOWN = 50                                              # training classes of the part "labels"
CHECKPOINTS, JUDGED_ON = 20, (20, 100)                  # of one run; episodes that a checkpoint is chosen on

# Of each arm: the constructor's settings, and "outer", the rate of the outer loop.
INNER = tuple({"lr": lr, "steps": 1, "outer": outer}
              for lr, outer in ((0.4, 4e-3), (1.0, 4e-3), (1.0, 1e-2)))
RATES = tuple({"outer": outer} for outer in (4e-3, 1e-2, 2e-2))
CANDIDATES: dict[str, dict[tuple[str, str], tuple[dict, ...]]] = {
    COMPANIONS: {**{(arm, norm): INNER if arm == SECOND else RATES for arm in LEARNED for norm in NORMS},
                 (SECOND, "none"): INNER[:1], (PROTOTYPES, "none"): RATES[1:2]},
    RIVALS: {(WIDE, "layer"): RATES,
             **{(arm, "running"): tuple({name: value, "outer": 1e-2} for value in values)
                for arm, name, values in ((REGRESSION, "C", (1.0, 10.0, 100.0)), (FINE, "lr", (0.03, 0.1, 0.3)),
                                          (COSINES, "lr", (0.03, 0.1, 0.3)))}}}
AT_TEST = (1, 5)                                        # inner steps of MAML
# What validation chose: setting, and inner steps at test; of a rival also the norm.
CHOSEN: dict[tuple[str, str], tuple[dict, int]] = {
    (SECOND, "batch"): (INNER[2], 5), (SECOND, "support"): (INNER[2], 5), (SECOND, "running"): (INNER[1], 1),
    (SECOND, "layer"): (INNER[2], 1), (SECOND, "none"): (INNER[0], 5),
    **{(PROTOTYPES, norm): (RATES[1 if norm == "none" else 2], 0) for norm in NORMS}}
BEST: dict[str, tuple[str, dict, int]] = {
    SECOND: ("support", INNER[2], 5), PROTOTYPES: ("running", RATES[2], 0), WIDE: ("layer", RATES[2], 0),
    REGRESSION: ("running", {"C": 10.0, "outer": 1e-2}, 0), COSINES: ("running", {"lr": 0.1, "outer": 1e-2}, 0),
    FINE: ("running", {"lr": 0.1, "outer": 1e-2}, 0),
    PIXELS: ("none", {}, 0)}
LABELS_NORM = "layer"
SIMULATED, SKILL, SPREAD = "simulated", 0.8, 0.1        # equal skill, and σ of a score on one episode
SIMULATED_ON = (20, 100, 600, 1000)                     # episodes
TIMED = ((SECOND, 1), (SECOND, 5), (PROTOTYPES, 0))     # arm and inner steps


@dataclass(frozen=True)
class Budget:
    """steps: of MAML and ProtoNet, of 80 pictures each; pretraining: of a classifier, likewise. width: of the network,
    in filters; episodes: fixed ones to judge on; checkpoint_episodes: those of the last word on a checkpoint; draws:
    simulated selections; rounds: in which steps are timed."""

    steps: int = 300
    pretraining: int = 900
    width: int = 16
    episodes: int = 150
    checkpoint_episodes: int = 200
    draws: int = 400
    rounds: int = 7


def name_of(setting: dict) -> str:
    """A setting in words: "lr 1, steps 1"."""
    return ", ".join(f"{name} {value:g}" for name, value in setting.items())
