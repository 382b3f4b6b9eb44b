"""The exercises of lesson 12 on FTML: the task buffer, and a meta-update; and the others."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l12_stream.checks import IN_PLACE, NO_STEP, check_arrives, check_meta_update
from mlcourse.lessons.l12_stream.exercises_measures import arriving, forgotten, needed
from mlcourse.lessons.l12_stream.exercises_results import verdicts

# ---------------------------------------------------------------- 12.2

ARRIVES = '''\
def arrives(buffer, x, y, begins):
    """Lines [1] and [2]: samples arrive.

    buffer: a list with a pair (x_i, y_i) for every task so far; x (M, D), y (M,): what arrives
    begins: True where these are the first of a new task, else they go behind those of the last
    Returns the new buffer, a list of pairs.
    """
'''
OLD = "    old_x, old_y = buffer[-1]"
NEW = "    return buffer[:-1] + [(torch.cat([old_x, x]), torch.cat([old_y, y]))]"
BEGUN = "    if begins:\n        return buffer + [(x, y)]"
ARRIVES_SOLUTION = ARRIVES + "\n".join((BEGUN, OLD, NEW))


def arrives_wrong(*edits: tuple[str, str]) -> str:
    """A wrong buffer: the solution with edits."""
    return edited(ARRIVES_SOLUTION, *edits)


arrives = Exercise(
    id="12.2", title="The task buffer", answer="arrives", difficulty=1, minutes=3,
    stub=ARRIVES + "    ...", solution_source=ARRIVES_SOLUTION, check=check_arrives,
    hints=(
        "Two cases: a new pair at the end of the list, or longer tensors in its last pair.",
        "torch.cat([old_x, x]) puts samples behind one another; labels likewise.",
        "buffer + [(x, y)] where begins is True, else buffer[:-1] + [(torch.cat([buffer[-1][0], x]), "
        "torch.cat([buffer[-1][1], y]))].",
    ),
    wrong=(
        (arrives_wrong(("if begins:", "if True:")), "every part a task of its own"),
        (arrives_wrong((NEW, "    return buffer[:-1] + [(x, y)]")), "a new part in place of the old ones"),
        (arrives_wrong(("if begins:", "if not buffer:")), "all tasks in one heap"),
        (arrives_wrong(("buffer + [(x, y)]", "[(x, y)]")), "earlier tasks are thrown away"),
        (arrives_wrong((OLD, "    old_x, old_y = buffer[0]"), ("buffer[:-1] + [(torch.cat([old_x, x]), "
                        "torch.cat([old_y, y]))]", "[(torch.cat([old_x, x]), torch.cat([old_y, y]))] + buffer[1:]")),
         "joined to the first task"),
        (arrives_wrong(("[old_x, x]", "[x, old_x]"), ("[old_y, y]", "[y, old_y]")), "new samples in front"),
        (arrives_wrong(("if begins:", "if not buffer:"), ("[old_x, x]", "[x, old_x]"), ("[old_y, y]", "[y, old_y]")),
         "all tasks in one heap, new samples in front"),
    ),
    mutations=(
        (OLD, "    old_x, old_y = buffer[-1][0][:1], buffer[-1][1][:1]"),
        (NEW, "    return buffer[:-1] + [(torch.cat([old_x, x]), torch.cat([y, old_y]))]"),
        (NEW, "    return buffer + [(torch.cat([old_x, x]), torch.cat([old_y, y]))]"),
    ))

# ---------------------------------------------------------------- 12.3

META = '''\
def meta_update(theta, buffer, some, loss, alpha, k, optimiser):
    """Lines [3] to [5] for every task of the buffer: one step of the optimiser on theta.

    theta: a dict of tensors that require gradients, the optimiser's; buffer: pairs (x_i, y_i)
    some(x, y): some of these samples, again a pair (x, y), drawn anew at each call
    loss(params, x, y): a scalar; alpha, k: rate and number of the inner steps
    Changes theta; returns the loss of line [4], the mean over the tasks, a scalar tensor.
    """
'''
START = "        phi, batch = theta, some(x, y)"
GRADIENT = "            g = torch.autograd.grad(loss(phi, *batch), list(phi.values()), create_graph=True)"
MOVED = "            phi = {name: p - alpha * d for (name, p), d in zip(phi.items(), g)}"
TOTAL = "        total = total + loss(phi, *some(x, y)) / len(buffer)"
CLEARED = "    optimiser.zero_grad()"
STEPPED = "    optimiser.step()"
META_SOLUTION = META + "\n".join((
    "    total = 0", "    for x, y in buffer:", START, "        for _ in range(k):", GRADIENT, MOVED, TOTAL, CLEARED,
    "    total.backward()", STEPPED, "    return total.detach()"))


def meta_wrong(*edits: tuple[str, str]) -> str:
    """A wrong update: the solution with edits."""
    return edited(META_SOLUTION, *edits)


meta_update = Exercise(
    id="12.3", title="A meta-update of FTML", answer="meta_update", difficulty=3, minutes=6,
    stub=META + "    ...", solution_source=META_SOLUTION, check=check_meta_update,
    hints=(
        "For each task: start at theta, k steps as in exercise 03.1 on one batch, then the loss of another batch. The "
        "step on theta comes once, after all tasks.",
        "phi, batch = theta, some(x, y); in each of the k steps g = torch.autograd.grad(loss(phi, *batch), "
        "list(phi.values()), create_graph=True). Then total = total + loss(phi, *some(x, y)) / len(buffer).",
        "After the loop over the tasks: optimiser.zero_grad(); total.backward(); optimiser.step(); return "
        "total.detach(). A step is phi = {name: p - alpha * d for (name, p), d in zip(phi.items(), g)}.",
    ),
    wrong=(
        (meta_wrong((", create_graph=True", "")), "first order"),
        (meta_wrong(("*some(x, y))", "*batch)")), "one batch for both"),
        (meta_wrong(("loss(phi, *some", "loss(theta, *some")), "no inner step"),
        (meta_wrong(("    total = 0", "    total, phi = 0, theta"), (START, "        batch = some(x, y)")),
         "φ goes on from task to task"),
        (meta_wrong(("in buffer:", "in buffer[:-1]:"), ("len(buffer)", "(len(buffer) - 1)")),
         "the current task is left out"),
        (meta_wrong(("in buffer:", "in buffer[-1:]:"), (" / len(buffer)", "")), "the current task alone"),
        (meta_wrong((" / len(buffer)", "")), "a sum in place of the mean"),
        (meta_wrong((CLEARED + "\n", "")), "gradients add up"),
        (meta_wrong(("range(k)", "range(1)")), "one inner step whatever k is"),
        (meta_wrong(("loss(phi, *batch)", "loss(phi, *some(x, y))"), (START, "        phi = theta")),
         "another batch for every inner step"),
        (meta_wrong(("some(x, y)", "(x, y)")), "all samples in place of a draw"),
        (meta_wrong((STEPPED + "\n", "")), NO_STEP),
        (meta_wrong((MOVED, "            with torch.no_grad():\n                for p, d in zip(phi.values(), g):\n"
                            "                    p -= alpha * d")), IN_PLACE),
        (meta_wrong((", create_graph=True", ""), (" / len(buffer)", "")), "first order, a sum in place of the mean"),
    ),
    mutations=(
        (MOVED, "            phi = {name: p + alpha * d for (name, p), d in zip(phi.items(), g)}"),
        (GRADIENT, "            g = torch.autograd.grad(loss(theta, *batch), list(theta.values()), create_graph=True)"),
        (TOTAL, "        total = total + loss(phi, *some(x, y)) / 2"),
        ("    return total.detach()", "    return 2 * total.detach()"),
    ))

EXERCISES = (needed, arrives, meta_update, arriving, forgotten, verdicts)
