"""What lesson 04's exercises rest on: the four functions that they show, and Reptile with one inner step."""

import pytest
import torch

from mlcourse.exercises import exercise
from mlcourse.exercises.entries import LEFT_OPEN, SIGN
from mlcourse.exercises.framework import IN_PLACE, edited, judge
from mlcourse.lessons.l04_first_order import live
from mlcourse.lessons.l04_first_order.checks_results import CLAIMS, FIRST, FITS, SECOND, TERM, WASTE, WAYS
from mlcourse.lessons.l04_first_order.exercises import GRADIENT, HU, NEXT, PLAIN, SLOPE, TERM as TERM_LINE
from mlcourse.lessons.l04_first_order.ways import WAYS as SOURCE


@pytest.fixture
def functions():
    namespace = {"torch": torch}
    exec(SOURCE, namespace)
    return namespace


def test_each_of_the_four_functions_returns_what_the_check_says(functions):
    theta, support, query = live.one_task()
    dropped = exercise("04.1").reference()(theta, support, query, 0.01)
    g = torch.autograd.grad(support(theta), list(theta.values()))
    phi = {name: (p - 0.01 * d).detach().requires_grad_() for (name, p), d in zip(theta.items(), g, strict=True)}
    first = live.flat(torch.autograd.grad(query(phi), list(phi.values())))
    returned = {FIRST: first, TERM: live.flat(dropped), SECOND: first + live.flat(dropped)}
    assert len(WAYS) == 4
    for key, way in WAYS.items():
        torch.testing.assert_close(live.flat(functions[key](theta, support, query)), returned[way.returns])


def test_only_one_of_them_asks_for_a_graph_that_its_result_does_not_need(functions):
    theta, support, query = live.one_task()
    plain = torch.autograd.grad
    for key in WAYS:
        functions["grad"] = plain
        wanted = live.flat(functions[key](theta, support, query))
        functions["grad"] = lambda outputs, inputs, create_graph=False: plain(outputs, inputs, retain_graph=True)
        try:
            same = torch.allclose(wanted, live.flat(functions[key](theta, support, query)))
        except RuntimeError:
            same = False
        asks = "create_graph=True" in SOURCE.split(f"def {key}(")[1].split("def ")[0]
        assert (asks and same) == (key == WASTE)


def test_the_dropped_term_of_the_real_net_is_maml_less_fomaml_from_the_learners():
    from mlcourse.lessons.l04_first_order.arrows import arrows, two_tasks
    from mlcourse.nets import MLP
    tasks = two_tasks()
    alone = tasks._replace(**{f: getattr(tasks, f)[:1] for f in tasks._fields})
    assert all(torch.equal(one, other) for one, other in zip(live.task_a(), alone, strict=True))
    found = arrows(MLP(seed=0), alone, 0.01, 1, ("FOMAML", "MAML"))
    missing = exercise("04.1").reference()(*live.one_task(), 0.01)
    torch.testing.assert_close(found["FOMAML"] - found["MAML"], live.flat(missing))


def test_an_outer_step_that_overwrites_theta_is_told():
    in_place = ("    for name, p in theta.items():\n        p.data += beta * change[name] / len(tasks)\n"
                "    return {name: p.detach().clone() for name, p in theta.items()}")
    source = edited(exercise("04.4").solution_source, (NEXT, in_place))
    namespace = {"torch": torch}
    exec(source, namespace)
    assert IN_PLACE in judge(exercise("04.4"), namespace["reptile_step"]).misconception


def test_a_verdict_of_the_bill_in_capitals_is_read_and_told_by_what_was_said():
    right = {each: claim.verdict for each, claim in CLAIMS.items()} | {"arm": FITS}
    assert judge(exercise("04.5"), right).passed
    assert judge(exercise("04.5"), right | {"a": "NO"}).misconception == SIGN
    assert judge(exercise("04.5"), right | {"b": "Open"}).misconception == LEFT_OPEN


