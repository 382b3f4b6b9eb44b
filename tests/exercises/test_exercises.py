"""The exercises judge answers by what they do: right ones pass, each known mistake is named, nothing raises."""

import copy
import random
import re

import numpy as np
import pytest
import torch

import mlcourse.exercises as exercises
from mlcourse.exercises import check, every_exercise, exercise, exercise_ids, hint, solution, solution_source, status
from mlcourse.exercises.framework import fingerprint, judge
from mlcourse.lessons.l03_maml.exercises_results import BOOTSTRAP

EXERCISES = every_exercise()
WRONG = [(e.id, i) for e in EXERCISES for i in range(len(e.wrong))]
MUTATIONS = [(e.id, i) for e in EXERCISES for i in range(len(e.mutations))]


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCOURSE_PROGRESS", str(tmp_path))
    monkeypatch.setattr(exercises, "_hints_shown", {})
    monkeypatch.setattr(exercises, "_passed", {})


def answer_of(e, source):
    namespace = {"torch": torch}
    exec(source, namespace)
    return namespace[e.answer]


def verdict(e, source):
    return judge(e, answer_of(e, source))


@pytest.mark.parametrize("e", EXERCISES, ids=lambda e: e.id)
def test_solution_passes_and_stub_is_not_attempted(e):
    assert verdict(e, e.solution_source).status == "passed"
    assert verdict(e, e.stub).status == "not attempted"


def test_later_cells_go_on_with_the_learners_answer_once_it_has_passed(capsys):
    pairs = torch.eye(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64)
    reference = exercises.answer("16.1")
    mine = lambda a, b, tau: reference(a, b, tau)
    wrong = lambda a, b, tau: 2 * reference(a, b, tau)
    assert exercises.answer("16.1")(*pairs, 0.5) == reference(*pairs, 0.5)
    assert not check("16.1", wrong).passed and exercises.answer("16.1") is not wrong
    assert check("16.1", mine).passed and exercises.answer("16.1") is mine
    check("16.1", wrong)
    assert exercises.answer("16.1") is mine
    assert exercises.answer("00.2")["a"] == "support"
    with pytest.raises(ValueError, match="there is no exercise '16.9'"):
        exercises.answer("16.9")


@pytest.mark.parametrize("id, i", WRONG)
def test_wrong_answer_is_named(id, i):
    e = exercise(id)
    source, misconception = e.wrong[i]
    result = verdict(e, source)
    assert (result.status, result.misconception) == ("not yet", misconception)
    assert f"not yet ({misconception}): " in result.message
    assert "\n" not in result.message and not re.search(r"[?!]\.|(?<!\.)\.\.(?!\.)", result.message)


@pytest.mark.parametrize("id, i", MUTATIONS)
def test_mutated_solution_fails(id, i):
    e = exercise(id)
    old, new = e.mutations[i]
    lines = e.solution_source.split("\n")
    assert lines.count(old) == 1
    assert verdict(e, "\n".join(new if line == old else line for line in lines)).status == "not yet"


@pytest.mark.parametrize("e", EXERCISES, ids=lambda e: e.id)
def test_every_exercise_is_complete(e):
    assert len({name for _, name in e.wrong}) >= 3 and len(e.mutations) >= 3
    assert len(e.hints) == 3 and len(set(e.hints)) == 3 and all(text[-1] in ".?" for text in e.hints)
    assert 1 <= e.difficulty <= 5 and e.minutes > 0
    assert re.fullmatch(r"\d\d\.\d", e.id)
    assert e.stub != e.solution_source
    assert max(len(source.splitlines()) for source in (e.stub, e.solution_source, e.given)) <= 25
    if e.stub.startswith("def "):     # the stub's signature and docstring stay in the solution
        signature, text, given = e.stub.split('"""')     # lines that are given after them may have to be changed
        assert given.endswith("    ...") and e.solution_source.startswith(f'{signature}"""{text}"""')


@pytest.mark.parametrize("e", EXERCISES, ids=lambda e: e.id)
@pytest.mark.parametrize("answer", [None, ...])
def test_nothing_is_not_attempted(e, answer):
    assert judge(e, answer).status == "not attempted"


