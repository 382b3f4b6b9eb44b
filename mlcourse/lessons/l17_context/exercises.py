"""The exercises of lesson 17 on a model that reads its prompt; and the others."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l17_context.broken import READ_BROKEN
from mlcourse.lessons.l17_context.checks import CUT, check_prefix, check_look_back, check_tokens
from mlcourse.lessons.l17_context.exercises_exact import attend, coin
from mlcourse.lessons.l17_context.exercises_results import verdicts
from mlcourse.lessons.l17_context.exercises_words import read_words

# ---------------------------------------------------------------- 17.1

PREFIX = '''\
def prefix_errors(predict, x, y, target):
    """The mean squared error after 0, 1, …, n - 1 pairs.

    predict(x, y, query): predictions (B,) from pairs x (B, i, d), y (B, i), at a query (B, d)
    x (B, n, d), y (B, n): B prompts; target (B, n): what the predictions are compared with
    Returns a tensor (n,) that gradients flow through.
    """
'''
OFF = "    off = [predict(x[:, :i], y[:, :i], x[:, i]) - target[:, i] for i in range(x.shape[1])]"
MEANS = "    return torch.stack([(each ** 2).mean() for each in off])"
PREFIX_SOLUTION = PREFIX + OFF + "\n" + MEANS


def prefix_wrong(*edits: tuple[str, str]) -> str:
    """Wrong errors: the solution with edits."""
    return edited(PREFIX_SOLUTION, *edits)


prefix = Exercise(
    id="17.1", title="Every prefix is a task", answer="prefix_errors", difficulty=1, minutes=4,
    stub=PREFIX + "    ...", solution_source=PREFIX_SOLUTION, check=check_prefix,
    hints=(
        "A loop over i. What may the model see before it answers at x[:, i]?",
        "x[:, :i] and y[:, :i], which are empty for i = 0: the prior's answer counts, too.",
        "For each i in range(x.shape[1]): ((predict(x[:, :i], y[:, :i], x[:, i]) - target[:, i]) ** 2).mean(); then "
        "torch.stack.",
    ),
    wrong=(
        (prefix_wrong(("range(x", "range(1, x")), "the empty prompt left out"),
        (prefix_wrong(("x[:, :i], y[:, :i]", "x[:, :i + 1], y[:, :i + 1]")), "the answer is in the prompt"),
        (prefix_wrong(("torch.stack([(each ** 2).mean() for each in off])", "(off[-1] ** 2).mean()")),
         "the last prefix alone"),
        (prefix_wrong(("x[:, i])", "x[:, max(i - 1, 0)])")), "asked at the pair before"),
        (prefix_wrong(("each ** 2", "each.abs()")), "the length, not its square"),
        (prefix_wrong((".mean()", ".sum()")), "summed over the prompts"),
        (prefix_wrong(("- target[:, i]", "- y[:, i]")), "compared with y"),
        (prefix_wrong((".mean()", ".mean().detach()")), CUT),
        (prefix_wrong(("range(x", "range(1, x"), ("x[:, :i], y[:, :i]", "x[:, :i + 1], y[:, :i + 1]")),
         "the empty prompt left out, the answer is in the prompt"),
    ),
    mutations=(
        (OFF, OFF.replace("x[:, :i], y[:, :i]", "x[:, 1:i], y[:, 1:i]")),
        (MEANS, "    return torch.stack([(each ** 2).mean() for each in off]).cumsum(0)"),
        (MEANS, "    return torch.stack([each.mean() ** 2 for each in off])"),
    ))

# ---------------------------------------------------------------- 17.2

TOKENS = '''\
def tokens(x, y):
    """[x_i, x_(i-1), y_(i-1), 1] for every i; before the first pair stand zeros, the last 0, too.

    x (B, n, d), y (B, n): the prompts. Returns tokens (B, n, 2d + 2).
    """
'''
PAIRS = "    pairs = torch.cat([x, y[..., None], torch.ones_like(y)[..., None]], -1)"
BEFORE = "    before = torch.cat([torch.zeros_like(pairs[:, :1]), pairs[:, :-1]], 1)"
TOKENS_SOLUTION = TOKENS + PAIRS + "\n" + BEFORE + "\n    return torch.cat([x, before], -1)"


def tokens_wrong(*edits: tuple[str, str]) -> str:
    """Wrong tokens: the solution with edits."""
    return edited(TOKENS_SOLUTION, *edits)


LATER = """\
    before = torch.cat([pairs[:, 1:], torch.zeros_like(pairs[:, :1])], 1)
    before[..., -1] = 1
    before[:, 0, -1] = 0"""
OWN_Y = BEFORE + "\n    before[..., -2] = y"
tokens = Exercise(
    id="17.2", title="No answer in its own token", answer="tokens", difficulty=2, minutes=4,
    stub=TOKENS + "    ...", solution_source=TOKENS_SOLUTION, check=check_tokens,
    hints=(
        "Make [x_i, y_i, 1] first, for every i. Then move all by one place.",
        "Moved: a row of zeros, then all pairs but the last, pairs[:, :-1], joined along axis 1.",
        "pairs = torch.cat([x, y[..., None], torch.ones_like(y)[..., None]], -1); before = "
        "torch.cat([torch.zeros_like(pairs[:, :1]), pairs[:, :-1]], 1); return torch.cat([x, before], -1).",
    ),
    wrong=(
        (tokens_wrong((BEFORE, OWN_Y)), "y_i is in its own token"),
        (tokens_wrong((BEFORE, BEFORE + "\n    before[..., :-2] = x")), "x_i twice"),
        (tokens_wrong((BEFORE, LATER)), "shifted the other way"),
        (tokens_wrong((BEFORE, "    before = pairs.roll(1, 1)\n    before[:, 0, -1] = 0")),
         "the last pair rolled to the front"),
        (tokens_wrong((BEFORE, BEFORE + "\n    before[..., -1] = 1")), "the first token says that a pair came before"),
        (tokens_wrong((BEFORE, BEFORE + "\n    before[..., -1] = 1 - before[..., -1]")),
         "the last number the wrong way round"),
        (tokens_wrong((BEFORE, "    before = pairs.roll(1, 1)")),
         "the last pair rolled to the front, the first token says that a pair came before"),
    ),
    mutations=(
        (BEFORE, "    before = pairs"),
        (BEFORE, "    before = torch.cat([pairs[:, :1], pairs[:, :-1]], 1)"),
        (PAIRS, "    pairs = torch.cat([x, 2 * y[..., None], torch.ones_like(y)[..., None]], -1)"),
    ))

# ---------------------------------------------------------------- 17.3

READ = '''\
def look_back(q, k, v):
    """Attention in which each token reads itself and those before it, mended.

    q, k, v (B, n, d): what each token asks for, offers and gives.
    Returns what each reads, (B, n, d).
    """
'''
SCORES = "    scores = q @ k.mT / q.shape[-1] ** 0.5"
ALLOWED = "    allowed = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()"
MASKED = "    scores = scores.masked_fill(~allowed, -torch.inf)"
READ_SOLUTION = READ + "\n".join((SCORES, ALLOWED, MASKED, "    return scores.softmax(-1) @ v"))


def read_wrong(*edits: tuple[str, str]) -> str:
    """Wrong reading: the solution with edits."""
    return edited(READ_SOLUTION, *edits)


read = Exercise(
    id="17.3", title="Spot the bug: the future leaks", answer="look_back", difficulty=2, minutes=3, given=READ_BROKEN,
    stub=READ + "    ...", solution_source=READ_SOLUTION, check=check_look_back,
    hints=(
        "What weight does a softmax give to a score of 0?",
        "e^0 = 1: a masked score must be so small that e to it is 0. And a mask after the softmax leaves the later "
        "scores in the denominator.",
        "In place of scores * allowed: scores.masked_fill(~allowed, -torch.inf).",
    ),
    wrong=(
        (READ_BROKEN.replace("look_back_broken", "look_back"), "a score of 0 still counts"),
        (read_wrong((MASKED + "\n", ""), ("scores.softmax(-1)", "(scores.softmax(-1) * allowed)")),
         "masked after the softmax"),
        (read_wrong((".tril()", ".triu()")), "the past is masked"),
        (read_wrong((".tril()", ".tril(-1)"), ("scores.softmax(-1)", "scores.softmax(-1).nan_to_num(0.0)")),
         "a token cannot read itself"),
        (read_wrong((MASKED + "\n", "")), "no mask"),
        (read_wrong(("softmax(-1)", "softmax(-2)")), "a softmax over the readers"),
        (read_wrong((" / q.shape[-1] ** 0.5", "")), "not divided by √d"),
        (read_wrong((MASKED, MASKED.replace("-torch.inf", "0.0")), (".tril()", ".tril(-1)")),
         "a score of 0 still counts, a token cannot read itself"),
        (read_wrong(("scores.softmax(-1)", "scores.softmax(-1).detach()")), CUT),
    ),
    mutations=(
        (SCORES, "    scores = k @ q.mT / q.shape[-1] ** 0.5"),
        (ALLOWED, "    allowed = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(1)"),
        (MASKED, "    scores = scores.masked_fill(~allowed, -1.0)"),
    ))

EXERCISES = (prefix, tokens, read, attend, verdicts, coin, read_words)
