"""Lesson 15: the kinds of value that a right answer to each exercise comes in; right answers in NumPy and in place."""

from answer_kinds import ENTRIES, GRAPHS, NUMBERS, TENSORS

KINDS = {
    "15.1": NUMBERS, "15.2": TENSORS, "15.3": GRAPHS, "15.4": NUMBERS, "15.5": ENTRIES,
}

IN_PLACE = [
    ("15.1", "def soft_entropy(v, t):\n    v = v.clone()\n    v /= t\n"
             "    return torch.distributions.Categorical(logits=v).entropy().mean()"),
    ("15.2", "def soft_gradient(z, v, t):\n    z = (z / t).softmax(1)\n    z -= (v / t).softmax(1)\n"
             "    z /= t * len(z)\n    return z"),
    ("15.2", "def soft_gradient(z, v, t):\n    soft = lambda x: np.exp(x / t) / np.exp(x / t).sum(1, keepdims=True)\n"
             "    return (soft(z.float().numpy()) - soft(v.float().numpy())) / (t * len(z))"),
    ("15.3", "def distil(z, v, t):\n    p = (v.detach() / t).softmax(1)\n    z = z / t\n"
             "    return t * t * torch.nn.functional.kl_div(z.log_softmax(1), p, reduction='batchmean')"),
    ("15.3", "def distil(z, v, t):\n    with torch.no_grad():\n        p = v.clone().div_(t).softmax(1)\n"
             "    z = 1 * z\n    z /= t\n"
             "    return t * t * torch.nn.functional.cross_entropy(z, p)"),
]
