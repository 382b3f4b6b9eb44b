"""FewShot: scikit-learn's own checks, every way to give samples, and the numbers of the learner by hand."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from tiny import patterns

from mlcourse import checkpoint, datasets
from mlcourse.datasets import Form
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import evaluate
from mlcourse.fewshot import FewShot
from mlcourse.learners import MAML, ProtoNet
from mlcourse.nets import Conv4, wrap


@parametrize_with_checks([FewShot()])
def test_scikit_learns_estimator_checks(estimator, check):
    check(estimator)


def trained():
    """The checkpoint that the course ships: ProtoNet on glyphs."""
    from mlcourse.system import paths

    return paths.DATA / "checkpoints" / "protonet-glyphs.safetensors"


def drawings(side=28):
    """8 drawings of each of 3 characters as uint8 (24, side, side), ink high, and their names."""
    domain = datasets.load_splits("glyphs").test.subset([0, 1, 2])
    first = domain.first(8)
    return first.images[:, 0].numpy(), np.array([domain.classes[i] for i in first.labels])


def test_the_learner_by_hand_gives_the_same_probabilities():
    x, y = drawings()
    learner, _ = checkpoint.load(trained())
    model = FewShot(learner).fit(x[::2], y[::2])
    order = {name: i for i, name in enumerate(model.classes_)}
    labels, pixels = torch.tensor([order[name] for name in y]), torch.from_numpy(x)[:, None].float() / 255
    stats = learner.fixed_stats()
    means = torch.stack([learner.embed(pixels[::2][labels[::2] == k], stats).mean(0) for k in range(3)])
    by_hand = (-torch.cdist(learner.embed(pixels[1::2], stats), means).square()).softmax(1)
    np.testing.assert_allclose(model.predict_proba(x[1::2]), by_hand.detach().numpy(), atol=1e-4)
    assert (model.predict(x[1::2]) == y[1::2]).mean() > 0.9 and model.score(x[1::2], y[1::2]) > 0.9


def test_every_way_to_give_pictures_is_the_same(tmp_path):
    x, y = drawings()
    dark = 255 - x                                          # dark ink on white, as scans are
    files = []
    for i, picture in enumerate(dark):
        files.append(tmp_path / f"{i}.png")
        Image.fromarray(picture).save(files[-1])
    colour = np.repeat(dark[..., None], 3, -1)
    ways = {"ink": x, "scans": dark, "paths": files, "words": list(map(str, files)),
            "PIL": [Image.open(file) for file in files], "colour": colour, "floats": dark / 255.0, "16 bits":
            dark.astype(np.uint16) * 257, "one channel": dark[:, None], "list": list(dark)}
    said = {name: FewShot(trained()).fit(way[:12], y[:12]).predict_proba(way[12:]) for name, way in ways.items()}
    for name, probabilities in said.items():
        np.testing.assert_allclose(probabilities, said["ink"], atol=5e-3, err_msg=name)


def test_one_picture_alone_is_named_as_among_others():
    x, y = drawings()
    model = FewShot(trained()).fit(x[:12], y[:12])
    np.testing.assert_allclose(np.concatenate([model.predict_proba(each[None]) for each in x[12:]]),
                               model.predict_proba(x[12:]), atol=1e-6)


def test_it_works_in_pipelines_and_cross_validation_and_is_cloned():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], 20)
    x = rng.normal(size=(60, 4)) + np.repeat(np.eye(3, 4) * 4, 20, 0)
    assert cross_val_score(make_pipeline(StandardScaler(), FewShot()), x, y, cv=4).mean() > 0.9
    net = wrap(torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh()), head=3, example=torch.zeros(2, 4))
    model = FewShot(MAML(net, lr=0.5), steps=50)
    before = {name: p.clone() for name, p in model.learner.named_parameters()}
    assert clone(model).fit(x, y).score(x, y) > 0.9
    model.fit(x, y)
    assert all(torch.equal(p, before[name]) for name, p in model.learner.named_parameters())


def test_a_tensor_goes_to_the_network_as_it_is():
    domain = patterns(classes=3)
    learner = ProtoNet(Conv4(0, 6, "max", "support", 16))
    x = domain.images.double().float() / 255
    model = FewShot(learner).fit(x[::2], domain.labels[::2].numpy())
    assert model.score(x[1::2], domain.labels[1::2].numpy()) > 0.8


class Together(torch.nn.Module):
    """Features that are standardised by the samples at hand, as no module says."""

    def forward(self, x):
        x = x.flatten(1)
        return (x - x.mean(0)) / (x.std(0, correction=0) + 0.1)


def test_a_network_whose_samples_matter_to_each_other_is_declared_whoever_wrote_it():
    sampler = EpisodeSampler(patterns(), 3, 2, 3)
    for body, together in ((Together(), True), (torch.nn.Flatten(), False)):
        learner = ProtoNet(wrap(body, example=torch.zeros(2, 1, 16, 16)))
        assert evaluate(learner, sampler, 4).transductive is together
        x, y = patterns(classes=3).images.float() / 255, patterns(classes=3).labels.numpy()
        model = FewShot(learner).fit(x[::2], y[::2])
        assert model.transductive_ is together
        many = x.repeat(10, 1, 1, 1).double()
        assert np.allclose(model.predict_proba(many), learner.predict(model.state_, many).softmax(1).numpy(), atol=1e-5)


def test_accuracy_over_episodes_is_that_of_evaluate():
    learner, _ = checkpoint.load(trained())
    sampler = EpisodeSampler(datasets.load_splits("glyphs").test, 5, 1, 5)
    batch = sampler.sample(20, torch.Generator().manual_seed(0))
    hits = []
    for i in range(20):
        e = batch.task(i)
        hits.append(FewShot(learner).fit(e.support_x, e.support_y.numpy()).score(e.query_x, e.query_y.numpy()))
    with torch.no_grad():
        right = (learner.predictions(batch).argmax(-1) == batch.query_y).double().mean()
    assert np.mean(hits) == pytest.approx(float(right)) and evaluate(learner, sampler, 10).mean > 0.5


def test_pictures_of_two_kinds_are_scaled_each_by_its_own_range():
    x, y = drawings()
    mixed = [picture / 255 if i % 2 else picture for i, picture in enumerate(x)]
    said = [FewShot(trained()).fit(way[:12], y[:12]).predict_proba(way[12:]) for way in (list(x), mixed)]
    np.testing.assert_allclose(*said, atol=5e-3)


def sixteen(x, factor):
    return [Image.fromarray(each.astype(np.uint16) * np.uint16(factor)) for each in x]


@pytest.mark.parametrize("fitted, given, says", [
    (lambda x: x / 255, lambda x: x * 1.0, "floating-point values from 0 to 255, .* fitted to such values from 0 to 1;"),
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
@pytest.mark.parametrize("learner", [None, ProtoNet(Conv4(0, 6, "max", "support", 16)), ProtoNet(wrap(torch.nn.Flatten()))])
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


def objects(each):
    """An array of objects, one for each."""
    made = np.empty(len(each), object)
    made[:] = each
    return made


def saved(x, folder):
    """The paths of pictures, in order."""
    paths = [folder / f"{i:02}.png" for i in range(len(x))]
    for path, picture in zip(paths, x, strict=True):
        Image.fromarray(picture).save(path)
    return paths


def test_arrays_columns_and_iterators_of_pictures_are_as_a_list(tmp_path):
    pd = pytest.importorskip("pandas")
    x, y = drawings()
    paths = saved(x, tmp_path)
    words, images = list(map(str, paths)), [Image.fromarray(each) for each in x]
    uneven = objects([each if i else each[:, 1:-1] for i, each in enumerate(x)])
    ways = (lambda: np.array(words), lambda: np.array(words, object), lambda: objects(paths), lambda: pd.Series(words),
            lambda: pd.DataFrame({"path": words}), lambda: pd.Series(words)[::-1][::-1].set_axis(range(24, 0, -1)),
            lambda: pd.Series(words, dtype="string"), lambda: np.array(words)[:, None], lambda: iter(words),
            lambda: (path for path in paths), lambda: map(str, paths), lambda: objects(images), lambda: pd.Series(images),
            lambda: objects(list(x)), lambda: iter(images),
            lambda: dict(enumerate(words)).values(), lambda: dict.fromkeys(words).keys())
    said = FewShot().fit(words, y).predict_proba(words)
    for way in ways:
        np.testing.assert_array_equal(FewShot().fit(way(), iter(y)).predict_proba(way()), said)
    assert FewShot().fit(uneven, y).score(uneven, y) > 0.5
    assert len(FewShot().fit(words, y).predict(tmp_path.glob("*.png"))) == 24
    with pytest.raises(ValueError, match="picture 0 cannot be used"):
        FewShot().fit(pd.Series([None, *words[1:]]), y)


@pytest.mark.parametrize("given, says", [
    (lambda x: "a.png", "X is a single str; give a list of pictures, also for one"),
    (lambda x: Image.fromarray(x[0]), "X is a single Image; give a list"),
    (lambda x: {"a.png", "b.png"}, "X is a set; give a list, in the order of the labels"),
    (lambda x: {"a.png": 0}, "X is a dict; give a list"),
    (lambda x: np.ma.masked_greater(x, 100), "X holds masked values; fill them"),
])
def test_one_picture_what_has_no_order_and_masked_values_are_refused(given, says):
    x, y = drawings()
    with pytest.raises(ValueError, match=says):
        FewShot().fit(given(x), y)
    with pytest.raises(ValueError, match=says):
        FewShot().fit(x, y).predict(given(x))


@pytest.mark.parametrize("shape, form", [((3, 64, 64), Form(64, True)), ((1, 40, 40), Form(40)), ((1, 20, 30), Form()),
                                         ((2, 20, 20), Form()), ((784,), Form()), (None, Form())])
def test_pictures_are_read_in_the_form_of_the_example_that_the_network_was_wrapped_with(shape, form):
    example = None if shape is None else torch.zeros(2, *shape)
    learner = ProtoNet(wrap(torch.nn.Flatten(), example=example))
    x, y = drawings()
    model = FewShot(learner).fit(x, y)
    assert model.form_ == form and model.shape_ == (form.channels, form.side, form.side)
    assert FewShot(learner, side=12, colour=False).fit(x, y).shape_ == (1, 12, 12)


def fitted_to(what):
    """A classifier fitted to drawings as pictures, as features or as a tensor (M, 1, 28, 28)."""
    x, y = drawings()
    return FewShot().fit({"pictures": x, "features": x.reshape(24, -1), "tensor": torch.tensor(x)[:, None] / 255}[what], y)


@pytest.mark.parametrize("what, given, says", [
    ("tensor", lambda x: x, r"fitted to a tensor of samples of shape \(1, 28, 28\); give it such samples, not pictures"),
    ("tensor", lambda x: ["nowhere.png"], "fitted to a tensor of samples .* not pictures"),
    ("tensor", lambda x: x.reshape(24, -1), r"fitted to a tensor .* not ndarray of shape \(24, 784\)"),
    ("tensor", lambda x: torch.tensor(x)[0, None] / 255, r"X is a tensor of shape \(1, 28, 28\), .* as a batch, x\[None\]"),
    ("tensor", lambda x: torch.tensor(x)[:, None], "X is a tensor of torch.uint8, but .* fitted to torch.float32"),
    ("tensor", lambda x: torch.zeros(3, 1, 20, 20), r"samples of shape \(1, 28, 28\) and computes none of shape \(1, 20, 20\)"),
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
    for way in (list(y), pd.Series(y), pd.Series(y, dtype="string"), pd.DataFrame({"y": y}), pd.Categorical(y), y[:, None]):
        assert list(FewShot().fit(x, way).classes_) == sorted(set(y))
    assert FewShot().fit(x, numbers.float().requires_grad_()).classes_.tolist() == [0, 1, 2]
    for missing in (pd.Series([None, *y[1:]]), pd.Series([None, *y[1:]], dtype="string"), pd.Categorical([None, *y[1:]]),
                    pd.Series([pd.NA, *numbers[1:].tolist()], dtype="Int64"), pd.DataFrame({"y": [NAN, *y[1:]]})):
        with pytest.raises(ValueError, match="label 0 of y is missing"):
            FewShot().fit(x, missing)


@pytest.mark.parametrize("as_given", [lambda x: x, lambda x: [Image.fromarray(each) for each in x]])
def test_colours_reach_a_network_that_reads_them(as_given):
    rng = np.random.default_rng(0)
    y = np.repeat(["red", "blue"], 8)
    x = np.zeros((16, 40, 30, 3), np.uint8)
    x[..., 1] = rng.integers(0, 60, (16, 40, 30))
    x[:8, ..., 0], x[8:, ..., 2] = 150, 150 * 299 // 114 % 256
    grey, colour = (FewShot(ProtoNet(Conv4(0, 6, "max", "support", 20, channels=channels))) for channels in (1, 3))
    assert colour.fit(as_given(x[::2]), y[::2]).score(as_given(x[1::2]), y[1::2]) == 1.0
    assert colour.form_ == Form(20, True) and grey.fit(as_given(x[::2]), y[::2]).form_ == Form(20)
    assert FewShot(side=8, colour=True).fit(as_given(x[::2]), y[::2]).n_features_in_ == 3 * 64


@pytest.mark.parametrize("use, says", [
    (lambda x, y: FewShot("nowhere.safetensors").fit(x, y), "there is no file nowhere.safetensors"),
    (lambda x, y: FewShot(torch.nn.Linear(2, 2)).fit(x, y), "must be a mlcourse learner or the path of a checkpoint, got Linear"),
    (lambda x, y: FewShot(MAML(Conv4(5), lr=0.1)).fit(x, y), "has 5 outputs, but the episode has 3 classes"),
    (lambda x, y: FewShot().fit(x, y[:-1]), "y must hold one label for each of 24 samples"),
    (lambda x, y: FewShot().fit(x, ["a"] * len(x)), "at least 2 classes, got 1 class"),
    (lambda x, y: FewShot().fit(["no.png", *x[1:]], y), "there is no file no.png; correct the path"),
    (lambda x, y: FewShot().fit([x[0][None, None, None], *x[1:]], y), r"picture 0 cannot be used as a picture .*\(H, W, 3\)"),
    (lambda x, y: FewShot().fit(x.astype(float) * np.nan, y), "picture 0 cannot be used .*not finite"),
    (lambda x, y: FewShot().fit(x.reshape(len(x), -1), y).predict(x), "fitted to samples of 784 features"),
    (lambda x, y: FewShot().fit(x, y).predict(x / 255), "picture 0 holds floating-point values, but this classifier was "
                                                        "fitted to pictures of 8-bit values; give values of that kind"),
    (lambda x, y: FewShot(side=0).fit(x, y), "side must lie between 1 and 512 pixels, got 0"),
])
def test_what_does_not_fit_is_said_in_one_sentence(use, says):
    with pytest.raises((ValueError, FileNotFoundError), match=says) as told:
        use(*drawings())
    assert "\n" not in str(told.value)
