"""The study of lesson 10 at a tiny size, and what its rows say."""

import pytest
import torch

from mlcourse.lessons.l10_data import study_making as study
from mlcourse.lessons.l10_data import study_making_arms as arms
from mlcourse.lessons.l10_data import study_making_results as results
from mlcourse.lessons.l10_data.pictures import in_frame, splits
from mlcourse.lessons.l10_data.study_making_judged import with_made
from mlcourse.datasets import load_splits

TINY = arms.Budget(2, 2, 2, 2, 4, 4)


def measured(part, shot=1, **wanted):
    """The rows of a part of the tiny study."""
    work = study.STUDY.work([0], data="glyphs")
    todo = [key for key in study.plan(work, TINY) if key[1] == part and key[5] == shot and key[6] == "test"
            and (wanted.get("arms") is None or key[2] in wanted["arms"])]
    return list(study.rows(work, TINY, todo, []))


def test_made_pictures_join_the_support_set_of_both_classifiers():
    rows = measured(study.SUPPORT, arms=(arms.ALONE, arms.VIEWS, arms.SET, arms.RULE, arms.BOUND))
    assert [(row["arm"], row["classifier"]) for row in rows] == [
        (arms.ALONE, "features"), (arms.ALONE, "pixels"), (arms.VIEWS, "features"), (arms.VIEWS, "pixels"),
        (arms.SET, "features"), (arms.SET, "pixels"), (arms.RULE, "own"), (arms.BOUND, "own")]
    named = {"5×1", "5×5", "10×1", "10×5"}
    assert set(rows[0]["accuracy"]) == {"0×1", "0×5"} and set(rows[4]["accuracy"]) == named
    assert set(rows[2]["accuracy"]) == {f"{name} at {strength}" for name in named for strength in arms.STRENGTHS}
    assert all(0 <= value <= 100 for row in rows[:-2] for value in row["accuracy"].values())


def test_the_query_loss_starts_from_the_set_vae_of_the_bound_and_leaves_the_classifier_alone():
    before = {name: p.clone() for name, p in arms.body("glyphs", arms.ALONE, 0, TINY)[0].named_parameters()}
    row, *_ = measured(study.SUPPORT, arms=(arms.QUERY,))
    assert row["arm"] == arms.QUERY
    bound, query = (arms.maker("glyphs", arm, "features", 0, TINY)[0].vae for arm in (arms.SET, arms.QUERY))
    assert not torch.equal(bound.decoder[0].weight, query.decoder[0].weight)
    assert torch.equal(bound.few.weight, query.few.weight)
    for name, p in arms.body("glyphs", arms.ALONE, 0, TINY)[0].named_parameters():
        assert torch.equal(p, before[name])


def test_other_trainings_of_the_body_are_judged_on_supports_alone():
    rows = measured(study.TRAINING)
    assert {(row["arm"], row["setting"]) for row in rows} == {
        (arm, study.SETTINGS[arm][0]) for arm in (arms.SEEN, arms.MIXUP, arms.FAKE)}


def test_samples_are_judged_beside_real_drawings():
    rows = {row["arm"]: row for row in measured(study.SAMPLES, arms=(arms.VIEWS, arms.SET))}
    assert rows[arms.SET]["recognised_real"] == rows[arms.VIEWS]["recognised_real"] > 95
    assert rows[arms.VIEWS]["recognised"] > rows[arms.SET]["recognised"]
    assert len(rows[arms.SET]["kl_z"]) == 16 and "bound" not in rows[arms.VIEWS]
    assert "recognised" in study.line(rows[arms.SET])


def test_supports_alone_are_r2d2_itself():
    """The classifier on cached features is the learner on pictures."""
    from mlcourse.lessons.l10_data.study_making_judged import accuracy_alone

    ridge = arms.body("glyphs", arms.ALONE, 0, TINY)[0]
    alone = with_made("glyphs", None, "features", 1, "test", 0, TINY)
    assert alone["0×1"] == pytest.approx(accuracy_alone("glyphs", ridge, 1, "test", TINY), abs=1e-6)


def test_drawings_that_are_held_out_are_in_no_training():
    known, held_out = arms.drawings("glyphs")
    assert len(held_out.images) * arms.DRAWERS == len(known.images) * (20 - arms.DRAWERS)
    pictures = {picture.numpy().tobytes() for picture in known.images}
    assert sum(picture.numpy().tobytes() in pictures for picture in held_out.images) < 0.02 * len(held_out.images)


def test_pictures_are_black_or_white_and_of_the_same_classes():
    plain, ours = load_splits("glyphs").val, splits("glyphs").val
    assert set(ours.images.unique().tolist()) == {0, 255} and ours.classes == plain.classes
    assert torch.equal(in_frame(plain.subset([0])).images, ours.subset([0]).images)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="seed 100 is the one that settings are chosen with"):
        study.STUDY.work([100])
    with pytest.raises(ValueError, match="glyphs or omniglot, got 'mnist'"):
        study.STUDY.work([0], data="mnist")


def row(arm, accuracy, split="test", seed=0, classifier="features", shot=1):
    return {"part": study.SUPPORT, "arm": arm, "classifier": classifier, "shot": shot, "split": split, "seed": seed,
            "accuracy": accuracy}


def test_settings_are_those_of_validation_classes_and_views_are_as_many_as_a_generator_makes():
    rows = [row(arms.SET, {"5×1": 70, "10×1": 60}, "val", 100),
            row(arms.VIEWS, {"5×1 at 1.0": 60, "5×1 at 0.5": 65, "10×1 at 0.5": 90}, "val", 100),
            *(row(arms.SET, {"5×1": 50.0 + seed, "10×1": 99.0}, seed=seed) for seed in range(3)),
            *(row(arms.VIEWS, {"5×1 at 0.5": 40.0 + seed, "5×1 at 1.0": 0.0, "10×1 at 0.5": 80.0}, seed=seed)
              for seed in range(3))]
    assert results.setting(rows, arms.SET, "features", 1) == "5×1"
    assert results.values(rows, arms.SET) == {0: 50, 1: 51, 2: 52}
    assert results.values(rows, arms.VIEWS) == {0: 80, 1: 80, 2: 80}
    assert results.gain(rows, arms.SET, arms.VIEWS).mean == 10
    with pytest.raises(ValueError, match="no row of 'DAGAN'"):
        results.mean(rows, arms.GAN)
