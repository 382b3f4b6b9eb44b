"""Lesson 14: the kinds of value that a right answer to each exercise comes in; right answers in NumPy and in place."""

from answer_kinds import ENTRIES, GRAPHS, PARTS, SEVERAL

KINDS = {
    "14.1": PARTS, "14.2": GRAPHS, "14.3": GRAPHS, "14.4": SEVERAL, "14.5": ENTRIES,
}

IN_PLACE = [
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
    ("14.4", "def paired_interval(a, b, t):\n    d = a.mean(1).numpy()\n    d -= b.mean(1).numpy()\n"
             "    return [np.mean(d), t * np.std(d, ddof=1) / np.sqrt(len(d))]"),
]
