"""Lesson 08: the kinds of value that a right answer to each exercise comes in; right answers in NumPy and in place."""

from answer_kinds import CONNECTED, COUNTS, ENTRIES, GRAPHS

HEADS = {"list": list, "float64": lambda parts: [p.double() for p in parts]}

KINDS = {
    "08.1": HEADS, "08.2": GRAPHS, "08.3": COUNTS, "08.4": CONNECTED, "08.5": ENTRIES,
}

IN_PLACE = [
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
]
