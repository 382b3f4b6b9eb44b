"""Lesson 13's checks accept other right answers, and its broken code fails as the lesson says."""

import pytest
import torch

from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.lessons.l13_adaptation.checks import CLAIMS, answers_of
from mlcourse.lessons.l13_adaptation.figures import crossing
from mlcourse.losses.alignment import coral
from mlcourse.nets.norms import Norm
from mlcourse.rows import read
from mlcourse.statistics import paired_difference


def answer_of(id, source):
    namespace = {"torch": torch}
    exec(source, namespace)
    return namespace[exercise(id).answer]


def test_the_library_passes_its_own_exercise():
    assert judge(exercise("13.2"), coral).passed


def test_the_statistics_are_those_of_the_librarys_norm():
    adabn = exercise("13.1").reference()
    norm, x, seen = Norm("batch", 3), torch.randn(4, 3, 2, 2), torch.randn(6, 3, 2, 2)
    torch.nn.init.normal_(norm.gain), torch.nn.init.normal_(norm.shift)
    stats = seen.mean((0, 2, 3)), seen.var((0, 2, 3), correction=0)
    assert torch.allclose(adabn(x, seen, norm.gain, norm.shift), norm(x, stats), atol=1e-5)


@pytest.mark.parametrize("id, source", [
    ("13.1", "def adabn(x, seen, gain, shift, eps):\n"
             "    return torch.nn.functional.batch_norm(x, seen.mean((0, 2, 3)), seen.var((0, 2, 3), correction=0), "
             "gain, shift, False, 0.1, eps)"),
    ("13.2", "def coral_loss(a, b):\n    d = a.shape[1]\n"
             "    return torch.linalg.matrix_norm(torch.cov(a.T) - torch.cov(b.T)) ** 2 / (4 * d * d)"),
    ("13.4", "def label_weights(s, y, t, n):\n    one = torch.nn.functional.one_hot\n"
             "    R = one(s, n).double().T @ one(y, n).double()\n    R /= R.sum()\n"
             "    w = torch.linalg.inv(R) @ one(t, n).double().mean(0)\n    w[w < 0] = 0\n"
             "    return w / (w * torch.bincount(y, minlength=n) / len(y)).sum()"),
])
def test_other_right_answers_pass(id, source):
    assert judge(exercise(id), answer_of(id, source)).status == "passed"


def test_the_broken_weights_hold_their_two_bugs():
    namespace = {"torch": torch}
    exec(exercise("13.4").given, namespace)
    broken = namespace["label_weights_broken"]
    assert judge(exercise("13.4"), broken).misconception == "rows and columns swapped, negative weights left"
    assert float(broken(*answers_of(2)).min()) < 0


@pytest.mark.parametrize("zeros, broken, right", [(7, [1.8, -0.2], [1.5, 0.5]), (9, [2.6, -1.4], [2.0, 0.0])])
def test_the_two_cases_on_paper_tell_the_broken_weights_from_the_right_ones(zeros, broken, right):
    """R = [[0.4, 0.2], [0.1, 0.3]]; with r = (0.9, 0.1) the plain solution is (2.5, -0.5)."""
    namespace = {"torch": torch}
    exec(exercise("13.4").given, namespace)
    said, y = torch.tensor([0] * 6 + [1] * 4), torch.tensor([0, 0, 0, 0, 1, 1, 0, 1, 1, 1])
    case = said, y, torch.tensor([0] * zeros + [1] * (10 - zeros)), 2
    for weights, want in ((namespace["label_weights_broken"], broken), (exercise("13.4").reference(), right)):
        assert weights(*case).tolist() == pytest.approx(want)


@pytest.mark.parametrize("key", CLAIMS)
def test_a_verdict_is_that_of_the_stored_rows(key):
    claim, rows = CLAIMS[key], read("transfer")
    gap = paired_difference(*(crossing(rows, arm, claim.source, claim.k) for arm in (claim.one, claim.other)))
    assert claim.verdict == ("yes" if gap.low > 0 else "no" if gap.high < 0 else "open")
