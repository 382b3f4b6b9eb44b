"""The exercises of lesson 12 on what is measured: samples needed, accuracy as samples arrive, and forgetting."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l12_stream.broken import ARRIVING_BROKEN
from mlcourse.lessons.l12_stream.checks_measures import check_arriving, check_forgotten, check_needed

# ---------------------------------------------------------------- 12.1

NEEDED = '''\
def needed(curves, sizes, threshold):
    """How many samples the tasks of a stream needed.

    curves (T, S): the accuracy of T tasks, each with its first n samples, n from sizes
    sizes: a list of S numbers that grow; threshold: an accuracy of at least this passes
    Returns (share, median): the share of the tasks that ever pass, and the least n with which at
    least half of them have passed, None where that never happens. Once passed is passed.
    """
'''
ONCE = "    passed = (curves >= threshold).double().cummax(1).values"
SHARE = "    share = passed.mean(0)"
MEDIAN = "    median = next((n for n, s in zip(sizes, share.tolist()) if s >= 0.5), None)"
NEEDED_SOLUTION = NEEDED + "\n".join((ONCE, SHARE, MEDIAN, "    return float(share[-1]), median"))


def needed_wrong(*edits: tuple[str, str]) -> str:
    """A wrong count: the solution with edits."""
    return edited(NEEDED_SOLUTION, *edits)


needed = Exercise(
    id="12.1", title="How many samples?", answer="needed", difficulty=2, minutes=4,
    stub=NEEDED + "    ...", solution_source=NEEDED_SOLUTION, check=check_needed,
    hints=(
        "For every size: which share of the tasks has passed by then? The rest is reading that off.",
        "(curves >= threshold).double().cummax(1).values is 1 from the first pass on. Its mean over the tasks, "
        "mean(0), is the share that has passed with each size.",
        "share = ….mean(0); median = next((n for n, s in zip(sizes, share.tolist()) if s >= 0.5), None); return "
        "float(share[-1]), median.",
    ),
    wrong=(
        (needed_wrong((", None)", ", sizes[-1])")), "never reached counts as the last number"),
        (needed_wrong((ONCE, ONCE + "\n    ever = float(passed[:, -1].mean())\n    passed = passed[passed[:, -1] > 0]"),
                      ("float(share[-1])", "ever")), "never reached is left out"),
        (needed_wrong((">= threshold", "> threshold")), "above the threshold only"),
        (needed_wrong((".cummax(1).values", ".flip(1).cummin(1).values.flip(1)")), "has to stay above"),
        (needed_wrong(("s >= 0.5", "s > 0.5")), "more than half"),
        (needed_wrong(("n for n, s in zip(sizes, share.tolist())", "n for n, s in enumerate(share.tolist())")),
         "which number, not how many samples"),
        (needed_wrong((">= threshold", "> threshold"), (", None)", ", sizes[-1])")),
         "never reached counts as the last number, above the threshold only"),
    ),
    mutations=(
        (ONCE, "    passed = (curves >= threshold).double()"),
        (SHARE, "    share = passed.amax(0)"),
        ("    return float(share[-1]), median", "    return float(share[0]), median"),
    ))

# ---------------------------------------------------------------- 12.4

ARRIVING = '''\
def arriving(strategy, task, sizes):
    """The accuracy for one task as its samples arrive, mended.

    strategy: has begin(), see(x, y), before() and after(x, y); the last two return what answers,
    as it is and after adapting to these samples, as line [6] does: predict(x), logits (M, N)
    task: x (M, D), y (M,), which arrive, and test_x, test_y; sizes: numbers that grow
    Returns an accuracy for each of the sizes.
    """
'''
SEEN = "        strategy.see(task.x[last:n], task.y[last:n])"
ADAPTED = "        predict = strategy.after(task.x[:n], task.y[:n])"
RIGHT = "        right.append(float((predict(task.test_x).argmax(1) == task.test_y).float().mean()))"
ARRIVING_SOLUTION = ARRIVING + "\n".join((
    "    strategy.begin()", "    right, last = [], 0", "    for n in sizes:", SEEN, ADAPTED, RIGHT, "        last = n",
    "    return right"))


def arriving_wrong(*edits: tuple[str, str]) -> str:
    """A wrong protocol: the solution with edits."""
    return edited(ARRIVING_SOLUTION, *edits)


arriving = Exercise(
    id="12.4", title="Spot two bugs: ten samples are enough", answer="arriving", difficulty=2, minutes=4,
    given=ARRIVING_BROKEN, stub=ARRIVING + "    ...", solution_source=ARRIVING_SOLUTION, check=check_arriving,
    hints=(
        "Two questions: which strategy answers, one that has adapted or not? And what is it asked?",
        "A network knows the answers to what it was trained on. And line [6] adapts to all samples of the task so far.",
        "predict = strategy.after(task.x[:n], task.y[:n]), and the share right of predict(task.test_x) against "
        "task.test_y.",
    ),
    wrong=(
        (ARRIVING_BROKEN.replace("arriving_broken", "arriving"),
         "asked before adapting, tested on what it learned from"),
        (arriving_wrong(("strategy.after(task.x[:n], task.y[:n])", "strategy.before()")), "asked before adapting"),
        (arriving_wrong(("predict(task.test_x).argmax(1) == task.test_y",
                         "predict(task.x[:n]).argmax(1) == task.y[:n]")),
         "tested on what it learned from"),
        (arriving_wrong(("predict(task.test_x).argmax(1) == task.test_y",
                         "predict(task.x[last:n]).argmax(1) == task.y[last:n]")), "tested on the new part"),
        (arriving_wrong(("after(task.x[:n], task.y[:n])", "after(task.x[last:n], task.y[last:n])")),
         "adapts to the new part alone"),
        (arriving_wrong(("after(task.x[:n], task.y[:n])", "after(task.test_x, task.test_y)")),
         "adapts to test pictures"),
        (arriving_wrong(("see(task.x[last:n], task.y[last:n])", "see(task.x[:n], task.y[:n])")),
         "old samples arrive again"),
        (arriving_wrong(("    strategy.begin()\n", "")), "the task does not begin"),
    ),
    mutations=(
        (ADAPTED, "        predict = strategy.after(task.x[:last + 1], task.y[:last + 1])"),
        (RIGHT, "        right.append(float((predict(task.test_x).argmax(1) != task.test_y).float().mean()))"),
        (SEEN, "        strategy.see(task.x[last:n - 1], task.y[last:n - 1])"),
    ))

# ---------------------------------------------------------------- 12.5

FORGOTTEN = '''\
def forgotten(a):
    """What is lost at the end of a stream, of every task but the last.

    a (T, T): in row j, after round j, the accuracy for each task i up to j; nan for later tasks
    Returns (T - 1,): for each task its best accuracy after any round before the last, less that
    after the last round.
    """
'''
BEST = "    best = torch.stack([a[i:-1, i].max() for i in range(len(a) - 1)])"
LOST = "    return best - a[-1, :-1]"
FORGOTTEN_SOLUTION = FORGOTTEN + "\n".join((BEST, LOST))


def forgotten_wrong(*edits: tuple[str, str]) -> str:
    """A wrong measure: the solution with edits."""
    return edited(FORGOTTEN_SOLUTION, *edits)


forgotten = Exercise(
    id="12.5", title="What is forgotten", answer="forgotten", difficulty=1, minutes=3,
    stub=FORGOTTEN + "    ...", solution_source=FORGOTTEN_SOLUTION, check=check_forgotten,
    hints=(
        "A task is a column. From which row on does it have numbers, and which of them count as earlier?",
        "a[i:-1, i] are the accuracies for task i after the rounds i to the last but one; a[-1, i] is the last.",
        "torch.stack([a[i:-1, i].max() - a[-1, i] for i in range(len(a) - 1)]).",
    ),
    wrong=(
        (forgotten_wrong((LOST, "    return a[-1, :-1] - best")), "the sign"),
        (forgotten_wrong(("a[i:-1, i].max()", "a[i, i]")), "the first in place of the best"),
        (forgotten_wrong(("a[i:-1, i].max()", "a[i:, i].max()")), "the last round counts as earlier"),
        (forgotten_wrong(("a[i:-1, i].max()", "a[-2, i]")), "the round before in place of the best"),
        (forgotten_wrong(("a[i:-1, i].max()", "a[i, i]"), (LOST, "    return a[-1, :-1] - best")),
         "the sign, the first in place of the best"),
    ),
    mutations=(
        (BEST, "    best = torch.stack([a[i:-1, i].min() for i in range(len(a) - 1)])"),
        (BEST, "    best = torch.stack([a[i:-1, i].mean() for i in range(len(a) - 1)])"),
        (LOST, "    return best - a[-2, :-1]"),
    ))
