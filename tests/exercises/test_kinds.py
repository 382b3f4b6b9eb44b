"""Every check takes a right answer in whatever kind of number, array or tensor it comes, and no shortcut that its
exercise forbids; nor one that leaves its arguments changed."""

import functools

import numpy as np
import pytest
import torch
from of_lessons import modules

from mlcourse.exercises import every_exercise, exercise, exercise_ids
from mlcourse.exercises.framework import IN_PLACE as CHANGED
from mlcourse.exercises.framework import LearnerFunction, Misconception, judge
from mlcourse.lesson import lessons

FOUND = modules("kinds")                 # tests/lessons/lNN/kinds.py
KINDS = {id: kinds for module in FOUND.values() for id, kinds in module.KINDS.items()}
IN_PLACE = [pair for module in FOUND.values() for pair in getattr(module, "IN_PLACE", ())]


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.number)
def test_the_lesson_says_the_kinds_of_every_exercise(lesson):
    said = FOUND[lesson.number].KINDS if lesson.number in FOUND else {}
    assert list(said) == exercise_ids(lesson.number), f"mend KINDS in tests/lessons/l{lesson.number}/kinds.py"


@pytest.mark.parametrize("id, name", [(id, name) for id, kinds in KINDS.items() for name in kinds])
def test_the_right_answer_passes_in_every_kind(id, name):
    right, kind = exercise(id).reference(), KINDS[id][name]
    result = judge(exercise(id), (lambda *args: kind(right(*args))) if callable(right) else kind(right))
    assert result.passed, result.message


def defined(id, source):
    namespace = {"torch": torch, "np": np}
    exec(source, namespace)
    return namespace[exercise(id).answer]


@pytest.mark.parametrize("id, source", IN_PLACE)
def test_a_right_answer_may_be_written_in_numpy_or_in_place(id, source):
    result = judge(exercise(id), defined(id, source))
    assert result.passed, result.message


FUNCTIONS = [e.id for e in every_exercise() if e.stub.startswith("def ")]
MAY_CHANGE = [("12.2", "buffer"), ("12.3", "theta")]
WITHOUT_TENSORS = ["03.2", "05.2", "06.3", "17.6"]          # numbers, or a network


def tensors(value):
    """The tensors in an argument."""
    if isinstance(value, torch.Tensor):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [each for part in inside for each in tensors(part)]


def spoiling(id, name, spoilt):
    """The right answer, which then adds 1 to every tensor in the argument of this name; True becomes False."""
    right = exercise(id).reference()
    place = right.__code__.co_varnames.index(name)

    @functools.wraps(right)
    def answer(*args):
        result = right(*args)
        with torch.no_grad():
            for each in tensors(args[place]) if place < len(args) else ():
                spoilt.append((each.logical_not_() if each.dtype == torch.bool else each.add_(1)).numel())
        return result
    return answer


@pytest.mark.parametrize("id", FUNCTIONS)
def test_a_right_answer_that_changes_an_argument_is_refused(id):
    right, found = exercise(id).reference(), 0
    for name in right.__code__.co_varnames[:right.__code__.co_argcount]:
        spoilt = []
        result = judge(exercise(id), spoiling(id, name, spoilt))
        if (id, name) in MAY_CHANGE:
            assert result.misconception != CHANGED
        elif sum(spoilt):
            assert result.misconception == CHANGED, (name, result.message)
            assert f"changed its argument `{name}` in place; " in result.message
        else:
            assert result.passed, (name, result.message)
        found += sum(spoilt)
    assert bool(found) == (id not in WITHOUT_TENSORS)
    assert judge(exercise(id), right).passed        # what the check hands out is whole again