@pytest.mark.parametrize("changed", [False, True])
def test_the_lines_of_fomaml_in_the_stub_may_stay_or_be_changed(changed):
    given = exercise("04.1").stub.removesuffix("    ...")
    start = given.replace(PLAIN, GRADIENT) if changed else f"{given}{GRADIENT}\n"
    namespace = {"torch": torch}
    exec(start + "\n".join((SLOPE, HU, TERM_LINE)), namespace)
    assert judge(exercise("04.1"), namespace["dropped_term"]).passed


def test_the_second_terms_against_meta_gradients_by_autograd():
    tasks, size, alpha = 5, 3, 1e-3
    A, b, point = live.random_quadratics(tasks, size)
    loss = lambda i, s, at: 0.5 * at @ A[i, s] @ at + b[i, s] @ at
    mean = {"MAML": 0, "FOMAML": 0, "g": 0, "second": 0, "product": 0}
    for i, (support, query) in ((i, pair) for i in range(tasks) for pair in ((0, 1), (1, 0))):
        theta = point.clone().requires_grad_()
        g, = torch.autograd.grad(loss(i, support, theta), theta, create_graph=True)
        of_query, = torch.autograd.grad(loss(i, query, theta), theta, create_graph=True)
        phi = theta - alpha * g
        each = {"MAML": torch.autograd.grad(loss(i, query, phi), theta, retain_graph=True)[0],
                "FOMAML": torch.autograd.grad(loss(i, query, phi), phi, retain_graph=True)[0], "g": g.detach(),
                "second": torch.autograd.grad(g @ of_query.detach(), theta, retain_graph=True)[0],
                "product": torch.autograd.grad(g @ of_query, theta)[0]}
        mean = {name: mean[name] + value / (2 * tasks) for name, value in each.items()}
    torch.testing.assert_close(2 * mean["second"], mean["product"])
    both = torch.stack([mean["g"], alpha * mean["second"]], 1)
    for name, numbers in live.second_terms(tasks, size, alpha).items():
        wanted = torch.linalg.lstsq(both, mean[name][:, None]).solution[:, 0]
        torch.testing.assert_close(torch.tensor(numbers, dtype=torch.float64), wanted)


def test_what_maml_adds_to_an_outer_step_raises_the_product_of_the_gradients():
    A, b, point = live.random_quadratics(200, 6)
    gradients = lambda at: (A @ at) + b
    product = lambda at: float((gradients(at)[:, 0] * gradients(at)[:, 1]).sum(1).mean())
    other = gradients(point).flip(1)
    second = (A @ other[..., None])[..., 0].mean((0, 1))
    added = 2 * 0.01 * second                     # of -(g - 2 α second), what is not -g
    assert product(point + 0.01 * added) > product(point) > product(point - 0.01 * added)


def test_autograd_holds_more_for_more_inner_steps_of_maml_and_not_of_fomaml():
    from mlcourse.datasets.sinusoid import SinusoidSampler
    from mlcourse.learners import FOMAML, MAML
    from mlcourse.nets import MLP
    batch = SinusoidSampler().sample(3, torch.Generator().manual_seed(0))
    few, many = ({kind: live.held(kind(MLP((1, 8, 8, 1)), 0.01, steps), batch) for kind in (MAML, FOMAML)}
                 for steps in (1, 10))
    assert many[MAML] > 3 * few[MAML] > 0 and many[FOMAML] == few[FOMAML] > 0


def test_quadratics_are_convex_and_gradients_agree_with_themselves():
    from mlcourse.nets import MLP
    A, b, point = live.random_quadratics(5, 3)
    assert A.shape == (5, 2, 3, 3) and b.shape == (5, 2, 3) and point.shape == (3,)
    assert torch.equal(A, A.mT) and bool((torch.linalg.eigvalsh(A) > 0).all())
    cosine = live.agreement(MLP(seed=0), tasks=6)
    assert cosine.shape == (6,) and bool((cosine.abs() <= 1).all()) and cosine.std() > 0
