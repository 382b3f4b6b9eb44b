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
from mlcourse.lessons.l11_unlabelled.checks_pool import HONEST, KEPT, LITTLE, POOLS, READERS, SHUFFLED
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


@pytest.mark.parametrize("hidden", [torch.tensor(pool) for pool in POOLS], ids=("mixed", "clean", "strange"))
def test_poison_finds_who_reads_and_leaves_alone_who_does_not(hidden):
    episode = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    assert not any(READS(method, episode, hidden) for method in HONEST)
    assert all(READS(method, episode.double(), hidden) for method in READERS)


def test_the_rules_of_the_notebook_are_tested_with_poisoned_labels(task):
    """The labels of the pool that a rule sees are those that the test poisons; what rests on the pool's order is not
    found, as the text says."""
    cell, = (each.source for each in notebooks.read(notebooks.find("11")).cells
             if each.cell_type == "code" and "logits = lambda rule" in each.source)
    soft = lambda t: REFINE(t.z, t.y, t.u, class_means(t))
    namespace = {"torch": torch, "answer": lambda id: READS, "soft": soft, "hard": soft, "stray": [task]}
    exec(cell, namespace)
    reads = lambda rule: READS(namespace["logits"](rule), task, task.hidden)
    assert not reads(soft) and reads(namespace["told"])
    assert not reads(lambda t: soft(t._replace(u=t.u[:25])))
    assert torch.equal(task.hidden < 5, torch.arange(50) < 25)


def poisoned(labels, differ=lambda one, other: not torch.equal(one, other)):
    """An answer to 11.4 that asks once, with labels(hidden, N)."""
    def reads(method, episode, hidden):
        before = method(episode, hidden)
        return differ(before, method(episode, labels(hidden, before.shape[1])))
    return reads


@pytest.mark.parametrize("labels", [
    lambda hidden, n: torch.where(hidden == n, 0, n), lambda hidden, n: torch.where(hidden == n, n - 1, n),
    lambda hidden, n: torch.randint(0, n + 1, hidden.shape)], ids=("to and fro", "to the last and fro", "at random"))
def test_one_poison_that_makes_distractors_and_takes_them_away_is_enough(labels):
    assert judge(exercise("11.4"), poisoned(labels)).passed
    assert judge(exercise("11.4"), poisoned(labels, lambda a, b: int((a != b).any()))).passed
    assert judge(exercise("11.4"), poisoned(labels, lambda a, b: (a != b).any().numpy())).passed
    assert judge(exercise("11.4"), poisoned(labels, lambda a, b: not torch.allclose(a, b))).misconception == LITTLE


@pytest.mark.parametrize("labels, names", [
    (lambda hidden, n: torch.zeros_like(hidden), KEPT), (lambda hidden, n: torch.ones_like(hidden), KEPT),
    (lambda hidden, n: torch.full_like(hidden, n), KEPT), (lambda hidden, n: (hidden + 1) % n, KEPT),
    (lambda hidden, n: torch.randint(0, n, hidden.shape), KEPT), (lambda hidden, n: hidden.clamp(max=n - 1), KEPT),
    (lambda hidden, n: torch.randint(0, int(hidden.max()) + 1, hidden.shape), KEPT),
    (lambda hidden, n: torch.full_like(hidden, int(hidden.max())), KEPT),
    (lambda hidden, n: (hidden + 1) % (n + 1), SHUFFLED), (lambda hidden, n: n - hidden, SHUFFLED),
    (lambda hidden, n: hidden[torch.randperm(len(hidden))], SHUFFLED)])
def test_a_poison_that_some_readers_of_labels_survive_is_not_enough(labels, names):
    assert judge(exercise("11.4"), poisoned(labels)).misconception == names


def test_an_answer_to_the_poison_that_is_turned_round_is_told_so():
    """Not that it is wrong about one method."""
    found = judge(exercise("11.4"), lambda method, episode, hidden: not READS(method, episode, hidden))
    assert "was accused, and those that look were not" in found.message
    changes_the_pool = poisoned(lambda hidden, n: torch.full((6,), n))
    assert "uses how large the pool is, which everybody may see" in judge(exercise("11.4"), changes_the_pool).message


@pytest.mark.parametrize("pull, passes", [
    ({}, True), ({"share": 0.9999999}, True), ({"share": 0.996}, True), ({"share": 0.99}, False),
    ({"share": 0.98}, False), ({"share": 1.01}, False), ({"prototype": -0.99}, False), ({"border": 1.49}, False),
    ({"many": 1.01}, False)])
def test_two_digits_are_two_digits(pull, passes):
    assert judge(exercise("11.2"), truths() | pull).passed == passes


def test_the_loss_of_the_notebook_is_the_learners(task):
    c = class_means(task)
    ours = F.cross_entropy(-torch.cdist(task.q, c) ** 2, task.answer)
    torch.testing.assert_close(ours, ProtoNet(nn.Identity()).loss(live.episode(task)), atol=1e-4, rtol=1e-4)
