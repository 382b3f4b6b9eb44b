"""Lesson 05: the kinds of value that a right answer to each exercise comes in; right answers in NumPy and in place."""

from answer_kinds import DICTS, ENTRIES, NUMBERS, TENSORS

KINDS = {
    "05.1": DICTS, "05.2": NUMBERS, "05.3": TENSORS, "05.4": ENTRIES,
}

IN_PLACE = [
    ("05.2", "def outer_update(meta, s, q, beta):\n    step = torch.optim.SGD(meta.parameters(), lr=beta)\n"
             "    step.zero_grad()\n    g = torch.func.grad(s)(meta.theta)\n    loss = q(meta.theta - meta.alpha * g)\n"
             "    loss.backward()\n    step.step()\n    return np.float32(loss.item())"),
    ("05.2", "def outer_update(meta, s, q, beta):\n"
             "    g, = torch.autograd.grad(s(meta.theta), meta.theta, create_graph=True)\n"
             "    loss = q(meta.theta - meta.alpha * g)\n"
             "    a, b = torch.autograd.grad(loss, [meta.theta, meta.alpha])\n"
             "    meta.theta.data -= beta * a\n    meta.alpha.data.sub_(beta * b)\n    return loss"),
    ("05.3", "def rate_gradient(theta, alpha, s, q):\n    g = s[0].clone().mul_(theta @ s[0] - s[1])\n"
             "    theta = theta.clone()\n    theta -= alpha * g\n    return (-g * (theta @ q[0] - q[1])).mul_(q[0])"),
    ("05.3", "def rate_gradient(theta, alpha, s, q):\n"
             "    theta, alpha, a, c = (x.numpy() for x in (theta, alpha, s[0], q[0]))\n"
             "    g = (theta @ a - s[1]) * a\n    return -((theta - alpha * g) @ c - q[1]) * c * g"),
]
