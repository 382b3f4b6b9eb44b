"""The exercises of lesson 09 on the addressing and the writing of a memory; and the others."""

from __future__ import annotations

from mlcourse.exercises.framework import IN_PLACE, Exercise, edited
from mlcourse.lessons.l09_memory.checks import (CUT, EMPTY, LOG_0, SLOPE, UNDERFLOW, check_content,
                                                check_move, check_write)
from mlcourse.lessons.l09_memory.exercises_episode import episode, shares
from mlcourse.lessons.l09_memory.exercises_results import verdicts

# ---------------------------------------------------------------- 09.1

CONTENT = '''\
def content(memory, key, strength):
    """Line [2]: which rows resemble the key.

    memory: (B, N, W), B memories of N rows; a row may be all zeros; key: (B, W); strength: (B, 1)
    Returns (B, N): over each memory's rows the softmax of strength times cosine.
    """
'''
PRODUCT = "    product = (memory * key[:, None]).sum(-1)"
LENGTHS = "    lengths = memory.norm(dim=-1) * key.norm(dim=-1)[:, None]"
COSINE = "    cosine = product / (lengths + 1e-3)"
FOCUS = "    focus = torch.softmax(strength * cosine, -1)"
CONTENT_SOLUTION = CONTENT + "\n".join((PRODUCT, LENGTHS, COSINE, FOCUS, "    return focus"))


def content_wrong(*edits: tuple[str, str]) -> str:
    """A wrong focus by content: the solution with edits."""
    return edited(CONTENT_SOLUTION, *edits)


content = Exercise(
    id="09.1", title="By content", answer="content", difficulty=2, minutes=4,
    stub=CONTENT + "    ...", solution_source=CONTENT_SOLUTION, check=check_content,
    hints=(
        "Inner products of the key with all rows, divided by both lengths; then a softmax over the rows.",
        "key[:, None] has the shape (B, 1, W), so (memory * key[:, None]).sum(-1) are the inner products, (B, N). A "
        "row of zeros has the length 0: add 1e-3 to the divisor.",
        "cosine = product / (memory.norm(dim=-1) * key.norm(dim=-1)[:, None] + 1e-3); then "
        "torch.softmax(strength * cosine, -1).",
    ),
    wrong=(
        (content_wrong(("strength * cosine", "cosine")), "no strength"),
        (content_wrong((FOCUS, "    focus = strength * torch.softmax(cosine, -1)")),
         "the strength outside the softmax"),
        (content_wrong(("strength * cosine", "cosine / strength")), "the strength as a temperature"),
        (content_wrong((" / (lengths + 1e-3)", "")), "the longest row wins"),
        (content_wrong((" * key.norm(dim=-1)[:, None]", "")), "the key's length is left in"),
        (content_wrong(("cosine, -1)", "cosine, 0)")), "softmax over the batch"),
        (content_wrong((FOCUS, "    focus = strength * cosine")), "no softmax"),
        (content_wrong((" + 1e-3", "")), EMPTY),
        (content_wrong(("memory.norm(dim=-1)", "(memory ** 2).sum(-1).sqrt()")), SLOPE),
        (content_wrong(("return focus", "return focus.detach()")), CUT),
        (content_wrong((COSINE, COSINE + ".detach()")), CUT),
        (content_wrong(("key[:, None]).sum", "key[:, None].detach()).sum")), CUT),
        (content_wrong(("(memory * key", "(memory.detach() * key")), CUT),
        (content_wrong(("strength * cosine", "strength.detach() * cosine")), CUT),
        (content_wrong((LENGTHS, LENGTHS + ".detach()")), CUT),
        (content_wrong((LENGTHS, LENGTHS + "\n    memory.div_(2)")), IN_PLACE),
        (content_wrong((" / (lengths + 1e-3)", ""), ("strength * cosine", "cosine")),
         "no strength, the longest row wins"),
    ),
    mutations=(
        (PRODUCT, "    product = (memory * key[:, None]).mean(-1)"),
        (LENGTHS, "    lengths = memory.norm(dim=-1) ** 2"),
        (FOCUS, "    focus = torch.softmax(-strength * cosine, -1)"),
    ))

# ---------------------------------------------------------------- 09.2

