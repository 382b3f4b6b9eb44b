"""What lesson 06 prints and draws of its study."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.lessons.l06_images.arms import PIXELS
from mlcourse.lessons.l06_images.leaks import BY_CLASS, BY_PICTURE, BY_SCRIPT, TURNED
from mlcourse.lessons.l06_images.results import by_seed, leak, mean, rival
from mlcourse.lessons.l06_images.settings import BEST
from mlcourse.nets import NORMS
from mlcourse.statistics import Estimate, paired_difference

METHODS = ("MAML", "ProtoNet")
COMPANIES = {"all": "batch, all 75", "alone": "batch, alone"}
SPLITS = {BY_SCRIPT: "other scripts", BY_CLASS: "same scripts", TURNED: "turned classes", BY_PICTURE: "same classes"}
SHARES = {"0 shuffled": "fixed", "1 shuffled": "dealt anew"}
RIVALS = ("pixels", "MAML", "ProtoNet", "RFS", "Baseline++")


def norms_table(rows: Sequence[dict]) -> str:
    """Both methods with every norm, and less batch norm in company: with batch norm in company and alone, with the
    others in any, since no query takes notice of another."""
    lines = [f"{'% right':15s}" + "".join(f"{arm:>14s}{'less all 75':>14s}" for arm in METHODS)]
    shown = [("batch", *each) for each in COMPANIES.items()]
    shown += [(norm, "all", norm) for norm in NORMS if norm != "batch"]
    for norm, company, name in shown:
        found = [each for arm in METHODS for each in (mean(rows, "norms", arm, company, norm=norm).text(),
                                                      less_company(rows, arm, norm, company))]
        lines.append(f"{name:15s}" + "".join(f"{each:>14s}" for each in found))
    return "\n".join(lines)


def less_company(rows: Sequence[dict], arm: str, norm: str, company: str) -> str:
    """A method with a norm in a company less that with batch norm in the company of all, paired over seeds, in points;
    nothing for that one itself."""
    if (norm, company) == ("batch", "all"):
        return ""
    own, whole = by_seed(rows, "norms", arm, company, norm=norm), by_seed(rows, "norms", arm, "all", norm="batch")
    return paired_difference(own, whole).text(sign=True)


def splits_table(rows: Sequence[dict]) -> str:
    """What the score of each split is, and by how much it is above the honest one."""
    lines = [f"{'trained on':16s}{'% right':>12s}{'less other scripts':>22s}"]
    for split, name in SPLITS.items():
        more = "" if split == BY_SCRIPT else leak(rows, split).text(sign=True)
        lines.append(f"{name:16s}{mean(rows, 'splits', 'ProtoNet', 'accuracy', setting=split).text():>12s}{more:>22s}")
    return "\n".join(lines)


def labels_table(rows: Sequence[dict]) -> str:
    """MAML trained on episodes whose labels are fixed, and on those whose labels are dealt anew; last, known classes
    with labels dealt anew less new scripts."""
    lines = [f"{'labels':11s}{'known classes':>15s}{'no step':>14s}{'dealt anew':>14s}{'new scripts':>14s}"
             f"{'anew less new':>16s}"]
    for setting, name in SHARES.items():
        found = [mean(rows, "labels", "MAML", each, setting=setting).text()
                 for each in ("known", "no_step", "reshuffled", "new")] + [memory(rows, setting).text(sign=True)]
        lines.append(f"{name:11s}" + "".join(f"{each:>{width}s}" for each, width in zip(found, (15, 14, 14, 14, 16))))
    return "\n".join(lines)


def memory(rows: Sequence[dict], setting: str) -> Estimate:
    """MAML on known classes, labels dealt anew, less on new scripts, in points, paired over seeds."""
    return paired_difference(*(by_seed(rows, "labels", "MAML", each, setting=setting)
                               for each in ("reshuffled", "new")))


def fixed(rows: Sequence[dict], setting: str = "0 shuffled") -> Estimate:
    """MAML on new scripts, trained with labels that are shuffled so often, less trained with labels shuffled always, in
    points, paired over seeds."""
    return paired_difference(*(by_seed(rows, "labels", "MAML", "new", setting=each)
                               for each in (setting, "1 shuffled")))


def rivals_table(rows: Sequence[dict]) -> str:
    """Every arm with its norm on new scripts, less MAML, and less ProtoNet."""
    lines = [f"{'% right':20s}{'new scripts':>14s}{'less MAML':>14s}{'less ProtoNet':>16s}"]
    for arm in RIVALS:
        gaps = ["" if arm == other else rival(rows, arm, other).text(sign=True) for other in METHODS]
        found, name = mean(rows, "rivals", arm, "accuracy"), arm if arm == PIXELS else f"{arm} ({BEST[arm][0]})"
        lines.append(f"{name:20s}{found.text():>14s}{gaps[0]:>14s}{gaps[1]:>16s}")
    return "\n".join(lines)
