"""The temperature explorer against loops over its pictures, and over every corner of its controls."""

import math

import numpy as np
import pytest
import torch

from mlcourse.lessons.l15_distillation.widget_temperature import TEMPERATURES, TemperatureExplorer, gradient_size
from mlcourse.system.machine import one_core
from mlcourse.widgets import sweep

M, N = 40, 6
LABELS = torch.arange(M) % N


@pytest.fixture(autouse=True)
def quick():
    with one_core():
        yield


def logits(seed):
    return 2 * torch.randn(M, N, generator=torch.Generator().manual_seed(seed))


def explorer(**settings):
    pictures = torch.rand(M, 1, 16, 16, generator=torch.Generator().manual_seed(9))
    return TemperatureExplorer(logits(0), {"one": logits(1), "other": logits(2)}, pictures, LABELS, tuple("abcdef"),
                               [5, 7, 11], **settings)


def slow(row, temperature):
    powers = [math.exp(float(value) / temperature) for value in row]
    return [power / sum(powers) for power in powers]


def test_the_record_equals_loops_over_pictures_and_classes():
    shown = explorer()
    shown.set(student="one", temperature=3.0, picture=1, squared=False)
    got = shown.record
    assert (got.picture, got.label) == (7, 7 % N)
    assert got.p == pytest.approx(slow(logits(0)[7], 3.0), abs=1e-6)
    assert got.q == pytest.approx(slow(logits(1)[7], 3.0), abs=1e-6)
    entropies, sizes = [], []
    for v, z in zip(logits(0), logits(1)):
        p, q = slow(v, 3.0), slow(z, 3.0)
        entropies.append(-sum(value * math.log(value) for value in p))
        sizes.append(math.sqrt(sum((b - a) ** 2 for a, b in zip(p, q))) / 3.0)
    assert got.entropy == pytest.approx(np.mean(entropies), rel=1e-5)
    assert got.own == pytest.approx(entropies[7], rel=1e-5)
    assert got.gradient == pytest.approx(np.mean(sizes), rel=1e-5)
    wrong = [sum(int(z.argmax()) != c for z, c in zip(logits(1), LABELS.tolist()) if c == k) for k in range(N)]
    assert got.student_errors.tolist() == wrong and got.teacher_errors.sum() <= M


def test_the_gradient_is_that_of_autograd():
    z, v, total = logits(1).double().requires_grad_(), logits(0).double(), 0.0
    for i in range(M):
        loss = -((v[i] / 2.0).softmax(0) * (z[i] / 2.0).log_softmax(0)).sum()
        total += float(torch.autograd.grad(loss, z)[0].norm()) / M
    assert gradient_size(z.detach(), v, 2.0) == pytest.approx(total, rel=1e-9)


def test_t_squared_multiplies_the_gradient_and_moves_no_error():
    shown = explorer()
    shown.set(temperature=5.0, squared=False)
    bare = shown.record
    shown.set(squared=True)
    assert shown.record.gradient == pytest.approx(25 * bare.gradient, rel=1e-3)     # the slider rounds its temperature
    assert shown.record.student_errors.tolist() == bare.student_errors.tolist()
    assert "with τ²" in shown.headline(shown.record) and "without τ²" in shown.headline(bare)


def test_entropy_rises_with_the_temperature_and_the_bare_gradient_falls():
    got = explorer().record
    assert (np.diff(got.entropies) > 0).all() and (np.diff(got.own_entropies) > 0).all()
    assert (np.diff(got.gradients[TEMPERATURES > 2]) < 0).all() and got.entropies[-1] < math.log(N)


def test_every_control_can_be_swept_and_moves_the_picture():
    shown, pictures = explorer(), {}
    for name, value, got in sweep(shown):
        assert np.isfinite([got.entropy, got.gradient, *got.p, *got.q]).all()
        assert bytes(shown.picture.value).startswith(b"\x89PNG")
        pictures.setdefault(name, set()).add(shown.picture.value)
    assert set(pictures) == set(shown.controls) and all(len(seen) > 1 for seen in pictures.values())


def test_the_words_follow_the_numbers():
    shown = explorer()
    shown.set(student="other", picture=2)
    got = shown.record
    own, other = got.p[got.label], max(p for c, p in enumerate(got.p) if c != got.label)
    assert f"A picture of {'abcdef'[got.label]}: the teacher gives its class ≈{own:.2f} and" in shown.alt
    assert f"the likeliest other class ≈{other:.2f}, the student (other) ≈{got.q[got.label]:.2f}" in shown.alt
    assert f"≈{got.student_errors.sum():.0f} of {M} pictures by the student" in shown.alt


def test_it_needs_students_of_the_same_pictures():
    pictures = torch.rand(M, 1, 16, 16)
    with pytest.raises(ValueError, match="at least one student"):
        TemperatureExplorer(logits(0), {}, pictures, LABELS, tuple("abcdef"), [0])
    with pytest.raises(ValueError, match=r"of 'short' have shape \(39, 6\), those of the teacher \(40, 6\)"):
        TemperatureExplorer(logits(0), {"short": logits(1)[1:]}, pictures, LABELS, tuple("abcdef"), [0])