MOVE = '''\
def move(content, before, gate, shift, sharpness):
    """Lines [3] to [5]: from the focus by content and the focus before to the new focus.

    content, before: (B, N); gate, sharpness: (B, 1), from 0 to 1 and at least 1
    shift: (B, 3), shares of the moves by -1, 0 and +1 rows; the rows form a circle
    Returns (B, N); each focus sums to 1.
    """
'''
MIX = "    mixed = gate * content + (1 - gate) * before"
ROLLS = "    rolled = torch.stack([mixed.roll(-1, -1), mixed, mixed.roll(1, -1)], -1)"
MOVED = "    moved = (rolled * shift[:, None]).sum(-1)"
SHARPEN = "    sharpen = lambda moved: torch.softmax(sharpness * torch.log(moved + 1e-8), -1)      # [5]"
SHARP = "    return sharpen(moved)"
MOVE_SOLUTION = MOVE + "\n".join((SHARPEN, MIX, ROLLS, MOVED, SHARP))
POWER = "    sharp = moved ** sharpness\n    return sharp / sharp.sum(-1, keepdim=True)"


def move_wrong(*edits: tuple[str, str]) -> str:
    """A wrong move: the solution with edits."""
    return edited(MOVE_SOLUTION, *edits)


move = Exercise(
    id="09.2", title="Step on, and stay sharp", answer="move", difficulty=3, minutes=5,
    stub=MOVE + SHARPEN + "\n    ...", solution_source=MOVE_SOLUTION, check=check_move,
    hints=(
        "One line for [3]; line [4] is a sum of three focuses. torch.roll turns a focus round the circle.",
        "mixed.roll(1, -1) moves every weight one row forward, mixed.roll(-1, -1) one back; add both and mixed itself, "
        "each times its share, shift[:, 2:], shift[:, :1] and shift[:, 1:2].",
        "mixed = gate * content + (1 - gate) * before; moved = shift[:, :1] * mixed.roll(-1, -1) + shift[:, 1:2] * "
        "mixed + shift[:, 2:] * mixed.roll(1, -1); return sharpen(moved).",
    ),
    wrong=(
        (move_wrong((MIX, "    mixed = gate * before + (1 - gate) * content")),
         "the gate the other way round"),
        (move_wrong((ROLLS, "    rolled = torch.stack([mixed.roll(1, -1), mixed, mixed.roll(-1, -1)], -1)")),
         "the shift the other way round"),
        (move_wrong((ROLLS, "    wide = torch.nn.functional.pad(mixed, (1, 1))\n"
                            "    rolled = torch.stack([wide[:, 2:], mixed, wide[:, :-2]], -1)"), (SHARP, POWER)),
         "rows lost at the ends"),
        (move_wrong((SHARP, "    return moved")), "not sharpened"),
        (move_wrong((SHARP, "    return moved ** sharpness")), "weights that do not sum to 1"),
        (move_wrong((SHARP, POWER)), UNDERFLOW),
        (move_wrong((" + 1e-8", "")), LOG_0),
        (move_wrong((ROLLS, "    rolled = torch.stack([mixed.roll(-1), mixed, mixed.roll(1)], -1)")),
         "rolled without a dimension"),
        (move_wrong((ROLLS, "    rolled = torch.stack([mixed.roll(-1, 0), mixed, mixed.roll(1, 0)], -1)")),
         "rolled over the batch"),
        (move_wrong((SHARP, "    sharp = moved ** sharpness\n    return sharp / sharp.sum()")),
         "one sum for the whole batch"),
        (move_wrong((SHARP, "    return torch.softmax(sharpness * moved, -1)")), "a softmax without the logarithm"),
        (move_wrong((SHARP, SHARP + ".detach()")), CUT),
        (move_wrong(("gate * content", "gate * content.detach()")), CUT),
        (move_wrong(("(1 - gate) * before", "(1 - gate) * before.detach()")), CUT),
        (move_wrong(("(1 - gate) * before", "(1 - gate.detach()) * before")), CUT),
        (move_wrong(("shift[:, None]", "shift[:, None].detach()")), CUT),
        (move_wrong(("sharpness * torch", "sharpness.detach() * torch")), CUT),
        (move_wrong((MIX, "    mixed = gate * content + (1 - gate) * before\n"
                          "    mixed = mixed ** sharpness / (mixed ** sharpness).sum(-1, True)"),
                    (SHARP, "    return moved")), "sharpened before the shift"),
        (move_wrong((MIX, "    mixed = content"),
                    (MOVED, "    moved = gate * (rolled * shift[:, None]).sum(-1)"
                            " + (1 - gate) * before")), "only the content is shifted"),
        (move_wrong((MIX, "    mixed = before"),
                    (MOVED, "    moved = (1 - gate) * (rolled * shift[:, None]).sum(-1)"
                            " + gate * content")), "only the focus before is shifted"),
        (move_wrong((MIX, "    mixed = gate * before + (1 - gate) * content"),
                    (SHARP, "    return moved")), "the gate the other way round, not sharpened"),
    ),
    mutations=(
        (MIX, "    mixed = gate * content + gate * before"),
        (ROLLS, "    rolled = torch.stack([mixed.roll(-2, -1), mixed, mixed.roll(2, -1)], -1)"),
        (MOVED, "    moved = (rolled * shift[:, None]).mean(-1) ** 2"),
        (SHARP, "    return torch.softmax(torch.log(moved + 1e-8) / sharpness, -1)"),
    ))

