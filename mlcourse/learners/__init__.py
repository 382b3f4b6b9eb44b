"""The methods of the course, one file each, with its record METHOD. A record in RECORDS takes part in the command line,
its help, the tables of the README and the conformance suite."""

from __future__ import annotations

from inspect import signature

from mlcourse.learner import Learner
from mlcourse.learners import (adabn, adapter, anil, baseline_plus_plus, baselines, caml, cnp, contrastive, coral,
                               daml, dann, fomaml, freeze, imaml, l2sp, lora, lp_ft, lstm, maml, manifold_mixup,
                               matching, meta_sgd, meta_transfer, metagan, mldg, nca, protonet, r2d2, relation,
                               reptile, rfs, self_training, set_vae, shot, soft_kmeans, statistician, tent)
from mlcourse.learners.adabn import AdaBN
from mlcourse.learners.adapter import Adapter
from mlcourse.learners.anil import ANIL
from mlcourse.learners.baseline_plus_plus import BaselinePlusPlus
from mlcourse.learners.baselines import (FineTune, FromScratch, JointTraining, LinearProbe, NearestNeighbour,
                                         NoAdaptation)
from mlcourse.learners.caml import CAML
from mlcourse.learners.cnp import CNP
from mlcourse.learners.contrastive import SimCLR, SupCon
from mlcourse.learners.coral import CORAL
from mlcourse.learners.daml import DAML
from mlcourse.learners.dann import DANN
from mlcourse.learners.distillation import Distillation, Teacher
from mlcourse.learners.fomaml import FOMAML
from mlcourse.learners.freeze import Freeze
from mlcourse.learners.imaml import IMAML
from mlcourse.learners.l2sp import L2SP
from mlcourse.learners.lora import LoRA
from mlcourse.learners.lp_ft import LPFT
from mlcourse.learners.lstm import MetaLSTM
from mlcourse.learners.maml import MAML
from mlcourse.learners.manifold_mixup import ManifoldMixup
from mlcourse.learners.matching import MatchingNet
from mlcourse.learners.meta_sgd import MetaSGD
from mlcourse.learners.meta_transfer import MetaTransfer
from mlcourse.learners.metagan import MetaGAN
from mlcourse.learners.mldg import MLDG
from mlcourse.learners.nca import NCA
from mlcourse.learners.pretrained import Pretrained
from mlcourse.learners.protonet import ProtoNet
from mlcourse.learners.r2d2 import R2D2
from mlcourse.learners.relation import RelationNet
from mlcourse.learners.reptile import Reptile
from mlcourse.learners.rfs import RFS
from mlcourse.learners.self_training import SelfTraining
from mlcourse.learners.set_vae import SetVAEAugmented
from mlcourse.learners.shot import SHOT
from mlcourse.learners.soft_kmeans import MaskedSoftKMeans, SoftKMeans, SoftKMeansCluster
from mlcourse.learners.statistician import NeuralStatistician
from mlcourse.learners.tent import TENT
from mlcourse.learners.translator import TranslationSampler, Translator
from mlcourse.learners.two_encoders import TwoEncoders
from mlcourse.method import Method
from mlcourse.nets import MLP, network, trainable

__all__ = ["ACROSS_DOMAINS", "ANIL", "AdaBN", "Adapter", "BaselinePlusPlus", "CAML", "CNP", "CORAL", "DAML", "DANN",
           "Distillation", "FOMAML", "FineTune", "Freeze", "FromScratch", "IMAML", "JointTraining", "L2SP", "LPFT",
           "LinearProbe", "LoRA", "MAML", "METHODS", "MLDG", "ManifoldMixup", "MaskedSoftKMeans", "MatchingNet",
           "MetaGAN", "MetaLSTM", "MetaSGD", "MetaTransfer", "Method", "NCA", "NearestNeighbour",
           "NeuralStatistician", "NoAdaptation", "ProtoNet", "R2D2", "RECORDS", "RFS", "RelationNet", "Reptile",
           "SHOT", "SelfTraining", "SetVAEAugmented", "SimCLR", "SoftKMeans", "SoftKMeansCluster", "SupCon", "TENT",
           "Teacher", "TranslationSampler", "Translator", "TwoEncoders", "build", "method", "record", "record_of",
           "settings_on"]


