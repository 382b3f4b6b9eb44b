"""What lesson 09 shows of the rows of its study."""

from __future__ import annotations

from collections.abc import Sequence

from mlcourse.memory import elimination_bound
from mlcourse.statistics import Estimate, paired_difference, t_interval

COPY, STREAM = "copy", "stream"
LENGTHS = ("5", "10", "20", "40")
NEIGHBOUR, LSTM, MANN, STRONG, KEY_VALUE = ("nearest neighbour", "LSTM", "MANN", "MANN with strength",
                                            "key–value memory")
UNGUESSED = f"{STRONG}, no first loss"
ARMS = (LSTM, MANN, STRONG, UNGUESSED, KEY_VALUE, NEIGHBOUR)
LEFT_OUT = (UNGUESSED, KEY_VALUE)       # their loss leaves first presentations out
PRESENTATIONS = (1, 2, 3, 5)
WAY = 5


def of(rows: Sequence[dict], part: str, arm: str) -> list[dict]:
    """The reported rows of an arm. Raises ValueError where there are none."""
    which = {"part": part, "arm": arm, "split": "test"}
    found = [row for row in rows if which.items() <= row.items()]
    if not found:
        raise ValueError(f"there is no row of {arm!r} in the part {part!r}; the arms are {'; '.join(ARMS)}")
    return found


def wrong(rows: Sequence[dict], arm: str, items: int) -> float:
    """The mean number of wrong bits in copies of so many items, over the seeds."""
    return t_interval([row["wrong"][str(items)] for row in of(rows, COPY, arm)]).mean


def copies(rows: Sequence[dict]) -> str:
    """A line for each arm: wrong bits by the number of items, over the seeds from the best to the worst, and seconds of
    training."""
    lines = [f"{'wrong bits of':16s}" + "".join(f"{each + ' items':>15s}" for each in LENGTHS) + f"{'seconds':>10s}",
             f"{'(five seeds)':16s}" + "".join(f"{f'({8 * int(each)} bits)':>15s}" for each in LENGTHS)]
    for arm in ("LSTM", "NTM"):
        found = of(rows, COPY, arm)
        spans = [span([row["wrong"][each] for row in found]) for each in LENGTHS]
        seconds = t_interval([row["train_seconds"] for row in found]).mean
        lines.append(f"{arm:16s}" + "".join(f"{each:>15s}" for each in spans) + f"{seconds:>10.0f}")
    return "\n".join(lines)


def span(values: Sequence[float]) -> str:
    """The least and the largest of several values."""
    return f"{whole(min(values))} to {whole(max(values))}"


def whole(value: float) -> str:
    """A count of bits that is a mean: with one digit after the point below 10."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def by_seed(rows: Sequence[dict], arm: str, presentation: int) -> dict[int, float]:
    """{seed: accuracy in per cent} of an arm at a presentation, from 1 on."""
    return {row["seed"]: 100 * row["accuracy"][presentation - 1] for row in of(rows, STREAM, arm)}


def named(arm: str) -> str:
    """An arm as its table writes it, with a star or not, with a hyphen for the dash or not."""
    return next((each for each in ARMS if spelled(each) == spelled(arm)), arm)


def spelled(arm: str) -> str:
    """A name without what is easily typed otherwise."""
    return " ".join(str(arm).replace("*", "").replace("–", "-").casefold().split())


def apart(rows: Sequence[dict], one: str, other: str, presentation: int) -> Estimate:
    """The accuracy of one arm less that of another at a presentation, in points, paired over seeds. Raises ValueError
    for a name or a presentation that the rows do not have."""
    one, other = named(one), named(other)
    most = len(of(rows, STREAM, one)[0]["accuracy"])
    if presentation not in range(1, most + 1):
        raise ValueError(f"a presentation is a whole number from 1 to {most}, got {presentation!r}")
    return paired_difference(by_seed(rows, one, presentation), by_seed(rows, other, presentation))


def best(rows: Sequence[dict], presentation: int) -> str:
    """The arm whose mean accuracy at a presentation is the highest."""
    return max(ARMS, key=lambda arm: t_interval(by_seed(rows, arm, presentation).values()).mean)


def presentations(rows: Sequence[dict]) -> str:
    """A line for each arm: accuracy in per cent at some presentations, mean over the seeds, and seconds of training;
    and what nobody can exceed at the first."""
    lines = [f"{'presentation':37s}" + "".join(f"{each:>12d}" for each in PRESENTATIONS) + f"{'seconds':>9s}"]
    for arm in ARMS:
        cells = [t_interval(by_seed(rows, arm, each).values()).text(1) for each in PRESENTATIONS]
        seconds = t_interval([row["train_seconds"] for row in of(rows, STREAM, arm)]).mean
        name = f"{arm} *" if arm in LEFT_OUT else arm
        lines.append(f"{name:37s}" + "".join(f"{each:>12s}" for each in cells) + f"{seconds:>9.0f}")
    bound = f"{100 * elimination_bound(WAY):.1f}"
    return "\n".join([*lines, f"{'best guess at first sight':37s}{bound:>12s}",
                      "* first presentations are left out of the loss"])
