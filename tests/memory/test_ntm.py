"""The neural Turing machine: the order of its step, what starts it, its tape, and the copy task."""

import pytest
import torch
import torch.nn.functional as F

from mlcourse.memory import (NTM, CopyLSTM, address, copies, copy_loss, erase_add, read, tape, train_copy, wrong_bits)

SMALL = {"bits": 3, "slots": 6, "width": 4, "hidden": 5}


def draw(length=2, batch=3, bits=3, seed=0):
    return copies(length, batch, bits, torch.Generator().manual_seed(seed))


def test_t4_a_step_reads_and_addresses_the_memory_of_the_step_before_and_then_writes():
    ntm, (x, _) = NTM(**SMALL), draw()
    state = ntm.start(3)
    state = state._replace(memory=torch.randn(state.memory.shape, generator=torch.Generator().manual_seed(1)))
    controls, h, c = ntm.control(x[0], state)
    after = ntm.act(controls, state)
    w_read, w_write = (address(state.memory, head, w) for head, w in
                       ((controls.read, state.w_read), (controls.write, state.w_write)))
    torch.testing.assert_close(after.read, read(state.memory, w_read))
    torch.testing.assert_close(after.memory, erase_add(state.memory, w_write, controls.erase, controls.add))
    written_first = read(after.memory, w_read)
    assert not torch.allclose(after.read, written_first)
    assert torch.equal(after.w_write, w_write) and h.shape == c.shape == (3, 5)


def test_t2_both_heads_start_on_row_0_with_all_their_weight():
    state = NTM(**SMALL).start(2)
    assert state.w_read.tolist() == state.w_write.tolist() == [[1, 0, 0, 0, 0, 0]] * 2
    assert state.memory.unique().item() == pytest.approx(0.1) and NTM(**SMALL).start(2, 9).memory.shape == (2, 9, 4)


def test_t5_what_the_controller_says_lies_where_it_may():
    ntm, (x, _) = NTM(**SMALL), draw()
    with torch.no_grad():
        ntm.heads.weight.mul_(1e4)
    controls, _, _ = ntm.control(x[0], ntm.start(3))
    for head in controls[:2]:
        assert (head.beta >= 0).all() and (head.gamma >= 1).all() and head.key.abs().max() <= 1
        assert (head.gate >= 0).all() and (head.gate <= 1).all()
        torch.testing.assert_close(head.moves.sum(-1), torch.ones(3))
    assert (controls.erase >= 0).all() and (controls.erase <= 1).all() and controls.add.abs().max() <= 1


def test_at_the_start_the_strength_is_above_one_and_the_gate_nearly_shut():
    ntm = NTM()
    controls, _, _ = ntm.control(torch.zeros(1, 9), ntm.start(1))
    for head in controls[:2]:
        assert head.beta.item() == pytest.approx(F.softplus(torch.tensor(2.0)).item(), abs=0.3)
        assert head.gate.item() == pytest.approx(torch.tensor(-2.0).sigmoid().item(), abs=0.05)


def test_the_tape_is_the_run_and_a_change_reaches_it():
    ntm, (x, _) = NTM(**SMALL), draw()
    run = tape(ntm, x)
    torch.testing.assert_close(run.logits, ntm(x))
    assert run.memory.shape == (5, 3, 6, 4) and run.controls.read.moves.shape == (5, 3, 3)
    assert run.w_read.shape == (5, 3, 6) and run.controls.add.shape == (5, 3, 4)

    def stay(t, controls, memory):
        still = torch.tensor([0.0, 1.0, 0.0]).expand(3, 3)
        return controls._replace(write=controls.write._replace(moves=still, gate=torch.zeros(3, 1))), memory

    held = tape(ntm, x, stay)
    assert (held.w_write.argmax(-1) == 0).all() and not torch.equal(held.memory, run.memory)
    blank = tape(ntm, x, lambda t, controls, memory: (controls, memory.new_zeros(memory.shape) if t == 2 else memory))
    torch.testing.assert_close(blank.logits[:2], run.logits[:2])
    assert not torch.equal(blank.memory[2], run.memory[2])
    torch.testing.assert_close(tape(ntm, x, slots=11).logits, ntm(x, slots=11))


def test_sequences_of_a_batch_do_not_meet_and_nothing_stays_for_the_next_call():
    ntm, (x, _) = NTM(**SMALL), draw()
    together = ntm(x)
    torch.testing.assert_close(together, torch.cat([ntm(x[:, b:b + 1]) for b in range(3)], 1))
    assert torch.equal(together, ntm(x))


def test_every_parameter_learns_and_the_gradient_is_that_of_finite_differences():
    ntm, (x, y) = NTM(**SMALL).double(), (part.double() for part in draw())
    loss = lambda: copy_loss(ntm(x), y)
    parameters = list(ntm.parameters())
    gradients = torch.autograd.grad(loss(), parameters)
    assert all(g.abs().max() > 1e-8 for g in gradients)
    for p, g in zip(parameters, gradients, strict=True):
        along = torch.randn(p.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        values = []
        for step in (1e-6, -2e-6, 1e-6):
            with torch.no_grad():
                p.add_(along, alpha=step)
            values.append(loss().item())
        assert (values[0] - values[1]) / 2e-6 == pytest.approx(float((g * along).sum()), rel=1e-4, abs=1e-9)


def test_t6_what_is_to_be_said_is_nowhere_in_the_input_once_it_is_to_be_said():
    x, y = draw(length=4)
    assert torch.equal(x[:4, :, :3], y) and not x[:4, :, 3].any()
    assert x[4, :, 3].tolist() == [1, 1, 1] and not x[4, :, :3].any() and not x[5:].any()
    assert len(x) == 9 and {0.0, 1.0} == set(y.unique().tolist())
    again, other = draw(length=4)[1], draw(length=4, seed=1)[1]
    assert torch.equal(y, again) and not torch.equal(y, other)


def test_wrong_bits_are_counted_by_sequence_over_what_is_said_after_the_mark():
    right = lambda x: torch.cat([torch.zeros(len(x) - len(x) // 2, *x.shape[1:]), 2 * x[:len(x) // 2] - 1])[..., :8]
    assert wrong_bits(right, 5, 8) == 0 and wrong_bits(lambda x: -right(x), 5, 8) == 40
    assert wrong_bits(lambda x: right(x) * torch.tensor([-1.0, *[1] * 7]), 5, 8) == 5
    assert wrong_bits(lambda x: torch.ones(len(x), x.shape[1], 8), 5, 8) == pytest.approx(20, abs=1.5)


@pytest.mark.parametrize("model", [NTM(bits=3, slots=5, width=6, hidden=16), CopyLSTM(bits=3, hidden=16)])
def test_training_lowers_the_loss_and_repeats(model):
    start = {name: p.clone() for name, p in model.state_dict().items()}
    losses = list(train_copy(model, 3, 120, longest=2, lr=1e-2))
    assert sum(losses[-20:]) < 0.9 * sum(losses[:20])
    model.load_state_dict(start)
    assert list(train_copy(model, 3, 5, longest=2, lr=1e-2)) == losses[:5]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="3 slots, got 8, 16, 64 and 2"):
        NTM(slots=2)
    with pytest.raises(ValueError, match="at least 1, got 0, 3 and 8"):
        copies(0, 3, 8, torch.Generator())
    ntm = NTM(**SMALL)
    with torch.no_grad():
        ntm.out.bias.fill_(float("nan"))
    with pytest.raises(ValueError, match="the loss is nan; train with a lower rate than 0.003"):
        next(train_copy(ntm, 3, 1))
