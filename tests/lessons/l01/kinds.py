"""Lesson 01: the kinds of value that a right answer to each exercise comes in; right answers in NumPy and in place."""

from answer_kinds import ENTRIES, NUMBERS, TENSORS, TEXTS

KINDS = {
    "01.1": ENTRIES, "01.2": NUMBERS, "01.3": NUMBERS, "01.4": TEXTS, "01.5": TENSORS, "01.6": ENTRIES,
}

IN_PLACE = [
    ("01.2", "def pad(h, a):\n    a = a.clone().logical_not_()\n    h, a = h.tolist(), a.tolist()\n"
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
]
