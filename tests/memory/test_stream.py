"""Streams of labelled samples: late labels, bindings of their own, presentations, and what guessing can reach."""

import itertools

import pytest
import torch

from mlcourse.memory import (Stream, StreamLSTM, Streams, by_presentation, elimination_bound, guesses, nearest,
                             prepared, stream_loss, train_stream)

WAY, TIMES = 3, 4


def classes(count=9, each=6, size=5, spread=0.05):
    """Samples close to the centre of their class, (count, each, size)."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(count, 1, size, generator=generator)
    return centres + spread * torch.randn(count, each, size, generator=generator)


def drawn(batch=8, seed=0, way=WAY, times=TIMES, samples=None):
    samples = classes() if samples is None else samples
    return Streams(samples, way, times).sample(batch, torch.Generator().manual_seed(seed))


def test_a_stream_holds_every_class_as_often_and_no_sample_twice():
    samples = torch.arange(9 * 6.0).view(9, 6, 1)
    stream = drawn(samples=samples)
    assert stream.x.shape == (12, 8, 1) and stream.labels.shape == (12, 8)
    for b in range(8):
        numbers, labels = stream.x[:, b, 0].long(), stream.labels[:, b]
        assert torch.bincount(labels).tolist() == [TIMES] * WAY and len(numbers.unique()) == WAY * TIMES
        assert all(len((numbers[labels == n] // 6).unique()) == 1 for n in range(WAY))     # a label is one class


def test_t9_bindings_classes_and_orders_differ_within_a_batch():
    stream = drawn(40, samples=torch.arange(3 * 6.0).view(3, 6, 1))     # three classes, so that all streams have all
    bound = {tuple(int((stream.x[:, b, 0] // 6)[stream.labels[:, b] == n][0]) for n in range(WAY)) for b in range(40)}
    assert bound == set(itertools.permutations(range(3)))
    assert len({tuple(stream.labels[:, b].tolist()) for b in range(40)}) == 40
    again, other = drawn(seed=3), drawn(seed=4)
    assert torch.equal(again.x, drawn(seed=3).x) and not torch.equal(again.labels, other.labels)


def test_t11_labels_come_one_step_late_and_with_an_offset_of_0_they_give_the_answer_away():
    stream = drawn()
    shown = stream.shown(WAY)
    assert not shown[0].any() and torch.equal(shown[1:].argmax(-1), stream.labels[:-1])
    told = stream.shown(WAY, 0)
    assert (by_presentation(told.argmax(-1), stream) == 1).all()
    late = by_presentation(shown.argmax(-1), stream)
    assert (late < 0.7).all()


def test_t11_a_model_that_is_shown_labels_at_once_learns_to_repeat_them_and_one_that_is_not_does_not():
    meaningless = torch.randn(6, 8, 4, generator=torch.Generator().manual_seed(0))
    streams = Streams(meaningless, WAY, 3)
    judged = streams.sample(60, torch.Generator().manual_seed(9))
    found = {}
    for offset in (0, 1):
        model = StreamLSTM(4, WAY, hidden=12)
        for _ in train_stream(model, streams, 80, lr=3e-2, offset=offset):
            pass
        found[offset] = float((guesses(model, judged, WAY, offset) == judged.labels).double().mean())
    assert found[0] == 1.0 and found[1] < 0.75


def test_presentations_are_counted_within_each_stream():
    stream = Stream(torch.zeros(5, 2, 1), torch.tensor([[0, 1], [0, 0], [1, 1], [0, 1], [1, 1]]))
    assert stream.presentations().T.tolist() == [[1, 2, 1, 3, 2], [1, 1, 2, 3, 4]]
    assert by_presentation(torch.zeros(5, 2, dtype=torch.int64), stream).tolist() == [0.5, 1 / 3, 0.5, 0]


def test_t11_who_knows_what_came_before_guesses_first_presentations_as_the_bound_says():
    assert round(100 * elimination_bound(5), 1) == 45.7 and elimination_bound(2) == 0.75
    stream, right = drawn(2000, way=5, times=2), []
    generator = torch.Generator().manual_seed(1)
    for b in range(stream.labels.shape[1]):
        left = list(range(5))
        for label in stream.labels[:, b].tolist():
            if label in left:
                right.append(left[int(torch.randint(len(left), (), generator=generator))] == label)
                left.remove(label)
    assert sum(right) / len(right) == pytest.approx(elimination_bound(5), abs=0.02)


def test_the_nearest_neighbour_is_one_that_came_before():
    stream = drawn(20)
    guessed = nearest(stream)
    for b in range(20):
        for t in range(1, len(guessed)):
            before = (stream.x[:t, b] - stream.x[t, b]).square().sum(-1)
            assert guessed[t, b] == stream.labels[int(before.argmin()), b]
    share = by_presentation(guessed, stream)
    assert share[0] < 0.25 and (share[1:] == 1).all()       # a new class is always taken for one that was seen


def test_prepared_samples_have_no_mean_and_numbers_of_size_one():
    samples = classes() + 7
    ready = prepared(samples, samples.mean((0, 1)))
    torch.testing.assert_close(ready.square().mean(-1), torch.ones(9, 6))
    assert ready.mean().abs() < 0.3


def test_first_presentations_can_be_left_out_of_the_loss():
    stream = drawn(4)
    logits = torch.randn(*stream.labels.shape, WAY, generator=torch.Generator().manual_seed(0))
    each = -logits.log_softmax(-1).gather(-1, stream.labels[..., None])[..., 0]
    torch.testing.assert_close(stream_loss(logits, stream), each.mean())
    torch.testing.assert_close(stream_loss(logits, stream, first=False), each[stream.presentations() > 1].mean())


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="a stream of 12 classes, 4 times each, cannot be drawn from 9 classes of 6"):
        Streams(classes(), 12, 4)
    with pytest.raises(ValueError, match="7 times each"):
        Streams(classes(), 3, 7)
    model = StreamLSTM(5, WAY, 4)
    with torch.no_grad():
        model.out.bias.fill_(float("inf"))
    with pytest.raises(ValueError, match="the loss is nan; train with a lower rate"):
        next(train_stream(model, Streams(classes(), WAY, TIMES), 1))
