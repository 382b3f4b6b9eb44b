"""The learned optimiser that the course ships, and the command that makes it."""

import torch

from mlcourse import checkpoint
from mlcourse.lessons.l07_optimiser import shipped
from mlcourse.lessons.l07_optimiser import study_optimisers_arms as arms
from mlcourse.lessons.l07_optimiser.study_optimisers import OUTER_RATE, Budget
from mlcourse.lessons.l07_optimiser.study_optimisers_settings import SETTINGS, TEST, TRAINED, functions
from mlcourse.optimisers import run


def test_it_is_trained_as_the_study_trains_and_reaches_what_its_card_says():
    card, budget = checkpoint.card_of(shipped.path()), Budget()
    training = card["training"]
    assert (training["batches"], training["batch"], training["lr"]) == (budget.batches, budget.batch, OUTER_RATE)
    assert card["command"] == shipped.COMMAND and training["seed"] == shipped.SEED
    f, theta = functions(SETTINGS[TRAINED], budget.judged, shipped.SEED, TEST)
    total = arms.total(run(shipped.learned().double(), f, theta, 100))
    assert abs(total - card["held_out_mean_loss"]) < 0.01
    name, race = shipped.tuned(arms.BETAS_TOO)
    assert name == card["tuned"][arms.BETAS_TOO] and total < arms.total(race(f, theta, 100))


def test_the_command_stores_what_it_trained(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(shipped, "path", lambda: tmp_path / "tiny.safetensors")
    monkeypatch.setattr(shipped, "TUNED", (arms.ADAM,))
    monkeypatch.setattr(arms, "ADAM_RATES", (0.1, 0.3))
    shipped.store(Budget(batches=1, batch=2, tuning=3, judged=4))
    wanted = arms.trained(shipped.SEED, 1, 2, OUTER_RATE).state_dict()
    assert all(torch.equal(wanted[name], value) for name, value in shipped.learned().state_dict().items())
    assert shipped.tuned(arms.ADAM)[0].startswith("rate 0.") and "mean loss" in capsys.readouterr().out
