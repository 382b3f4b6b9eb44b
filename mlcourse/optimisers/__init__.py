"""Optimisers that race on many small functions at once: the classical ones, and one that is learned."""

from mlcourse.optimisers.classical import adam, best_momentum, conjugate_gradients, momentum
from mlcourse.optimisers.learned import LearnedOptimiser, Unrolled, log_and_sign, meta_train, run, unroll
from mlcourse.optimisers.quadratics import Quadratics, of_condition, random_quadratics

__all__ = ["LearnedOptimiser", "Quadratics", "Unrolled", "adam", "best_momentum", "conjugate_gradients", "log_and_sign",
           "meta_train", "momentum", "of_condition", "random_quadratics", "run", "unroll"]
