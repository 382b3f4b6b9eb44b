"""What a faithful few-shot protocol must have: each test fails on a mistake that was made in published code."""

import pytest
import torch

from mlcourse.datasets import load_splits
from mlcourse.domains.identity import stands_among
from mlcourse.engine.descend import descend
from mlcourse.episode import EpisodeSampler
from mlcourse.evaluate import evaluate, scores
from mlcourse.learner import batch_loss
from mlcourse.learners import MAML, NearestNeighbour, ProtoNet
from mlcourse.lessons.l06_images import leaks
from mlcourse.lessons.l06_images.company import ALONE, COMPANY, MIXED, ONE_CLASS, TOGETHER, in_company, regrouped
from mlcourse.lessons.l06_images.fixed_labels import FixedLabels, poisoned
from mlcourse.lessons.l06_images.selection import bias, expected_best, simulated
from mlcourse.lessons.l06_images.turns import NONE, PER_CLASS, PER_EPISODE, TURNS, TurnedEpisodes
from mlcourse.losses import task_loss
from mlcourse.nets import NORMS, Conv4, call, params_of
from mlcourse.statistics import t_interval
from tiny import patterns

SIDE = 20                                   # pictures whose last feature map has more than one place
SAMPLER = EpisodeSampler(patterns(classes=8, side=SIDE), 5, 1, 4)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def learner(kind, norm, width=4):
    """MAML or ProtoNet on a small network in float64; running statistics are those of some pictures."""
    net = Conv4(5 if kind is MAML else 0, width, norm=norm, side=SIDE, seed=0)
    if norm == "running":
        with torch.no_grad():
            net.update_running(net.statistics(SAMPLER.sample(1, seeded(9)).task(0).query_x), momentum=1.0)
    return (MAML(net, 0.5) if kind is MAML else ProtoNet(net)).double().eval()


# ---------------------------------------------------------------- the companions of a query

@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("kind", [MAML, ProtoNet])
@torch.no_grad()
def test_companions_change_a_prediction_only_where_the_learner_says_that_it_is_transductive(kind, norm):
    episode, one = SAMPLER.sample(1, seeded()).to(torch.float64).task(0), learner(kind, norm)
    state, query = one.adapt(episode), episode.query_x[:1]
    other = episode.query_x[episode.query_y != episode.query_y[0]][:1]
    crowd = torch.cat([query, other.expand(74, -1, -1, -1)])
    alone = one.predict(state, query)
    for company in (episode.query_x, crowd):
        assert torch.allclose(one.predict(state, company)[:1], alone, atol=1e-9) == (not one.is_transductive)
    assert one.is_transductive == (norm == "batch")


def test_groups_hold_every_query_once_and_the_companions_that_their_name_says():
    batch = SAMPLER.sample(3, seeded(1))
    for company, groups in COMPANY.items():
        for y in batch.query_y:
            places = groups(y)
            assert places.flatten().sort().values.tolist() == list(range(len(y)))
            kinds = {len(y[group].unique()) for group in places}
            assert kinds == {ALONE: {1}, TOGETHER: {5}, MIXED: {4}, ONE_CLASS: {1}}[company]
    assert [regrouped(batch, company)[1] for company in COMPANY] == [1, 20, 4, 4]


def test_a_mixed_group_has_equal_shares_where_the_sizes_allow():
    y = EpisodeSampler(patterns(classes=8), 5, 1, 10).sample(1, seeded()).query_y[0]
    assert all(torch.bincount(y[group]).tolist() == [2] * 5 for group in COMPANY[MIXED](y))


@pytest.mark.parametrize("kind, norm", [(MAML, "batch"), (ProtoNet, "batch"), (ProtoNet, "layer"), (MAML, "support")])
@torch.no_grad()
def test_in_company_is_a_loop_over_tasks_and_groups(kind, norm):
    batch, one = SAMPLER.sample(3, seeded(2)).to(torch.float64), learner(kind, norm)
    for company, groups in COMPANY.items():
        slow = []
        for i in range(3):
            episode = batch.task(i)
            state = one.adapt(episode)
            right = [one.predict(state, episode.query_x[group]).argmax(1) == episode.query_y[group]
                     for group in groups(episode.query_y)]
            slow.append(torch.cat(right).double().mean())
        assert in_company(one, batch, company).tolist() == [float(each) for each in slow]


# ---------------------------------------------------------------- splits

def nearest_kin(train, test):
    """The share of test classes whose mean picture, in whatever turn, is nearest to a training class of the same
    character."""
    means = lambda domain: torch.stack([domain.images[domain.labels == c].float().mean(0)[0]
                                        for c in range(len(domain.classes))])
    a, b = means(test), means(train)
    turns = torch.stack([torch.rot90(a, k, (1, 2)) for k in range(4)]).flatten(2)
    nearest = torch.cdist(turns, b.flatten(1)).amin(0).argmin(1)
    kin = [train.classes[i].removesuffix(" turned") == name for i, name in zip(nearest, test.classes, strict=True)]
    return sum(kin) / len(kin)