# ---------------------------------------------------------------- 09.3

WRITE = '''\
def write(memory, focus, erase, add):
    """Line [7]: each row, by its share of the focus, is erased where erase is 1 and gets add.

    memory: (B, N, W); focus: (B, N); erase, from 0 to 1, and add: (B, W)
    Returns the new memory (B, N, W); the old one stays as it is.
    """
'''
SHARE = "    share = focus[:, :, None]"
KEPT = "    kept = memory * (1 - share * erase[:, None])"
WRITTEN = "    return kept + share * add[:, None]"
WRITE_SOLUTION = WRITE + "\n".join((SHARE, KEPT, WRITTEN))


def write_wrong(*edits: tuple[str, str]) -> str:
    """A wrong way to write: the solution with edits."""
    return edited(WRITE_SOLUTION, *edits)


write = Exercise(
    id="09.3", title="Erase, then add", answer="write", difficulty=2, minutes=3,
    stub=WRITE + "    ...", solution_source=WRITE_SOLUTION, check=check_write,
    hints=(
        "The outer product of focus and erase says how much of each number goes; that of focus and add what comes.",
        "focus[:, :, None] * erase[:, None] has the shape (B, N, W). 1 less this is what each number is multiplied by.",
        "memory * (1 - focus[:, :, None] * erase[:, None]) + focus[:, :, None] * add[:, None].",
    ),
    wrong=(
        (write_wrong((KEPT, "    kept = memory + share * add[:, None]"),
                     (WRITTEN, "    return kept * (1 - share * erase[:, None])")), "added before it is erased"),
        (write_wrong(("1 - share * erase", "1 - erase")), "every row is erased"),
        (write_wrong((KEPT, "    kept = memory")), "nothing is erased"),
        (write_wrong(("kept + share * add", "kept + add")), "every row is written"),
        (write_wrong((KEPT, "    kept = memory.mul_(1 - share * erase[:, None])")), IN_PLACE),
        (write_wrong((KEPT, "    kept = memory.data.mul_(1 - share * erase[:, None])")), IN_PLACE),
        (write_wrong((WRITTEN, "    return (kept + share * add[:, None]).data")), CUT),
        (write_wrong(("memory * (1", "memory.detach() * (1")), CUT),
        (write_wrong(("share * erase", "share.detach() * erase")), CUT),
        (write_wrong(("erase[:, None]", "erase[:, None].detach()")), CUT),
        (write_wrong(("add[:, None]", "add[:, None].detach()")), CUT),
        (write_wrong(("1 - share * erase[:, None]", "(1 - share) * (1 - erase[:, None])")),
         "1 less each in place of 1 less the product"),
        (write_wrong(("(1 - share * erase[:, None])", "share * erase[:, None]")), "what goes is kept"),
        (write_wrong((SHARE, "    share = torch.nn.functional.one_hot(focus.argmax(-1), focus.shape[1])[:, :, None]")),
         "only the row of most focus is written"),
        (write_wrong((KEPT, "    kept = memory"), ("kept + share * add", "kept + add")),
         "nothing is erased, every row is written"),
    ),
    mutations=(
        (SHARE, "    share = focus[:, :, None] ** 2"),
        (KEPT, "    kept = memory * (1 + share * erase[:, None])"),
        (WRITTEN, "    return kept - share * add[:, None]"),
    ))

EXERCISES = (content, move, write, shares, episode, verdicts)
