"""Lesson 16: the kinds of value that a right answer to each exercise comes in; right answers in NumPy and in place."""

from answer_kinds import ENTRIES, GRAPHS, NUMBERS

KINDS = {
    "16.1": GRAPHS, "16.2": GRAPHS, "16.3": NUMBERS, "16.4": ENTRIES,
}

IN_PLACE = [
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
