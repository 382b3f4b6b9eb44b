"""docs/your_own_network.md, run from start to end."""

from guides import blocks


def test_the_code_of_the_page_runs():
    names = {"__name__": "guide"}
    for _, code in blocks("your_own_network.md"):
        exec(compile(code, "your_own_network.md", "exec"), names)
    assert names["card"]["about"] == "my backbone"
