"""Lesson 13: the kinds of value that a right answer to each exercise comes in; right answers in NumPy and in place."""

from answer_kinds import CHANNELS, ENTRIES, GRAPHS, TENSORS

KINDS = {
    "13.1": CHANNELS, "13.2": GRAPHS, "13.3": ENTRIES, "13.4": TENSORS,
}

IN_PLACE = [
    ("13.1", "def adabn(x, seen, gain, shift, eps):\n    x = x.clone()\n    x -= seen.mean((0, 2, 3))[:, None, None]\n"
             "    x /= (seen.permute(1, 0, 2, 3).flatten(1).var(1, correction=0) + eps).sqrt()[:, None, None]\n"
             "    x *= gain[:, None, None]\n    return x.add_(shift[:, None, None])"),
    ("13.2", "def coral_loss(a, b):\n    n = a.shape[1]\n    a, b = a - a.mean(0), b - b.mean(0)\n"
             "    c = a.T @ a / (len(a) - 1)\n    c -= b.T @ b / (len(b) - 1)\n"
             "    return (c ** 2).sum() / (4 * n * n)"),
    ("13.4", "def label_weights(s, y, t, n):\n    s, y, t = (x.numpy() for x in (s, y, t))\n"
             "    c = np.zeros((n, n))\n    np.add.at(c, (s, y), 1)\n    c /= len(y)\n"
             "    w = np.maximum(np.linalg.solve(c, np.bincount(t, minlength=n) / len(t)), 0)\n"
             "    return list(w / (w * c.sum(0)).sum())"),
]
