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
from tiny import drawings, patterns

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
            lambda: (path for path in paths), lambda: map(str, paths), lambda: objects(images),
            lambda: pd.Series(images), lambda: objects(list(x)), lambda: iter(images),
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
