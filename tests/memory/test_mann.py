"""The memory-augmented network, its repair and its control: usage, least-used rows, order, reset, what they learn."""

import pytest
import torch

from mlcourse.memory import (MANN, KeyValue, StreamLSTM, Streams, by_presentation, content, guesses, largest_weight,
                             read, stream_loss, train_stream)
from mlcourse.memory.mann import least_used, used

SIZES = {"inputs": 5, "way": 3, "slots": 6, "width": 4, "hidden": 7}
MEMORIES = [MANN(**SIZES), MANN(**SIZES, strength=False), KeyValue(**SIZES)]
MODELS = [*MEMORIES, StreamLSTM(5, 3, 7)]
NAMES = ["MANN", "MANN without a strength", "KeyValue", "StreamLSTM"]


def drawn(batch=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Streams(torch.randn(7, 5, 5, generator=generator), 3, 4).sample(batch, generator)


def slow(model, x, shown):
    """One stream (T, 1, …), step by step as the docstring of mann.py has it; no batched writes, no one-hot tricks."""
    keyed, width, slots = isinstance(model, KeyValue), model.width, model.slots
    rows = [torch.zeros(2 * width if keyed else width, dtype=x.dtype) for _ in range(slots)]
    usage, w_read, r, key = [0.0] * slots, torch.zeros(slots).to(x), torch.zeros(width).to(x), torch.zeros(width).to(x)
    h, c, said = *model.cell.start(x[0, :, :1]), []
    for x_t, y_t in zip(x, shown, strict=True):
        h, c = model.cell(torch.cat([x_t[0], y_t[0], r])[None], (h, c))
        parts = model.heads(h)[0].split(model.sizes)
        new_key, add, gate = parts[0].tanh(), parts[1].tanh(), parts[2].sigmoid()
        beta = torch.nn.functional.softplus(parts[3]) if model.strength else 1.0
        before = torch.stack(rows)
        w_next = None if keyed else content(before, new_key, beta)
        least = usage.index(min(usage))
        w_write = (gate * w_read).clone()
        w_write[least] = w_write[least] + (1 - gate[0])
        rows[least] = torch.zeros_like(rows[least])
        row = torch.cat([key, add]) if keyed else add
        rows = [old + w_write[i] * row for i, old in enumerate(rows)]
        after = torch.stack(rows)
        if keyed:
            w_next = content(after[:, :width], new_key, beta)
        r = sum(w_next[i] * after[i, -width:] for i in range(slots))
        usage = [0.95 * u + w_next[i].item() + w_write[i].item() for i, u in enumerate(usage)]
        w_read, key = w_next, new_key
        said.append(model.out(torch.cat([h[0], r])))
    return torch.stack(said)


@pytest.mark.parametrize("kind", [MANN, KeyValue])
@pytest.mark.parametrize("strength", [True, False])
def test_a_batch_of_streams_equals_a_loop_over_streams_and_rows(kind, strength):
    model, stream = kind(**SIZES, strength=strength).double(), drawn()
    x, shown = stream.x.double(), stream.shown(3).double()
    fast = model(x, shown)
    for b in range(4):
        torch.testing.assert_close(fast[:, b], slow(model, x[:, b:b + 1], shown[:, b:b + 1]))


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_t12_nothing_stays_for_the_next_stream_and_streams_of_a_batch_do_not_meet(model):
    stream, other = drawn(), drawn(seed=1)
    alone = model(stream.x, stream.shown(3))
    model(other.x, other.shown(3))
    assert torch.equal(alone, model(stream.x, stream.shown(3)))
    both = model(torch.cat([stream.x, other.x], 1), torch.cat([stream.shown(3), other.shown(3)], 1))
    torch.testing.assert_close(both[:, :4], alone)


@pytest.mark.parametrize("model", MEMORIES, ids=NAMES[:3])
def test_t12_memory_usage_reads_and_controller_all_start_at_zero(model):
    assert not any(part.any() for part in model.start(3))


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_an_answer_depends_on_no_later_sample_and_on_no_later_label(model):
    stream = drawn()
    shown, said = stream.shown(3), model(stream.x, stream.shown(3))
    x = stream.x.clone()
    x[6:], shown[6:] = x[6:].flip(0), shown[6:].flip(0)
    torch.testing.assert_close(model(x, shown)[:6], said[:6])
    assert not torch.allclose(model(x, shown)[6:], said[6:])


def test_the_least_used_row_is_cleared_and_written_and_usage_decays():
    usage = torch.tensor([[2.0, 0.5, 1.0], [0.0, 0.0, 3.0]])
    assert least_used(usage).tolist() == [[0, 1, 0], [1, 0, 0]]
    w = torch.tensor([[1.0, 0.0, 0.0]])
    torch.testing.assert_close(used(usage[:1], w, w.roll(1, -1)), torch.tensor([[2.9, 1.475, 0.95]]))
    model = MANN(**SIZES)
    state = model.start(1)
    full = state._replace(memory=torch.ones(1, 6, 4), usage=torch.tensor([[5.0, 4, 3, 0, 2, 1]]))
    said, _, _ = model.control(torch.zeros(1, 8), full)
    said = said._replace(gate=torch.zeros(1, 1))
    memory, w_write = model.write(said, said.add, full)
    assert w_write.tolist() == [[0, 0, 0, 1, 0, 0]] and torch.equal(memory[0, 3], said.add[0])
    assert (memory[0, [0, 1, 2, 4, 5]] == 1).all()


def test_the_network_addresses_what_was_there_before_and_reads_what_is_there_after():
    model = MANN(**SIZES)
    state = model.start(1)._replace(memory=torch.randn(1, 6, 4, generator=torch.Generator().manual_seed(0)))
    said, _, _ = model.control(torch.ones(1, 8), state)
    after = model.act(said, state)
    torch.testing.assert_close(after.w_read, content(state.memory, said.key, said.beta))
    torch.testing.assert_close(after.read, read(after.memory, after.w_read))


def test_the_repair_writes_the_key_of_the_step_before_beside_what_it_adds_and_can_read_it_at_once():
    model = KeyValue(**SIZES)
    state = model.start(1)._replace(key=torch.full((1, 4), 0.7))
    said, _, _ = model.control(torch.ones(1, 8), state)
    said = said._replace(gate=torch.zeros(1, 1), key=torch.full((1, 4), 0.7), beta=torch.tensor([[30.0]]))
    after = model.act(said, state)
    assert torch.equal(after.memory[0, 0], torch.cat([torch.full((4,), 0.7), said.add[0]]))
    torch.testing.assert_close(after.read, said.add, rtol=1e-2, atol=1e-3)


def test_t8_without_a_strength_reads_stay_below_the_bound_in_a_stream():
    model, stream = MANN(5, 3, slots=20, width=4, hidden=7, strength=False), drawn()
    state = model.start(4)
    for x_t in torch.cat([stream.x, stream.shown(3)], -1):
        said, h, c = model.control(x_t, state)
        state = model.act(said, state)._replace(h=h, c=c)
        assert state.w_read.max() < largest_weight(20)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_every_parameter_learns_and_the_gradient_is_that_of_finite_differences(model):
    model = type(model)(**model.config).double()
    stream = drawn()
    stream = stream._replace(x=stream.x.double())
    loss = lambda: stream_loss(model(stream.x, stream.shown(3)), stream)
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(loss(), parameters)
    assert all(g.abs().max() > 1e-8 for g in gradients)
    generator = torch.Generator().manual_seed(0)
    along = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in parameters]
    values = []
    for step in (1e-6, -2e-6, 1e-6):
        with torch.no_grad():
            for p, u in zip(parameters, along, strict=True):
                p.add_(u, alpha=step)
        values.append(loss().item())
    slope = sum(float((g * u).sum()) for g, u in zip(gradients, along, strict=True))
    assert (values[0] - values[1]) / 2e-6 == pytest.approx(slope, rel=1e-4, abs=1e-8)


def test_t10_the_repair_learns_to_bind_labels_of_classes_that_it_never_saw():
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(200, 1, 8, generator=generator)
    samples = centres + 0.1 * torch.randn(200, 6, 8, generator=generator)
    model = KeyValue(8, 2, slots=8, width=8, hidden=16)
    for _ in train_stream(model, Streams(samples[:180], 2, 3), 120, lr=2e-2, noise=0.1, first=False):
        pass
    unseen = Streams(samples[180:], 2, 3).sample(200, generator)
    assert (by_presentation(guesses(model, unseen, 2), unseen)[1:] > 0.85).all()


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="2 labels and slots, got 4, 32, 128, 5 and 1"):
        MANN(4, slots=1)
