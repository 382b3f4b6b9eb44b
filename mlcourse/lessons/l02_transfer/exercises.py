"""Exercises of lesson 02 on what is kept: a head in closed form, blocks that stay as they are, two losses that are two;
those on results lie in `exercises_results`."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l02_transfer import exercises_results
from mlcourse.lessons.l02_transfer.checks import (ALL_STILL, BATCHED, CONSTANT, DRIFT, HALF_BIAS, MIXED, NO_BIAS,
                                                  NO_PENALTY, NOTHING, OFF_BY_ONE, ONE_LOSS, PER_CLASS, PER_PICTURE,
                                                  SQUARED, SWAPPED, UNCENTRED, UNWEIGHTED, WEIGHTS,
                                                  check_joint_losses, check_ridge_head, check_train_top)

# ---------------------------------------------------------------- 02.1

RIDGE = '''\
def ridge_head(z, y, lam):
    """A linear head on frozen features, in closed form: W = Zᵀ (Z Zᵀ + λ I)⁻¹ Y.

    z (M, d): features of M labelled pictures; y (M, N): their labels, one-hot; lam: λ. Floats of
        one type, 32 or 64 bits: torch.eye(M).to(z) has it, too.
    Z, Y: z and y less their means over the M pictures; I: the M × M identity
    Returns W (d, N) and b (N,). The outputs for features x are x @ W + b; b is such that at the
    mean feature they are the mean of y.
    """
'''
RIDGE_SOLUTION = RIDGE + '''\
    Z, Y = z - z.mean(0), y - y.mean(0)
    kernel = Z @ Z.T + lam * torch.eye(len(z)).to(z)
    W = Z.T @ torch.linalg.solve(kernel, Y)
    b = y.mean(0) - z.mean(0) @ W
    return W, b'''
CENTRED = "    Z, Y = z - z.mean(0), y - y.mean(0)"
KERNEL = "    kernel = Z @ Z.T + lam * torch.eye(len(z)).to(z)"
W = "    W = Z.T @ torch.linalg.solve(kernel, Y)"
B = "    b = y.mean(0) - z.mean(0) @ W"


def ridge_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 02.1: the solution with edits."""
    return edited(RIDGE_SOLUTION, *edits)


ridge_head = Exercise(
    id="02.1", title="A head in closed form", answer="ridge_head", difficulty=2, minutes=6,
    stub=RIDGE + "    ...", solution_source=RIDGE_SOLUTION, check=check_ridge_head,
    hints=(
        "Four lines: centre both, form the M × M matrix, solve, and ask what is missing where x is not centred.",
        "torch.linalg.solve(A, Y) is A⁻¹ Y. For b: at x = z.mean(0) the outputs x @ W + b should be y.mean(0).",
        "W = Z.T @ torch.linalg.solve(Z @ Z.T + lam * torch.eye(len(z)).to(z), Y), b = y.mean(0) - z.mean(0) @ W.",
    ),
    wrong=(
        (ridge_wrong((CENTRED, "    Z, Y = z, y")), UNCENTRED),
        (ridge_wrong((CENTRED, "    Z, Y = z, y"), (B, "    b = torch.zeros(y.shape[1])")), UNCENTRED),
        (ridge_wrong((B, "    b = torch.zeros(y.shape[1])")), NO_BIAS),
        (ridge_wrong((B, "    b = y.mean(0)")), HALF_BIAS),
        (ridge_wrong((KERNEL, "    kernel = Z @ Z.T + lam * len(z) * torch.eye(len(z)).to(z)")), PER_PICTURE),
        (ridge_wrong((KERNEL, "    kernel = Z @ Z.T / len(z) + lam * torch.eye(len(z)).to(z)"),
                     (W, "    W = Z.T @ torch.linalg.solve(kernel, Y) / len(z)")), PER_PICTURE),
        (ridge_wrong((KERNEL, "    kernel = Z @ Z.T + lam / len(z) * torch.eye(len(z)).to(z)")), PER_CLASS),
        (ridge_wrong((KERNEL, "    kernel = Z @ Z.T + lam**2 * torch.eye(len(z)).to(z)")), SQUARED),
        (ridge_wrong((W, "    W = torch.linalg.pinv(Z) @ Y")), NO_PENALTY),
        (ridge_wrong((KERNEL, "    kernel = Z @ Z.T + lam * len(z) * "
                              "torch.eye(len(z)).to(z)"), (B, "    b = y.mean(0)")),
         f"{HALF_BIAS}, {PER_PICTURE}"),
    ),
    mutations=(
        (CENTRED, "    Z, Y = z - z.mean(), y - y.mean(0)"),
        (KERNEL, "    kernel = Z @ Z.T - lam * torch.eye(len(z)).to(z)"),
        (W, "    W = Z.T @ kernel @ Y"),
        (B, "    b = y.mean(0) + z.mean(0) @ W"),
    ))

