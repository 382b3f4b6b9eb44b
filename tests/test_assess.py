"""Evaluating with an edited card: one sentence says what does not fit."""

import json
import shutil

import pytest

from mlcourse import checkpoint
from mlcourse.assess import run_evaluation
from mlcourse.job import Job
from mlcourse.runs import run_training


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A checkpoint that a training wrote."""
    return run_training(Job("maml", "sinusoids", steps=1, episodes=4), tmp_path_factory.mktemp("run"), progress=False)[1]


def evaluated(trained, folder, edit):
    for path in (trained, trained.with_suffix(".json")):
        shutil.copy(path, folder)
    path = folder / trained.name
    card = json.loads(path.with_suffix(".json").read_text())
    edit(card)
    path.with_suffix(".json").write_text(json.dumps(card))
    return run_evaluation(path, "sinusoids", episodes=4)


EDITS = {
    "no result": (lambda card: card.pop("result"), "has no 'result'; restore the card, or train again"),
    "null": (lambda card: card.update(result=None), "holds no 'result' as a training writes it"),
    "no training way": (lambda card: card["result"].pop("train_way"), "holds no 'result' as a training writes it"),
    "a list of data": (lambda card: card.update(data=[1]), "holds no 'data' as a training writes it"),
    "data in words": (lambda card: card.update(data="x"), "holds no 'data' as a training writes it"),
    "a number of data": (lambda card: card.update(data={"train": 5}), "holds no 'data' as a training writes it"),
    "classes in words": (lambda card: card.update(train_classes="9"), "holds no 'train_classes' as a training writes"),
    "shot": (lambda card: card["job"].update(shot="1"), r"does not say how it was trained \(its shot is '1'\)"),
    "side": (lambda card: card["job"].update(side="28"), r"how it was trained \(its side is '28'\); evaluate"),
    "true": (lambda card: card["job"].update(query=True), r"how it was trained \(its query is True\)"),
    "domain": (lambda card: card["job"].update(domain=3), r"how it was trained \(its domain is 3\)"),
    "job": (lambda card: card.update(job=[3]), "does not say how it was trained"),
    "method": (lambda card: card["job"].update(method="reptile"), "is of a maml, but says that reptile was trained"),
    "network": (lambda card: card.update(net="MLP"), r"does not describe a learner \(its net is 'MLP'\)"),
    "version": (lambda card: card.update(version="1"), "has version '1', this program reads version 1; update"),
}


@pytest.mark.parametrize("case", EDITS)
def test_an_edited_card_is_told_in_one_sentence(trained, tmp_path, case):
    edit, match = EDITS[case]
    with pytest.raises(ValueError, match=match) as error:
        evaluated(trained, tmp_path, edit)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("edit", [lambda card: None, lambda card: card.pop("data"), lambda card: card["job"].pop("side"),
                                  lambda card: card["job"].update(inner_rate=None, outer_rate=1)])
def test_a_card_that_leaves_out_what_is_known_otherwise_is_read(trained, tmp_path, edit):
    assert evaluated(trained, tmp_path, edit).episodes == 4


def test_a_card_of_endless_brackets_is_damaged(trained, tmp_path):
    evaluated(trained, tmp_path, lambda card: None)
    (tmp_path / "model.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="model.json is damaged"):
        checkpoint.load(tmp_path / "model.safetensors")
