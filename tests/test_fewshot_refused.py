"""FewShot: what it refuses, in one sentence: ranges, values, labels, forms and settings that do not fit."""

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import drawings, patterns

from mlcourse.datasets import Form
from mlcourse.fewshot import FewShot
from mlcourse.learners import MAML, ProtoNet
from mlcourse.nets import Conv4, wrap


def sixteen(x, factor):
    return [Image.fromarray(each.astype(np.uint16) * np.uint16(factor)) for each in x]


@pytest.mark.parametrize("fitted, given, says", [
    (lambda x: x / 255, lambda x: x * 1.0, "floating-point values from 0 to 255, .* such values from 0 to 1;"),
    (lambda x: x * 1.0, lambda x: x / 255, "floating-point values from 0 to 1, .* from 0 to 255;"),
    (lambda x: x / 127.5 - 1, lambda x: x / 255, "from 0 to 1, .* from -1 to 1;"),
    (lambda x: x / 255, lambda x: x / 127.5 - 1, "from -1 to 1, .* from 0 to 1;"),
    (lambda x: x.astype(np.uint16) * 257, lambda x: x.astype(np.uint16) * 16, "from 0 to 4,080, .* from 0 to 65,535;"),
    (lambda x: sixteen(x, 4), lambda x: sixteen(x, 256), "from 0 to 65,280, .* from 0 to 1,023;"),
    (lambda x: x > 100, lambda x: (x > 100).astype(np.uint8), "8-bit values from 0 to 1, .* from 0 to 255;"),
    (lambda x: x // 9, lambda x: x, "8-bit values from 0 to 255, .* from 0 to 28;"),
])
def test_the_same_kind_of_values_in_another_range_is_refused(fitted, given, says):
    x, y = drawings()
    model = FewShot().fit(fitted(x), y)
    assert (model.predict(fitted(x)) == y).mean() > 0.5
    with pytest.raises(ValueError, match=says):
        model.predict(given(x))


def test_dark_and_blank_pictures_of_the_fitted_range_pass():
    x, y = drawings()
    for ways in ((x, x // 9, x[:1] * 0), (x / 255, x / 255 * 0.2, x[:1] * 0.0, x[:1] * 0.0 + 1, x / 255 * 1.05 - 0.02)):
        model = FewShot().fit(ways[0], y)
        assert all(np.isfinite(model.predict_proba(way)).all() for way in ways)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("learner", [None, ProtoNet(Conv4(0, 6, "max", "support", 16)),
                                     ProtoNet(wrap(torch.nn.Flatten()))])
def test_values_that_are_not_finite_are_refused_in_a_tensor_too(learner, bad):
    x, y = patterns(classes=3).images.float() / 255, patterns(classes=3).labels.numpy()
    broken = x.clone()
    broken[4, 0, 2, 3] = bad
    says = f"sample 4 holds values that are NaN or infinite in torch.float.*, 1 of {len(x)}"
    with pytest.raises(ValueError, match=says):
        FewShot(learner).fit(broken, y)
    model = FewShot(learner).fit(x, y)
    for use in (model.predict, model.predict_proba, model.decision_function):
        with pytest.raises(ValueError, match=says):
            use(broken)


class Root(torch.nn.Module):
    """NaN for a sample with a negative value, infinite for one with a 0."""

    def forward(self, x):
        return 1 / x.flatten(1).sqrt()


@pytest.mark.parametrize("value", [-1.0, 0.0])
def test_a_network_that_makes_nan_of_finite_samples_names_no_class(value):
    x, y = patterns(classes=3).images.float() + 1, patterns(classes=3).labels.numpy()
    learner = ProtoNet(wrap(Root(), example=x[:2]))
    bad = x.clone()
    bad[1] = value
    model = FewShot(learner).fit(x, y)
    with pytest.raises(ValueError, match=f"NaN or infinity for 1 of {len(x)} samples, the first of them sample 1"):
        model.predict(bad)
    with pytest.raises(ValueError, match="ProtoNet predicts NaN around this network, though the samples are finite"):
        FewShot(learner).fit(bad, y)


def test_samples_beyond_half_precision_are_refused():
    x, y = np.random.default_rng(0).normal(size=(20, 6)) * 1e5, np.repeat(["a", "b"], 10)
    half = FewShot(ProtoNet(torch.nn.Linear(6, 4).half()))
    with pytest.raises(ValueError, match="infinite in torch.float16"):
        half.fit(x, y)


def fitted_to(what):
    """A classifier fitted to drawings as pictures, as features or as a tensor (M, 1, 28, 28)."""
    x, y = drawings()
    ways = {"pictures": x, "features": x.reshape(24, -1), "tensor": torch.tensor(x)[:, None] / 255}
    return FewShot().fit(ways[what], y)


@pytest.mark.parametrize("what, given, says", [
    ("tensor", lambda x: x, r"to a tensor of samples of shape \(1, 28, 28\); give it such samples, not pictures"),
    ("tensor", lambda x: ["nowhere.png"], "fitted to a tensor of samples .* not pictures"),
    ("tensor", lambda x: x.reshape(24, -1), r"fitted to a tensor .* not ndarray of shape \(24, 784\)"),
    ("tensor", lambda x: torch.tensor(x)[0, None] / 255, r"a tensor of shape \(1, 28, 28\), .* a batch, x\[None\]"),
    ("tensor", lambda x: torch.tensor(x)[:, None], "X is a tensor of torch.uint8, but .* fitted to torch.float32"),
    ("tensor", lambda x: torch.zeros(3, 1, 20, 20), r"shape \(1, 28, 28\) and computes none of shape \(1, 20, 20\)"),
    ("pictures", lambda x: x[0], r"fitted to pictures, .* also one as a batch, not ndarray of shape \(28, 28\)"),
    ("pictures", lambda x: x[0].tolist(), "fitted to pictures, .* not list"),
    ("pictures", lambda x: x.reshape(24, -1), r"fitted to pictures, .* not ndarray of shape \(24, 784\)"),
    ("pictures", lambda x: torch.tensor(x)[:, None], "X is a tensor of torch.uint8, but .* fitted to torch.float64"),
    ("features", lambda x: x, "fitted to samples of 784 features; give it such samples, not pictures"),
    *((what, given, "X holds no samples; give at least one") for what in ("pictures", "tensor", "features")
      for given in (lambda x: [], lambda x: x[:0], lambda x: iter(()), lambda x: torch.zeros(0, 1, 28, 28))),
    ("features", lambda x: torch.tensor(1.0), r"X is a tensor of shape \(\); give samples"),
])
def test_samples_of_another_form_than_the_fitted_are_refused_in_one_sentence(what, given, says):
    with pytest.raises(ValueError, match=says) as told:
        fitted_to(what).predict(given(drawings()[0]))
    assert "\n" not in str(told.value)


def test_features_in_a_tensor_and_in_an_array_are_the_same():
    (x, y), n = drawings(), 24
    flat = x.reshape(n, -1) / 255
    said = FewShot().fit(flat, y).predict_proba(flat)
    np.testing.assert_allclose(FewShot().fit(torch.tensor(flat), y).predict_proba(flat), said)
    np.testing.assert_allclose(FewShot().fit(flat, y).predict_proba(torch.tensor(flat)), said)


def test_a_fit_forgets_the_former_one_and_stays_where_the_next_fails():
    x, y = drawings()
    model, tensor = FewShot().fit(x, y), torch.tensor(x)[:, None] / 255
    said = model.predict_proba(x)
    for bad in (lambda: model.fit(x / 255, ["one"] * 24), lambda: model.fit(tensor * NAN, y), lambda: model.fit([], y)):
        with pytest.raises(ValueError):
            bad()
        np.testing.assert_array_equal(model.predict_proba(x), said)
    with pytest.raises(ValueError, match="fitted to a tensor"):
        model.fit(tensor, y).predict(x)


@pytest.mark.parametrize("settings, says", [
    ({"steps": 2.5}, "steps must be None or a whole number, got 2.5"),
    ({"steps": True}, "steps must be None or a whole number, got True"),
    ({"steps": -1}, "steps must not be negative, got -1"),
    ({"side": "28"}, "side must be None or a whole number, got '28'"),
    ({"side": 28.0}, "side must be None or a whole number, got 28.0"),
    ({"colour": "no"}, "colour must be None, True or False, got 'no'"),
])
def test_settings_that_are_none_are_refused_in_one_sentence(settings, says):
    x, y = drawings()
    with pytest.raises(ValueError, match=says):
        FewShot(MAML(Conv4(3)), **settings).fit(x, y)
    assert FewShot(MAML(Conv4(3)), steps=np.int64(1), side=np.int64(28), colour=False).fit(x, y).form_ == Form()


NAN = float("nan")


@pytest.mark.parametrize("features", [True, False])
@pytest.mark.parametrize("labels, says", [
    (["a", "b", NAN, "b"], r"label 2 of y is missing \(nan\); leave out"),
    (["a", "b", None, "b"], r"label 2 of y is missing \(None\)"),
    ([0.0, 1.0, NAN, 1.0], r"label 2 of y is missing \(nan\)"),
    (np.array(["a", "b", "a", NAN], object), r"label 3 of y is missing"),
    (torch.tensor([0, 1, NAN, 1.0]), "label 2 of y is missing"),
    (np.array(["2020-01-01", "NaT", "2021-01-01", "2020-01-01"], "datetime64[s]"), "label 1 of y is missing"),
    (np.ma.masked_equal([0, 1, 2, 1], 2), "label 2 of y is missing"),
    ([1, "a", 1, "a"], "y mixes int and str labels, such as 1 and 'a'; give all of them as one type"),
    (["1", 1, 2, "2"], "y mixes str and int labels, such as '1' and 1"),
    (np.array(["1", 1, 2, "2"], object), "y mixes str and int labels"),
    ([b"a", "a", b"b", "b"], "y mixes bytes and str labels"),
    ([2**70, 1, 2**70, 1], "Unknown label type: y holds int objects; give words or whole numbers"),
])
def test_labels_that_are_missing_or_of_two_types_are_refused(labels, says, features):
    x, _ = drawings()
    with pytest.raises(ValueError, match=says):
        FewShot().fit(x[:4].reshape(4, -1) if features else x[:4], labels)


def test_labels_in_a_series_a_frame_or_a_tensor_are_read_and_missing_ones_refused():
    pd = pytest.importorskip("pandas")
    (x, y), numbers = drawings(), torch.arange(24) % 3
    for way in (list(y), pd.Series(y), pd.Series(y, dtype="string"), pd.DataFrame({"y": y}), pd.Categorical(y),
                y[:, None]):
        assert list(FewShot().fit(x, way).classes_) == sorted(set(y))
    assert FewShot().fit(x, numbers.float().requires_grad_()).classes_.tolist() == [0, 1, 2]
    for missing in (pd.Series([None, *y[1:]]), pd.Series([None, *y[1:]], dtype="string"),
                    pd.Categorical([None, *y[1:]]),
                    pd.Series([pd.NA, *numbers[1:].tolist()], dtype="Int64"), pd.DataFrame({"y": [NAN, *y[1:]]})):
        with pytest.raises(ValueError, match="label 0 of y is missing"):
            FewShot().fit(x, missing)
