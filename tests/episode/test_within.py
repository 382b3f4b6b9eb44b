"""Episodes within one group: classes, whole turns and affine views."""

import pytest
import torch
from tiny import patterns

from mlcourse.domains import Domain
from mlcourse.episode import EpisodeSampler
from mlcourse.episode.views import AFFINE, DRAWS, affine_view, draws, view
from mlcourse.episode.within import WithinGroups, turned_whole

GROUPS = ("a",) * 5 + ("b",) * 4 + ("c",) * 2


def domain() -> Domain:
    """Three groups of 5, 4 and 2 classes, six pictures each."""
    made = patterns(0, len(GROUPS), 6, 28)
    return Domain("groups", made.images, made.labels, made.classes, GROUPS)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_classes_of_an_episode_are_of_one_group_and_every_group_and_class_comes_up():
    batch = WithinGroups(domain(), 3, 1, 2).sample(600, generator())
    groups = [{GROUPS[c] for c in classes} for classes in batch.classes.tolist()]
    assert all(len(found) == 1 for found in groups) and all(len(set(c)) == 3 for c in batch.classes.tolist())
    shares = [sum(found == {g} for found in groups) / 600 for g in "abc"]
    assert shares[2] == 0 and shares[0] == pytest.approx(0.5, abs=0.07)
    assert set(batch.classes.flatten().tolist()) == set(range(9))


def test_samples_are_of_their_class_as_in_any_episode():
    source = domain()
    episode = WithinGroups(source, 3, 1, 2).sample(1, generator()).task(0)
    for x, y in zip(torch.cat([episode.support_x, episode.query_x]), torch.cat([episode.support_y, episode.query_y])):
        own = source.images[source.labels == episode.classes[y]]
        assert (own == (255 * x).round().byte()).flatten(1).all(1).any()


def test_the_same_generator_gives_the_same_views_and_strength_0_the_samples_as_they_are():
    plain, viewed = (WithinGroups(domain(), 3, 1, 2, strength=s) for s in (0.0, 0.7))
    first, again, untouched = viewed.sample(2, generator()), viewed.sample(2, generator()), plain.sample(2, generator())
    assert torch.equal(first.support_x, again.support_x) and torch.equal(first.query_x, again.query_x)
    assert torch.equal(first.query_y, untouched.query_y) and first.query_x.shape == untouched.query_x.shape
    assert ((first.query_x - untouched.query_x).abs().flatten(2).amax(2) > 0.05).all()


def test_a_whole_episode_is_turned_alike():
    source = turned_whole(domain())
    assert len(source.groups) == 44 and source.groups[11] == "a turned 90" and source.groups[0] == "a turned 0"
    batch = WithinGroups(source, 3, 1, 2).sample(200, generator())
    turns = [{c // 11 for c in classes} for classes in batch.classes.tolist()]
    assert all(len(found) == 1 for found in turns) and set.union(*turns) == {0, 1, 2, 3}


def test_a_way_that_no_group_has_is_refused():
    with pytest.raises(ValueError, match="way 6 needs a group of 6 classes, but the largest of groups has 5; ask for a "
                                         "way of at most 5"):
        WithinGroups(domain(), 6, 1, 2)


def test_sampling_from_one_group_is_sampling_from_its_domain():
    alone = domain().subset(range(5))
    wanted = EpisodeSampler(alone, 5, 2, 2).sample(400, generator(1)).classes.float().mean(0)
    found = WithinGroups(alone, 5, 2, 2).sample(400, generator(2)).classes.float().mean(0)
    torch.testing.assert_close(found, wanted, rtol=0, atol=0.35)


def test_an_affine_view_is_a_view_without_bend_stroke_and_cut():
    x = domain().images[:8].float() / 255
    u = draws(len(x), generator())
    u[:, AFFINE:] = 0
    torch.testing.assert_close(affine_view(x, u[:, :AFFINE], 0.8), view(x, u, 0.8))
    assert torch.equal(affine_view(x, u[:, :AFFINE], 0), x)
    with pytest.raises(ValueError, match=f"need draws of shape .8, {AFFINE}., got .8, {DRAWS}."):
        affine_view(x, u)
