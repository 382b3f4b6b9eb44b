"""The exercise of lesson 07 on code; and those on paper, on a script and on the study."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.exercises.gradients import BACKWARD
from mlcourse.lessons.l07_optimiser.checks import (CUT, FORGETS, GRAPH, LAST, ORDER, RESET, SHARED, SINGLE, START,
                                                   THROUGH, check_stretch)
from mlcourse.lessons.l07_optimiser.exercises_results import descents, marks, verdicts

# ---------------------------------------------------------------- 07.2

STRETCH = '''\
def stretch(m, f, phi, state, steps):
    """Lines [5] to [8]: a stretch of the race, its meta-loss, and where the next one begins.

    m(g, state): the update u, of g's shape, and the next state; f(phi): losses (B,), one a row
    phi: (B, D); state: a tensor, or tuples of them; both without a graph
    Returns (meta_loss, phi, state): the sum over the steps of the loss after each, a mean over the
    B functions, a scalar with its graph; then phi and the state after the last step, without one.
    """
    cut = lambda part: part.detach() if torch.is_tensor(part) else tuple(cut(p) for p in part)
'''
ZERO = "    total = 0"
LEAF = "        leaf = phi.detach().requires_grad_()"
GRADIENT = "        g, = torch.autograd.grad(f(leaf).sum(), leaf)"
STEP = "        u, state = m(g, state)"
MOVE = "        phi = phi + u"
ADD = "        total = total + f(phi)"
RETURN = "    return total.mean(), cut(phi), cut(state)"
STRETCH_SOLUTION = STRETCH + "\n".join((ZERO, "    for _ in range(steps):", LEAF, GRADIENT, STEP, MOVE, ADD, RETURN))


def stretch_wrong(*edits: tuple[str, str]) -> str:
    """A wrong stretch: the solution with edits."""
    return edited(STRETCH_SOLUTION, *edits)


ATTACHED = "        leaf = phi if phi.requires_grad else phi.detach().requires_grad_()"
stretch = Exercise(
    id="07.2", title="A stretch of the race", answer="stretch", difficulty=3, minutes=10,
    stub=STRETCH + "    ...", solution_source=STRETCH_SOLUTION, check=check_stretch,
    hints=(
        "A loop over the steps. In each: a gradient that is a constant, an update of m, a new phi, and its loss. What "
        "has to keep its graph, and what must not?",
        "The gradient is taken at leaf = phi.detach().requires_grad_(); phi = phi + u keeps the graph inside the "
        "stretch, so that early updates hear of late losses. At the end cut both, phi and state.",
        "g, = torch.autograd.grad(f(leaf).sum(), leaf); u, state = m(g, state); phi = phi + u; total = total + f(phi). "
        "After the loop return total.mean(), cut(phi), cut(state).",
    ),
    wrong=(
        (stretch_wrong((LEAF, ATTACHED), ("f(leaf).sum(), leaf", "f(leaf).sum(), leaf, create_graph=True")), THROUGH),
        (stretch_wrong((MOVE, "        phi = phi.detach() + u")), SINGLE),
        (stretch_wrong((STEP, "        u, state = m(g, cut(state))")), FORGETS),
        (stretch_wrong((ADD, "        total = f(phi)")), LAST),
        (stretch_wrong((LEAF, "        total = f(phi) + total\n" + LEAF), (ADD, "        pass")), START),
        (stretch_wrong((ZERO, "    total, first = 0, state"), (STEP, "        u, state = m(g, first)")), RESET),
        (stretch_wrong((MOVE, "        phi = phi - u")), "uphill"),
        (stretch_wrong(("f(leaf).sum()", "f(leaf).mean()")), SHARED),
        (stretch_wrong(("total.mean()", "total.sum()")), "a sum over the functions"),
        (stretch_wrong(("total.mean()", "total.mean() / steps")), "a mean over the steps"),
        (stretch_wrong(("cut(phi), cut(state)", "phi, cut(state)")), GRAPH),
        (stretch_wrong(("cut(phi), cut(state)", "cut(phi), state")), GRAPH),
        (stretch_wrong((ADD, "        total = total + f(phi)\n        f(phi).sum().backward(retain_graph=True)")),
         BACKWARD),
        (stretch_wrong((MOVE, "        phi = phi + u.detach()")), CUT),
        (stretch_wrong((LEAF, "        leaf = phi")), "the gradient of what has no graph"),
        (stretch_wrong((RETURN, "    return cut(phi), cut(state), total.mean()")), ORDER),
        (stretch_wrong((RETURN, "    return cut(state), cut(phi), total.mean()")), ORDER),
        (stretch_wrong((RETURN, "    return cut(phi), total.mean(), cut(state)")), ORDER),
        (stretch_wrong((RETURN, "    return total.mean(), cut(state), cut(phi)")), ORDER),
        (stretch_wrong((ADD, "        total = f(phi)"), ("total.mean()", "total.sum()")),
         f"{LAST}, a sum over the functions"),
    ),
    mutations=(
        (MOVE, "        phi = u"),
        (ADD, "        total = total + f(phi) ** 2"),
        (RETURN, "    return total.mean(), cut(leaf), cut(state)"),
    ))

EXERCISES = (descents, stretch, marks, verdicts)
