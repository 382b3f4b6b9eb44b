"""The page of the transfer study says what the kept rows say."""

import pytest

from mlcourse.rows import read
from mlcourse.studies.transfer import advice
from mlcourse.studies.transfer.arms import ARMS
from mlcourse.system import paths

PAIRS = {"glyphs-digits": "from typeset digits, 21 faces", "mnist": "from MNIST, test images"}


@pytest.mark.parametrize("source", PAIRS)
def test_every_arm_of_a_pair_stands_in_its_table(source):
    rows = [row for row in read("transfer") if (row["source"], row["target"]) == (source, "digits")]
    cells, distances = advice.table(rows), advice.pads(rows)
    measured = [arm.name for arm in ARMS if len({row["seed"] for row in rows if row["arm"] == arm.name}) == 5]
    page = (paths.RESULTS.parent / "transfer.md").read_text(encoding="utf-8").split("## The first version")[0]
    table = page[page.index(f"| {PAIRS[source]} |"):].split("\n\n")[0].splitlines()
    assert [line.split(" | ")[0].removeprefix("| ") for line in table[2:]] == measured
    for name, line in zip(measured, table[2:], strict=True):
        shown = [cells[name][k].text(1) if k in cells[name] else "–" for k in (0, 1, 5, 10)]
        assert line.split(" | ")[1:5] == shown
        assert name not in distances or line.endswith(f" | {distances[name]:.2f} |")
