"""Networks that are called with their parameters as an argument, of one task or of several at once."""

from mlcourse.nets.build import build_net
from mlcourse.nets.chosen import network
from mlcourse.nets.conv import Conv4
from mlcourse.nets.fingerprint import answers, distance, tolerance
from mlcourse.nets.functional import call, embeds, features, head, norm_of, of_tasks, prepare, statistics, watching
from mlcourse.nets.gru import GRU
from mlcourse.nets.kept import check_hooks, check_state, hooked
from mlcourse.nets.lenet import LeNet
from mlcourse.nets.mlp import MLP
from mlcourse.nets.norms import NORMS, Norm, Stats, moments
from mlcourse.nets.params import Params, params_of, trainable
from mlcourse.nets.resnet import ResNet12
from mlcourse.nets.sequence import StrokeNet, Transformer
from mlcourse.nets.wrap import Wrapped, check_sizes, live_batch_norm, wrap

__all__ = ["GRU", "MLP", "NORMS", "Conv4", "LeNet", "Norm", "Params", "ResNet12", "Stats", "StrokeNet", "Transformer",
           "Wrapped", "answers", "build_net", "call", "check_hooks", "check_sizes", "check_state", "distance",
           "embeds", "features", "head", "hooked", "live_batch_norm", "moments", "network", "norm_of", "of_tasks",
           "params_of", "prepare", "statistics", "tolerance", "trainable", "watching", "wrap"]
