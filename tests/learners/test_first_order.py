"""What first order keeps and drops: expansions and closed forms on quadratics, and the dropped term on networks."""

import pytest
import torch
from tiny import PICTURES, learner, pictures, sinusoids
from torch import nn

from mlcourse.episode import Episode
from mlcourse.learners import ANIL, FOMAML, MAML, Reptile
from mlcourse.learners.reptile import mini_batches
from mlcourse.losses import task_loss
from mlcourse.nets import MLP, call, params_of
from mlcourse.train import outer_step

D, N = 4, 12                # weights and samples of a quadratic


def gradients(loss, parameters, **given):
    return torch.autograd.grad(loss, list(parameters), **given)


def flat(tensors):
    return torch.cat([t.flatten() for t in tensors])


# ------------------------------------------------------------ quadratics


class Quadratic:
    """The loss of a linear network without a bias on N samples: wᵀA w/2 + bᵀw + const."""

    def __init__(self, generator):
        draw = lambda *shape: torch.randn(shape, generator=generator, dtype=torch.float64)
        self.x, self.y = draw(N, D), draw(N, 1)
        self.A, self.b = 2 * self.x.T @ self.x / N, -2 * self.x.T @ self.y[:, 0] / N

    def gradient(self, w):
        return self.A @ w + self.b


def episode_of(support, query):
    return Episode(support.x, support.y, query.x, query.y, support.x[:0], torch.zeros(0, dtype=torch.int64),
                   torch.tensor(0))


def linear(w):
    net = nn.Linear(D, 1, bias=False).double()
    with torch.no_grad():
        net.weight.copy_(w[None])
    return net


def meta_gradient(method, support, query):
    return gradients(method.loss(episode_of(support, query)), method.net.parameters())[0][0]


def coefficients(make, alpha, overlaps=False):
    """The c, d and e of c·g - d·α·ḡ - e·α·h̄, fitted to meta-gradients over random pairs of quadratics, taken in both
    orders: g is the mean of both gradients, ḡ of H_i g_j, h̄ of H_i g_i. overlaps: the query is the support."""
    generator, wanted, found = torch.Generator().manual_seed(0), [], []
    for _ in range(200):
        w = torch.randn(D, generator=generator, dtype=torch.float64)
        pair = [Quadratic(generator), Quadratic(generator)]
        g, h = [q.gradient(w) for q in pair], [q.A for q in pair]
        products = h[0] @ g[1] + h[1] @ g[0], h[0] @ g[0] + h[1] @ g[1]
        wanted.append(torch.stack([(g[0] + g[1]) / 2, *(-alpha * both / 2 for both in products)], 1))
        ends = [(one, one if overlaps else other) for one, other in (pair, pair[::-1])]
        found.append(sum(meta_gradient(make(linear(w)), *end) for end in ends) / 2)
    return torch.linalg.lstsq(torch.cat(wanted), torch.cat(found)[:, None]).solution[:, 0]


@pytest.mark.parametrize("make, alpha_times, expected", [
    (lambda net: MAML(net, lr=1e-3), 1, (1, 2, 0)),
    (lambda net: FOMAML(net, lr=1e-3), 1, (1, 1, 0)),
    (lambda net: Reptile(net, lr=1e-3, steps=2, batch=N), 1e-3, (2, 1, 0))])
def test_the_coefficients_are_two_to_one_to_one(make, alpha_times, expected):
    """Nichol et al. 2018, section 5.1, k = 2: MAML g - 2αḡ, FOMAML g - αḡ, Reptile 2g - αḡ, the last in units of α."""
    torch.testing.assert_close(coefficients(make, 1e-3) / alpha_times, torch.tensor(expected, dtype=torch.float64),
                               rtol=0.01, atol=0.01)


def test_a_last_mini_batch_that_overlaps_loses_the_product_of_different_batches():
    """FOMAML whose query is its support again: the product H_i g_j, which makes batches agree, is gone."""
    torch.testing.assert_close(coefficients(lambda net: FOMAML(net, lr=1e-3), 1e-3, overlaps=True),
                               torch.tensor([1, 0, 1], dtype=torch.float64), rtol=0.01, atol=0.01)


def test_mini_batches_of_one_pass_share_no_sample_and_a_second_pass_does():
    x = torch.arange(12)
    of = lambda steps: torch.cat([at for at, _ in mini_batches(x, x, 4, steps, 0)])
    assert sorted(of(3).tolist()) == list(range(12)) and len(mini_batches(x, x, 4, 4, 0)) == 3


def test_support_and_query_of_an_episode_share_no_picture():
    episodes = PICTURES.sample(20, torch.Generator().manual_seed(0))
    distance = torch.cdist(episodes.support_x.flatten(2).double(), episodes.query_x.flatten(2).double())
    assert distance.min() > 1e-3


def descended(make, tasks, alpha):
    """Where Newton's method ends on the mean meta-loss of quadratics, each its own query."""
    net = linear(torch.zeros(D, dtype=torch.float64))
    method = make(net, alpha)
    loss = lambda w: sum(task_loss(method.predict(state, q.x), q.y) for q, state in (
        (q, method.adapt(episode_of(q, q))) for q in tasks))
    g, = gradients(loss(None), net.parameters(), create_graph=True)
    H = torch.stack([gradients(g[0, i], net.parameters(), retain_graph=True)[0][0] for i in range(D)])
    return (net.weight.detach() - torch.linalg.solve(H, g.detach()[0])[None])[0]