@pytest.mark.parametrize("e", EXERCISES, ids=lambda e: e.id)
@pytest.mark.parametrize("answer", [7, "text", [1], {}, object, print, lambda: 1, lambda *a: object(), lambda *a: "x",
                                    lambda *a: [], lambda *a: torch.zeros(3), lambda *a: float("nan"),
                                    lambda *a: {"way": "many", "shot": 1, "query": [], "unlabeled": {}},
                                    lambda *a: (1.0, float("nan"), 2.0), lambda *a: {1: 2}, lambda *a: a[1 // 0]])
def test_no_answer_raises_or_passes(e, answer):
    result = judge(e, answer)
    assert result.status in ("not yet", "not attempted")
    assert "\n" not in result.message and "0x" not in result.message


@pytest.mark.parametrize("body", ["...", "pass", "return ...", "return None", "return NotImplemented",
                                  "raise NotImplementedError", "'''Only a docstring.'''"])
def test_empty_stubs_of_every_kind(body):
    result = verdict(exercise("03.1"), f"def inner_step(params, loss, alpha):\n    {body}")
    assert result.status == "not attempted"


def test_forgotten_return_is_not_an_empty_stub():
    result = verdict(exercise("03.1"), "def inner_step(params, loss, alpha):\n    new = loss(params)")
    assert result.status == "not yet" and "returned None" in result.message


def test_exception_is_reported_with_type_text_and_line():
    source = "def inner_step(params, loss, alpha):\n    alpha = 2\n    return params['weights']"
    assert "raised KeyError in line 3 of its cell: 'weights'" in verdict(exercise("03.1"), source).message


def test_not_implemented_error_of_torch_is_a_crash():
    source = "def inner_step(params, loss, alpha):\n    def deep():\n        raise NotImplementedError('no kernel')\n"
    source += "    return max([1, 2], key=lambda x: torch.nn.Module()(x))"
    result = verdict(exercise("03.1"), source)
    assert result.status == "not yet" and "NotImplementedError" in result.message


def test_check_prints_what_it_says_in_lines_that_end_between_words_and_counts(capsys):
    wrong = answer_of(exercise("03.1"), exercise("03.1").wrong[0][0])
    first = check("03.1", wrong)
    text = capsys.readouterr().out
    second = check("03.1", wrong)
    assert capsys.readouterr().out == text and text.split() == first.message.split()
    lines = text.splitlines()
    assert len(lines) > 1 and all(len(line) <= 112 < len(f"{line} {after.split()[0]}")
                                  for line, after in zip(lines, lines[1:]))
    assert not first.passed and repr(second) == "<03.1 not yet>"
    row = next(row for row in status() if row["id"] == "03.1")
    # The same answer twice is one attempt.
    assert (row["attempts"], row["passed"], row["first_passed"]) == (1, False, None)
    assert check("03.1", answer_of(exercise("03.1"), solution_source("03.1"))).passed
    check("03.1", wrong)
    row = next(row for row in status() if row["id"] == "03.1")
    assert (row["attempts"], row["passed"]) == (3, True) and row["first_passed"]


def test_an_answer_is_known_again_by_what_it_is_and_another_is_not():
    one, same, other = (answer_of(exercise("03.1"), source) for source in (
        solution_source("03.1"), solution_source("03.1"), exercise("03.1").wrong[0][0]))
    assert one is not same and fingerprint(one) == fingerprint(same) != fingerprint(other)
    inside = [eval(f"lambda x: [y + {n} for y in x]") for n in (1, 1, 2)]
    assert fingerprint(inside[0]) == fingerprint(inside[1]) != fingerprint(inside[2])
    assert fingerprint(7) == fingerprint(7) != fingerprint(8) and fingerprint(object()) == fingerprint(object())


def test_empty_stub_counts_no_attempt():
    assert check("00.1", ...).status == "not attempted"
    assert status()[0]["attempts"] == 0


def test_check_result_shows_nothing_more_in_a_notebook(capsys):
    result = judge(exercise("00.1"), None)
    assert result._ipython_display_() is None
    assert capsys.readouterr().out == ""


def test_verdict_is_the_same_in_no_grad_and_for_random_answers():
    e = exercise("03.5")
    lucky = answer_of(e, BOOTSTRAP.replace(", generator=generator", ""))
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    assert judge(e, lucky).message == judge(e, lucky).message
    assert torch.equal(torch.get_rng_state(), before[0]) and random.getstate() == before[2]
    assert (np.random.get_state()[1] == before[1]).all()
    with torch.no_grad():
        assert verdict(exercise("03.4"), exercise("03.4").solution_source).passed
        assert not torch.is_grad_enabled()


def test_check_leaves_the_learners_dict_alone():
    answer = answer_of(exercise("00.2"), solution_source("00.2"))
    before = copy.deepcopy(answer)
    assert judge(exercise("00.2"), answer).passed and answer == before


@pytest.mark.parametrize("seed", range(5))
def test_paired_bootstrap_passes(seed):
    assert verdict(exercise("03.5"), BOOTSTRAP.replace("manual_seed(0)", f"manual_seed({seed})")).passed


@pytest.mark.parametrize("id, source", [
    ("03.1", "def inner_step(params, loss, alpha):\n    g = torch.func.grad(loss)(params)\n"
             "    return {n: params[n] - alpha * g[n] for n in params}"),
    ("03.2", "def meta_gradient(theta, support, query, alpha):\n    (a, b), (c, d) = support, query\n"
             "    k = 1 - alpha * a * a\n    theta = torch.tensor(theta)\n"
             "    with torch.no_grad():\n        return k * c * (c * (k * theta + alpha * a * b) - d)"),
    ("03.5", "import numpy as np\ndef paired_ratio(a, b):\n    a, b = a.numpy(), b.numpy()\n"
             "    r = a.mean() / b.mean()\n    se = np.std(a / a.mean() - b / b.mean()) / np.sqrt(len(a))\n"
             "    return np.array([r, r * np.exp(-1.96 * se), r * np.exp(1.96 * se)])"),
    ("03.3", "def slope_error(F, theta, gradient, u, eps):\n    up = F({k: theta[k] + eps * u[k] for k in theta})\n"
             "    down = F({k: theta[k] - eps * u[k] for k in theta})\n"
             "    said = sum(torch.dot(gradient[k].flatten(), u[k].flatten()) for k in u)\n"
             "    with torch.no_grad():\n        slope = (up - down) / 2 / eps\n        return abs((said - slope) / "
     "slope)"),
    ("03.4", "def outer_loop(theta, batches, inner_step, loss, beta):\n"
             "    theta = {k: p.detach().clone().requires_grad_() for k, p in theta.items()}\n"
             "    descent = torch.optim.SGD(theta.values(), lr=beta)\n    for tasks in batches:\n"
             "        descent.zero_grad()\n"
             "        torch.stack([loss(inner_step(theta, s), q) for s, q in tasks]).mean().backward()\n"
             "        descent.step()\n    return theta"),
    ("03.4", "def outer_loop(theta, batches, inner_step, loss, beta):\n    for tasks in batches:\n"
             "        f = lambda p: sum(loss(inner_step(p, s), q) for s, q in tasks) / len(tasks)\n"
             "        g = torch.autograd.grad(f(theta), list(theta.values()))\n"
             "        theta = {k: (p - beta * d).detach().requires_grad_() for (k, p), d in zip(theta.items(), g)}\n"
             "    return theta"),
    ("03.4", "def outer_loop(theta, batches, inner_step, loss, beta):\n"
             "    theta = {k: p.detach().clone().requires_grad_() for k, p in theta.items()}\n"
             "    for tasks in batches:\n"
             "        for s, q in tasks:\n            (loss(inner_step(theta, s), q) / len(tasks)).backward()\n"
             "        with torch.no_grad():\n            for p in theta.values():\n                p -= beta * p.grad\n"
             "                p.grad = None\n    return theta"),
    ("00.1", "def read_episode(e):\n    n = len(e.support_y.unique())\n"
             "    c = torch.bincount(e.support_y), torch.bincount(e.query_y)\n"
             "    return dict(way=n, shot=c[0][0], query=c[1][0], unlabeled=torch.tensor(len(e.unlabeled_x)))"),
    ("00.3", "def nearest(sx, sy, qx):\n    d = torch.cdist(qx.flatten(1), sx.flatten(1))\n"
             "    return [int(sy[i]) for i in d.argmin(1)]"),
    ("01.1", "situations = dict(a='Task', b='domain', c='task ', d='modality', e='DOMAIN', f='task and domain')"),
    ("01.2", "import numpy as np\ndef pad(h, a):\n    h, a = h.numpy(), a.numpy()\n"
             "    return np.float64(2 - 2 * h.mean() - 2 * (1 - a.mean()))"),
    ("01.3", "def distance(a, b, fit, generator):\n    r = torch.rand(len(a), generator=generator).argsort()\n"
             "    t, s = r[len(a) // 2:], r[:len(a) // 2]\n"
             "    zeros = torch.zeros(len(t)).long()\n    ones = zeros + 1\n"
             "    says = fit(torch.cat([b[t], a[t]]), torch.cat([ones, zeros]))\n"
             "    return 2 * (1 - (says(a[s]) == 1).double().mean() - (says(b[s]) == 0).double().mean())"),
    ("01.4", "def name_shift(p, q):\n    same = lambda u, v: bool((u - v).abs().max() < 1e-7)\n"
             "    names = [('none', lambda t: t), ('covariate', lambda t: t / t.sum(1)[:, None]),\n"
             "             ('label', lambda t: t / t.sum(0)), ('concept', lambda t: t.sum(1))]\n"
             "    return next((n for n, f in names if same(f(p), f(q))), 'several')"),
    ("01.5", "def importance_weights(p, n, m):\n    return 1 / (1 / p - 1) / (m / n)"),
    ("01.5", "def importance_weights(p, n, m):\n    return (torch.logit(p) + torch.tensor(n / m).log()).exp()"),
    ("01.6", "verdicts = dict(a='Yes', b='no ', c='OPEN', d='Open')"),
    ("00.2", "answers = dict(a='Support', b='query ', c='QUERY', d='support', e='support', f='neither')"),
])
def test_other_right_answers_pass(id, source):
    assert verdict(exercise(id), source).status == "passed"


def test_what_is_no_function_may_be_a_call_or_a_name_that_was_given_away():
    assert judge(exercise("01.2"), 1.3).message == (
        "01.2 pad: not yet: the check needs the function pad itself, but got a float; pass pad without brackets, and "
        "run the cell that defines it again if pad has become something else since")


def test_a_gradient_that_is_off_in_late_digits_is_shown_with_the_digits_that_differ():
    right = exercise("15.2").reference()
    message = judge(exercise("15.2"), lambda *args: right(*args) * (1 + 1e-8)).message
    said = re.search(r"is ([-\d.e]+), but you returned ([-\d.e]+)\. The formula gives all digits", message)
    want, got = said.groups()
    assert want != got and float(got) == pytest.approx(float(want), rel=1e-6)


def test_one_wrong_number_is_explained_beside_another():
    source = solution_source("00.1").replace("len(episode.support_x) // way", "len(episode.support_x)")
    result = verdict(exercise("00.1"), source.replace("len(episode.unlabeled_x)", "3"))
    assert result.misconception == "total instead of per class"
    assert result.message.endswith("And unlabeled is 10, but you returned 3.")


def test_half_filled_answers_name_what_is_missing():
    result = judge(exercise("00.2"), {"a": "support", "b": "query", "c": ..., "d": "support", "e": "support"})
    assert "no answer yet for c, f" in result.message
    result = judge(exercise("00.2"), dict.fromkeys("abcdef", "train"))
    assert "a is 'train'" in result.message


def test_given_code_fails_as_the_lesson_says():
    namespace = {"torch": torch}
    exec(exercise("01.3").given, namespace)
    assert (judge(exercise("01.3"), namespace["distance_broken"]).misconception
            == "measured on the training half, copies in both halves")
    exec(exercise("03.3").given, namespace)
    assert judge(exercise("03.1"), namespace["step_a"]).passed
    assert judge(exercise("03.1"), namespace["step_b"]).misconception == "first order only"


def test_hints_come_in_order(capsys):
    shown = []
    for _ in range(4):
        hint("03.2")
        shown.append(capsys.readouterr().out)
    texts = exercise("03.2").hints
    assert all(texts[min(i, 2)] in " ".join(text.split()) for i, text in enumerate(shown)) and shown[2] == shown[3]
    assert shown[0].startswith("03.2 hint 1 of 3: ") and 'solution("03.2")' in shown[2]
    assert next(row for row in status() if row["id"] == "03.2")["hints"] == 3


def test_solution_is_printed(capsys):
    solution("00.3")
    assert capsys.readouterr().out == solution_source("00.3") + "\n"


def test_ids():
    assert exercise_ids("00") == ["00.1", "00.2", "00.3", "00.4", "00.5"]
    assert exercise_ids("01") == ["01.1", "01.2", "01.3", "01.4", "01.5", "01.6"]
    assert exercise_ids("03") == ["03.1", "03.2", "03.3", "03.4", "03.5", "03.6"]
    assert exercise_ids("77") == []
    for function in (hint, solution, solution_source, lambda id: check(id, None)):
        with pytest.raises(ValueError, match="there is no exercise '3.1'; the exercises are 00.1"):
            function("3.1")
