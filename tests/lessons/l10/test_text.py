"""What the text of lesson 10 says, against the rows of its study."""

import pytest

from mlcourse.course import notebooks
from mlcourse.exercises import exercise
from mlcourse.generators import FromSet, HandMade
from mlcourse.lessons.l10_data import live, results, shipped
from mlcourse.lessons.l10_data.checks_claims import CLAIMS
from mlcourse.lessons.l10_data.results import ARMS, ITSELF, MADE, apart, by_seed
from mlcourse.lessons.l10_data.study_making_arms import (ALONE, BOUND, FEATURES, GAN, MIXUP, PIXELS, QUERY, SEEN, SET,
                                                         VIEWS)
from mlcourse.rows import read
from mlcourse.statistics import interval, t_interval

ROWS = read("making")


def text():
    """The Markdown of the lesson, in one line."""
    cells = notebooks.read(notebooks.find("10")).cells
    return " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_verdict_is_that_of_its_paired_interval(claim):
    gap = apart(ROWS, claim.one, claim.other, claim.on)
    assert claim.verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open")


def test_the_study_has_five_seeds_of_every_arm():
    for arm in ARMS:
        for on in (PIXELS, FEATURES) if arm in MADE else (FEATURES,):
            assert len(by_seed(ROWS, arm, on)) == 5


def test_a_difference_turns_its_sign_with_its_arms():
    for one in MADE:
        for other in {*MADE, BOUND} - {one}:
            gap, turned = (apart(ROWS, *arms, PIXELS) for arms in ((one, other), (other, one)))
            assert (gap.mean, gap.half) == pytest.approx((-turned.mean, turned.half))


def test_what_cannot_be_asked_for():
    with pytest.raises(ValueError, match="there is no arm 'GAN'; the arms are support alone; "):
        apart(ROWS, "GAN", SET, PIXELS)
    with pytest.raises(ValueError, match="'manifold mixup' trains features, so it is on 'features'"):
        apart(ROWS, MIXUP, SEEN, PIXELS)
    with pytest.raises(ValueError, match="a ridge regression is on 'pixels' or 'features', got 'raw'"):
        apart(ROWS, SET, VIEWS, "raw")


def test_what_the_text_says_of_pictures_in_the_support_set():
    assert f"On pixels views gain {apart(ROWS, VIEWS, ALONE, PIXELS).text()} points" in text()
    assert "the bound's samples lose to views, and those of the query loss beat them." in text()
    assert apart(ROWS, SET, VIEWS, PIXELS).high < 0 < apart(ROWS, QUERY, VIEWS, PIXELS).low
    assert "no generator adds" in text()
    assert not any(apart(ROWS, arm, over, FEATURES).low > 0 for arm in (SET, QUERY, GAN) for over in (ALONE, VIEWS))


def test_what_the_text_says_of_samples():
    recognised = results.study.sample(ROWS, SET, "recognised")
    assert f"from five drawings, {recognised.text()} % of the samples are recognised among five characters" in text()
    nearer = results.study.sample_gain(ROWS, SET, "near_real", SET, "near")
    assert nearer.low > 0
    assert f"they stay nearer to what was shown than real drawings do, by {nearer.text(2)}" in text()


def test_views_have_a_line_for_each_number_and_generators_are_beside_as_many():
    lines = {line[:22].strip(): line for line in results.table(ROWS).splitlines()}
    five = t_interval(results.study.values(ROWS, VIEWS, PIXELS, 1, 5).values())
    assert five.text() in lines["hand-made views, five"]
    assert f"{apart(ROWS, SET, VIEWS, FEATURES).text(sign=True)} (five)" in lines[SET]
    assert results.study.setting(ROWS, SET, FEATURES, 1).startswith("5×")
    assert [line.count("(ten)") for line in (lines[SET], lines[QUERY])] == [1, 1]
    assert results.study.setting(ROWS, VIEWS, PIXELS, 1).startswith("10×")


def test_what_the_text_says_of_samples_of_the_query_loss_on_glyphs():
    trained = live.by_queries(shipped.vae(), exercise("10.5").reference(), steps=60)
    by_queries, by_bound, views = (live.on_pixels(maker, 20, 5) for maker in
                                   (FromSet(trained), FromSet(shipped.vae()), HandMade(0.25)))
    low = lambda one, other: interval(one - other).low
    assert "Queries beat both on either." in text()
    assert min(low(by_queries, by_bound), low(by_queries, views)) > 0
    assert min(apart(ROWS, QUERY, SET, PIXELS).low, apart(ROWS, QUERY, VIEWS, PIXELS).low) > 0
    assert "Bound and views are not told apart here" in text()
    assert low(by_bound, views) < 0 < interval(by_bound - views).high


def test_what_the_text_says_of_mixup():
    gap = apart(ROWS, MIXUP, ALONE, FEATURES)
    assert gap.low < 0 < gap.high and "Its effect on accuracy is not told apart from none" in text()
    assert apart(ROWS, MIXUP, SEEN, FEATURES).high < 0 and "it is behind views" in text()


def test_what_the_text_says_of_the_set_vae_itself():
    assert BOUND in ITSELF and apart(ROWS, BOUND, SET, PIXELS).low > 0 > apart(ROWS, BOUND, ALONE, FEATURES).high
    assert "Features trained to tell characters apart are better still." in text()


def test_the_strength_of_views_is_the_best_on_validation_scripts():
    assert "Of 1, ½ and ¼ validation scripts choose ¼" in text()
    quarter, half, one = (live.on_pixels(HandMade(strength), 20, 5, "val").mean() for strength in (0.25, 0.5, 1.0))
    assert quarter > half > one


def test_the_episodes_of_the_lesson_are_of_five_classes():
    assert live.episodes().way == live.WAY == 5 and live.episodes().tasks == live.EPISODES
