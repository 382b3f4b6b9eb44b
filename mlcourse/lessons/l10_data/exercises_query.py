"""The exercise of lesson 10 on the query loss."""

from __future__ import annotations

from mlcourse.exercises.framework import IN_PLACE, Exercise, edited
from mlcourse.lessons.l10_data.checks_query import CUT, check_query_loss

LOSS = '''\
def query_loss(make, fit, support, query):
    """Lines [9] to [11]: the loss by which a generator learns to help.

    make(x): K samples (N, K, ...) of each of N drawings (N, ...)
    fit(x, y): fits a classifier to pictures x (M, ...) with labels y (M,) int64; returns the
        function from pictures to logits (..., N)
    support, query: pairs of pictures and labels 0 to N - 1; support has one of each class, in
        any order
    Returns the mean cross-entropy of the queries, a scalar that gradients reach make through.
    """
'''
MADE = "    made = make(support[0])"
PICTURES = "    x = torch.cat([support[0], made.flatten(0, 1)])"
LABELS = "    y = torch.cat([support[1], support[1].repeat_interleave(made.shape[1])])"
FITTED = "    says = fit(x, y)"
ASKED = "    return torch.nn.functional.cross_entropy(says(query[0]), query[1])"
SOLUTION = LOSS + "\n".join((MADE, PICTURES, LABELS, FITTED, ASKED))


def wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 10.5: the solution with edits."""
    return edited(SOLUTION, *edits)


TURNED = ("support[1].repeat_interleave(made.shape[1])", "support[1].repeat(made.shape[1])")
SUMMED = ("query[1])", 'query[1], reduction="sum")')
query_loss = Exercise(
    id="10.5", title="The query loss", answer="query_loss", difficulty=2, minutes=4,
    stub=LOSS + "    ...", solution_source=SOLUTION, check=check_query_loss,
    hints=(
        "Fit the classifier on the drawings and the samples together, then ask it for the queries.",
        "made.flatten(0, 1) has the samples class by class, so their labels are support[1].repeat_interleave(K); "
        "torch.cat joins them to the support set.",
        "says = fit(torch.cat([support[0], made.flatten(0, 1)]), torch.cat([support[1], "
        "support[1].repeat_interleave(made.shape[1])])); then cross_entropy(says(query[0]), query[1]).",
    ),
    wrong=(
        (wrong(TURNED), "samples with the labels of other classes"),
        (wrong(("support[1].repeat_interleave", "torch.arange(len(made)).repeat_interleave")),
         "labels counted in place of read"),
        (wrong((FITTED, "    says = fit(*support)")), "the samples are left out"),
        (wrong((FITTED, "    says = fit(x[len(made):], y[len(made):])")), "the drawings are left out"),
        (wrong(("says(query[0]), query[1]", "says(support[0]), support[1]")), "the loss of the support set"),
        (wrong(("says(query[0]), query[1]", "says(x), y")), "the loss of what was fitted"),
        (wrong((FITTED, "    says = fit(torch.cat([x, query[0]]), torch.cat([y, query[1]]))")),
         "the queries are fitted, too"),
        (wrong(SUMMED), "the sum over the queries"),
        (wrong(("says(query[0])", "says(query[0]).softmax(1)")), "softmax twice"),
        (wrong((MADE, MADE + ".detach()")), CUT),
        (wrong((MADE, "    with torch.no_grad():\n        made = make(support[0])")), CUT),
        (wrong((ASKED, ASKED + ".detach()")), CUT),
        (wrong((MADE, MADE + "\n    support[0].mul_(1 / 2)")), IN_PLACE),
        (wrong(TURNED, SUMMED), "samples with the labels of other classes, the sum over the queries"),
    ),
    mutations=(
        (PICTURES, "    x = torch.cat([support[0], 1 - made.flatten(0, 1)])"),
        (LABELS, "    y = torch.cat([support[1], support[1].repeat_interleave(made.shape[1]).flip(0)])"),
        (ASKED, "    return torch.nn.functional.cross_entropy(-says(query[0]), query[1])"),
        (ASKED, "    return torch.nn.functional.nll_loss(says(query[0]), query[1])"),
    ))
