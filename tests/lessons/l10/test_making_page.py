"""What the page of the study of making data says, held against the stored rows."""

import pytest

from mlcourse.lessons.l10_data import study_making as study
from mlcourse.lessons.l10_data import study_making_arms as arms
from mlcourse.lessons.l10_data import study_making_tables as tables
from mlcourse.lessons.l10_data.study_making_results import (found, gain, own_gain, sample, sample_gain,
                                                            setting, trained_gain, values)
from mlcourse.rows import read
from mlcourse.statistics import paired_difference, t_interval
from mlcourse.system import paths

ROWS = read("making")
PAGE = (paths.RESULTS.parent / "making.md").read_text(encoding="utf-8")
PROSE = " ".join(PAGE.split())
FEATURES, PIXELS = arms.FEATURES, arms.PIXELS
OTHERS = (arms.SET, arms.QUERY, arms.GAN)


def says(words, *estimates, digits=1, sign=True):
    """Whether the page has a sentence with these estimates, "{}" in the words standing for each."""
    return words.format(*(each.text(digits, sign=sign) for each in estimates)) in PROSE


def is_open(estimate):
    return estimate.low < 0 < estimate.high


def test_every_arm_has_a_row_for_every_seed():
    assert sorted(map(study.STUDY.key_of, ROWS)) == sorted(study.plan(study.STUDY.work(), study.STUDY.budget))


@pytest.mark.parametrize("made", [tables.features, tables.pixels, tables.rule, tables.bodies, tables.samples_of_one,
                                  tables.samples_of_five, tables.bounds])
def test_the_page_has_the_tables_of_the_rows(made):
    assert made(ROWS) in PAGE


@pytest.mark.parametrize("arm", study.SETTINGS)
def test_a_bodys_training_has_the_setting_that_did_best_on_validation_classes(arm):
    best = max(found(ROWS, study.TRAINING, arm, arms.FEATURES, 1, "val"), key=lambda row: row["accuracy"])
    assert best["setting"] == study.SETTINGS[arm][0] == found(ROWS, study.TRAINING, arm, arms.FEATURES, 1)[0]["setting"]


def test_what_the_page_says_of_made_pictures_on_features():
    views, *others = (gain(ROWS, arm, arms.ALONE, FEATURES) for arm in arms.MADE)
    assert views.low > 0 and others[0].high < 0 and all(map(is_open, others[1:]))
    assert all(is_open(gain(ROWS, arm, arms.ALONE, FEATURES, 5)) for arm in OTHERS)
    assert says("at one shot, hand-made views gain {}, and no generator gains: the set VAE loses, {} (its interval, "
                f"from {others[0].low:.2f} to {others[0].high:.2f}, ends just below 0), and neither the query loss "
                "({}) nor DAGAN ({}) is told apart", views, *others)


def test_what_the_page_says_of_made_pictures_on_pixels():
    views, own = (gain(ROWS, arm, arms.ALONE, PIXELS) for arm in (arms.VIEWS, arms.SET))
    assert own.low > 0 and gain(ROWS, arms.SET, arms.VIEWS, PIXELS).high < 0
    assert says("at one shot, views gain {} and the set VAE {}, less than as many views", views, own)
    assert all(is_open(gain(ROWS, arms.SET, over, PIXELS, 5)) for over in (arms.ALONE, arms.VIEWS))
    query = [gain(ROWS, arms.QUERY, arms.VIEWS, PIXELS, shot) for shot in (1, 5)]
    assert all(each.low > 0 for each in query)
    assert says("learned by the query loss: by {} at one shot and {} at five", *query)


def test_what_the_page_says_of_dagan_on_pixels():
    for shot in (1, 5):
        assert all(is_open(gain(ROWS, arms.GAN, over, PIXELS, shot)) for over in (arms.ALONE, arms.VIEWS, arms.SET))
    query = [gain(ROWS, arms.QUERY, arms.GAN, PIXELS, shot) for shot in (1, 5)]
    views = [paired_difference(*(values(ROWS, arm, PIXELS, shot) for arm in (arms.VIEWS, arms.GAN))) for shot in (1, 5)]
    assert all(each.low > 0 for each in query + views)
    assert says("It is behind the query loss, by {} at one shot and {} at five, behind the bound (below), and behind "
                "views at their own best, by {} and {}", *query, *views, sign=False)


@pytest.mark.parametrize("shot", [1, 5])
def test_views_beside_a_generator_are_as_many_whichever_is_named_first(shot):
    for classifier in (FEATURES, PIXELS):
        for arm in OTHERS:
            one, other = gain(ROWS, arm, arms.VIEWS, classifier, shot), gain(ROWS, arms.VIEWS, arm, classifier, shot)
            assert (one.mean, one.half) == pytest.approx((-other.mean, other.half))
    assert setting(ROWS, arms.SET, FEATURES, 1).startswith("5×") and setting(ROWS, arms.VIEWS, FEATURES, 1)[:3] == "10×"


