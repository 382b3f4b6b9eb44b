"""What lesson 11's exercises rest on: the reference answers are the library's methods, and the broken code misleads as
the text says."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mlcourse.course import notebooks
from mlcourse.exercises import exercise
from mlcourse.exercises.framework import judge
from mlcourse.learners import MaskedSoftKMeans, ProtoNet, SoftKMeans
from mlcourse.learners.soft_kmeans import assignment, distance_statistics, relative_distances
from mlcourse.lessons.l11_unlabelled import live
from mlcourse.lessons.l11_unlabelled.checks_pool import METHODS, TRUTH
from mlcourse.lessons.l11_unlabelled.checks_results import FIRST, SECOND, STRAY, truths

REFINE, MASKED, READS = (exercise(f"11.{i}").reference() for i in (1, 3, 4))


def class_means(task):
    return torch.stack([task.z[task.y == n].mean(0) for n in range(5)])


@pytest.fixture(scope="module")
def task():
    return live.tasks(5)[0]


def test_a_step_is_the_librarys(task):
    wanted = SoftKMeans(nn.Identity()).adapt(live.episode(task)).means
    torch.testing.assert_close(REFINE(task.z, task.y, task.u, class_means(task)), wanted, atol=1e-4, rtol=1e-4)


def test_without_a_pool_a_step_is_protonet(task):
    wanted = ProtoNet(nn.Identity()).adapt(live.episode(task)).means
    assert torch.equal(REFINE(task.z, task.y, task.u[:0], torch.randn(5, task.z.shape[1])), wanted)


def test_the_mask_of_the_notebook_is_the_librarys(task):
    namespace = {"torch": torch}
    given, = (cell.source for cell in notebooks.read(notebooks.find("11")).cells if cell.source.startswith("def mask("))
    exec(given.partition("\nMaskDial()")[0], namespace)
    learner, c = MaskedSoftKMeans(nn.Identity(), seed=3), class_means(task)
    said = learner.mask_net(distance_statistics(relative_distances(task.u, c)))
    threshold, _, steepness = said.exp().unbind(-1)
    found = namespace["mask"](task.u, c, threshold, steepness)
    torch.testing.assert_close(found, learner.mask(task.u, c), atol=1e-4, rtol=1e-3)


def test_a_masked_step_is_the_librarys(task):
    learner = MaskedSoftKMeans(nn.Identity(), seed=3)
    c = class_means(task)
    found = MASKED(task.z, task.y, task.u, assignment(task.u, c), learner.mask(task.u, c))
    torch.testing.assert_close(found, learner.adapt(live.episode(task)).means, atol=1e-4, rtol=1e-4)


def on_a_line(step, m):
    """The prototype of one labelled drawing at 0 and one unlabelled at 3, of share 1, with this mask."""
    x = lambda value: torch.tensor([[value]])
    return float(step(x(0.0), torch.tensor([0]), x(3.0), x(1.0), x(m)))


def test_the_numbers_of_the_broken_step_are_those_of_the_text():
    namespace = {"torch": torch}
    exec(exercise("11.3").given, namespace)
    broken = namespace["masked_broken"]
    assert on_a_line(broken, 0.5) == 0.375 and on_a_line(MASKED, 0.5) == 1.0
    assert on_a_line(broken, 1.0) == on_a_line(MASKED, 1.0) == 1.5 and on_a_line(MASKED, 0.0) == 0.0
    assert judge(exercise("11.3"), broken).misconception == "the mask counts twice, the count is not masked"


def test_shares_need_no_gradient_as_in_the_paper():
    step = lambda z, y, u, c: REFINE(z, y, u, c.detach())
    assert judge(exercise("11.1"), step).passed
    assert judge(exercise("11.3"), lambda z, y, u, share, m: MASKED(z, y, u, share.detach(), m)).passed


def test_a_class_that_does_not_exist_is_said():
    found = judge(exercise("11.4"), lambda method, episode, hidden: bool((method(episode, hidden + 1) != 0).any()))
    assert "classes 1 to 4; its logits have N = 3 columns here, so that classes go from 0 to 3" in found.message


def test_the_paper_example_of_a_share_of_a_third():
    above, below = 0 + 3 / 3, 1 + 1 / 3
    assert above / below == pytest.approx(3 / 4)


def test_the_pull_of_a_stray_is_that_of_steps_taken():
    z, y, u = torch.tensor([[FIRST], [SECOND]]), torch.tensor([0, 1]), torch.tensor([[STRAY]])
    share = float((-(u - z.T) ** 2).softmax(1)[0, 0])
    one, many = (REFINE(z, y, u.repeat(count, 1), z)[:, 0] for count in (1, 100_000))
    found = {"share": share, "prototype": float(one[0]), "border": float(one.mean()), "many": float(many.mean())}
    assert found == pytest.approx(truths(), abs=1e-3)
    assert 2 - float(REFINE(z, y, u.repeat(10, 1), z).mean()) < 2


def test_poison_finds_who_reads_and_leaves_alone_who_does_not(task):
    hidden, episode = torch.arange(4).repeat(2), torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    assert [READS(method, episode, hidden) for method in METHODS] == list(TRUTH)
    c = class_means(task)
    honest = lambda t, hidden: -torch.cdist(t.q, REFINE(t.z, t.y, t.u, c))
    told = lambda t, hidden: -torch.cdist(t.q, REFINE(t.z, t.y, t.u[hidden < 5], c))
    assert not READS(honest, task, task.hidden) and READS(told, task, task.hidden)


def test_the_loss_of_the_notebook_is_the_learners(task):
    c = class_means(task)
    ours = F.cross_entropy(-torch.cdist(task.q, c) ** 2, task.answer)
    torch.testing.assert_close(ours, ProtoNet(nn.Identity()).loss(live.episode(task)), atol=1e-4, rtol=1e-4)
