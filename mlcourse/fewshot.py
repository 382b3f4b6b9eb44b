"""An episodic learner as a scikit-learn classifier: fit adapts it to a few labelled samples, predict names others."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, MappingView, Sequence
from collections.abc import Set as AbstractSet
from numbers import Integral
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn

from mlcourse import checkpoint
from mlcourse.datasets import Form
from mlcourse.datasets.pictures import Reduced, decode, extents, fitted, ink, reduced
from mlcourse.datasets.values import KINDS, kind_of, value_range
from mlcourse.episode import Episode
from mlcourse.learner import Learner, device_of, is_seen_transductive
from mlcourse.learners import ProtoNet

AT_ONCE = 256           # samples that are predicted together where none depends on the others
LUMA = (0.299, 0.587, 0.114)


class FewShot(ClassifierMixin, BaseEstimator):
    """Any learner that classifies, as a scikit-learn estimator. Fitting trains no weights of the learner: it takes what
    `Learner.adapt` makes of the samples, which are the support set of one episode.

    learner: a trained learner, or the path of a checkpoint; None compares with class means of the samples as they are.
    steps: inner steps of a learner that has any; None takes its own number. side, colour: the form of the pictures that
    the network reads, as of a folder; None takes those that a network of the course was made for, or those of the
    example that `wrap` was given for another, and else 28×28 in grey.

    X is one of: pictures, as a list of paths, of PIL images or of arrays (or an array, a column of a table or an
    iterator of such, which are listed), or as an array (M, H, W) or (M, H, W, 3) of any size and range, converted as a
    folder of pictures is (the range of the values is that of the pictures of their kind that were fitted; clearly
    another is refused); an array (M, d) of features; or a torch tensor (M, *D), which goes to the network untouched.
    What is predicted is given as what was fitted, or as a tensor.
    y: one label for each sample, words or numbers, none of them missing; classes_ holds them in order.

    Where the learner is transductive, what it says of a sample depends on the other samples in the same call.
    Raises ValueError, in one sentence, for what does not fit, and what `checkpoint.load` and the learner raise.
    """

    def __init__(self, learner: Learner | str | os.PathLike | None = None, steps: int | None = None,
                 side: int | None = None, colour: bool | None = None):
        self.learner = learner
        self.steps = steps
        self.side = side
        self.colour = colour

    def fit(self, X, y) -> FewShot:
        """Adapt to labelled samples; returns self. Where this raises, the former fit stays."""
        was = dict(vars(self))
        try:
            for name in [name for name in was if name.endswith("_")]:
                delattr(self, name)
            self._fit(X, y)
        except BaseException:
            vars(self).clear()
            vars(self).update(was)
            raise
        return self

    def _fit(self, X, y) -> None:
        self._check_settings()
        y = _labels(y)
        learner = _learner(self.learner)
        self.form_ = self._form(learner)
        samples = self._samples(X, y=y, fitting=True)
        if isinstance(samples, tuple):
            samples, y = samples
        if np.ndim(y) == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if np.shape(y) != (len(samples),):
            raise ValueError(f"y must hold one label for each of {len(samples)} samples, got the shape {np.shape(y)}")
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier needs at least 2 classes, got 1 class, {self.classes_[0]!r}; give samples "
                             "of another")
        self.learner_, self.shape_, self.dtype_ = learner, tuple(samples.shape[1:]), samples.dtype
        x, nothing = _numbers(samples, learner), torch.zeros(0, dtype=torch.int64)
        episode = Episode(x, torch.as_tensor(labels), x[:0], nothing, x[:0], torch.arange(len(self.classes_)),
                          torch.tensor(0)).to(device_of(learner))
        with torch.no_grad():
            self.state_ = self.learner_.adapt(episode, self.steps)
            self.transductive_ = is_seen_transductive(self.learner_, lambda: self.state_, episode.support_x)

    def decision_function(self, X) -> np.ndarray:
        """The learner's logits (M, N); for two classes, as scikit-learn has it, those of the second less the first
        (M,)."""
        logits = self._logits(X)
        return (logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits).numpy()

    def predict_proba(self, X) -> np.ndarray:
        """The softmax of the logits, (M, N), in the order of `classes_`."""
        return self._logits(X).softmax(1).numpy()

    def predict(self, X) -> np.ndarray:
        """The most probable label of each sample, (M,)."""
        best = self._logits(X).argmax(1).numpy()
        return self.classes_[best]

    def _logits(self, X) -> Tensor:
        check_is_fitted(self)
        x = _numbers(self._samples(X, fitting=False), self.learner_).to(device_of(self.learner_))
        blocks = [x] if self.transductive_ else x.split(AT_ONCE)
        try:
            with torch.no_grad():
                logits = torch.cat([self.learner_.predict(self.state_, block) for block in blocks]).double().cpu()
        except RuntimeError as error:
            if x.shape[1:] == self.shape_:
                raise
            raise ValueError(f"the learner was fitted to samples of shape {self.shape_} and computes none of shape "
                             f"{tuple(x.shape[1:])} ({str(error).splitlines()[0]}); give samples of the same shape"
                             ) from error
        if len(bad := logits.softmax(1).isnan().any(1).nonzero()):
            raise ValueError(f"the learner computes NaN or infinity for {len(bad)} of {len(x)} samples, the first of "
                             f"them sample {int(bad[0])}, though the samples are finite; train it again, with a lower "
                             "rate where it has one, or scale the samples down")
        return logits

    def _samples(self, X, fitting: bool, y=None):
        """X as a tensor; of an array (M, d), in fitting, with y as scikit-learn validated it."""
        X = _listed(X)
        if isinstance(X, Tensor):
            if not fitting:
                self._check_tensor(X)
            elif X.ndim == 2:
                self.n_features_in_ = X.shape[1]
            return X
        if _are_pictures(X):
            return self._pictures(X, fitting)
        if fitting:
            x, y = validate_data(self, X, y, dtype=np.float64)
            return torch.tensor(x), y
        if hasattr(self, "ranges_") or not hasattr(self, "n_features_in_"):
            given = f"{type(X).__name__} of shape {X.shape}" if hasattr(X, "shape") else type(X).__name__
            raise ValueError(f"this classifier was fitted to {self._fitted_to()}; give it such samples, also one as a "
                             f"batch, not {given}")
        return torch.tensor(validate_data(self, X, reset=False, dtype=np.float64))

    def _pictures(self, X, fitting: bool) -> Tensor:
        if not fitting and not hasattr(self, "ranges_"):
            raise ValueError(f"this classifier was fitted to {self._fitted_to()}; give it such samples, not pictures")
        small = [_reduced(picture, place, self.form_) for place, picture in enumerate(X)]
        if fitting:
            self.n_features_in_ = small[0].values.size
            self.ranges_ = {kind: value_range(*extent) for kind, extent in extents(small).items()}
        for place, each in enumerate(small):
            if kind_of(each.dtype) not in self.ranges_:
                raise ValueError(f"picture {place} holds {KINDS[kind_of(each.dtype)]}, but this classifier was fitted "
                                 f"to pictures of {' and '.join(KINDS[kind] for kind in self.ranges_)}; give values of "
                                 "that kind and range")
        if not fitting:
            for kind, (low, high, _) in extents(small).items():
                _check_range(KINDS[kind], low, high, self.ranges_[kind])
        inked = [ink(each, self.ranges_[kind_of(each.dtype)], Counter()) for each in small]
        return torch.from_numpy(np.stack(inked)).double() / 255

    def _check_tensor(self, x: Tensor) -> None:
        if x.ndim != len(self.shape_) + 1:
            raise ValueError(f"X is a tensor of shape {tuple(x.shape)}, but this classifier was fitted to samples of "
                             f"shape {self.shape_}; give such samples, also one as a batch, x[None]")
        kinds = {x.dtype, self.dtype_}
        if torch.uint8 in kinds and any(dtype.is_floating_point for dtype in kinds):
            raise ValueError(f"X is a tensor of {x.dtype}, but this classifier was fitted to {self.dtype_}, and bytes "
                             "are not scaled to fractions; give the values in the range that was fitted")

    def _fitted_to(self) -> str:
        if hasattr(self, "ranges_"):
            return "pictures, (M, H, W) or a list"
        if hasattr(self, "n_features_in_"):
            return f"samples of {self.n_features_in_} features"
        return f"a tensor of samples of shape {self.shape_}"

    def _check_settings(self) -> None:
        for name, given in {"steps": self.steps, "side": self.side}.items():
            if given is not None and (not isinstance(given, Integral) or isinstance(given, bool)):
                raise ValueError(f"{name} must be None or a whole number, got {given!r}")
        if not isinstance(self.colour, (bool, np.bool_, type(None))):
            raise ValueError(f"colour must be None, True or False, got {self.colour!r}")

    def _form(self, learner: Learner) -> Form:
        net = getattr(learner, "net", None)
        known = getattr(net, "config", {})
        match getattr(net, "reads", ()):
            case (1 | 3 as channels, height, width) if height == width:
                known = {"side": height, "channels": channels}
        form = Form(known.get("side", Form().side) if self.side is None else self.side,
                    known.get("channels", 1) == 3 if self.colour is None else self.colour)
        form.check()
        return form


def _learner(given: Learner | str | os.PathLike | None) -> Learner:
    """The learner in eval mode. Raises ValueError for anything else, and what `checkpoint.load` raises."""
    if given is None:
        return ProtoNet(nn.Flatten()).eval()
    if isinstance(given, (str, os.PathLike)):
        return checkpoint.load(Path(given))[0]
    if not isinstance(given, Learner):
        raise ValueError(f"learner must be a mlcourse learner or the path of a checkpoint, got {type(given).__name__}; "
                         "give for instance ProtoNet(net) after training")
    return given.eval()


def _labels(y):
    """Labels as an array; None as it is. Raises ValueError for a label that is missing, for words among others, which
    numpy would make the same words, and for objects of another type."""
    if y is None:
        return None
    if isinstance(y, Iterator):
        y = list(y)
    if isinstance(y, Tensor):
        y = y.detach().cpu().numpy()
    if np.ma.is_masked(y):
        y = np.where(np.ma.getmaskarray(y), None, y.data)
    found: dict[type, object] = {}
    for place, label in enumerate(np.asarray(y, dtype=object).ravel().tolist()):
        if label is None or type(label).__name__ == "NAType" or np.ndim(label) == 0 and label != label:
            raise ValueError(f"label {place} of y is missing ({label}); leave out the samples that have no label")
        found.setdefault(next((kind for kind in (str, bytes) if isinstance(label, kind)), object), label)
    if len(found) > 1:
        raise ValueError(f"y mixes {' and '.join(type(label).__name__ for label in found.values())} labels, such as "
                         f"{' and '.join(map(repr, found.values()))}; give all of them as one type")
    labels = np.asarray(y)
    if labels.dtype == object and labels.ndim and object in found:
        raise ValueError(f"Unknown label type: y holds {type(found[object]).__name__} objects; give words or whole "
                         "numbers")
    return labels


def _dtype(learner: Learner) -> torch.dtype:
    return next((p.dtype for p in learner.parameters() if p.is_floating_point()), torch.float64)


def _check_range(kind: str, low: float, high: float, span: tuple[float, float]) -> None:
    """Raises ValueError where the pictures of one call, from `low` to `high`, are clearly not of the fitted range: they
    reach beyond it by half of it, lie in its lowest fifteenth (as 12 bits in 16), or begin at 0 where black is below.
    Pictures of a single value in the range are blank, and pass."""
    black, white = span
    width = white - black
    beyond = low < black - width / 2 or high > white + width / 2
    faint = low >= black and high <= black + width / 15
    shifted = low == 0 and black < -width / 4
    if beyond or low < high and (faint or shifted):
        raise ValueError(f"the pictures hold {kind} from {low:,.6g} to {high:,.6g}, but this classifier was fitted to "
                         f"such values from {black:,.6g} to {white:,.6g}; give values of the range that was fitted")


def _numbers(x: Tensor, learner: Learner) -> Tensor:
    """Samples in the dtype of the learner. Raises ValueError, naming the first, where some are then not finite."""
    x = x.to(dtype=_dtype(learner))
    if x.numel() and len(bad := (~x.isfinite()).flatten(1).any(1).nonzero()):
        raise ValueError(f"sample {int(bad[0])} holds values that are NaN or infinite in {_dtype(learner)}; remove or "
                         f"repair such samples, {len(bad)} of {len(x)}")
    return x


def _are_pictures(X) -> bool:
    """Whether X is a batch of pictures, not of features."""
    if isinstance(X, np.ndarray):
        return X.ndim in (3, 4)
    return isinstance(X, Sequence) and len(X) > 0 and _hold_pictures(X)


def _hold_pictures(each: Sequence) -> bool:
    return any(isinstance(one, (str, os.PathLike, Image.Image)) for one in each) or np.ndim(each[0]) >= 2


def _listed(X):
    """X, as a list where it is an iterator, or an array or a column of a table of paths, of PIL images or of arrays.
    Raises ValueError for one picture alone, what has no order, and masked values."""
    if isinstance(X, (str, bytes, os.PathLike, Image.Image)):
        raise ValueError(f"X is a single {type(X).__name__}; give a list of pictures, also for one")
    if isinstance(X, (Iterator, MappingView)):
        X = list(X)
    if isinstance(X, (AbstractSet, Mapping)) and not hasattr(X, "shape"):
        raise ValueError(f"X is a {type(X).__name__}; give a list, in the order of the labels")
    if np.ma.is_masked(X):
        raise ValueError("X holds masked values; fill them, or leave those samples out")
    shape = getattr(X, "shape", (len(X),) if isinstance(X, Sequence) else ())
    if isinstance(X, Tensor) and len(shape) < 2:
        raise ValueError(f"X is a tensor of shape {tuple(shape)}; give samples (M, *D)")
    if len(shape) and shape[0] == 0 and (isinstance(X, Tensor) or len(shape) != 2):
        raise ValueError("X holds no samples; give at least one")
    if not isinstance(X, Tensor) and hasattr(X, "__array__") and (len(shape) == 1 or len(shape) == 2 and shape[1] == 1):
        column = np.asarray(X)
        if column.dtype.kind in "OUT" and column.size and _hold_pictures(each := column.ravel().tolist()):
            return each
    return X


def _reduced(picture, place: int, form: Form) -> Reduced:
    """A picture of any kind in this form. Raises ValueError, naming the file or the place, for what is none."""
    name = str(picture) if isinstance(picture, (str, os.PathLike)) else f"picture {place}"
    try:
        if isinstance(picture, (str, os.PathLike)):
            return reduced(decode(Path(picture).read_bytes(), name, form.side).image, Counter(), form.side, form.colour)
        if isinstance(picture, Image.Image):
            return reduced(picture, Counter(), form.side, form.colour)
        return fitted(_pixels(np.asarray(picture), form.colour), Counter(), form.side)
    except FileNotFoundError as error:
        raise ValueError(f"there is no file {name}; correct the path") from error
    except Exception as error:          # damaged metadata raise almost anything
        raise ValueError(f"{name} cannot be used as a picture ({error or type(error).__name__}); replace it or leave "
                         "it out") from error


def _pixels(given: np.ndarray, colour: bool) -> np.ndarray:
    """Grey values (H, W), or in colour (H, W, 3), of an array. Raises ValueError for anything else."""
    pixels = given[0] if given.ndim == 3 and given.shape[0] == 1 else given
    has_colour = pixels.ndim == 3 and pixels.shape[2] == 3
    if not (pixels.ndim == 2 or has_colour) or 0 in pixels.shape or pixels.dtype.kind not in "biuf":
        raise ValueError(f"it is an array of {given.dtype} of shape {given.shape}; give (H, W) or (H, W, 3) of numbers")
    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * 255
    if has_colour and not colour:
        grey = pixels @ np.array(LUMA)
        return grey.round().astype(np.uint8) if pixels.dtype == np.uint8 else grey
    return np.repeat(pixels[..., None], 3, axis=2) if colour and not has_colour else pixels
