"""The shipped LSTM meta-learner, and the command that makes it."""

import pytest
import torch

from mlcourse import checkpoint
from mlcourse.datasets import load_splits
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import evaluate
from mlcourse.lessons.l07_optimiser import shipped_conv4 as shipped
from mlcourse.lessons.l07_optimiser import study_meta_lstm as study
from mlcourse.rows import read


def test_it_is_trained_as_the_study_trains_and_reaches_what_its_card_says():
    card, budget = checkpoint.card_of(shipped.path()), study.Budget()
    (gate, rate), = study.CANDIDATES[study.WHOLE, study.LSTM_2]
    assert card["training"] == {"way": study.WAY, "shot": study.SHOT, "query": budget.query, "order": 2, "lr": rate,
                                "steps": budget.whole_steps, "tasks": budget.whole_tasks, "seed": shipped.SEED}
    assert (card["command"], card["net"]["width"], card["settings"]["rate"]) == (shipped.COMMAND, budget.width, gate)
    row, = (r for r in read("meta_lstm") if (r["net"], r["arm"], r["split"], r["seed"]) == (study.WHOLE, study.LSTM_2,
                                                                                            "test", shipped.SEED))
    assert abs(100 * card["held_out_accuracy"] - row["accuracy"]) < 1
    test = EpisodeSampler(load_splits("glyphs").test, study.WAY, study.SHOT)
    assert abs(evaluate(shipped.conv4(), test, 100).mean - card["held_out_accuracy"]) < 0.04
    assert shipped.path().stat().st_size < 50_000


@pytest.mark.filterwarnings("ignore")
def test_the_command_stores_what_it_trained(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(shipped, "path", lambda: tmp_path / "tiny.safetensors")
    budget = study.Budget(whole_steps=1, whole_tasks=1, query=1, width=2, episodes=2)
    shipped.store(budget)
    again = shipped.trained(budget).state_dict()
    assert all(torch.equal(again[name], value) for name, value in shipped.conv4().state_dict().items())
    assert "% on test scripts" in capsys.readouterr().out
