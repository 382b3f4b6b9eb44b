"""What the explorer of lesson 05 computed is marked ≈."""

from marks import check_marked

from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.learners import MetaSGD
from mlcourse.lessons.l05_meta_sgd.rate_history import RateHistory
from mlcourse.lessons.l05_meta_sgd.widget_learned_rates import LearnedRates
from mlcourse.nets import MLP


def rated():
    rates = LearnedRates(RateHistory(MetaSGD(MLP((1, 6, 5, 1), seed=1), low=0.01, high=0.05), SinusoidSampler(5, 6)))
    rates.step(2)
    return rates


def test_the_learned_rates():
    check_marked(rated, {60})
