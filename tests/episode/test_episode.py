"""Episodes hold what they promise, for every setting of the sampler; splits share no class."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcourse.domains import Domain
from mlcourse.episode import Episode, EpisodeSampler, distinct, split_by_group, split_classes


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(counts, groups=None, shuffle=0):
    """A domain whose image i is the number i in two bytes, so that an episode shows where each sample came from."""
    m = sum(counts)
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    labels = labels[torch.randperm(m, generator=generator(shuffle))]
    images = torch.stack([torch.arange(m) // 256, torch.arange(m) % 256], 1).to(torch.uint8).view(m, 1, 1, 2)
    return Domain("numbered", images, labels, tuple(f"c{i}" for i in range(len(counts))),
                  groups or tuple(f"g{i}" for i in range(len(counts))))


def origin(x):
    """The image numbers behind (..., 1, 1, 2) pixels."""
    pixels = (x * 255).round().long()
    return pixels[..., 0, 0, 0] * 256 + pixels[..., 0, 0, 1]


@st.composite
def samplers(draw):
    way, distractors = draw(st.integers(2, 5)), draw(st.integers(0, 3))
    shot, query, unlabeled = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(0, 3))
    relabel = draw(st.booleans()) or distractors > 0
    classes = way + distractors + draw(st.integers(0, 4))
    if not relabel:
        way = classes
    need = shot + query + unlabeled
    counts = draw(st.lists(st.integers(need, need + 6), min_size=classes, max_size=classes))
    domain = numbered(counts, shuffle=draw(st.integers(0, 99)))
    return EpisodeSampler(domain, way, shot, query, unlabeled=unlabeled, distractors=distractors, relabel=relabel,
                          domain_id=draw(st.integers(0, 9)))


@given(sampler=samplers(), tasks=st.integers(1, 4), seed=st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_every_episode_keeps_the_promises(sampler, tasks, seed):
    s, domain, n = sampler, sampler.domain, sampler.way
    batch = s.sample(tasks, generator(seed))
    assert batch.support_x.shape == (tasks, n * s.shot, 1, 1, 2) and batch.support_x.dtype == torch.float32
    assert batch.query_x.shape == (tasks, n * s.query, 1, 1, 2)
    assert batch.unlabeled_x.shape == (tasks, (n + s.distractors) * s.unlabeled, 1, 1, 2)
    assert batch.support_y.shape == (tasks, n * s.shot) and batch.support_y.dtype == torch.int64
    assert batch.query_y.shape == (tasks, n * s.query)
    assert batch.classes.shape == (tasks, n) and batch.domain.tolist() == [s.domain_id] * tasks
    assert batch.tasks == tasks and batch.batch_shape == (tasks,) and batch.task(0).batch_shape == () and batch.way == n
    for t in range(tasks):
        e = batch.task(t)
        chosen = e.classes.tolist()
        assert len(set(chosen)) == n
        assert s.relabel or chosen == list(range(n))
        support, query, unlabeled = (origin(x).tolist() for x in (e.support_x, e.query_x, e.unlabeled_x))
        everything = support + query + unlabeled
        assert len(set(everything)) == len(everything)
        for index, y, each in ((support, e.support_y, s.shot), (query, e.query_y, s.query)):
            assert domain.labels[index].tolist() == e.classes[y].tolist()
            assert Counter(y.tolist()) == {label: each for label in range(n)}
        hidden = Counter(domain.labels[unlabeled].tolist())
        assert all(hidden[c] == s.unlabeled for c in chosen)
        others = {c: k for c, k in hidden.items() if c not in chosen}
        assert len(others) == (s.distractors if s.unlabeled else 0) and set(others.values()) <= {s.unlabeled}


@given(sampler=samplers(), seed=st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_a_generator_state_gives_one_batch_and_moves_on(sampler, seed):
    g = generator(seed)
    first, second = sampler.sample(8, g), sampler.sample(8, g)
    again = sampler.sample(8, generator(seed))
    assert all(torch.equal(a, b) for a, b in zip(first, again))
    size = sampler.way * sampler.shot * sampler.query
    assert size < 4 or not torch.equal(first.query_x, second.query_x)
    assert size < 4 or not torch.equal(first.query_x, sampler.sample(8, generator(seed + 1)).query_x)


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    EpisodeSampler(numbered([9] * 6), 3, 2, 4, unlabeled=1, distractors=2).sample(5, generator())
    assert torch.equal(torch.get_rng_state(), before)


def test_classes_labels_and_samples_are_drawn_evenly():
    domain, episodes = numbered([4, 6, 9, 5, 4, 7]), 6000
    batch = EpisodeSampler(domain, 3, 1, 2).sample(episodes, generator(1))
    for label in range(3):                                 # every class gets every label equally often
        share = torch.bincount(batch.classes[:, label], minlength=6) / episodes
        assert float((share - 1 / 6).abs().max()) < 0.025
    index = origin(batch.support_x)
    for c in range(6):                                     # every image of a class is drawn equally often
        drawn = torch.bincount(index.flatten(), minlength=35)[domain.labels == c].double()
        assert float((drawn / drawn.sum() * len(drawn) - 1).abs().max()) < 0.2
    for position in range(3):                              # the place in the set says nothing about the label
        share = torch.bincount(batch.support_y[:, position], minlength=3) / episodes
        assert float((share - 1 / 3).abs().max()) < 0.03
    for position in range(6):
        share = torch.bincount(batch.query_y[:, position], minlength=3) / episodes
        assert float((share - 1 / 3).abs().max()) < 0.03


def test_the_unlabelled_samples_are_shuffled():
    sampler = EpisodeSampler(numbered([6] * 4), 2, 1, 1, unlabeled=2, distractors=2)
    batch = sampler.sample(2000, generator(0))
    labels = sampler.domain.labels[origin(batch.unlabeled_x)]
    own = (labels[..., None] == batch.classes[:, None]).any(-1).double().mean(0)
    assert own.shape == (8,) and float((own - 0.5).abs().max()) < 0.06


def test_pixels_are_the_images_over_255_and_batches_do_not_share_memory_with_the_domain():
    images = torch.randint(0, 256, (20, 1, 3, 4), dtype=torch.uint8, generator=generator())
    domain = Domain("toy", images, torch.arange(20) % 2, ("a", "b"), ("g", "g"))
    sampler = EpisodeSampler(domain, 2, 1, 1)
    index = torch.tensor([[3, 0, 3], [19, 1, 7]])
    pixels = sampler.pixels(index)
    assert pixels.shape == (2, 3, 1, 3, 4) and torch.allclose(pixels, images[index].float() / 255)
    before = images.clone()
    sampler.sample(3, generator()).support_x.zero_()
    assert torch.equal(domain.images, before)
    assert sampler.sample(3, generator()).unlabeled_x.shape == (3, 0, 1, 3, 4)


def test_an_episode_can_be_cut_cast_and_moved():
    batch = EpisodeSampler(numbered([9] * 6), 3, 2, 4, domain_id=5).sample(7, generator())
    assert batch.tasks == 7
    one = batch.task(2)
    assert one.way == 3 and one.support_x.shape == (6, 1, 1, 2) and one.domain.item() == 5
    assert torch.equal(one.query_y, batch.query_y[2])
    with pytest.raises(ValueError, match="single episode without a task dimension"):
        one.tasks
    assert batch.task(slice(2, 5)).tasks == 3
    double = batch.to(torch.float64)
    assert isinstance(double, Episode) and double.support_x.dtype == torch.float64
    assert (double.support_y.dtype, double.classes.dtype) == (torch.int64, torch.int64)
    assert {field.device.type for field in batch.to("meta")} == {"meta"}


@pytest.mark.parametrize("settings, sentence", [
    ({"way": 1}, "way must be at least 2, got 1"),
    ({"shot": 0}, "shot must be at least 1, got 0"),
    ({"query": -2}, "query must be at least 1, got -2"),
    ({"unlabeled": -1}, "unlabeled and distractors must not be negative, got -1 and 0"),
    ({"distractors": -3}, "unlabeled and distractors must not be negative, got 0 and -3"),
    ({"way": 5}, "way 5 with 0 distractor classes needs 5 classes, but numbered has 4; ask for a way of at most 4"),
    ({"way": 3, "distractors": 2}, "way 3 with 2 distractor classes needs 5 classes.* ask for a way of at most 2"),
    ({"way": 3, "relabel": False}, "way must be 4, the number of classes of numbered, got 3"),
    ({"shot": 3, "query": 4}, r"shot 3 \+ query 4 \+ unlabeled 0 needs 7 samples of every class, but class 'c2' of "
                              "numbered has 6; ask for fewer"),
    ({"shot": 1, "query": 4, "unlabeled": 2}, "unlabeled 2 needs 7 samples of every class, but class 'c2'"),
])
def test_a_sampler_refuses_what_the_domain_cannot_fill(settings, sentence):
    domain = numbered([9, 8, 6, 7])
    with pytest.raises(ValueError, match=sentence):
        EpisodeSampler(domain, **{"way": 2, "shot": 1, "query": 1} | settings)


def test_a_domain_of_one_class_makes_no_episodes():
    with pytest.raises(ValueError, match="numbered has 1 class; an episode needs at least 2, so choose another domain"):
        EpisodeSampler(numbered([9]), 2, 1, 1)


def test_exactly_as_many_samples_as_needed_are_enough():
    batch = EpisodeSampler(numbered([6, 8, 7]), 3, 2, 3, unlabeled=1).sample(20, generator())
    used = torch.cat([origin(batch.support_x), origin(batch.query_x), origin(batch.unlabeled_x)], 1)
    assert all(len(set(row)) == 18 for row in used.tolist())


# Splits


GROUPS = ("greek", "thai", "greek", "latin", "thai", "runes", "latin", "ogham", "cree")


def test_groups_stay_together():
    domain = numbered([3] * 9, GROUPS)
    splits = split_by_group(domain, ["greek", "cree"], ["thai", "runes"], ["latin", "ogham"])
    assert [part.name for part in splits] == ["numbered/train", "numbered/val", "numbered/test"]
    assert splits.train.classes == ("c0", "c2", "c8") and splits.train.groups == ("greek", "greek", "cree")
    assert splits.val.classes == ("c1", "c4", "c5") and splits.test.classes == ("c3", "c6", "c7")
    for part in splits:
        for label, name in enumerate(part.classes):
            own = domain.images[domain.labels == domain.classes.index(name)]
            assert torch.equal(part.images[part.labels == label], own)


@pytest.mark.parametrize("parts, sentence", [
    ((["greek", "thai"], ["thai", "runes"], ["latin", "ogham", "cree"]), "group 'thai' stands in more than one split"),
    ((["greek", "greek"], ["thai", "runes"], ["latin", "ogham", "cree"]), "group 'greek' stands in more than"),
    ((["greek", "cree"], ["thai"], ["latin", "ogham"]), r"unknown: none, left out: \['runes'\]"),
    ((["greek", "cree", "elvish"], ["thai", "runes"], ["latin", "ogham"]), r"unknown: \['elvish'\], left out: none"),
])
def test_splits_that_overlap_or_leave_out_are_refused(parts, sentence):
    with pytest.raises(ValueError, match=sentence):
        split_by_group(numbered([3] * 9, GROUPS), *parts)


@given(count=st.integers(3, 25), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_seeded_splits_share_no_group_and_leave_none_out(count, seed):
    names = [f"group {i % count}" for i in range(count + 7)]
    splits = split_classes(numbered([1] * len(names), tuple(names)), seed)
    groups = [set(part.groups) for part in splits]
    assert set().union(*groups) == set(names) and sum(map(len, groups)) == count
    assert len(groups[1]) == len(groups[2]) == max(1, count // 5)
    assert sum(len(part.classes) for part in splits) == len(names)
    assert sum(len(part.images) for part in splits) == len(names)


def test_seeded_splits_depend_on_names_and_seed_only():
    forward = numbered([2] * 9, GROUPS)
    backward = numbered([4] * 9, GROUPS[::-1])
    groups = lambda splits: [set(part.groups) for part in splits]
    assert groups(split_classes(forward, 3)) == groups(split_classes(backward, 3))
    assert any(groups(split_classes(forward, 3)) != groups(split_classes(forward, seed)) for seed in range(4, 8))
    with pytest.raises(ValueError, match="numbered has 2 class groups; a train, .* split needs at least 3"):
        split_classes(numbered([2] * 3, ("a", "a", "b")))


def test_groups_named_train_val_and_test_are_the_splits():
    classes = lambda names: [len(part.classes) for part in split_classes(numbered([1] * len(names), tuple(names)))]
    assert classes(["train"] * 4 + ["test"] * 3 + ["val"]) == [4, 1, 3]
    assert classes(["train"] * 4 + ["test"] * 3) == [4, 0, 3]
    assert sorted(classes(["train", "test", "other", "more"])) == [1, 1, 2], "then they are names as any other"


@pytest.mark.parametrize(("m", "n"), [(2, 5), (3, 3), (2, 4), (5, 40)])
def test_distinct_numbers_are_distinct_and_every_ordered_choice_is_equally_likely(m, n):
    rows = 20_000
    drawn = distinct(rows, m, n, generator())
    assert drawn.shape == (rows, m) and drawn.min() >= 0 and drawn.max() < n
    assert (drawn.sort(1).values.diff(dim=1) > 0).all()
    for column in range(m):
        counts = torch.bincount(drawn[:, column], minlength=n)
        assert (counts - rows / n).abs().max() < 5 * (rows / n) ** 0.5
    pairs = torch.bincount(drawn[:, 0] * n + drawn[:, 1], minlength=n * n).view(n, n)
    expected = rows / (n * (n - 1))
    off = ~torch.eye(n, dtype=torch.bool)
    assert (pairs[off] - expected).abs().max() < 6 * expected**0.5 and pairs[~off].sum() == 0
