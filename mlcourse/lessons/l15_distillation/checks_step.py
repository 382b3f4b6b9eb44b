"""The check of exercise 15.4: steps of distillation, compared with steps whose faults are known."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mlcourse.exercises.framework import Crashed, LearnerFunction, Misconception, NotYet, all_of, explain
from mlcourse.exercises.values import DIGITS, number

STILL = "nothing moves"
PILED_UP = "gradients of earlier steps pile up"
AFTER = "the loss after the step"
TAUGHT_BACK = "the teacher is trained"
OTHER_WAY = "the student's logits where the teacher's belong"
NO_TAU = "the temperature is forgotten"
ALONE = "one network is asked twice"
TWICE = "τ² twice"
IGNORED = "the loss that is handed over is ignored"

RATE, STEPS, TAU = 0.5, 2, 2.0

Loss = Callable[[Tensor, Tensor, float], Tensor]


def networks() -> tuple[nn.Module, nn.Module]:
    """A student and a teacher: small linear networks of five numbers, in float64."""
    generator, made = torch.Generator().manual_seed(60), []
    for _ in range(2):
        net = nn.Linear(5, 4, dtype=torch.float64)
        with torch.no_grad():
            for p in net.parameters():
                p.copy_(2 * torch.randn(p.shape, generator=generator, dtype=p.dtype))
        made.append(net)
    return made[0], made[1]


def batch(step: int) -> Tensor:
    """The inputs of a step."""
    return torch.randn(6, 5, generator=torch.Generator().manual_seed(70 + step), dtype=torch.float64)


def weights(*nets: nn.Module) -> list[float]:
    """All their weights."""
    return torch.cat([p.detach().flatten() for net in nets for p in net.parameters()]).tolist()


def agree(got: list[float], want: list[float]) -> bool:
    """Whether all numbers agree to the digits of float32."""
    return all(abs(a - b) <= DIGITS * max(1.0, abs(b)) for a, b in zip(got, want, strict=True))


def check_step(answer: object) -> str:
    """15.4: two steps of a student, with an optimiser that holds the teacher's weights as well."""
    function = LearnerFunction(answer, "distil_step")
    student, teacher = networks()
    before, losses, calls = weights(teacher), [], []
    optimiser = torch.optim.SGD([*student.parameters(), *teacher.parameters()], RATE)
    teacher.register_forward_hook(lambda *_: calls.append("teacher"))
    for step in range(STEPS):
        returned = function(student, teacher, optimiser, batch(step), TAU, handed)
        losses.append(number(returned, "distil_step must return the loss of this batch, one number"))
    found = [] if weights(teacher) == before else [Misconception(
        TAUGHT_BACK, "the teacher's weights moved: its logits still carry a graph, and this optimiser holds its "
        "weights too. Ask the teacher under torch.no_grad(), or detach what it says.")]
    got, run = [*losses, *weights(student)], lambda **faults: trained(meets=bool(found), **faults)
    if not agree(got, want := run()):
        if not calls:
            raise NotYet("the teacher was never asked; its logits of the pictures x are the targets.")
        known = None
        try:
            explain(got, run, FAULTS, agree)
        except Misconception as misconception:
            known = misconception
        if known is None and not found:
            raise NotYet(f"the loss that was handed over is {want[0]:.4f} in the first step and {want[1]:.4f} in the "
                         f"second, but you returned {losses[0]:.4f} and {losses[1]:.4f}; or else the weights are not "
                         "those of steps down it.")
        found += [known] if known else []
    if found:
        raise all_of(found)
    try:
        function(student, lambda x: teacher(x).detach(), optimiser, batch(0), TAU, handed)
    except Crashed as crash:
        raise NotYet("the step is right, but it fails for a teacher that is a plain function, as section 5's is "
                     f"({crash.error}): ask the teacher for logits and for nothing else.") from None
    return "The student takes the steps of gradient descent, and the teacher is who it was."


def divergence(z: Tensor, v: Tensor, tau: float) -> Tensor:
    """The loss of 15.3, but it does not hide the teacher from the gradient."""
    log_q, log_p = ((logits / tau).log_softmax(-1) for logits in (z, v))
    return tau**2 * (log_p.exp() * (log_p - log_q)).sum(-1).mean()


def cross_entropy(z: Tensor, v: Tensor, tau: float) -> Tensor:
    """The other form of it."""
    return -tau**2 * ((v / tau).softmax(-1) * (z / tau).log_softmax(-1)).sum(-1).mean()


def handed(z: Tensor, v: Tensor, tau: float) -> Tensor:
    """The loss that the check hands over: with a price on large logits z, so that it is neither form of 15.3."""
    return divergence(z, v, tau) + z.square().mean()


def trained(roles: str = "right", tau: float = TAU, moves: float = 1.0, keeps: float = 0.0, says: str = "before",
            times: float = 1.0, meets: bool = False, by: Loss = handed) -> list[float]:
    """The losses of the steps, then the student's weights; the options are the known faults. meets: the teacher
    moves. by: the loss."""
    student, teacher = networks()
    own = list(student.parameters())
    params = [*own, *teacher.parameters()] if meets else own
    past, losses = [torch.zeros_like(p) for p in params], []
    for step in range(STEPS):
        loss = times * loss_of(student, teacher, step, roles, tau, by)
        past = [keeps * old + new for old, new in zip(past, torch.autograd.grad(loss, params))]
        with torch.no_grad():
            for p, grad in zip(params, past):
                p -= RATE * moves * grad
            losses.append(float(loss if says == "before" else times * loss_of(student, teacher, step, roles, tau, by)))
    return losses + weights(student)


def loss_of(student: nn.Module, teacher: nn.Module, step: int, roles: str, tau: float, by: Loss) -> Tensor:
    """The loss of a step's batch."""
    z, v = student(batch(step)), teacher(batch(step))
    pair = {"right": (z, v), "swapped": (v, z), "alone": (z, z.detach())}[roles]
    return by(*pair, tau)


FAULTS = (
    (STILL, {"moves": 0.0}, "after two steps the student is what it was; the gradient needs backward(), and after it "
     "the optimiser needs step(), with no zero_grad() between"),
    (PILED_UP, {"keeps": 1.0}, "the first step is right, but the second adds its gradient to that of the first; "
     "zero_grad() empties them"),
    (AFTER, {"says": "after"}, "the training is right, but the number is the loss after the step; hand back the one "
     "that you went down on"),
    (OTHER_WAY, {"roles": "swapped"}, "the loss takes the student's logits first, then the teacher's: loss(z, v, tau)"),
    (NO_TAU, {"tau": 1.0}, "the temperature that you were given does not reach the loss"),
    (ALONE, {"roles": "alone"}, "z and v come from the same network; v is what the teacher says of x"),
    (TWICE, {"times": TAU**2}, "the loss of 15.3 holds the τ² of line [6] already; here it comes in once more"),
    *((IGNORED, {"by": by}, "you took a loss of your own choice; the step must go down the argument `loss`, and the "
       "check hands over another than 15.3's") for by in (divergence, cross_entropy)),
)
