"""Networks that are called with their parameters as an argument, of one task or of several at once."""

from mlcourse.nets.plain import (MLP, NORMS, Conv4, Norm, Stats, StrokeNet, build_net, call, features, head, moments,
                                 norm_of, of_tasks, params_of, prepare, statistics)

__all__ = ["MLP", "NORMS", "Conv4", "Norm", "Stats", "StrokeNet", "build_net", "call", "features", "head", "moments",
           "norm_of", "of_tasks", "params_of", "prepare", "statistics"]
