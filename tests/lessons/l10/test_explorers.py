"""The explorers of lesson 10 against sums of another make, and over every corner of their controls."""

import numpy as np
import pytest
import torch
from marks import check_marked

from mlcourse.datasets import load_splits
from mlcourse.lessons.l10_data import mixing, shipped, walk
from mlcourse.lessons.l10_data.explorers import latent_walk, mix_layer
from mlcourse.lessons.l10_data.study_making_arms import source
from mlcourse.lessons.l10_data.widget_mix import PLACES, MixLayer
from mlcourse.lessons.l10_data.widget_walk import FURTHEST, LatentWalk
from mlcourse.losses.vae import Normal, kl
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


@pytest.fixture(scope="module")
def trained():
    """Both networks of the second explorer."""
    with one_core():
        return mixing.examples()


def test_the_ruler_counts_pixels_as_a_loop_does():
    ink = np.zeros((28, 28), bool)
    ink[5:20, 12:15] = True
    ruler = walk.measured(ink, 2, 3)
    differ = lambda x: int((np.asarray(x).squeeze() > 0.5).__ne__(ink).sum())
    images = source("glyphs").images
    assert ruler.to_trained == differ(images[ruler.trained] / 255)
    assert ruler.to_trained <= min(differ(images[i] / 255) for i in range(0, len(images), 97))
    shown = [differ(x) for x in walk.drawings()[2, :3]]
    assert ruler.to_shown == min(shown) == shown[ruler.shown]
    own = walk.drawings()[2]
    nearest = sorted(min(int((own[i] != own[j]).sum()) for j in range(3)) for i in range(walk.SHOWN, 20))
    np.testing.assert_allclose(ruler.real_shown, (nearest[0], np.median(nearest), nearest[-1]))
    first = min(int((own[7] != x / 255).sum()) for x in images)
    assert ruler.real_trained[0] <= first <= ruler.real_trained[2]


@torch.no_grad()
def test_the_divergences_are_those_of_the_set_vae():
    vae, found = shipped.vae(), []
    for character in range(walk.CHARACTERS):
        for first in range(0, 20, walk.SHOWN):
            h = vae.embed(walk.drawings()[character:character + 1, first:first + walk.SHOWN])
            c = vae.context(h).mean
            prior = vae.prior(c)
            found += [kl(Normal(*(part[0, i] for part in vae.posterior(h, c))), Normal(prior.mean[0], prior.log_var[0]))
                      for i in range(walk.SHOWN)]
    torch.testing.assert_close(walk.divergences(), torch.stack(found).mean(0), atol=1e-4, rtol=1e-3)


def test_the_characters_are_of_scripts_that_no_network_has_seen():
    scripts = lambda classes: {name.split("/")[0] for name in classes}
    splits = load_splits("glyphs")
    assert scripts(splits.test.classes).isdisjoint(scripts(splits.train.classes))
    assert source("glyphs").classes[0].split("/")[0] in scripts(splits.train.classes)


def test_the_judge_knows_real_drawings():
    given = walk.drawings()[:, :walk.SHOWN]
    far = torch.cdist(walk.features(given.flatten(0, 1)), walk.prototypes()).unflatten(0, given.shape[:2])
    assert (far.argmin(-1) == torch.arange(walk.CHARACTERS)[:, None]).float().mean() > 0.97


def moved(explorer, **settings):
    """By how much the mean pixel changes from the settings at which every number is 0."""
    explorer.set(**dict.fromkeys("abcd", 0.0))
    before = explorer.record.picture
    explorer.set(**settings)
    return float(np.abs(explorer.record.picture - before).mean())


def test_what_to_try_with_the_walk_comes_true():
    explorer = LatentWalk()
    for character in range(walk.CHARACTERS):
        explorer.set(character=character)
        used = [moved(explorer, **{name: by}) for name in "abc" for by in (-FURTHEST, FURTHEST)]
        dead = max(moved(explorer, d=by) for by in (-FURTHEST, FURTHEST))
        assert dead < min(0.02, max(used) / 4), character
    order = walk.divergences().argsort(descending=True).tolist()
    assert explorer.moved == (*order[:3], order[-1])