def bent(value, by):
    """The same kind of value with other numbers."""
    if isinstance(value, torch.Tensor):
        return by(value) if value.is_floating_point() else value
    if isinstance(value, dict):
        return {key: bent(part, by) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [bent(part, by) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return by(value) if isinstance(value, float) else value


@pytest.mark.parametrize("by", [lambda v: 1.37 * v + 0.11, lambda v: -v, lambda v: v - 0.3 * abs(v)],
                         ids=["scaled", "negative", "uneven"])
@pytest.mark.parametrize("id", FUNCTIONS)
def test_wrong_numbers_of_the_right_form_are_not_said_to_be_unusable(id, by):
    right = exercise(id).reference()
    answer = functools.wraps(right)(lambda *args, **more: bent(right(*args, **more), by))
    assert "could not use" not in judge(exercise(id), answer).message


@pytest.mark.parametrize("id, source, name", [
    ("00.3", "def nearest(s, y, q):\n    s -= s.mean()\n    q -= q.mean()\n"
             "    return y[torch.cdist(q.flatten(1), s.flatten(1)).argmin(1)]", "s` and `q"),
    ("01.4", "def name_shift(p, q):\n    p /= p.sum(1)[:, None]\n    return 'covariate'", "p"),
    ("01.5", "def importance_weights(p, h, a):\n    p /= 1 - p\n    p *= h / a\n    return p", "p"),
    ("13.1", "def adabn(x, seen, gain, shift, eps):\n    x -= seen.mean((0, 2, 3))[:, None, None]\n    return x", "x"),
    ("15.2", "def soft_gradient(z, v, t):\n    v = v.numpy()\n    v /= t\n    return z", "v"),
])
def test_the_argument_that_an_answer_changed_is_named(id, source, name):
    result = judge(exercise(id), defined(id, source))
    assert result.misconception == CHANGED and f" `{name}` in place; later cells use " in result.message


@pytest.mark.parametrize("change", [
    lambda x: x["t"].add_(1), lambda x: x["i"].zero_(), lambda x: x["i"].resize_(1), lambda x: x["b"].logical_not_(),
    lambda x: x["nan"].neg_().nan_to_num_(), lambda x: x["a"].__iadd__(1), lambda x: x["parts"][1][0].fill_(2),
    lambda x: x["parts"].append(1), lambda x: x.pop("b", 1), lambda x: x.update(t=x["t"].clone())])
def test_every_change_is_seen(change):
    given = {"t": torch.ones(2), "i": torch.arange(3), "b": torch.tensor([True]), "nan": torch.tensor(float("nan")),
             "a": np.array([1.0, np.nan]), "parts": [np.arange(2), (torch.zeros(2),)]}
    assert LearnerFunction(lambda x: 1, "f")(given) == 1
    with pytest.raises(Misconception, match=r"its argument `x` in place; .* make a new dict with new tensors"):
        LearnerFunction(lambda x: change(x) is None or 1, "f")(given)
    assert LearnerFunction(lambda x: change(x) is None or 1, "f", changes=(0,))(given)


def test_under_vmap_nothing_is_compared():
    doubled = torch.vmap(LearnerFunction(lambda x: 2 * x, "f"))(torch.ones(3))
    assert torch.equal(doubled, 2 * torch.ones(3))


PER_EXERCISE = {
    "03.2": ("def meta_gradient(theta, support, query, alpha):",
             "    start = torch.tensor(theta, dtype=torch.float64)\n"
             "    step = lambda w: w - alpha * (w * support[0] - support[1]) * support[0]\n"
             "    f = lambda w: (step(w) * query[0] - query[1]) ** 2 / 2\n"),
    "05.3": ("def rate_gradient(theta, alpha, support, query):",
             "    start = alpha\n    g = (theta @ support[0] - support[1]) * support[0]\n"
             "    f = lambda a: ((theta - a * g) @ query[0] - query[1]) ** 2 / 2\n"),
    "15.2": ("def soft_gradient(z, v, temperature):",
             "    start = z\n    p = (v / temperature).softmax(1)\n"
             "    f = lambda w: -(p * (w / temperature).log_softmax(1)).sum() / len(z)\n"),
}
WAYS = {
    "autograd.grad": "    w = start.clone().requires_grad_()\n    return torch.autograd.grad(f(w), w)[0]",
    "grad imported before": "    w = start.clone().requires_grad_()\n    return grad_of(f(w), w)[0]",
    "backward": "    w = start.clone().requires_grad_()\n    f(w).backward()\n    return w.grad",
    "under enable_grad": "    with torch.inference_mode(False), torch.enable_grad():\n"
                         "        w = start.clone().requires_grad_()\n        return torch.autograd.grad(f(w), w)[0]",
    "func.grad": "    return torch.func.grad(f)(start)",
    "func.grad imported before": "    return func_grad(f)(start)",
    "func.vjp": "    value, back = torch.func.vjp(f, start)\n    return back(torch.ones_like(value))[0]",
    "func.jacrev": "    return torch.func.jacrev(f)(start)",
    "func.jacfwd": "    return torch.func.jacfwd(f)(start)",
    "functional.jacobian": "    return torch.autograd.functional.jacobian(f, start)",
    "forward mode": "    from torch.autograd import forward_ad as ad\n    slopes = []\n"
                    "    for one in torch.eye(start.numel()).double().reshape(-1, *start.shape):\n"
                    "        with ad.dual_level():\n"
                    "            slopes.append(ad.unpack_dual(f(ad.make_dual(start, one))).tangent)\n"
                    "    return torch.stack(slopes).reshape(start.shape)",
    "inside a lambda": "    return (lambda w: torch.autograd.grad(f(w), w)[0])(start.clone().requires_grad_())",
}
BEFORE = "from torch.autograd import grad as grad_of\nfrom torch.func import grad as func_grad\n"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("id", PER_EXERCISE)
def test_autograd_is_no_formula(id, way):
    head, problem = PER_EXERCISE[id]
    result = judge(exercise(id), defined(id, f"{BEFORE}{head}\n{problem}{WAYS[way]}"))
    assert result.misconception == "autograd in place of a formula", result.message


@pytest.mark.parametrize("id", ["00.3", "00.4", "01.2", "03.2", "05.3", "15.2"])
def test_a_formula_may_print_and_switch_the_graph_off(id, capsys):
    right = exercise(id).reference()

    def answer(*args):
        with torch.no_grad(), torch.inference_mode():
            value = right(*args)
            print(torch.as_tensor(value), torch.ones(2, requires_grad=True), *args)
            return value
    result = judge(exercise(id), answer)
    assert result.passed, result.message
    assert "tensor" in capsys.readouterr().out


@pytest.mark.parametrize("id", ["00.3", "00.4", "01.2", "03.2", "05.3", "15.2"])
def test_the_packages_own_solution_is_not_by_hand(id):
    source = exercise(id).stub.split('"""')[0]
    args = source.split("(", 1)[1].split(")")[0]
    answer = defined(id, f"from mlcourse.exercises import answer\n{source.rstrip()}\n    return answer('{id}')({args})")
    assert judge(exercise(id), answer).misconception == "the package's function in place of your own"


@pytest.mark.parametrize("h", ["1e-7", "1e-4", "1e-2", "1.0"])
@pytest.mark.parametrize("id", ["03.2", "05.3"])
def test_finite_differences_are_no_formula(id, h):
    source = next(source for source, name in exercise(id).wrong if name == "finite differences in place of a formula")
    old = {"03.2": ("h = 1e-4", f"h = {h}"), "05.3": ("1e-3 *", f"{h} *")}[id]
    assert old[0] in source
    result = judge(exercise(id), defined(id, source.replace(*old).replace("2e-3", f"(2 * {h})")))
    assert result.misconception == "finite differences in place of a formula", result.message
