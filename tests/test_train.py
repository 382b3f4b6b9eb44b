"""The outer loop: the same numbers again, across an interrupt, and what it says when it cannot go on."""

import errno
import os
import signal
import threading

import pytest
import torch
from tiny import SINUSOIDS

from mlcourse import checkpoint
from mlcourse.learner import device_of
from mlcourse.learners import MAML, JointTraining, MetaSGD, Reptile
from mlcourse.nets import MLP
from mlcourse.phases import Phase, episodic_phase, in_threads
from mlcourse.system import files
from mlcourse.train import Interrupted, drawn, outer_step, train

PRETRAIN, STEPS = 4, 6


class Stop(Exception):
    """The end of a process, without a chance to save."""


def job(kind=MAML):
    """A learner and two phases that train its network: joint, then the method's own."""
    learner = kind(MLP((1, 8, 8, 1)))
    first = episodic_phase(JointTraining(learner.net), SINUSOIDS, PRETRAIN, tasks=3, lr=1e-2, name="pretrain")
    return learner, [first, *learner.phases(SINUSOIDS, STEPS, tasks=4, lr=1e-2)]


def everything(learner, phases):
    """All tensors that training changes."""
    tensors = list(learner.state_dict().values())
    for phase in phases:
        for _, state in sorted(phase.optimiser.state_dict()["state"].items()):
            tensors += [state[key] for key in sorted(state) if torch.is_tensor(state[key])]
    return tensors


def assert_same(ours, theirs):
    assert len(ours) == len(theirs)
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def run(seed=3, kind=MAML, **options):
    learner, phases = job(kind)
    records = train(learner, phases, seed=seed, progress=False, **options)
    return everything(learner, phases), records


def at(count, action):
    """An on_step that acts after so many outer steps."""
    seen = []

    def on_step(record):
        seen.append(record)
        if len(seen) == count:
            action()

    return on_step


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def die():
    raise Stop


# ----------------------------------------------------------- the same numbers


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    tensors, records = run()
    again, same_records = run()
    assert_same(tensors, again)
    assert records == same_records
    assert [(r["phase"], r["step"]) for r in records] == [("pretrain", i) for i in range(PRETRAIN)] + [
        ("meta-train", i) for i in range(STEPS)]
    assert run(seed=4)[1] != records


def test_every_step_draws_other_tasks():
    drawn = []
    learner, phases = job()
    for phase in phases:
        sample = phase.sample
        phase.sample = lambda generator, sample=sample: drawn.append(sample(generator)) or drawn[-1]
    train(learner, phases, progress=False)
    firsts = {batch.support_x[0, 0].item() for batch in drawn}
    assert len(firsts) == PRETRAIN + STEPS


@pytest.mark.parametrize("kind", [MAML, MetaSGD, Reptile])
@pytest.mark.parametrize("number", [1, PRETRAIN, PRETRAIN + 1, PRETRAIN + STEPS])
def test_an_interrupted_training_resumes_to_the_numbers_of_an_uninterrupted_one(tmp_path, kind, number):
    """In the first phase, at the boundary, in the second phase, and after the last step."""
    path = tmp_path / "state.safetensors"
    whole, records = run(kind=kind)
    with pytest.raises(Interrupted, match=f"interrupted after step {number} of {PRETRAIN + STEPS}"):
        run(kind=kind, path=path, on_step=at(number, interrupt))
    seen = []
    tensors, all_records = run(kind=kind, path=path, on_step=seen.append)
    assert_same(tensors, whole)
    assert all_records == records
    assert seen == records[number:]


def test_a_process_that_died_resumes_from_the_last_save(tmp_path):
    path = tmp_path / "state.safetensors"
    whole, records = run()
    with pytest.raises(Stop):
        run(path=path, save_every=3, on_step=at(8, die))
    seen = []
    tensors, all_records = run(path=path, save_every=3, on_step=seen.append)
    assert_same(tensors, whole)
    assert all_records == records and seen == records[6:]


