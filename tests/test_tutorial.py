"""The code of docs/adding_a_method.md and docs/adding_a_dataset.md runs as it stands."""

import pytest
import torch
from guides import as_module, blocks, run_tests
from like_every_learner import check_like_every_learner
from like_every_source import check_source
from tiny import pictures, sinusoids

import mlcourse.learners
from mlcourse import checkpoint, datasets
from mlcourse.learners import METHODS, build, method
from mlcourse.nets import MLP, Conv4

NEAREST, ITS_TEST, PLAIN, TOGETHER, TEST = blocks("adding_a_method.md")


def stacked(plain, fragment):
    """The plain file with the fragment's line and its `adapt`."""
    line, adapt = fragment[1].split("\n\n", 1)
    before, rest = plain[1].split("    def adapt", 1)
    return before.replace("    def __init__", f"{line}\n\n    def __init__") + adapt + rest[rest.index("\n\nMETHOD"):]


@pytest.mark.parametrize("block, test", [(NEAREST, ITS_TEST), ((PLAIN[0], stacked(PLAIN, TOGETHER)), TEST)],
                         ids=["nearest mean", "BOIL"])
def test_a_method_of_the_guide_is_built_rebuilt_and_passes_its_own_test(block, test, monkeypatch):
    entry = as_module(monkeypatch, *block).METHOD
    monkeypatch.setattr(mlcourse.learners, "METHODS", (*METHODS, entry))
    learner = build(method(entry.name), way=5, seed=3)
    again = checkpoint.rebuild(checkpoint.describe(learner))
    assert all(torch.equal(p, q) for p, q in zip(learner.parameters(), again.parameters(), strict=True))
    assert len(run_tests(test[1])) == 2


def test_the_inner_loop_of_the_guide_is_like_every_learner_in_both_forms(monkeypatch):
    for code, engine, net, batch in ((PLAIN[1], "vmap", MLP((1, 8, 1)), sinusoids(3)),
                                     (stacked(PLAIN, TOGETHER), "stacked", Conv4(3, 4, norm="support", side=16),
                                      pictures(2))):
        learner = as_module(monkeypatch, PLAIN[0], code).BOIL(net).double()
        assert learner.engine == engine
        check_like_every_learner(learner, batch)


def test_the_data_set_of_the_guide_passes_its_own_test(monkeypatch):
    file, test = blocks("adding_a_dataset.md")
    source = as_module(monkeypatch, *file).SOURCE
    monkeypatch.setattr(datasets, "SOURCES", (*datasets.SOURCES, source))
    monkeypatch.setitem(datasets._BY_NAME, source.name, source)
    check_source(source)
    row = datasets.available()[-1]
    assert (row["name"], row["where"], row["present"]) == ("seven-segments", "computed", True)
    assert datasets.load("seven-segments@rotation=0.5").name in datasets.verify("seven-segments@rotation=0.5")
    assert len(run_tests(test[1])) == 3
