"""The studies of lesson 05 on tiny settings: every arm gives its rows, what is there is not measured again, and the
stored settings are those that the stored validation rows choose."""

import pytest
import torch
from typer.testing import CliRunner

from mlcourse.cli import app
from mlcourse.episode import EpisodeSampler
from mlcourse.learners import FineTune, MetaSGD
from mlcourse.lessons.l05_meta_sgd import study_meta_transfer as meta_transfer, study_rates as rates
from mlcourse.lessons.l05_meta_sgd.figures import by_arm
from mlcourse.nets import MLP
from mlcourse.rows import read
from tiny import patterns

TINY = meta_transfer.Budget(steps=4, tasks=2, query=1, width=4, episodes=3)
FEW = rates.Budget(steps=2, tasks=5, judged=4, weights=20)


def bench():
    return meta_transfer.Bench(patterns(classes=8, side=28), 0, TINY)


def test_every_arm_of_the_pipeline_gives_its_rows_and_none_twice():
    domains = {"digits": (patterns(1, classes=6, per_class=20, side=28), "all")}
    work = meta_transfer.Work([0], False, patterns(classes=8, side=28), {}, domains)
    study = meta_transfer.STUDY
    found = list(study.measure(work, [], TINY))
    assert {row["arm"] for row in found} == {*meta_transfer.CHOSEN, meta_transfer.NO_ADAPT}
    assert {row["steps"] for row in found if row["arm"] in meta_transfer.ONE_STEP} == {1, 5}
    assert all(0 <= row["accuracy"] <= 100 and row["norm"] == "batch" for row in found)
    assert all(meta_transfer.line(row).startswith(row["arm"]) for row in found)
    assert sorted(map(study.key_of, found)) == sorted(study.plan(work, TINY))
    assert list(study.measure(work, found, TINY)) == [] and "digits" in study.pictures(work, found)[""].alt
    choosing = study.plan(meta_transfer.Work([], True, None, {"glyphs": (None, "val")}, {}), TINY)
    assert {key[1] for key in choosing if key[0] == meta_transfer.HEAD} == {
        meta_transfer.name_of(setting) for setting in meta_transfer.CANDIDATES[meta_transfer.HEAD]}


def test_arms_differ_in_what_they_leave_out():
    shared = bench()
    start, pretrained = shared.net().state_dict(), shared.pretrained(2)
    assert torch.equal(pretrained["head.weight"], start["head.weight"])
    assert not torch.equal(pretrained["convs.0.weight"], start["convs.0.weight"])
    tuned = shared.with_new_head(trained=True)
    assert not tuned.head.weight.any() and not torch.equal(tuned.convs[0].weight, shared.net().convs[0].weight)
    assert torch.equal(shared.with_new_head(trained=False).convs[0].weight, shared.net().convs[0].weight)
    assert shared.pretrained(2) is pretrained                                  # trained once


def test_fine_tuning_is_that_of_the_baseline():
    shared = bench()
    setting = {"lr": 0.1, "steps": 3}
    ours = meta_transfer.ARMS[meta_transfer.NO_META](shared, **setting).double()
    theirs = FineTune(shared.body(), shared.classes, **setting).double()

    class Doubled(EpisodeSampler):
        def sample(self, tasks, generator):
            return super().sample(tasks, generator).to(torch.float64)

    episodes = Doubled(patterns(2, classes=6, per_class=20, side=28), 5, 1, 4).sample(3, torch.Generator())
    with torch.no_grad():
        torch.testing.assert_close(ours.predictions(episodes), theirs.predictions(episodes), rtol=1e-8, atol=1e-8)


