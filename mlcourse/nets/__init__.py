"""Networks that are called with their parameters as an argument, of one task or of several at once."""

from mlcourse.nets.params import Params, params_of
from mlcourse.nets.plain import (MLP, NORMS, Conv4, Norm, Stats, StrokeNet, build_net, call, features, head, moments,
                                 norm_of, of_tasks, prepare, statistics)

__all__ = ["MLP", "NORMS", "Conv4", "Norm", "Params", "Stats", "StrokeNet", "build_net", "call", "features", "head",
           "moments", "norm_of", "of_tasks", "params_of", "prepare", "statistics"]
