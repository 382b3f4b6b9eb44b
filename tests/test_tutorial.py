"""The code of docs/adding_a_method.md runs as it stands."""

import re

from mlcourse.system import paths


def test_the_tutorials_code_runs():
    page = (paths.ROOT / "docs" / "adding_a_method.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 3
    names = {"__name__": "tutorial"}
    exec("\n".join(blocks), names)
    assert names["result"].episodes == 50 and names["METHOD"].kind is names["NearestMean"]