def test_the_honest_split_shares_no_script_no_class_no_look_alike_and_no_picture():
    splits, test = load_splits("glyphs"), leaks.tested(load_splits("glyphs"))
    shares = {leak: (bool(set(train.groups) & set(test.groups)), bool(set(train.classes) & set(test.classes)),
                     nearest_kin(train, test) > 0.9, bool(stands_among(train, test.digests).any()))
              for leak in leaks.LEAKS for train in [leaks.trained_on(splits, leak)]}
    assert shares == {leaks.BY_SCRIPT: (False, False, False, False),
                      leaks.SCRIPT_TURNED: (False, False, False, False), leaks.BY_CLASS: (True, False, False, False),
                      leaks.TURNED: (True, False, True, False), leaks.BY_PICTURE: (True, True, True, False)}
    assert nearest_kin(leaks.trained_on(splits, leaks.BY_CLASS), test) == 0


def test_all_splits_train_on_as_much_and_test_on_the_same():
    splits = load_splits("glyphs")
    for leak in leaks.LEAKS:
        train = leaks.trained_on(splits, leak)
        assert (len(train.classes), len(train.images)) == (61, 610)
        assert torch.bincount(train.labels).unique().tolist() == [leaks.DRAWINGS]
    with pytest.raises(KeyError):
        leaks.trained_on(splits, "by chance")
    one, other = (leaks.trained_on(splits, leaks.BY_SCRIPT, seed) for seed in (0, 1))
    assert one.classes != other.classes


def test_the_splits_of_glyphs_are_disjoint():
    parts = load_splits("glyphs")
    for one, other in ((parts.train, parts.val), (parts.train, parts.test), (parts.val, parts.test)):
        assert not set(one.groups) & set(other.groups) and not set(one.classes) & set(other.classes)
        assert not stands_among(one.with_rotations(), other.digests).any()


# ---------------------------------------------------------------- turned test classes

def test_turning_an_episode_and_turning_each_class_are_different_tasks():
    domain = patterns(classes=12)
    first = {turn: TurnedEpisodes(domain, 5, 1, 3, turn).sample(20, seeded()) for turn in TURNS}
    for turn in (PER_EPISODE, PER_CLASS):
        assert torch.equal(first[turn].query_y, first[NONE].query_y)
        assert torch.equal(first[turn].classes, first[NONE].classes)
    score = lambda learner, turn: scores(learner, TurnedEpisodes(domain, 5, 1, 3, turn), 40, seed=0)
    pixels = {turn: score(NearestNeighbour(), turn) for turn in TURNS}
    assert torch.equal(pixels[NONE], pixels[PER_EPISODE])       # distances of pixels turn with the pictures
    net = ProtoNet(Conv4(0, 8, norm="layer", side=16, seed=0))
    found = {turn: score(net, turn) for turn in TURNS}
    assert not torch.equal(found[NONE], found[PER_EPISODE]) and not torch.equal(found[NONE], found[PER_CLASS])
    with pytest.raises(ValueError, match="turn must be one of none, one an episode, one a class, got 'all'"):
        TurnedEpisodes(domain, 5, 1, 3, "all")


@pytest.mark.parametrize("turn", TURNS)
def test_support_and_query_of_a_class_are_turned_alike(turn):
    plain, episode = (TurnedEpisodes(patterns(classes=8), 5, 1, 3, each).sample(6, seeded(3)) for each in (NONE, turn))
    turns = torch.zeros(6, 5, dtype=torch.int64)
    for t in range(6):
        for c in range(5):
            same = [k for k in range(4) if all(
                torch.equal(torch.rot90(a[t][y[t] == c], k, (-2, -1)), b[t][y[t] == c])
                for a, b, y in ((plain.support_x, episode.support_x, plain.support_y),
                                (plain.query_x, episode.query_x, plain.query_y)))]
            turns[t, c], = same
    kinds = [len(row.unique()) for row in turns]
    assert kinds == [1] * 6 if turn != PER_CLASS else max(kinds) > 1
    assert turn != NONE or not turns.any()


# ---------------------------------------------------------------- labels that stay