def test_sigterm_asks_to_stop_as_ctrl_c_does(tmp_path):
    path = tmp_path / "state.safetensors"
    with pytest.raises(Interrupted):
        run(path=path, on_step=at(2, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    assert len(checkpoint.read_tensors(path)[1]["records"]) == 2


def test_an_interrupt_ends_the_step_in_progress_and_a_second_one_stops_at_once():
    learner, phases = job()
    with pytest.raises(Interrupted):
        train(learner, phases, progress=False, on_step=at(3, interrupt))
    assert_same(everything(learner, phases[:1]), _after(3))
    with pytest.raises(KeyboardInterrupt) as stopped:
        run(on_step=at(3, lambda: (interrupt(), interrupt())))
    assert not isinstance(stopped.value, Interrupted)


def _after(steps):
    """What the first phase has made of learner and optimiser after so many steps."""
    learner, phases = job()
    with pytest.raises(Stop):
        train(learner, phases, progress=False, on_step=at(steps, die))
    return everything(learner, phases[:1])


def test_a_complete_training_is_not_trained_again(tmp_path):
    path = tmp_path / "state.safetensors"
    tensors, records = run(path=path)
    before = path.read_bytes()
    again, all_records = run(path=path, on_step=lambda record: die())
    assert_same(tensors, again)
    assert all_records == records and path.read_bytes() == before


def test_tasks_in_chunks_give_the_gradient_of_all_at_once():
    gradients = []
    for chunk in (None, 1, 3, 4, 9):
        learner, (_, phase) = job()
        learner.double()
        sample, phase.chunk = phase.sample, chunk
        phase.sample = lambda generator, sample=sample: sample(generator).to(torch.float64)
        loss = outer_step(phase, 0, torch.Generator().manual_seed(0))
        gradients.append(torch.cat([p.grad.flatten() for p in learner.parameters()] + [torch.tensor([loss])]))
    for gradient in gradients[1:]:
        torch.testing.assert_close(gradient, gradients[0], rtol=0, atol=1e-12)


def test_training_leaves_handlers_and_the_global_generator_as_they_were():
    numbers = (signal.SIGINT, signal.SIGTERM)
    before, state = [signal.getsignal(number) for number in numbers], torch.get_rng_state()
    run()
    for action in (interrupt, die):
        with pytest.raises((Interrupted, Stop)):
            run(on_step=at(2, action))
    assert [signal.getsignal(number) for number in numbers] == before
    assert torch.equal(torch.get_rng_state(), state)


def test_training_works_in_a_thread():
    whole, records = run()
    results = []
    thread = threading.Thread(target=lambda: results.append(run()))
    thread.start()
    thread.join()
    assert_same(results[0][0], whole)
    assert results[0][1] == records


# ------------------------------------------------------------- the state file


@pytest.mark.parametrize(("options", "match"), [
    ({"label": "maml"}, "another training .label '', now 'maml'.; continue with the settings it was started with"),
    ({"seed": 4}, "another training .seed 3, now 4."),
])
def test_another_training_is_not_touched(tmp_path, options, match):
    path = tmp_path / "state.safetensors"
    run(path=path)
    before = path.read_bytes()
    learner, phases = job()
    start = [t.clone() for t in everything(learner, phases)]
    with pytest.raises(ValueError, match=match):
        train(learner, phases, path=path, progress=False, **{"seed": 3, **options})
    assert path.read_bytes() == before and os.listdir(tmp_path) == [path.name]
    assert_same(everything(learner, phases), start)


def test_other_phases_and_other_shapes_are_refused(tmp_path):
    path = tmp_path / "state.safetensors"
    run(path=path)
    before = path.read_bytes()
    learner, phases = job()
    phases[1].steps += 1
    with pytest.raises(ValueError, match="another training .phases"):
        train(learner, phases, seed=3, path=path, progress=False)
    learner = MAML(MLP((1, 9, 1)))
    phases = [Phase(p.name, p.sample, p.loss, p.optimiser, s) for p, s in zip(job()[1], (PRETRAIN, STEPS), strict=True)]
    with pytest.raises(ValueError, match="checkpoint of another method or network|of another shape"):
        train(learner, phases, seed=3, path=path, progress=False)
    assert path.read_bytes() == before


@pytest.mark.parametrize("keep", [0, 7, 100, 0.5, 0.999])
def test_a_truncated_state_is_refused(tmp_path, keep):
    path = tmp_path / "state.safetensors"
    run(path=path)
    data = path.read_bytes()
    path.write_bytes(data[:keep if isinstance(keep, int) else int(keep * len(data))])
    learner, phases = job()
    start = [t.clone() for t in everything(learner, phases)]
    with pytest.raises(ValueError, match="state.safetensors is damaged or not a file of mlcourse"):
        train(learner, phases, seed=3, path=path, progress=False)
    assert_same(everything(learner, phases), start)


# -------------------------------------------------------- what cannot go on


def poisoned(kind, at_step):
    """A learner and a phase whose loss is no number, or has no gradient, at one step."""
    net = MLP((1, 2, 1))
    factor = {"loss": float("inf"), "gradient": 0.0}[kind]

    def loss(batch, step):
        total = sum(p.square().sum() for p in net.parameters())
        if step < at_step:
            return total
        return (total * factor).sqrt() if kind == "gradient" else total * factor

    optimiser = torch.optim.Adam(net.named_parameters(), lr=0.1)
    return MAML(net), Phase("poisoned", lambda generator: None, loss, optimiser, 5)


@pytest.mark.parametrize(("kind", "match"), [
    ("loss", "the loss is inf at step 2 of poisoned; lower the inner or the outer rate"),
    ("gradient", "at step 2 of poisoned, but its gradient is not finite; lower the inner"),
])
def test_a_loss_or_gradient_that_is_not_finite_stops_before_it_harms(kind, match):
    learner, phase = poisoned(kind, at_step=2)
    good, last = poisoned(kind, at_step=9)[:2]
    with pytest.raises(Stop):
        train(good, [last], progress=False, on_step=at(2, die))
    with pytest.raises(ValueError, match=match):
        train(learner, [phase], progress=False)
    assert_same(everything(learner, [phase]), everything(good, [last]))


def test_an_inner_rate_that_explodes_is_told():
    learner = MAML(MLP((1, 8, 8, 1)), lr=1e12, steps=5)
    start = [p.detach().clone() for p in learner.parameters()]
    with pytest.raises(ValueError, match="the loss is (nan|inf) at step 0 of meta-train; lower the inner"):
        train(learner, learner.phases(SINUSOIDS, 5, tasks=2), progress=False)
    assert_same([p.detach() for p in learner.parameters()], start)


def test_samples_that_are_not_finite_are_named():
    learner, phases = job()
    sample = phases[0].sample

    def with_nan(generator):
        batch = sample(generator)
        batch.query_y[1, 2] = float("nan")
        return batch

    phases[0].sample = with_nan
    with pytest.raises(ValueError, match="query_y holds values that are NaN or infinite; remove or repair"):
        train(learner, phases, progress=False)


def test_a_parameter_without_a_gradient_is_named():
    learner = MAML(MLP((1, 8, 1)))
    learner.net.register_parameter("spare", torch.nn.Parameter(torch.zeros(3)))
    start = [p.detach().clone() for p in learner.parameters()]
    with pytest.raises(ValueError, match=r"parameter 'net\.spare' takes no part in the loss, so it gets no gradient in "
                                         "meta-train"):
        train(learner, learner.phases(SINUSOIDS, 5), progress=False)
    assert_same([p.detach() for p in learner.parameters()], start)


def test_a_frozen_parameter_stays_and_is_named_where_an_optimiser_wants_it():
    learner = MAML(MLP((1, 8, 1)))
    bias = learner.net.head.bias.requires_grad_(False)
    before = bias.clone()
    train(learner, learner.phases(SINUSOIDS, 5), progress=False)
    assert torch.equal(bias, before)
    phase, = learner.phases(SINUSOIDS, 5)
    phase.optimiser = torch.optim.Adam(learner.named_parameters())
    with pytest.raises(ValueError, match=r"parameter 'net\.head\.bias' is frozen \(requires_grad is False\)"):
        train(learner, [phase], progress=False)


def test_an_optimiser_without_names_still_says_which_parameter():
    used, spare = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(2, 3))
    optimiser = torch.optim.SGD([used, spare], 0.1)
    phase = Phase("bare", lambda generator: None, lambda batch, step: used.sum(), optimiser, 1)
    with pytest.raises(ValueError, match=r"parameter 1 of shape \(2, 3\) takes no part"):
        outer_step(phase, 0, torch.Generator())


@pytest.mark.parametrize("kind", [MAML, Reptile])
@pytest.mark.parametrize("lr", [0, -1.0, float("inf"), float("nan")])
def test_an_outer_rate_that_cannot_work_is_refused(kind, lr):
    with pytest.raises(ValueError, match=f"the outer learning rate must be a positive, finite number, got {lr}"):
        kind(MLP()).phases(SINUSOIDS, 5, lr=lr)


@pytest.mark.parametrize("kind", [MAML, Reptile])
def test_counts_below_one_are_refused(kind):
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        kind(MLP()).phases(SINUSOIDS, 0)
    with pytest.raises(ValueError, match="tasks must be at least 1, got -2"):
        kind(MLP()).phases(SINUSOIDS, 5, tasks=-2)
    phase, = kind(MLP()).phases(SINUSOIDS, 5)
    with pytest.raises(ValueError, match="chunk must be at least 1, got 0"):
        Phase(phase.name, phase.sample, phase.loss, phase.optimiser, 5, chunk=0)


# -------------------------------------------------------------------- the disk


class Full:
    """A file on a disk without space."""

    def __init__(self, handle, mode):
        self.handle = handle

    def __enter__(self):
        return self

    def __exit__(self, *error):
        os.close(self.handle)

    def write(self, data):
        os.write(self.handle, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_told_and_what_was_trained_is_kept(tmp_path, monkeypatch):
    path = tmp_path / "state.safetensors"
    with pytest.raises(Interrupted):
        run(path=path, on_step=at(1, interrupt))
    before = path.read_bytes()
    learner, phases = job()
    fill_the_disk = at(2, lambda: monkeypatch.setattr(os, "fdopen", Full))
    with pytest.raises(OSError, match="cannot write .*state.safetensors: No space left on device; free space"):
        train(learner, phases, seed=3, path=path, save_every=3, progress=False, on_step=fill_the_disk)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == [path.name] and path.read_bytes() == before
    other, others_phases = job()
    with pytest.raises(Stop):
        train(other, others_phases, seed=3, progress=False, on_step=at(3, die))
    assert_same(everything(learner, phases), everything(other, others_phases))


def test_a_folder_that_cannot_be_written_to_is_told_before_the_first_step(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    learner, phases = job()
    with pytest.raises(OSError, match="cannot write .*file.*; free space or choose another folder"):
        train(learner, phases, path=tmp_path / "file" / "state.safetensors", progress=False, on_step=at(1, die))

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files.os, "open", refuse)
    with pytest.raises(OSError, match="Permission denied; free space or choose another folder"):
        train(learner, phases, path=tmp_path / "state.safetensors", progress=False, on_step=at(1, die))
    assert os.listdir(tmp_path) == ["file"]


def test_batches_are_drawn_on_the_cpu_and_brought_to_the_parameters():
    learner, phases = job()
    here = drawn(phases[1], torch.Generator().manual_seed(3))
    there = drawn(job()[0].to("meta").phases(SINUSOIDS, 1, tasks=4, lr=1e-2)[0], torch.Generator().manual_seed(3))
    assert {field.device.type for field in here} == {"cpu"} and {field.device.type for field in there} == {"meta"}
    assert not in_threads(learner.to("meta")), "threads are the CPU's"
    assert device_of(learner).type == "meta" and device_of(MAML(MLP())).type == "cpu"