# ---------------------------------------------------------------- 02.2

TOP_GIVEN = '''\
def train_top_broken(net, depth, batches, lr):
    """Train all but the first `depth` blocks. Runs, and no frozen weight changes."""
    net.train()
    for block in net[:depth]:
        block.requires_grad_(False)
    optimiser = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr)
    for x, y in batches:
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()
    return net'''
TOP = '''\
def train_top(net, depth, batches, lr):
    """Train all but the first `depth` blocks, which must answer afterwards as they did before.

    net: a torch.nn.Sequential of blocks, with batch norms of torch's (nn.BatchNorm2d) in them
    batches: a list of (pictures, labels), one step of SGD for each. Returns the trained net.
    """
'''
TOP_LINES = '''\
    net.train()
    for block in net[:depth]:
        block.requires_grad_(False)
        block.eval()
    optimiser = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr)
    for x, y in batches:
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()
    return net'''
TOP_SOLUTION = TOP + TOP_LINES
FROZEN, EVAL, BLOCKS = "        block.requires_grad_(False)", "        block.eval()", "    for block in net[:depth]:"
STEP = "        optimiser.step()"


def top_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 02.2: the solution with edits."""
    return edited(TOP_SOLUTION, *edits)


train_top = Exercise(
    id="02.2", title="Spot the bug: frozen, and still it moves", answer="train_top", difficulty=2, minutes=4,
    given=TOP_GIVEN, stub=TOP + "    ...", solution_source=TOP_SOLUTION, check=check_train_top,
    hints=(
        "Which numbers of a block change without a gradient? Compare net[0].state_dict() before and after.",
        "A batch norm in training mode normalises by the batch, and moves its running mean and variance at every "
        "forward pass. What switches that off, and for which blocks?",
        "Keep the broken code, and after net.train() call block.eval() for each frozen block.",
    ),
    wrong=(
        (edited(TOP_GIVEN, ("train_top_broken", "train_top")), DRIFT),
        (top_wrong((FROZEN + "\n", ""), ("[p for p in net.parameters() if p.requires_grad]", "net.parameters()")),
         WEIGHTS),
        (top_wrong((EVAL, "        block.train()"), (FROZEN, "        pass")), f"{WEIGHTS}, {DRIFT}"),
        (top_wrong((EVAL, "        net.eval()")), ALL_STILL),
        (top_wrong((BLOCKS, "    for block in net[:depth + 1]:")), OFF_BY_ONE),
        (top_wrong((EVAL, "        for module in block.modules():\n"
                          "            if isinstance(module, torch.nn.BatchNorm2d):\n                module.momentum = "
                          "0.0")), BATCHED),
        (top_wrong((STEP + "\n", "")), NOTHING),
    ),
    mutations=(
        (FROZEN, "        block.requires_grad_(True)"),
        (EVAL, "        block.eval().train()"),
        (BLOCKS, "    for block in net[depth:]:"),
        (STEP, "        pass"),
    ))

# ---------------------------------------------------------------- 02.4

JOINT_GIVEN = '''\
def joint_losses_broken(net, source, target, weight):
    """Runs, and both losses fall together, to the last digit. Two bugs."""
    (x, y), (xt, yt) = source, target
    cross_entropy = torch.nn.functional.cross_entropy
    source_loss = cross_entropy(net(x), y)
    target_loss = cross_entropy(net(x), y)
    loss = (1 - weight) * source_loss + weight * target_loss.item()
    return loss, source_loss, target_loss'''
JOINT = '''\
def joint_losses(net, source, target, weight):
    """Joint training: descend (1 - weight) times the source's loss plus weight times the target's.

    source, target: pairs of pictures and labels; net: makes logits of pictures
    Returns three scalar tensors: the loss to descend, the source's and the target's cross-entropy.
    """
'''
JOINT_SOLUTION = JOINT + '''\
    (x, y), (xt, yt) = source, target
    cross_entropy = torch.nn.functional.cross_entropy
    source_loss = cross_entropy(net(x), y)
    target_loss = cross_entropy(net(xt), yt)
    loss = (1 - weight) * source_loss + weight * target_loss
    return loss, source_loss, target_loss'''
TARGET_LOSS = "    target_loss = cross_entropy(net(xt), yt)"
JOINT_LOSS = "    loss = (1 - weight) * source_loss + weight * target_loss"


def joint_wrong(*edits: tuple[str, str]) -> str:
    """A wrong answer to 02.4: the solution with edits."""
    return edited(JOINT_SOLUTION, *edits)


joint_losses = Exercise(
    id="02.4", title="Spot two bugs: two losses that are one", answer="joint_losses", difficulty=2, minutes=4,
    given=JOINT_GIVEN, stub=JOINT + "    ...", solution_source=JOINT_SOLUTION, check=check_joint_losses,
    hints=(
        "Which of the two losses would change if every picture of the target were black? And which can the descent "
        "lower?",
        "The target's loss has to be made of net(xt) and yt. And .item() gives a plain number, which has no gradient.",
        "target_loss = cross_entropy(net(xt), yt), and in the sum target_loss without .item().",
    ),
    wrong=(
        (edited(JOINT_GIVEN, ("joint_losses_broken", "joint_losses")), f"{ONE_LOSS}, {CONSTANT}"),
        (joint_wrong((TARGET_LOSS, "    target_loss = cross_entropy(net(x), y)")), ONE_LOSS),
        (joint_wrong((TARGET_LOSS, "    target_loss = cross_entropy(net(xt), y)")), MIXED),
        (joint_wrong((TARGET_LOSS, "    target_loss = cross_entropy(net(x), yt)")), MIXED),
        (joint_wrong((TARGET_LOSS, "    target_loss = cross_entropy(net(xt), y[:len(yt)])")), MIXED),
        (edited(JOINT_GIVEN, ("joint_losses_broken", "joint_losses"), ("target_loss = cross_entropy(net(x), y)",
                "target_loss = cross_entropy(net(xt), y)")), f"{MIXED}, {CONSTANT}"),
        (joint_wrong((JOINT_LOSS, JOINT_LOSS + ".item()")), CONSTANT),
        (joint_wrong((JOINT_LOSS, "    loss = source_loss + target_loss")), UNWEIGHTED),
        (joint_wrong((JOINT_LOSS, "    loss = source_loss + weight * target_loss")), UNWEIGHTED),
        (joint_wrong(("return loss, source_loss, target_loss", "return loss, target_loss, source_loss")), SWAPPED),
    ),
    mutations=(
        (TARGET_LOSS, "    target_loss = cross_entropy(net(xt), yt, reduction='sum')"),
        (TARGET_LOSS, "    target_loss = source_loss"),
        (JOINT_LOSS, "    loss = weight * source_loss + (1 - weight) * target_loss"),
        (JOINT_LOSS, "    loss = (1 - weight) * source_loss.detach() + weight * target_loss"),
    ))

EXERCISES = (ridge_head, train_top, exercises_results.crossover, joint_losses, exercises_results.verdicts)