def test_fixed_labels_are_those_of_the_class_and_shuffled_ones_are_not():
    domain = patterns(classes=15)
    fixed, shuffled, some = (FixedLabels(domain, 5, 1, 2, share).sample(200, seeded()).classes % 5
                             for share in (0.0, 1.0, 0.5))
    assert torch.equal(fixed, torch.arange(5).expand(200, 5))
    assert all(sorted(row) == list(range(5)) for row in shuffled.tolist())
    assert [len(shuffled[:, i].unique()) for i in range(5)] == [5] * 5
    kept = (some == torch.arange(5)).all(1).double().mean()
    assert 0.35 < float(kept) < 0.65
    with pytest.raises(ValueError, match="must lie between 0 and 1, got 2"):
        FixedLabels(domain, 5, 1, 2, 2)


def test_a_poisoned_support_set_has_no_right_label_and_everything_else_as_it_was():
    batch = SAMPLER.sample(3, seeded())
    bad = poisoned(batch)
    assert not (bad.support_y == batch.support_y).any() and torch.equal(bad.query_y, batch.query_y)
    assert torch.equal(bad.support_x, batch.support_x) and sorted(bad.support_y[0].tolist()) == list(range(5))


def test_a_network_that_memorised_needs_no_support_set_and_protonet_cannot_memorise():
    """ProtoNet's answer follows a permutation of the support labels exactly, so fixed labels cannot be learned."""
    batch = FixedLabels(patterns(classes=10, side=SIDE), 5, 1, 3).sample(4, seeded())
    net = learner(ProtoNet, "layer").float()
    with torch.no_grad():
        right, wrong = net.predictions(batch), net.predictions(poisoned(batch))
    torch.testing.assert_close(wrong, right.roll(1, -1))


# ---------------------------------------------------------------- choosing on the test set

def test_the_expected_best_of_normal_numbers_is_that_of_tables():
    assert [round(expected_best(n), 4) for n in (1, 2, 3, 20)] == [0.0, 0.5642, 0.8463, 1.8675]
    with pytest.raises(ValueError, match="at least 1 checkpoint, got 0"):
        expected_best(0)


@pytest.mark.parametrize("episodes", [20, 100, 600])
def test_the_best_of_twenty_equal_checkpoints_is_as_optimistic_as_the_formula_says(episodes):
    best = simulated(20, episodes, 0.8, 75, 0.1, 400, seeded())
    found = t_interval((best - 0.8).tolist(), "runs")
    assert abs(found.mean - bias(20, episodes, 0.1)) < max(2 * found.half, 0.06 * found.mean)
    assert abs(float(simulated(1, 100, 0.8, 75, 0.1, 400, seeded()).mean()) - 0.8) < 0.002


def test_what_checkpoints_share_cannot_be_chosen_among():
    assert bias(20, 100, 0.1, 1.0) == 0 and bias(20, 100, 0.1, 0.75) == pytest.approx(bias(20, 100, 0.1) / 2)


def test_a_spread_that_no_beta_distribution_has_is_refused():
    with pytest.raises(ValueError, match="got 0.01"):
        simulated(20, 10, 0.8, 75, 0.01, 4, seeded())


# ---------------------------------------------------------------- reduction, and what an interval covers

@pytest.mark.parametrize("shot", [1, 3])
def test_the_rate_on_a_sum_is_that_on_the_mean_times_the_samples(shot):
    episode = EpisodeSampler(patterns(classes=8, side=SIDE), 5, shot, 2).sample(1, seeded()).to(torch.float64).task(0)
    net, alpha = learner(MAML, "layer").net, 0.02
    mean = lambda phi: task_loss(call(net, phi, episode.support_x), episode.support_y)
    summed = lambda phi: torch.nn.functional.cross_entropy(call(net, phi, episode.support_x), episode.support_y,
                                                           reduction="sum")
    on_sum, on_mean = descend(summed, params_of(net), 2, alpha), descend(mean, params_of(net), 2, alpha * 5 * shot)
    for name in on_sum:
        torch.testing.assert_close(on_sum[name], on_mean[name])
    by_k = descend(lambda phi: summed(phi) / shot, params_of(net), 1, 0.4)      # the original code, at α = 0.4
    ours = MAML(net, 2.0).adapt(episode).params
    for name in by_k:
        torch.testing.assert_close(by_k[name], ours[name])


def test_a_printed_interval_covers_the_episodes_of_one_model():
    sampler = EpisodeSampler(patterns(classes=8, side=SIDE), 5, 1, 4)
    result = evaluate(learner(ProtoNet, "layer").float(), sampler, 40)
    values = scores(learner(ProtoNet, "layer").float(), sampler, 40)
    assert result.ci95 == pytest.approx(1.96 * float(values.std()) / 40**0.5)
    assert "95 % interval over 40 episodes" in str(result) and "seeds" not in str(result)


def test_the_loss_of_a_batch_is_finite_for_every_norm():
    batch = SAMPLER.sample(2, seeded()).to(torch.float64)
    for norm in NORMS:
        assert torch.isfinite(batch_loss(learner(MAML, norm).train(), batch))
