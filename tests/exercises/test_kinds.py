"""Every check takes a right answer in whatever kind of number, array or tensor it comes, and no shortcut that its
exercise forbids."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch

from mlcourse.exercises import every_exercise, exercise
from mlcourse.exercises.framework import judge


def plain(x):
    return x.item() if isinstance(x, torch.Tensor) else x


def each(kind):
    return lambda values: tuple(kind(value) for value in values)


NUMBERS = {"float": lambda x: float(x),
           "float32": lambda x: np.float32(plain(x)), "float64": lambda x: np.float64(plain(x)),
           "array": lambda x: np.array(plain(x)), "array of float32": lambda x: np.array(plain(x), dtype=np.float32),
           "fraction": lambda x: Fraction(plain(x)),
           "array of one": lambda x: np.array([plain(x)]), "tensor": lambda x: torch.tensor(plain(x)),
           "tensor of float64": lambda x: torch.tensor(plain(x), dtype=torch.float64),
           "tensor with a graph": lambda x: torch.tensor(float(x), requires_grad=True),
           "tensor of one": lambda x: torch.tensor([plain(x)])}
SEVERAL = {**{f"tuple of {name}": each(kind) for name, kind in NUMBERS.items()},
           "list": lambda xs: [float(x) for x in xs], "array": lambda xs: np.array([plain(x) for x in xs]),
           "float32": lambda xs: np.array([plain(x) for x in xs], dtype=np.float32),
           "tensor": lambda xs: torch.tensor([plain(x) for x in xs])}
TENSORS = {"tensor": lambda x: x, "float32": lambda x: x.float(), "array": lambda x: x.numpy(),
           "array of float32": lambda x: x.float().numpy(), "list": lambda x: x.tolist(),
           "tuple": lambda x: tuple(x.tolist()),
           "data frame": lambda x: pd.DataFrame(x.numpy()).squeeze(axis="columns"),
           "negative stride": lambda x: x.flip(0).numpy()[::-1],
           "read-only array": lambda x: np.broadcast_to(x.numpy(), tuple(x.shape)),
           "list of tensors": lambda x: list(x),
           "tuple of arrays": lambda x: tuple(row.numpy() for row in x),
           "with a graph": lambda x: x.double().requires_grad_()}
CHANNELS = {name: kind for name, kind in TENSORS.items() if name != "data frame"}       # of more than two dimensions
LABELS = {**TENSORS, "int32": lambda x: x.int(), "whole floats": lambda x: x.float(),
          "NumPy int": lambda x: [np.int64(y) for y in x], "one by one": lambda x: [plain(y) for y in x]}
GRAPHS = {"scalar": lambda x: 1 * x, "float32": lambda x: x.float(), "float64": lambda x: x.double(),
          "one": lambda x: x[None]}
DICTS = {"float32": lambda d: {name: p.float() for name, p in d.items()}, "turned": lambda d: dict(reversed(d.items()))}
COUNTS = {name: lambda d, kind=kind: {key: kind(x) for key, x in d.items()} for name, kind in NUMBERS.items()}
ENTRIES = {"spaces and capitals": lambda d: {key: f" {text.upper()} " for key, text in d.items()},
           "NumPy text": lambda d: {key: np.str_(text) for key, text in d.items()}}
TEXTS = {"NumPy text": np.str_}
TRUTHS = {"bool": bool, "NumPy bool": np.bool_, "number": int, "tensor": torch.tensor}
PARTS = {"list": list, "arrays": lambda parts: tuple(p.numpy() for p in parts),
         "lists": lambda parts: [p.tolist() for p in parts]}
PAIRS = {**PARTS, "with graphs": lambda parts: tuple(p.double().requires_grad_() for p in parts)}
EPISODES = {**PARTS, "float32 labels": lambda parts: [p.float() for p in parts]}
HEADS = {"list": list, "float64": lambda parts: [p.double() for p in parts]}
NETS = {"the net": lambda net: net, "in eval mode": lambda net: net.eval()}
CONNECTED = {"tensor": lambda x: x, "float32": lambda x: x.float(), "float64": lambda x: x.double(),
             "another step": lambda x: 1 * x}
MANY = {"list": list, "float32": lambda parts: (parts[0].float(), parts[1].float(), parts[2]),
        "lists inside": lambda parts: (parts[0], parts[1], [parts[2][0], list(parts[2][1])])}
UNBOUNDED = {name: kind for name, kind in NUMBERS.items() if name != "fraction"}       # of which one may be infinite
SHARES = {"list": list, "NumPy": lambda pair: tuple(None if x is None else np.float64(x) for x in pair),
          "tensors": lambda pair: [None if x is None else torch.tensor(x) for x in pair],
          "nan for none": lambda pair: np.array([math.nan if x is None else x for x in pair])}
BUFFERS = {"tuple": tuple, "lists": lambda pairs: [list(pair) for pair in pairs],
           "arrays": lambda pairs: [tuple(part.numpy() for part in pair) for pair in pairs]}
LOSSES = {name: lambda losses, kind=kind: [kind(loss) for loss in losses] for name, kind in GRAPHS.items()}

KINDS = {
    "00.1": COUNTS, "00.2": ENTRIES, "00.3": LABELS, "00.4": SEVERAL, "00.5": ENTRIES,
    "01.1": ENTRIES, "01.2": NUMBERS, "01.3": NUMBERS, "01.4": TEXTS, "01.5": TENSORS,
    "01.6": ENTRIES,
    "02.1": PAIRS, "02.2": NETS, "02.3": UNBOUNDED, "02.4": LOSSES, "02.5": ENTRIES,
    "03.1": DICTS, "03.2": NUMBERS, "03.3": NUMBERS, "03.4": DICTS, "03.5": SEVERAL, "03.6": ENTRIES,
    "04.1": DICTS, "04.2": ENTRIES, "04.3": COUNTS, "04.4": DICTS, "04.5": ENTRIES,
    "05.1": DICTS, "05.2": NUMBERS, "05.3": TENSORS, "05.4": ENTRIES,
    "06.1": EPISODES, "06.2": ENTRIES, "06.3": NETS, "06.4": DICTS, "06.5": SEVERAL, "06.6": ENTRIES,
    "07.1": COUNTS, "07.2": CHANNELS, "07.3": MANY, "07.4": ENTRIES, "07.5": ENTRIES,
    "08.1": HEADS, "08.2": GRAPHS, "08.3": COUNTS, "08.4": CONNECTED, "08.5": ENTRIES,
    "09.1": CONNECTED, "09.2": CONNECTED, "09.3": CONNECTED, "09.4": COUNTS, "09.5": CONNECTED, "09.6": ENTRIES,
    "10.1": CONNECTED, "10.2": CONNECTED, "10.3": CHANNELS, "10.4": ENTRIES, "10.5": GRAPHS,
    "11.1": CONNECTED, "11.2": COUNTS, "11.3": CONNECTED, "11.4": TRUTHS, "11.5": ENTRIES,
    "12.1": SHARES, "12.2": BUFFERS, "12.3": GRAPHS, "12.4": SEVERAL, "12.5": TENSORS, "12.6": ENTRIES,
    "13.1": CHANNELS, "13.2": GRAPHS, "13.3": ENTRIES, "13.4": TENSORS,
    "14.1": PARTS, "14.2": GRAPHS, "14.3": GRAPHS, "14.4": SEVERAL, "14.5": ENTRIES,
    "15.1": NUMBERS, "15.2": TENSORS, "15.3": GRAPHS, "15.4": NUMBERS, "15.5": ENTRIES,
    "16.1": GRAPHS, "16.2": GRAPHS, "16.3": NUMBERS, "16.4": ENTRIES,
    "17.1": CONNECTED, "17.2": CONNECTED, "17.3": CONNECTED, "17.4": NUMBERS, "17.5": ENTRIES, "17.6": NUMBERS,
    "17.7": CONNECTED,
}


def test_every_exercise_is_here():
    assert list(KINDS) == [e.id for e in every_exercise()]


@pytest.mark.parametrize("id, name", [(id, name) for id, kinds in KINDS.items() for name in kinds])
def test_the_right_answer_passes_in_every_kind(id, name):
    right, kind = exercise(id).reference(), KINDS[id][name]
    result = judge(exercise(id), (lambda *args: kind(right(*args))) if callable(right) else kind(right))
    assert result.passed, result.message


def defined(id, source):
    namespace = {"torch": torch, "np": np}
    exec(source, namespace)
    return namespace[exercise(id).answer]


IN_PLACE = [
    ("00.3", "def nearest(a, y, q):\n    a, q = a.flatten(1), q.flatten(1)\n    out = torch.zeros(len(q))\n"
             "    for i in range(len(q)):\n        out[i] = y[(a - q[i]).pow_(2).sum(1).argmin()]\n    return out"),
    ("00.3", "def nearest(a, y, q):\n    a, y, q = (x.numpy() for x in (a, y, q))\n"
             "    return y[((q[:, None] - a[None]) ** 2).sum((2, 3, 4)).argmin(1)].astype('float32')"),
    ("00.4", "def interval(s):\n    s = s.numpy()\n    return [s.mean(), 1.96 * s.std() / np.sqrt(s.size)]"),
    ("00.4", "def interval(s):\n    m, n = s.mean(), len(s)\n    s -= m\n"
             "    return torch.stack([m, 1.96 * ((s ** 2).sum() / (n - 1) / n).sqrt()])"),
    ("01.2", "def pad(h, a):\n    a.logical_not_()\n    h, a = h.tolist(), a.tolist()\n"
             "    return 2 - 2 * (sum(h) / len(h) + sum(a) / len(a))"),
    ("01.3", "def distance(a, b, fit, g):\n    n = len(a) // 2\n    r = torch.randperm(len(a), generator=g)\n"
             "    a, b = a[r], b[r]\n    y = torch.zeros(2 * n).long()\n    y[n:] += 1\n"
             "    says = fit(torch.cat([a[:n], b[:n]]), y)\n    wrong = says(a[n:]).double().mean()\n"
             "    wrong += (1 - says(b[n:]).double()).mean()\n    return 2 * (1 - wrong)"),
    ("01.3", "def distance(a, b, fit, generator):\n"
             "    r = torch.randperm(len(a), generator=generator).split(len(a) // 2)\n"
             "    says = fit(torch.cat([b[r[0]], a[r[0]]]), torch.arange(2).flip(0).repeat_interleave(len(r[0])))\n"
             "    says(a[r[1]])\n"
             "    return 2 * (says(b[r[1]]).double().mean() - says(a[r[1]]).double().mean())"),
    ("05.2", "def outer_update(meta, s, q, beta):\n    step = torch.optim.SGD(meta.parameters(), lr=beta)\n"
             "    step.zero_grad()\n    g = torch.func.grad(s)(meta.theta)\n    loss = q(meta.theta - meta.alpha * g)\n"
             "    loss.backward()\n    step.step()\n    return np.float32(loss.item())"),
    ("05.2", "def outer_update(meta, s, q, beta):\n"
             "    g, = torch.autograd.grad(s(meta.theta), meta.theta, create_graph=True)\n"
             "    loss = q(meta.theta - meta.alpha * g)\n"
             "    a, b = torch.autograd.grad(loss, [meta.theta, meta.alpha])\n"
             "    meta.theta.data -= beta * a\n    meta.alpha.data.sub_(beta * b)\n    return loss"),
    ("05.3", "def rate_gradient(theta, alpha, s, q):\n    g = s[0].mul_(theta @ s[0] - s[1])\n"
             "    theta -= alpha * g\n    return (-g * (theta @ q[0] - q[1])).mul_(q[0])"),
    ("05.3", "def rate_gradient(theta, alpha, s, q):\n"
             "    theta, alpha, a, c = (x.numpy() for x in (theta, alpha, s[0], q[0]))\n"
             "    g = (theta @ a - s[1]) * a\n    return -((theta - alpha * g) @ c - q[1]) * c * g"),
    ("08.1", "def as_linear(z, y, way):\n    one_hot = torch.nn.functional.one_hot(y, way).float()\n"
             "    c = one_hot.T @ z / one_hot.sum(0)[:, None]\n    W = 1 * c.T\n    W *= 2\n"
             "    return [W, 3 - (c ** 2).sum(1)]"),
    ("08.2", "def train_step(f, classifier, optimiser, e):\n    optimiser.zero_grad()\n"
             "    W, b = classifier(f(e.support_x), e.support_y, e.way)\n"
             "    p = (f(e.query_x) @ W + b).softmax(1)\n"
             "    loss = -p[torch.arange(len(p)), e.query_y].log().mean()\n    loss.backward()\n"
             "    optimiser.step()\n    return loss"),
    ("08.4", "def relations(f, compare, support_x, query_x):\n    a, b = f(support_x), f(query_x)\n"
             "    return torch.stack([torch.cat([compare(torch.cat([x, y])[None])[0] for x in a]) for y in b])"),
    ("13.1", "def adabn(x, seen, gain, shift, eps):\n    x -= seen.mean((0, 2, 3))[:, None, None]\n"
             "    x /= (seen.permute(1, 0, 2, 3).flatten(1).var(1, correction=0) + eps).sqrt()[:, None, None]\n"
             "    x *= gain[:, None, None]\n    return x.add_(shift[:, None, None])"),
    ("13.2", "def coral_loss(a, b):\n    n = a.shape[1]\n    a -= a.mean(0)\n    b -= b.mean(0)\n"
             "    c = a.T @ a / (len(a) - 1)\n    c -= b.T @ b / (len(b) - 1)\n"
             "    return (c ** 2).sum() / (4 * n * n)"),
    ("13.4", "def label_weights(s, y, t, n):\n    s, y, t = (x.numpy() for x in (s, y, t))\n"
             "    c = np.zeros((n, n))\n    np.add.at(c, (s, y), 1)\n    c /= len(y)\n"
             "    w = np.maximum(np.linalg.solve(c, np.bincount(t, minlength=n) / len(t)), 0)\n"
             "    return list(w / (w * c.sum(0)).sum())"),
    ("14.1", "def split_target(images, seed):\n    order = np.random.default_rng(seed).permutation(len(images))\n"
             "    return [images[np.sort(part)] for part in np.array_split(order, 3)]"),
    ("14.2", "def meta_objective(net, params, alpha, tasks):\n"
             "    loss = lambda p, pair: torch.nn.functional.cross_entropy(net(p, pair[0]), pair[1])\n    losses = []\n"
             "    for s, q in tasks:\n        g = torch.func.grad(loss)(params, s)\n        for name in params:\n"
             "            g[name] = params[name] - alpha[name] * g[name]\n        losses.append(loss(g, q))\n"
             "    return torch.stack(losses).sum()"),
    ("14.3", "def with_generated(J, tasks, redraw, w):\n    total = (1 - w) * J(tasks)\n    made = []\n"
             "    for task in tasks:\n        made.append([task[0], [redraw(task[1][0]), task[1][1]]])\n"
             "    total += w * J(tuple(made))\n    return total"),
    ("14.4", "def paired_interval(a, b, t):\n    a -= b\n    d = a.mean(1).numpy()\n"
             "    return [np.mean(d), t * np.std(d, ddof=1) / np.sqrt(len(d))]"),
    ("15.1", "def soft_entropy(v, t):\n    v /= t\n"
             "    return torch.distributions.Categorical(logits=v).entropy().mean()"),
    ("15.2", "def soft_gradient(z, v, t):\n    z /= t\n    z = z.softmax(1)\n    z -= (v.div_(t)).softmax(1)\n"
             "    z /= t * len(z)\n    return z"),
    ("15.2", "def soft_gradient(z, v, t):\n    soft = lambda x: np.exp(x / t) / np.exp(x / t).sum(1, keepdims=True)\n"
             "    return (soft(z.float().numpy()) - soft(v.float().numpy())) / (t * len(z))"),
    ("15.3", "def distil(z, v, t):\n    p = (v.detach() / t).softmax(1)\n    z = z / t\n"
             "    return t * t * torch.nn.functional.kl_div(z.log_softmax(1), p, reduction='batchmean')"),
    ("15.3", "def distil(z, v, t):\n    with torch.no_grad():\n        v /= t\n        p = v.softmax(1)\n    z /= t\n"
             "    return t * t * torch.nn.functional.cross_entropy(z, p)"),
    ("16.1", "def info_nce(a, b, tau):\n    a = torch.nn.functional.normalize(a.float())\n"
             "    b = torch.nn.functional.normalize(b.float())\n    s = a @ b.T\n    s /= tau\n"
             "    return torch.nn.functional.cross_entropy(s, torch.arange(len(a)))"),
    ("16.2", "def nt_xent(a, b, tau):\n    z = torch.nn.functional.normalize(torch.cat([a, b]))\n    s = z @ z.T\n"
             "    s /= tau\n    s.fill_diagonal_(-torch.inf)\n    n = len(a)\n"
             "    return torch.nn.functional.cross_entropy(s, torch.cat([torch.arange(n, 2 * n), torch.arange(n)]))"),
    ("16.3", "def train_step(f, g, optimiser, x, other, info_nce, tau):\n    a, b = f(x), g(other)\n"
             "    loss = info_nce(b, a, tau)\n    loss += info_nce(a, b, tau)\n    loss /= 2\n    loss.backward()\n"
             "    optimiser.step()\n    optimiser.zero_grad(set_to_none=False)\n    return loss"),
    ("16.3", "def train_step(f, g, optimiser, x, other, info_nce, tau):\n    f.zero_grad(), g.zero_grad()\n"
             "    for one, two in ((f(x), g(other)), (g(other), f(x))):\n"
             "        loss = info_nce(one, two, tau) / 2\n        loss.backward()\n"
             "    with torch.no_grad():\n        a, b = f(x), g(other)\n"
             "        loss = np.float32((info_nce(a, b, tau) + info_nce(b, a, tau)) / 2)\n"
             "    optimiser.step()\n    return loss"),
]


@pytest.mark.parametrize("id, source", IN_PLACE)
def test_a_right_answer_may_be_written_in_numpy_or_in_place(id, source):
    result = judge(exercise(id), defined(id, source))
    assert result.passed, result.message


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