@pytest.mark.parametrize("shot", [1, 5])
def test_what_the_page_says_of_the_set_vae_asked_itself(shot):
    ahead = [own_gain(ROWS, arms.BOUND, arm, PIXELS, shot) for arm in OTHERS]
    assert all(each.low > 0 and says("{}", each) for each in ahead)
    over = own_gain(ROWS, arms.BOUND, arms.ALONE, FEATURES, shot)
    assert over.high < 0 and over.mean == pytest.approx({1: -3.9, 5: -0.5}[shot], abs=0.05)
    assert is_open(own_gain(ROWS, arms.RULE, arms.ALONE, PIXELS, shot))
    assert own_gain(ROWS, arms.RULE, arms.BOUND, "own", shot).high < 0


def test_the_page_has_the_gains_of_the_bound_at_both_shots():
    one, query, gan = ([own_gain(ROWS, arms.BOUND, arm, PIXELS, shot) for shot in (1, 5)] for arm in OTHERS)
    assert says("with its samples, by {} at one shot and {} at five, of the one with those of the query loss, by {} "
                "and {}, and of the one with DAGAN's drawings, by {} and {}", *one, *query, *gan)


def test_what_the_page_says_of_the_bodies():
    views, mixup, fake = (trained_gain(ROWS, arm) for arm in (arms.SEEN, arms.MIXUP, arms.FAKE))
    assert views.low > 0 and is_open(mixup) and fake.high < 0
    assert says("At one shot views beside the queries gain {}, manifold mixup is not told apart from the body as it is "
                f"({{}}), and MetaGAN is below it, {{}} (from {fake.low:.2f} to {fake.high:.2f})", views, mixup, fake)
    assert all(is_open(trained_gain(ROWS, arm, shot=5)) for arm in arms.BODIES[1:])
    behind = [trained_gain(ROWS, arms.SEEN, arm, shot) for shot in (1, 5) for arm in (arms.MIXUP, arms.FAKE)]
    assert all(each.low > 0 for each in behind)
    assert says("are behind views, by {} and {} at one shot and {} and {} at five", *behind, sign=False)


def memory(arm, shot):
    """How much nearer made pictures lie to trained drawings than to held-out ones; below 0: farther."""
    return sample_gain(ROWS, arm, "to_held_out", arm, "to_trained", shot)


def test_what_the_page_says_of_memory():
    assert all(is_open(memory(arm, 1)) for arm in arms.MADE) and all(memory(arm, 5).high < 0 for arm in OTHERS[:2])
    assert is_open(memory(arms.GAN, 5)) and is_open(memory(arms.VIEWS, 5))
    assert says("held-out less trained is {} for the set VAE, {} with the query loss and {} for DAGAN: no memory "
                "is seen. From five it is {}, {} and {}",
                *(memory(arm, shot) for shot in (1, 5) for arm in OTHERS), digits=3)
    assert says("Views, which have learned nothing, are at {} and {}", *(memory(arms.VIEWS, shot) for shot in (1, 5)),
                digits=3)


def test_what_the_page_says_of_the_samples_of_the_query_loss():
    less = lambda field, one, other: [sample_gain(ROWS, one, field, other, field, shot) for shot in (1, 5)]
    recognised = less("recognised_sharp", arms.QUERY, arms.SET)
    assert all(each.low > 0 for each in recognised + less("recognised", arms.QUERY, arms.SET))
    assert says("in black and white, by {} points more from one drawing and {} from five", *recognised)
    apart = less("apart", arms.SET, arms.QUERY)
    assert all(each.low > 0 for each in apart)
    assert says("differ less from each other, by {} and {}", *apart, digits=2, sign=False)
    assert sample_gain(ROWS, arms.QUERY, "bound", arms.SET, "bound").high < 0


def test_what_was_aimed_at():
    active = [sum(kl > 0.1 for kl in row["kl_z"]) for row in found(ROWS, study.SAMPLES, arms.SET, FEATURES, 5)]
    assert min(active) >= 4
    assert says("met. {} of 16 have a mean KL above 0.1 nats", t_interval(active), sign=False)
    recognised = [sample(ROWS, arms.SET, "recognised", shot) for shot in (5, 1)]
    assert all(each.low > 80 for each in recognised)
    assert says("met, {} from five drawings and {} from one", *recognised, sign=False)


def test_the_bar_for_copies_is_missed_by_probabilities_and_met_by_drawn_pixels_from_five():
    nearer = lambda field: [sample_gain(ROWS, arms.SET, "near_real", arms.SET, field, shot) for shot in (5, 1)]
    joins, drawn = nearer("near"), nearer("near_sharp")
    farther = sample_gain(ROWS, arms.SET, "near_sharp", arms.SET, "near_real")
    assert all(each.low > 0 for each in joins) and farther.low > 0 and drawn[1].low > 0
    assert says("**Missed** for what joins the support set, the probabilities: they are nearer by {} from five "
                "drawings and by {} from one. **Met** from five drawings for samples drawn pixel by pixel, which lie "
                "{} farther; missed for those from one, which are nearer by {}.",
                *joins, farther, drawn[1], digits=2, sign=False)
