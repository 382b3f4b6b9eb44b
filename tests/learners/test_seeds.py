"""The seed of a job reaches everything that a method draws when it is built."""

import pytest
import torch
from tiny import CLASSES

from mlcourse import checkpoint
from mlcourse.job import Job
from mlcourse.learners import ACROSS_DOMAINS, METHODS, MetaSGD, TwoEncoders, build, method
from mlcourse.nets import MLP, Conv4
from mlcourse.runs import run_training

ENTRIES = [pytest.param(entry, id=entry.name) for entry in METHODS + ACROSS_DOMAINS]


def built(entry, seed):
    """For pictures, or for sinusoids where it predicts numbers alone."""
    return build(entry, way=0 if entry.settings is None else 3, train_classes=CLASSES, seed=seed)


def drawn(learner):
    """The parameters that are not the same number throughout."""
    return {name: p.detach() for name, p in learner.named_parameters() if p.numel() > 1 and p.min() < p.max()}


@pytest.mark.parametrize("entry", ENTRIES)
def test_two_seeds_start_differently_and_one_seed_alike(entry):
    one, again, other = (built(entry, seed) for seed in (1, 1, 2))
    assert all(torch.equal(p, q) for p, q in zip(one.parameters(), again.parameters(), strict=True))
    theirs = drawn(other)
    for name, p in drawn(one).items():
        if (entry.name, name) != ("lstm", "bias"):      # two numbers that are given, not drawn
            assert not torch.equal(p, theirs[name]), name


@pytest.mark.parametrize("entry", ENTRIES[:len(METHODS)])
def test_a_rebuilt_learner_starts_with_its_own_draws(entry):
    learner = built(entry, 3)
    again = checkpoint.rebuild(checkpoint.describe(learner))
    assert all(torch.equal(p, q) for p, q in zip(learner.parameters(), again.parameters(), strict=True))


def test_rates_of_two_seeds_differ_and_lie_in_their_range_and_a_setting_wins():
    rates = [torch.cat([a.flatten() for a in build(method("meta-sgd"), way=0, seed=seed).alpha.values()]).detach()
             for seed in (0, 1)]
    assert not torch.equal(*rates) and all(0.005 <= float(r.min()) < float(r.max()) <= 0.02 for r in rates)
    fixed = build(method("meta-sgd"), way=0, seed=5, low=0.01, high=0.2).alpha
    mine = MetaSGD(MLP(seed=5), 0.01, 0.2, seed=5).alpha
    assert all(torch.equal(a, b) for a, b in zip(fixed.values(), mine.values(), strict=True))


def test_seed_zero_draws_what_a_learner_without_a_seed_draws():
    built, plain = build(method("meta-sgd"), way=5), MetaSGD(Conv4(5), **method("meta-sgd").settings)
    assert all(torch.equal(p, q) for p, q in zip(built.parameters(), plain.parameters(), strict=True))


def test_two_encoders_draw_their_maps_from_their_seed():
    one, other = (TwoEncoders(Conv4(0, norm="layer"), seed=seed) for seed in (0, 1))
    assert not torch.equal(one.head.weight, other.head.weight)
    assert not torch.equal(one.twin_head.weight, other.twin_head.weight)


def test_the_seed_of_a_job_reaches_the_rates(tmp_path):
    _, path = run_training(Job("meta-sgd", "sinusoids", steps=1, seed=4, episodes=2), tmp_path, progress=False)
    learner, card = checkpoint.load(path)
    assert card["settings"]["seed"] == learner.config["seed"] == 4
