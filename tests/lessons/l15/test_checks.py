"""What the checks of lesson 15 accept and refuse beside the exercises' own wrong answers."""

import numpy as np
import pytest
import torch

from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.losses.distillation import soft_targets


def of(id, answer):
    return judge(exercise(id), answer)


def gradient(z, v, tau):
    return ((z / tau).softmax(1) - (v / tau).softmax(1)) / (tau * len(z))


@pytest.mark.parametrize("answer", [
    lambda z, v, tau: gradient(z.float(), v.float(), tau), lambda z, v, tau: gradient(z, v, tau).numpy(),
    lambda z, v, tau: gradient(z, v, tau).tolist()], ids=["float32", "NumPy", "lists"])
def test_a_right_gradient_of_any_kind_of_number_passes(answer):
    assert of("15.2", answer).status == "passed"


def test_the_packages_soft_targets_may_be_called():
    assert of("15.2", lambda z, v, tau: (soft_targets(z, tau) - soft_targets(v, tau)) / (tau * len(z))).passed
    assert of("15.2", lambda z, v, tau: ((z / tau).softmax(1) - soft_targets(v, tau)) / (tau * len(z))).passed
    assert of("15.3", lambda z, v, tau: -tau**2 * (
        soft_targets(v.detach(), tau) * soft_targets(z, tau).log()).sum(1).mean()).passed


@pytest.mark.parametrize("answer", [
    lambda z, v, tau: gradient(z.half(), v.half(), tau), lambda z, v, tau: gradient(z, v, tau).mul(1e4).round() / 1e4,
    lambda z, v, tau: 1.00002 * gradient(z.float(), v.float(), tau)], ids=["float16", "rounded", "off by 2e-5"])
def test_a_wrong_gradient_is_told_by_digits_that_differ(answer):
    result = of("15.2", answer)
    said = result.message.split("of the gradient is ")[1].rstrip(".").split(", but you returned ")
    assert result.status == "not yet" and said[0] != said[1].split(". ")[0]


def test_entropies_may_be_numpy_numbers():
    entropy = lambda v, tau: -((v / tau).softmax(1) * (v / tau).log_softmax(1)).sum(1).mean()
    assert of("15.1", lambda v, tau: np.float32(entropy(v, tau))).status == "passed"


@pytest.mark.parametrize("keep_teacher", ["detach", "no_grad"])
def test_a_step_may_keep_the_teacher_in_either_way_and_return_a_tensor(keep_teacher):
    def distil_step(student, teacher, optimiser, x, tau, loss):
        with torch.set_grad_enabled(keep_teacher == "detach"):
            v = teacher(x).detach()
        value = loss(student(x), v, tau)
        optimiser.zero_grad(set_to_none=False)
        value.backward()
        optimiser.step()
        return value.detach()

    assert of("15.4", distil_step).status == "passed"


def test_a_step_that_never_asks_the_teacher_is_told():
    def distil_step(student, teacher, optimiser, x, tau, loss):
        return loss(student(x), torch.zeros(6, 4, dtype=x.dtype), tau).item()

    assert "the teacher was never asked" in of("15.4", distil_step).message


@pytest.mark.parametrize("answer, said", [
    ({"a": "open"}, "no answer yet for b, c, d, e"), (["open"], "must be a dict"),
    (dict.fromkeys("abcde", "perhaps"), "a is 'perhaps'")])
def test_verdicts_of_another_form_are_told(answer, said):
    assert said in of("15.5", answer).message
