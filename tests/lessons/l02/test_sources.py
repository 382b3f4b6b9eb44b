"""Lesson 02's sources and its stored networks."""

import pytest
import torch
from tiny import patterns

from mlcourse import checkpoint
from mlcourse.datasets import load_splits
from mlcourse.lessons.l02_transfer import sources
from mlcourse.lessons.l02_transfer.sources import NONE, SOURCES, at_depths, network, path_of, stored


def test_inverted_and_permuted_are_the_glyphs_and_nothing_else():
    plain, inverted, permuted = (SOURCES[name]() for name in ("glyphs", "inverted", "permuted"))
    assert torch.equal(inverted.images, 255 - plain.images)
    order = torch.randperm(256, generator=torch.Generator().manual_seed(sources.PERMUTATION))
    for at in (0, 1000):
        assert torch.equal(permuted.images[at].flatten(), plain.images[at].flatten()[order])
    assert torch.equal(plain.labels, permuted.labels) and torch.equal(plain.digests, inverted.digests)


def test_no_source_of_characters_holds_a_digit_of_the_target():
    test, source = load_splits("glyphs").test, SOURCES["glyphs"]()
    assert "Digits" in test.groups and "Digits" not in source.groups
    assert not set(test.classes) & set(source.classes)


def test_the_body_of_a_seed_is_the_same_whatever_head_stands_on_it():
    one, other = network(10, 3).state_dict(), network(329, 3).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in network(0, 3).state_dict())


@pytest.mark.parametrize("source", [*SOURCES, NONE])
def test_a_stored_body_makes_features_at_five_depths(source):
    sizes = [z.shape[1] for z in at_depths(stored(source), torch.rand(2, 1, 16, 16))]
    assert sizes == [256, 2048, 512, 128, 32]


@pytest.mark.parametrize("source", SOURCES)
def test_a_card_names_its_command_and_what_was_reached(source):
    card = checkpoint.card_of(path_of(source))
    assert (card["command"], card["source"], card["training"]["steps"]) == (sources.COMMAND, source, sources.STEPS)
    assert card["held_out_accuracy"] > 0.4


def test_the_command_stores_what_it_trained(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sources, "FOLDER", tmp_path)
    monkeypatch.setattr(sources, "SOURCES", {"patterns": lambda: patterns(0, 4, 12, 16)})
    monkeypatch.setattr(sources.pretrained, "__defaults__", (2,))
    sources.store()
    wanted = sources.bodied(sources.pretrained("patterns", 0)).state_dict()
    got = stored("patterns").state_dict()
    assert all(torch.equal(wanted[name], got[name]) for name in wanted) and "patterns" in capsys.readouterr().out
