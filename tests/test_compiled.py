"""Training through torch.compile: the plain path's gradients, when it pays, and the plain path where it cannot be."""

import os
import shutil
import signal

import pytest
import torch
from tiny import SINUSOIDS, patterns
from torch import nn
from torch.testing import assert_close

from mlcourse import compiled as module
from mlcourse.compiled import Compiled, Plain, compiler_missing, gradient_of, trace
from mlcourse.datasets.sinusoid import SinusoidSampler
from mlcourse.episode import EpisodeSampler
from mlcourse.learners import ANIL, FOMAML, MAML, JointTraining, MetaSGD, ProtoNet, Reptile
from mlcourse.nets import MLP, Conv4
from mlcourse.phases import over_episodes
from mlcourse.train import Interrupted, train

ALL_STEPS = 14
MAKE = {
    "MAML, 1 step": lambda: MAML(MLP((1, 8, 6, 1)), 0.1, 1),
    "MAML, 5 steps": lambda: MAML(MLP((1, 8, 6, 1)), 0.1, 5),
    "FOMAML": lambda: FOMAML(MLP((1, 8, 6, 1)), 0.1, 2),
    "ANIL": lambda: ANIL(MLP((1, 8, 6, 1)), 0.1, 2),
    "Meta-SGD": lambda: MetaSGD(MLP((1, 8, 6, 1)), steps=2),
    "Reptile": lambda: Reptile(MLP((1, 8, 6, 1))),
    "MAML, batch norm": lambda: MAML(MLP((256, 8, 6, 3), "batch"), 0.1, 2),
    "ProtoNet": lambda: ProtoNet(MLP((256, 8, 6), "batch")),
}


def first_phase(learner, steps=ALL_STEPS):
    pictures = getattr(learner.net, "config", {}).get("sizes", [0])[0] == 256
    sampler = EpisodeSampler(patterns(), 3, 2, 3) if pictures else SINUSOIDS
    return learner.phases(sampler, steps, tasks=3, lr=1e-2)[0]


def example(phase, seed=0, dtype=torch.float64):
    return phase.sample(torch.Generator().manual_seed(seed)).to(dtype)


def assert_same(ours, plain):
    assert_close(ours[0], plain[0], rtol=1e-10, atol=1e-10)
    for a, b in zip(ours[1], plain[1], strict=True):
        assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.fixture
def recorded(monkeypatch):
    """Compiling costs nothing and calls no compiler: the recorded operators as they are."""
    monkeypatch.setattr(torch, "compile", lambda graph, **_: graph)
    monkeypatch.setattr(module, "compiler_missing", lambda: "")
    monkeypatch.setattr(module, "COST", 0.0)
    seconds = lambda self, function, batch: float(not isinstance(function, Compiled))
    monkeypatch.setattr(module.Compiling, "_seconds", seconds)


# -------------------------------------------------------------- the gradients


@pytest.mark.parametrize("name", MAKE)
def test_recorded_operators_give_the_plain_gradient_at_other_parameters_and_episodes(recorded, name):
    learner = MAKE[name]().double()
    phase = first_phase(learner)
    ours = Compiled(phase, example(phase))
    with torch.no_grad():
        for p in learner.parameters():
            p.add_(torch.randn(p.shape, generator=torch.Generator().manual_seed(1)), alpha=0.1)
    other = example(phase, seed=2)
    assert ours.fits(other)
    assert_same(ours(other), gradient_of(phase, 3, other))


@pytest.mark.skipif(bool(compiler_missing()), reason="no C++ compiler")
def test_the_compiled_gradient_is_the_plain_one():
    learner = MAML(MLP((1, 4, 1)), 0.1).double()
    phase = first_phase(learner)
    ours, other = Compiled(phase, example(phase)), example(phase, seed=2)
    assert_same(ours(other), gradient_of(phase, 3, other))


# --------------------------------------------------------------- the training


def run(kind=MAML, sampler=SINUSOIDS, **options):
    learner = kind(MLP((1, 8, 8, 1)))
    return train(learner, learner.phases(sampler, ALL_STEPS, tasks=4, lr=1e-2), progress=False, **options)


@pytest.mark.parametrize("kind", [MAML, FOMAML, MetaSGD])
def test_a_training_has_the_losses_of_the_plain_path(recorded, capsys, kind):
    losses = [torch.tensor([r["loss"] for r in run(kind, compile=each)]) for each in (True, False)]
    assert_close(*losses, rtol=1e-5, atol=1e-6)
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "its gradient takes 0 ms instead of 1e+03" in said


def test_a_compiled_training_resumes(recorded, tmp_path):
    path = tmp_path / "state.safetensors"
    whole = run(compile=True)

    def stop(record):
        if record["step"] == 11:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        run(compile=True, path=path, on_step=stop)
    again = run(compile=True, path=path, check_engine=True)
    losses = [torch.tensor([r["loss"] for r in records]) for records in (again, whole)]
    assert_close(*losses, rtol=1e-5, atol=1e-6)