RECORDS: tuple[Method, ...] = (
    maml.METHOD, fomaml.METHOD, anil.METHOD, reptile.METHOD, imaml.METHOD, meta_sgd.METHOD, lstm.METHOD,
    meta_transfer.METHOD, protonet.METHOD, matching.METHOD, relation.METHOD, r2d2.METHOD, nca.METHOD,
    statistician.METHOD, set_vae.METHOD, metagan.METHOD, manifold_mixup.METHOD, soft_kmeans.METHOD,
    soft_kmeans.CLUSTER, soft_kmeans.MASKED, cnp.METHOD, caml.METHOD, baselines.NONE,
    baselines.SCRATCH, baselines.JOINT, l2sp.METHOD, baselines.FINETUNE, baselines.PROBE, freeze.METHOD, lp_ft.METHOD,
    lora.METHOD, rfs.METHOD, baseline_plus_plus.METHOD, contrastive.SIMCLR, contrastive.SUPCON, baselines.NEIGHBOUR,
    adabn.METHOD, tent.METHOD, coral.METHOD, dann.METHOD, self_training.METHOD, shot.METHOD, mldg.METHOD,
    adapter.METHOD, daml.METHOD,
)
METHODS = tuple(record for record in RECORDS if not record.across)
ACROSS_DOMAINS = tuple(record for record in RECORDS if record.across)


def method(name: str) -> Method:
    """The method of this name. Raises ValueError, listing the names, for any other."""
    for entry in METHODS:
        if entry.name == name:
            return entry
    if any(entry.name == name for entry in ACROSS_DOMAINS):
        raise ValueError(f"{name} learns from a source and a target, not from one domain; run mlcourse study transfer")
    raise ValueError(f"unknown method {name!r}; known are {', '.join(entry.name for entry in METHODS)}")


def record(name: str) -> Method:
    """The record of this name, of a method across domains, too. Raises ValueError as `method` does."""
    return next((entry for entry in ACROSS_DOMAINS if entry.name == name), None) or method(name)


def record_of(learner: Learner) -> Method | None:
    """The record of exactly this learner's class; None where it has none, as a subclass of your own."""
    return next((entry for entry in (*METHODS, *ACROSS_DOMAINS) if entry.kind is type(learner)), None)


def settings_on(entry: Method, way: int) -> tuple[dict, dict]:
    """A method's (settings, training) for images of `way` classes, or for sinusoids when way is 0. Raises ValueError
    where it cannot learn them."""
    if way == 0 and entry.sinusoids is None:
        raise ValueError(f"{entry.name} needs classes, so it cannot fit sinusoids; choose one of "
                         f"{', '.join(m.name for m in METHODS if m.sinusoids)}")
    if way and entry.settings is None:
        raise ValueError(f"{entry.name} predicts numbers, so it cannot tell classes apart; choose one of "
                         f"{', '.join(m.name for m in METHODS if m.settings is not None)}")
    return (entry.settings, entry.training) if way else entry.sinusoids


def build(entry: Method, *, way: int, train_classes: int = 0, norm: str = "batch", seed: int = 0, net: str = "conv4",
          side: int = 28, channels: int = 1, width: int | None = None, sequence: tuple[int, int] | None = None,
          **settings) -> Learner:
    """A new learner of this method: for images or sequences and `way` classes, or for sinusoids when way is 0.

    train_classes: the number of training classes, which the methods that pretrain tell apart, unless their network is
    frozen. net, norm, width, sequence: the network, by name (`nets.network`). side, channels: of images. seed: of its
    initial weights, and of all that the method itself draws, such as Meta-SGD's rates. A constructor gets those of way,
    norm, seed and train_classes that it takes. settings: constructor arguments that replace the method's own.
    Raises ValueError for a method of pictures and sequences, and what `settings_on`, `nets.network` and the
    constructors raise.
    """
    if sequence is not None and entry.of_pictures:
        raise ValueError(f"{entry.name} makes or changes pictures, so it cannot learn from sequences; choose another "
                         "method")
    settings = {**settings_on(entry, way)[0], **settings}
    for name, value in (("train_classes", train_classes), ("seed", seed), ("way", way),
                        ("norm", norm if way else "none")):
        if name in signature(entry.kind).parameters:
            settings.setdefault(name, value)
    if not entry.net:
        return entry.kind(**settings)
    if way == 0:
        return entry.kind(MLP(seed=seed), **settings)
    outputs = way if entry.net == "headed" else 0
    body = network(net, outputs, norm=norm, side=side, channels=channels, width=width, seed=seed,
                   maps=entry.net == "maps", sequence=sequence)
    if issubclass(entry.kind, Pretrained) and not trainable(body):
        settings["train_classes"] = 0
    return entry.kind(body, **settings)