def test_joint_training_and_maml_have_closed_forms_that_agree_where_the_curvatures_do():
    """Finn et al., Online Meta-Learning, ICML 2019, appendix: joint -(ΣA)⁻¹Σb, MAML -(Σ(I-αA)²A)⁻¹Σ(I-αA)²b."""
    generator, alpha, eye = torch.Generator().manual_seed(1), 0.1, torch.eye(D, dtype=torch.float64)
    tasks = [Quadratic(generator) for _ in range(3)]
    joint = lambda tasks: -torch.linalg.solve(sum(q.A for q in tasks), sum(q.b for q in tasks))
    square = lambda q: torch.linalg.matrix_power(eye - alpha * q.A, 2)
    maml = lambda tasks: -torch.linalg.solve(sum(square(q) @ q.A for q in tasks), sum(square(q) @ q.b for q in tasks))
    make = lambda net, alpha: MAML(net, lr=alpha)
    torch.testing.assert_close(descended(make, tasks, alpha), maml(tasks), rtol=1e-9, atol=1e-9)
    assert (maml(tasks) - joint(tasks)).norm() > 0.01
    for q in tasks[1:]:
        q.x, q.A = tasks[0].x, tasks[0].A
        q.b = -2 * q.x.T @ q.y[:, 0] / N
    torch.testing.assert_close(maml(tasks), joint(tasks))
    torch.testing.assert_close(descended(make, tasks, alpha), joint(tasks))


# -------------------------------------------------- the term that is dropped


def dropped(net, episode, phi, alpha):
    """-α H_support(θ) ∇L_query(φ) by one Hessian–vector product."""
    at = lambda params, x, y: task_loss(call(net, params, x), y)
    theta = params_of(net)
    there = {name: p.detach().requires_grad_() for name, p in phi.items()}
    v = gradients(at(there, episode.query_x, episode.query_y), there.values())
    g = gradients(at(theta, episode.support_x, episode.support_y), theta.values(), create_graph=True)
    return -alpha * flat(gradients(g, theta.values(), grad_outputs=v)), flat(v)


@pytest.mark.parametrize("of", ["pictures", "sinusoids"])
def test_what_first_order_drops_is_one_hessian_vector_product_after_one_step_only(of):
    episode = (pictures() if of == "pictures" else sinusoids()).task(0)
    net, alpha = learner("maml", 3 if of == "pictures" else 0).double().net, 0.05
    for steps in (1, 2):
        second, first = kind(MAML, net, alpha, steps), kind(FOMAML, net, alpha, steps)
        term, at_phi = dropped(net, episode, first.adapt(episode).params, alpha)
        whole, kept = (flat(gradients(each.loss(episode), net.parameters())) for each in (second, first))
        torch.testing.assert_close(kept, at_phi, rtol=0, atol=1e-12)
        off = (whole - kept - term).norm() / (whole - kept).norm()
        assert off < 1e-9 if steps == 1 else off > 0.1


def kind(method, net, alpha, steps):
    return method(net, lr=alpha, steps=steps)


@pytest.mark.parametrize("of", ["pictures", "sinusoids"])
def test_anils_body_stays_and_gets_a_gradient_through_the_heads_steps(of):
    episode = (pictures() if of == "pictures" else sinusoids()).task(0)
    anil = ANIL(learner("anil", 3 if of == "pictures" else 0).double().net, lr=0.1, steps=2)
    phi, net = anil.adapt(episode).params, anil.net
    body = [name for name in phi if not name.startswith("head.")]
    assert all(torch.equal(phi[name], p) for name, p in net.named_parameters() if name in body)
    ours = gradients(anil.loss(episode), [dict(net.named_parameters())[name] for name in body])
    still = {name: p if name in body else p.detach() for name, p in phi.items()}
    cut = gradients(task_loss(call(net, still, episode.query_x), episode.query_y),
                    [dict(net.named_parameters())[name] for name in body])
    assert (flat(ours) - flat(cut)).norm() > 1e-3 * flat(cut).norm()


# ------------------------------------------------------------ Reptile's outer step


def test_one_inner_step_and_a_whole_outer_step_are_a_step_of_sgd_on_all_tasks():
    """k = 1 and ε = 1: θ - (θ - φ) is φ but for the last bit, and φ one step of SGD on the mean of the losses."""
    net, joint = MLP((1, 6, 1)).double(), MLP((1, 6, 1)).double()
    batch = sinusoids(3)
    phase, = Reptile(net, lr=0.05, steps=1).phases(None, 1, tasks=3)
    phase.sample = lambda generator: batch
    outer_step(phase, 0, torch.Generator())
    sgd = torch.optim.SGD(joint.parameters(), lr=0.05)
    sum(task_loss(joint(x), y) for x, y in (batch.task(i).samples() for i in range(3))).div(3).backward()
    sgd.step()
    torch.testing.assert_close(flat(net.parameters()), flat(joint.parameters()), rtol=0, atol=2e-16)
