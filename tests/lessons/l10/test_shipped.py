"""The shipped set VAE belongs to the network as it is: it reaches what its card says."""

import json

import pytest
import torch

from mlcourse.learners import NeuralStatistician
from mlcourse.lessons.l10_data import shipped
from mlcourse.lessons.l10_data.study_making_arms import FromSet
from mlcourse.lessons.l10_data.study_making_judged import bound_of, quality
from mlcourse.nets.set_vae import SetVAE


def test_it_reaches_the_bound_and_the_samples_of_its_card():
    card = json.loads(shipped.path().with_suffix(".json").read_text(encoding="utf-8"))
    learner = NeuralStatistician(seed=shipped.SEED).eval()
    learner.vae.load_state_dict(shipped.vae().state_dict())
    found = bound_of(shipped.DATA, learner)
    assert found["bound"] == pytest.approx(card["test"]["bound"], abs=0.05)
    assert found["active"] == card["test"]["active"]
    made = quality(shipped.DATA, FromSet(shipped.vae()), 5, shipped.SEED, binary=True)
    for name in ("recognised", "recognised_sharp"):
        assert made[name] == pytest.approx(card["samples"][name], abs=0.5)
    assert card["test"]["active"] >= 4 and card["samples"]["recognised_sharp"] > 80


def test_it_is_small_and_single_precision_when_loaded():
    assert shipped.path().stat().st_size < 500_000
    assert isinstance(shipped.vae(), SetVAE) and not shipped.vae().training
    assert {p.dtype for p in shipped.vae().parameters()} == {torch.float32}
