"""The explorer of companions against forward passes of its own, and over every corner of its controls."""

import pytest
import torch
from marks import check_marked

from mlcourse.checkpoint import card_of
from mlcourse.lessons.l06_images import companions as batch
from mlcourse.lessons.l06_images.companions import DIGITS, FIVE, KINDS, MOST, NOISE, ONE, QUERIES, WAY
from mlcourse.lessons.l06_images.network import CHECKPOINT, protonet
from mlcourse.lessons.l06_images.widget_companions import ALONE, COMPANY, SUPPORT, Companions
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


def by_hand(x, others, support, labels):
    """The probabilities of one picture, batch norm by batch norm, with the statistics of it and the others."""
    net = protonet().net

    def embed(z):
        found = []
        for conv, norm in zip(net.convs, net.norms, strict=True):
            z = torch.nn.functional.conv2d(z, conv.weight, conv.bias, padding=1)
            mean = z.mean((0, 2, 3), keepdim=True)
            deviation = z.var((0, 2, 3), correction=0, keepdim=True).add(1e-5).sqrt()
            found.append((mean.flatten(), deviation.flatten()))
            z = (z - mean) / deviation * norm.gain[:, None, None] + norm.shift[:, None, None]
            z = torch.nn.functional.max_pool2d(z.relu(), 2)
        return z.flatten(1), found

    features, _ = embed(support)
    means = torch.stack([features[labels == n].mean(0) for n in range(WAY)])
    query, found = embed(torch.cat([x, others]))
    return (-(query[0] - means).square().sum(1)).softmax(0), found[-1]


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_the_answer_is_that_of_a_forward_pass_written_out(kind):
    task, (x, _) = batch.episode(), batch.query(2)
    wanted, (mean, deviation) = by_hand(x, batch.company(2, kind, 7), task.support_x, task.support_y)
    seen = batch.among(2, kind, 7)
    torch.testing.assert_close(seen.probabilities, wanted, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(seen.mean, mean, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(seen.sd, deviation, atol=1e-4, rtol=1e-3)


def test_alone_is_a_batch_without_companions_whatever_they_would_be():
    for kind in KINDS:
        torch.testing.assert_close(batch.among(3, kind, 0).probabilities, batch.alone(3).probabilities)


def test_copies_of_the_query_are_no_company():
    x, _ = batch.query(0)
    net = protonet().net
    with torch.no_grad():
        copies = net.features(x.expand(6, -1, -1, -1))
        torch.testing.assert_close(copies[0], net.features(x)[0], atol=1e-5, rtol=1e-4)


def test_the_support_sets_statistics_take_no_notice_of_the_company():
    records = [Companions(kind=kind, count=count).record for kind in KINDS for count in (0, MOST)]
    assert len({tuple(record.ways[SUPPORT].probabilities.tolist()) for record in records}) == 1


def test_companions_are_what_their_name_says():
    task = batch.episode()
    for which in range(QUERIES):
        x, label = batch.query(which)
        pictures = {tuple(each.flatten().tolist()): int(y) for each, y in zip(task.query_x, task.query_y, strict=True)}
        of = lambda kind, which=which, pictures=pictures: [pictures.get(tuple(each.flatten().tolist()))
                                                           for each in batch.company(which, kind, MOST)]
        assert {of(ONE)[0]} == set(of(ONE)) and of(ONE)[0] != label
        assert sorted(of(FIVE).count(c) for c in range(WAY)) == [4, 5, 5, 5, 5]
        assert not any(torch.equal(each, x[0]) for each in batch.company(which, FIVE, MOST))
        assert set(of(NOISE)) == set(of(DIGITS)) == {None}


def test_what_to_try_comes_true():
    """The query of the notebook is wrong alone and right in company; noise ruins it, other classes do not."""
    explorer = Companions()
    right = lambda name: float(explorer.record.ways[name].probabilities[explorer.record.label])
    assert right(ALONE) < 0.5 and right(COMPANY) > 0.9 and right(SUPPORT) > 0.8
    for kind, helps in ((ONE, True), (NOISE, False), (DIGITS, True)):
        explorer.set(kind=kind)
        assert (right(COMPANY) > 0.9) == helps, kind
    explorer.set(which=1, kind=ONE)
    assert right(COMPANY) < right(ALONE) - 0.3


def test_every_control_can_be_swept_and_moves_the_picture():
    explorer, pictures = Companions(), {}
    for name, _, _ in sweep(explorer):
        pictures.setdefault(name, set()).add(explorer.picture.value)
    assert set(pictures) == set(explorer.controls) and all(len(seen) > 1 for seen in pictures.values())


def test_what_was_computed_is_marked():
    check_marked(Companions, set())


def test_the_checkpoint_is_the_network_that_the_text_describes():
    card = card_of(CHECKPOINT)
    assert (card["method"], card["net"]["norm"], card["net"]["width"]) == ("protonet", "batch", 16)
    assert CHECKPOINT.stat().st_size < 1e6