def test_shared_rates_are_one_number_for_each_tensor_or_for_all():
    batch = rates.SinusoidSampler(5, 5).sample(3, torch.Generator().manual_seed(0))
    for together, count in ((True, 1), (False, 6)):
        learner = rates.SharedRates(MLP(seed=1), together)
        assert sum(p.numel() for p in learner.alpha.parameters()) == count
        same = MetaSGD(MLP(seed=1))
        with torch.no_grad():
            for alpha in same.alpha.values():
                alpha.fill_(0.0125)
        torch.testing.assert_close(learner.losses(batch), same.losses(batch))
        loop = torch.stack([learner.loss(batch.task(i)) for i in range(3)])
        torch.testing.assert_close(learner.losses(batch), loop)


def test_the_study_of_rates_gives_every_arm_and_goes_on_where_it_stopped():
    study = rates.STUDY
    work = study.work([0], choose=True)
    found = list(study.measure(work, [], FEW))
    assert {row["arm"] for row in found if row["split"] == "test"} == {*rates.ARMS, rates.CLAMPED}
    assert {(row["arm"], row["outer_rate"]) for row in found if row["split"] == "val"} == {
        (arm, rate) for arm in rates.ARMS for rate in rates.OUTER_RATES}
    assert all("signs_agree" in row for row in found if row["arm"] == rates.WEIGHT)
    assert sorted(map(study.key_of, found)) == sorted(study.plan(work, FEW))
    lost = next(row for row in found if row["arm"] == rates.CLAMPED and row["shot"] == 5)
    again, = study.measure(work, [row for row in found if row is not lost], FEW)
    assert again["mse"] == lost["mse"]
    assert "10 points" in rates.line(found[0])
    assert "then one for each weight: error" in study.pictures(work, found)[""].alt


def test_a_training_that_forbids_negative_rates_has_none():
    budget = rates.Budget(steps=3)
    learner = rates.trained(rates.POSITIVE, 0.1, 0, budget)
    assert learner.negative_rates() == 0
    assert rates.trained(rates.WEIGHT, 0.1, 0, budget).negative_rates() > 0


@pytest.mark.parametrize("name", ["meta-transfer", "rates"])
def test_the_commands_refuse_a_picture_as_the_file_of_rows(name, tmp_path):
    result = CliRunner().invoke(app, ["study", name, "--out", str(tmp_path / "rows.png")])
    assert result.exit_code != 0 and "ends in .json" in str(result.exception)


def test_the_stored_settings_are_those_that_the_validation_rows_choose():
    stored = [row for row in read("meta_transfer") if row["split"] == "val" and row["steps"] != 5]
    for arm, settings in meta_transfer.CANDIDATES.items():
        mine = {row["setting"]: row["accuracy"] for row in stored if row["arm"] == arm}
        assert set(mine) == {meta_transfer.name_of(setting) for setting in settings}
        assert max(mine, key=mine.get) == meta_transfer.name_of(meta_transfer.CHOSEN[arm]), arm
    assert meta_transfer.CHOSEN[meta_transfer.HALF] == meta_transfer.CHOSEN[meta_transfer.NO_PRETRAIN]
    stored = [row for row in read("rates") if row["split"] == "val" and row["shot"] == 10]
    for arm in rates.ARMS:
        mine = {row["outer_rate"]: row["mse"] for row in stored if row["arm"] == arm}
        assert set(mine) == set(rates.OUTER_RATES) and min(mine, key=mine.get) == rates.CHOSEN[arm], arm


def test_the_stored_rows_have_every_arm_with_the_same_five_seeds():
    stored = [row for row in read("meta_transfer") if row["split"] != "val"]
    for domain in ("glyphs", "digits", "omniglot"):
        arms = by_arm([r for r in stored if r["domain"] == domain and r["steps"] != 5], "accuracy")
        assert set(arms) == {*meta_transfer.CHOSEN, meta_transfer.NO_ADAPT}
        assert all(len(values) >= 5 for values in arms.values())
    for arm in (*rates.ARMS, rates.CLAMPED):
        seeds = {r["seed"] for r in read("rates") if r["arm"] == arm and r["split"] == "test"}
        assert seeds == set(range(5))