def test_a_character_holds_along_two_numbers_and_one_is_lost_along_the_third():
    explorer = LatentWalk()

    def recognised(character, **settings):
        explorer.set(character=character, **{**dict.fromkeys("abcd", 0.0), **settings})
        return float(explorer.record.probabilities[character])

    assert all(recognised(character, **{name: by}) > 0.5 for character in range(walk.CHARACTERS) for name in "ab"
               for by in (-FURTHEST, FURTHEST))
    assert recognised(5, c=-FURTHEST) < 0.3


def test_no_sample_of_the_walk_is_a_training_picture_and_from_one_drawing_it_hardly_differs():
    left = 0
    for character in range(walk.CHARACTERS):
        ruler = LatentWalk(character).record.ruler
        assert ruler.to_trained > 10, character
        left += ruler.to_trained < ruler.real_trained[0]
        one = LatentWalk(character, shown=1).record.ruler
        assert one.to_shown < one.real_shown[0], character
    assert left <= 2


@pytest.mark.parametrize("at", range(mixing.LAYERS))
def test_the_mixed_loss_is_that_of_mixed_features_and_mixed_labels(at):
    net, order = mixing.Layers(), torch.tensor([2, 0, 1, 3])
    x, y = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 3, 3, 9])
    h = net(x, 0, at)
    log_p = net(0.3 * h + 0.7 * h[order], at).log_softmax(1)
    wanted = -(0.3 * log_p[range(4), y] + 0.7 * log_p[range(4), y[order]]).mean()
    torch.testing.assert_close(mixing.mixed(list(net), x, y, 0.3, order, at), wanted)
    torch.testing.assert_close(mixing.mixed(list(net), x, y, 1.0, order, at), mixing.unmixed(list(net), x, y))


def test_mixing_before_a_last_linear_layer_mixes_logits():
    net, h = mixing.Layers(), torch.rand(2, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(net(0.3 * h + 0.7 * h.flip(0), 3), 0.3 * net(h, 3) + 0.7 * net(h, 3).flip(0))


def test_mixtures_end_at_the_drawings_themselves(trained):
    data = mixing.drawings()
    for which in range(mixing.CHARACTERS):
        pair = mixing.pair(which)
        assert pair.labels == (int(data.y[pair.first]), int(data.y[pair.second])) and len(set(pair.labels)) == 2
        for net in trained:
            ends = net(data.x[[pair.second, pair.first]]).softmax(1).detach().numpy()
            for layer in range(len(PLACES)):
                np.testing.assert_allclose(mixing.along(net, pair, layer)[[0, -1]], ends, atol=1e-4)


def test_the_mixture_is_what_the_layer_sees(trained):
    explorer = MixLayer(*trained, lam=0.25, layer=2)
    first, mixed, second = explorer.record.mixed
    np.testing.assert_allclose(mixed, 0.25 * first + 0.75 * second, atol=1e-6)
    pictures = MixLayer(*trained, lam=0.25).record
    np.testing.assert_allclose(pictures.mixed[[0, 2], 0], pictures.drawings)


def test_what_to_try_with_mixtures_comes_true(trained):
    plain, mixup = map(mixing.off_the_line, trained)
    assert mixup < 0.7 * plain
    along = lambda net, pair: mixing.along(net, pair, 0)[:, pair.labels[0]]
    steepest = lambda net: np.mean([np.abs(np.diff(along(net, mixing.pair(i)))).max()
                                    for i in range(mixing.CHARACTERS)])
    assert steepest(trained[0]) > 1.5 * steepest(trained[1])
    line = np.linspace(0, 1, mixing.SHARES)
    last = [np.mean([np.abs(mixing.along(net, mixing.pair(i), 3)[:, mixing.pair(i).labels[0]] - line)
                     for i in range(mixing.CHARACTERS)]) for net in trained]
    assert last[1] < 0.8 * last[0]


def test_every_control_can_be_swept_and_moves_the_picture(trained):
    for build in (latent_walk, lambda: MixLayer(*trained)):
        explorer, pictures = build(), {}
        for name, _, _ in sweep(explorer):
            pictures.setdefault(name, set()).add(explorer.picture.value)
        assert set(pictures) == set(explorer.controls)
        assert all(len(seen) > 1 for name, seen in pictures.items() if name != "d")


def test_what_the_explorers_say_is_marked(trained):
    check_marked(latent_walk, {90.0, 100.0})
    check_marked(lambda: MixLayer(*trained), {0.0, 1.0, 2.0, 3.0})


def test_the_example_of_mixtures_is_an_explorer(trained):
    assert isinstance(mix_layer(), MixLayer)
