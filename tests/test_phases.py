"""What a phase is told, and when."""

from dataclasses import replace

from mlcourse.learners import MAML
from mlcourse.nets import MLP
from mlcourse.train import train
from tiny import SINUSOIDS


def test_before_each_step_and_its_batch_a_phase_is_told_the_number():
    learner, said = MAML(MLP((1, 4, 1))), []
    phase, = learner.phases(SINUSOIDS, 4, tasks=2)
    watched = replace(phase, before=said.append, sample=lambda g: said.append("batch") or phase.sample(g))
    train(learner, [watched], progress=False)
    assert said == [entry for step in range(4) for entry in (step, "batch")]