def test_ctrl_c_ends_compiling_at_once_and_keeps_what_was_trained(recorded, tmp_path, monkeypatch):
    path, reached = tmp_path / "state.safetensors", []

    def slow(graph, **_):
        os.kill(os.getpid(), signal.SIGINT)
        reached.append(graph)

    monkeypatch.setattr(torch, "compile", slow)
    with pytest.raises(Interrupted, match="interrupted after step 10 of 14"):
        run(compile=True, path=path)
    assert reached == [] and path.exists()
    monkeypatch.setattr(torch, "compile", lambda graph, **_: graph)
    assert len(run(compile=True, path=path)) == ALL_STEPS


class Growing(SinusoidSampler):
    """As many points in the support set as batches were drawn."""

    drawn = 0

    def sample(self, tasks, generator):
        Growing.drawn += 1
        return SinusoidSampler(Growing.drawn, 6).sample(tasks, generator)


def test_batches_of_other_shapes_take_the_plain_path_and_nothing_is_compiled_again(recorded, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda graph, **_: compiled.append(graph) or graph)
    assert len(run(sampler=Growing(1, 6), compile=True)) == ALL_STEPS and len(compiled) == 1


def test_a_changed_setting_takes_the_plain_path(recorded):
    learner = MAKE["MAML, 1 step"]().double()
    phase = first_phase(learner)
    ours = Compiled(phase, example(phase))
    learner.lr = 0.2
    assert not ours.fits(example(phase))


# ------------------------------------------------------------- the plain path


def said_by(capsys, **options):
    records = run(**options)
    said = capsys.readouterr().err
    assert len(records) == ALL_STEPS and said.count("\n") == 1
    return said


def test_without_a_compiler_one_sentence_says_so(capsys, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert said_by(capsys, compile=True) == ("meta-train is not compiled: there is no C++ compiler (no-such-compiler); "
                                             "install one, or set CXX\n")


@pytest.mark.skipif(not shutil.which("g++"), reason="no g++")
def test_a_short_run_does_not_pay(capsys):
    assert "steps left take about" in said_by(capsys, compile=True)


def test_nothing_is_said_without_being_asked(capsys):
    run()
    assert capsys.readouterr().err == ""


def test_what_torch_cannot_compile_stays_on_the_plain_path(recorded, capsys, monkeypatch):
    def fails(graph, **_):
        raise RuntimeError("g++ is broken\nand more")

    monkeypatch.setattr(torch, "compile", fails)
    assert said_by(capsys, compile=True) == "meta-train is not compiled: torch.compile fails (g++ is broken)\n"


def test_another_gradient_is_not_taken(recorded, capsys, monkeypatch):
    def planted(graph, **_):
        def wrong(*inputs):
            loss, gradients, seen = graph(*inputs)
            return loss, [1.1 * g for g in gradients], seen
        return wrong

    monkeypatch.setattr(torch, "compile", planted)
    assert "not compiled: what torch.compile makes of it has another gradient" in said_by(capsys, compile=True)


def test_what_is_not_faster_is_not_taken(recorded, capsys, monkeypatch):
    monkeypatch.setattr(module.Compiling, "_seconds", lambda self, function, batch: 0.001)
    assert "not compiled: compiled, its gradient takes 1 ms, and 1 ms as it is" in said_by(capsys, compile=True)


def phase_of(learner, one):
    return over_episodes(learner, "own", lambda generator: SINUSOIDS.sample(3, generator), one,
                         torch.optim.SGD(learner.parameters(), lr=0.1), 5)


def refusal(phase):
    with pytest.raises(Plain) as refused:
        trace(phase, phase.sample(torch.Generator().manual_seed(0)))
    return str(refused.value)


def test_what_is_not_the_same_at_every_step_is_refused():
    learner, own = MAML(MLP((1, 8, 1))), torch.randn(4, generator=torch.Generator().manual_seed(0))
    loss = learner.loss
    for one in (lambda e, step: loss(e) * (1 + step / 5), lambda e, step: loss(e) * (2 if step == 0 else 1)):
        assert "the loss depends on the step" in refusal(phase_of(learner, one))
    assert refusal(phase_of(learner, lambda e, step: loss(e) * torch.rand(()))) == "it draws random numbers"
    assert "cannot be recorded" in refusal(phase_of(learner, lambda e, step: loss(e) * own.sum()))
    assert "cannot be recorded" in refusal(phase_of(learner, lambda e, step: loss(e) * float(loss(e).sum())))


def test_a_constant_is_recorded(recorded):
    learner = MAML(MLP((1, 8, 1))).double()
    phase = phase_of(learner, lambda episode, step: learner.loss(episode) * torch.tensor(2.0, dtype=torch.float64))
    assert_same(Compiled(phase, example(phase))(example(phase, seed=2)), gradient_of(phase, 0, example(phase, seed=2)))


def test_who_does_not_compute_all_tasks_at_once_is_refused():
    pictures = EpisodeSampler(patterns(), 3, 2, 3)
    for learner, match in ((MAML(Conv4(3, 6, side=16)), "a few tasks at a time"),
                           (MAML(nn.Sequential(nn.Flatten(), nn.Linear(256, 3))), "the stacked engine")):
        assert match in refusal(learner.phases(pictures, 5, tasks=3)[0])
    inner, outer = MAML(MLP((1, 8, 1))), JointTraining(MLP((1, 8, 1)))
    phase = first_phase(inner)
    phase.optimiser = torch.optim.SGD(outer.parameters(), lr=0.1)
    assert "parameters that are not the learner's" in refusal(phase)
