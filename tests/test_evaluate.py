"""Results on fixed episodes, and how sure we may be of them."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from tiny import NAMES, PICTURES, REGRESSION, SINUSOIDS, learner, patterns

from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import EVALUATION_SEED, Result, compare, evaluate, score, scores
from mlcourse.learner import Learner
from mlcourse.statistics import interval


class Recorder(Learner):
    """Guesses class 0 and keeps no state, but tells the episodes it saw apart by their first support pixel."""

    def adapt(self, episode, steps=None):
        return episode.support_x.sum()

    def predict(self, state, x):
        return state + torch.zeros(len(x), 1)


SUMS = EpisodeSampler(patterns(), 3, 1, 2)


def fingerprints(episodes, seed=EVALUATION_SEED, chunk=None):
    """A number for each episode that `scores` draws, through the learner that it hands them to."""
    seen = []

    class Spy:
        way, shot, query = SUMS.way, SUMS.shot, SUMS.query

        def sample(self, tasks, generator):
            batch = SUMS.sample(tasks, generator)
            seen.append(batch.support_x.sum((1, 2, 3, 4)))
            return batch

    scores(Recorder(), Spy(), episodes, seed=seed, chunk=chunk)
    return torch.cat(seen)[:episodes]


# -------------------------------------------------------------- the episodes


def test_episodes_are_fixed_by_the_seed_alone():
    first = fingerprints(60)
    assert len(set(first.tolist())) == 60
    assert torch.equal(fingerprints(60), first)
    torch.manual_seed(1)
    assert torch.equal(fingerprints(60, chunk=7), first)
    assert torch.equal(fingerprints(31), first[:31])
    assert not torch.equal(fingerprints(60, seed=1), first)


@pytest.mark.parametrize("name", ["maml", "protonet", "neighbour"])
def test_chunks_and_counts_change_no_score(name):
    judged = learner(name)
    whole = scores(judged, PICTURES, 30)
    assert whole.shape == (30,)
    torch.testing.assert_close(scores(judged, PICTURES, 30, chunk=4), whole)
    torch.testing.assert_close(scores(judged, PICTURES, 11), whole[:11])


@pytest.mark.parametrize(("name", "way"), [(n, 3) for n in NAMES] + [(n, 0) for n in REGRESSION])
def test_scores_equal_a_loop_over_the_episodes(name, way):
    judged, sampler = learner(name, way).eval(), PICTURES if way else SINUSOIDS
    batch = sampler.sample(25, torch.Generator().manual_seed(4))
    expected = []
    for i in range(5):
        episode = batch.task(i)
        with torch.no_grad():
            prediction = judged.predict(judged.adapt(episode, 2), episode.query_x)
        if way:
            right = sum(int(row.argmax()) == int(y) for row, y in zip(prediction, episode.query_y, strict=True))
            expected.append(right / len(prediction))
        else:
            expected.append(np.mean([(p - y).item() ** 2 for p, y in zip(prediction, episode.query_y, strict=True)]))
    ours = scores(judged, sampler, 5, seed=4, steps=2)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-4, atol=1e-6)


def test_as_many_inner_steps_are_taken_as_asked_for():
    one, none = learner("maml", 0), learner("none", 0)
    asked = [scores(one, SINUSOIDS, 25, steps=steps) for steps in (0, 1, 10)]
    torch.testing.assert_close(asked[0], scores(none, SINUSOIDS, 25))
    assert torch.equal(asked[1], scores(one, SINUSOIDS, 25))
    assert torch.equal(asked[2], scores(learner("maml", 0, steps=10), SINUSOIDS, 25))
    assert len({float(values.mean()) for values in asked}) == 3


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_restored_even_after_an_error(training):
    judged = learner("protonet", norm="running").train(training)
    scores(judged, PICTURES, 3)
    assert judged.training == judged.net.training == training
    with pytest.raises(ValueError, match="classifies"):
        scores(judged, SINUSOIDS, 3)
    assert judged.training == judged.net.training == training


def test_running_statistics_are_used_and_not_moved():
    judged = learner("protonet", norm="running")
    judged.net.running_mean.fill_(0.3)
    before = judged.net.running_mean.clone()
    judged.eval()
    episode = PICTURES.sample(25, torch.Generator().manual_seed(2)).task(0)
    alone = score(judged.predict(judged.adapt(episode), episode.query_x), episode.query_y)
    judged.train()
    assert scores(judged, PICTURES, 1, seed=2)[0] == alone
    assert torch.equal(judged.net.running_mean, before)


def test_bad_counts_and_samples_are_refused():
    judged = learner("neighbour")
    with pytest.raises(ValueError, match="episodes must be at least 1, got 0"):
        scores(judged, PICTURES, 0)
    with pytest.raises(ValueError, match="chunk must be at least 1, got 0"):
        scores(judged, PICTURES, 3, chunk=0)
    with pytest.raises(ValueError, match="episodes must be at least 2, for an interval, got 1"):
        evaluate(judged, PICTURES, 1)

    class Damaged:
        def sample(self, tasks, generator):
            batch = PICTURES.sample(tasks, generator)
            batch.support_x[1, 0, 0, 0, 0] = float("nan")
            return batch

    with pytest.raises(ValueError, match="support_x holds values that are NaN or infinite"):
        scores(judged, Damaged(), 3)


# ------------------------------------------------------------------- results


def test_a_result_says_what_was_measured():
    result = evaluate(learner("maml"), PICTURES, 30, steps=3, train_way=7, command="mlcourse train", commit="abc")
    mean, ci95 = interval(scores(learner("maml"), PICTURES, 30, steps=3))
    assert (result.mean, result.ci95) == (mean, ci95)
    expected = {"method": "MAML", "domain": "patterns 0", "split": "test", "norm": "batch", "transductive": True,
                "train_way": 7, "way": 3, "shot": 2, "query": 3, "steps": 3, "metric": "accuracy", "episodes": 30,
                "seed": EVALUATION_SEED, "command": "mlcourse train", "commit": "abc"}
    assert asdict(result).items() >= expected.items()
    assert result.seconds >= 0


@pytest.mark.parametrize(("name", "steps"), [("maml", 1), ("finetune", 2), ("probe", 0), ("protonet", 0),
                                             ("neighbour", 0), ("none", 0)])
def test_a_result_gives_the_inner_steps_that_were_taken(name, steps):
    assert evaluate(learner(name), PICTURES, 2).steps == steps


def test_a_result_reads_as_a_sentence():
    facts = {"method": "maml", "domain": "omniglot", "split": "test", "norm": "batch", "transductive": True,
             "train_way": 5, "way": 5, "shot": 1, "query": 15, "steps": 3, "metric": "accuracy", "mean": 0.91234,
             "ci95": 0.00456, "episodes": 600, "seed": 1, "seconds": 1.0}
    assert str(Result(**facts)) == ("maml on omniglot (test), 5-way 1-shot, 3 inner steps: 91.23 ± 0.46 % "
                                    "(95 % interval over 600 episodes; norm batch, transductive)")
    regression = {**facts, "metric": "mse", "way": 0, "shot": 10, "steps": 1, "domain": "sinusoids",
                  "norm": "none", "transductive": False, "mean": 0.6666, "ci95": 0.05}
    assert str(Result(**regression)) == ("maml on sinusoids (test), 10-shot regression, 1 inner step: mean squared "
                                         "error 0.667 ± 0.050 (95 % interval over 600 episodes; norm none, "
                                         "one query at a time)")
    assert str(Result(**{**facts, "method": "protonet", "steps": 0})).startswith(
        "protonet on omniglot (test), 5-way 1-shot: 91.23")


def test_regression_is_scored_by_the_squared_error():
    result = evaluate(learner("maml", 0), SINUSOIDS, 5)
    assert (result.metric, result.domain, result.way, result.shot) == ("mse", "sinusoids", 0, 5)
    assert score(torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [0.0]])) == 5
    assert score(torch.tensor([[1.0, 2.0], [3.0, 0.0]]), torch.tensor([1, 1])) == 0.5


def test_compare_puts_every_learner_on_every_domain():
    learners = {"prototypes": learner("protonet"), "pixels": learner("neighbour")}
    samplers = {"near": PICTURES, "far": EpisodeSampler(patterns(seed=9), 3, 2, 3)}
    table = compare(learners, samplers, 12, seed=5)
    assert list(zip(table.domain, table.method, strict=True)) == [
        ("near", "prototypes"), ("near", "pixels"), ("far", "prototypes"), ("far", "pixels")]
    for _, row in table.iterrows():
        alone = evaluate(learners[row.method], samplers[row.domain], 12, seed=5)
        assert (row["mean"], row.ci95) == (alone.mean, alone.ci95)
    assert set(table.columns) == set(asdict(alone))
