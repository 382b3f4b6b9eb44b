"""The exercise of lesson 17 on words: the state of a recurrent network stops at the word's end."""

from __future__ import annotations

from mlcourse.exercises.framework import Exercise, edited
from mlcourse.lessons.l17_context.checks import CUT
from mlcourse.lessons.l17_context.checks_words import check_read_words

READ = '''\
def read_words(x, step, h):
    """The state after the last letter of each word.

    x (M, L, 26): M words; a letter is a row with a single 1, each place after the word a row of 0
    step(letters, h): the states (M, w) one step after h (M, w), from letters (M, 26)
    h (M, w): the states before the first letter
    Returns states (M, w) that gradients flow through.
    """
'''
LOOP = "    for t in range(x.shape[1]):"
IS_LETTER = "        is_letter = (x[:, t] != 0).any(1, keepdim=True)"
KEEP = "        h = torch.where(is_letter, step(x[:, t], h), h)"
SOLUTION = READ + "\n".join((LOOP, IS_LETTER, KEEP, "    return h"))

READS_ON = READ + LOOP + "\n        h = step(x[:, t], h)\n    return h"
LENGTHS = "    lengths = x.sum((1, 2)).long()\n"
STACKED = '''\
    states = []
    for t in range(x.shape[1]):
        h = step(x[:, t], h)
        states.append(h)
    states = torch.stack(states, 1)
'''


def wrong(*edits: tuple[str, str]) -> str:
    """A wrong reading: the solution with edits."""
    return edited(SOLUTION, *edits)


read_words = Exercise(
    id="17.7", title="A word ends where it ends", answer="read_words", difficulty=2, minutes=5,
    stub=READ + "    ...", solution_source=SOLUTION, check=check_read_words,
    hints=(
        "A loop over the places, one step for all words at once. What shall become of h where a word has ended?",
        "It stays. (x[:, t] != 0).any(1, keepdim=True) says which words have a letter at place t, (M, 1).",
        "For each t in range(x.shape[1]): h = torch.where(is_letter, step(x[:, t], h), h); after the loop return h.",
    ),
    wrong=(
        (READS_ON, "the padding is read"),
        (wrong((KEEP, "        h = step(x[:, t], h) * is_letter")), "the padding wipes the state"),
        (READ + LENGTHS + "    for t in range(int(lengths.min())):\n        h = step(x[:, t], h)\n    return h",
         "all stop where the shortest word ends"),
        (READ + LENGTHS + "    for t in range(int(lengths.max())):\n        h = step(x[:, t], h)\n    return h",
         "all go on to the end of the longest word"),
        (READ + "    states = [h]\n" + STACKED.replace("    states = []\n", "") + LENGTHS
         + "    return states[torch.arange(len(x)), lengths - 1]", "the last letter left out"),
        (wrong(("range(x.shape[1])", "range(x.shape[1] - 1)")), "the last place left out"),
        (wrong((LOOP, "    for t in range(1, x.shape[1]):")), "the first letter left out"),
        (wrong((LOOP, "    first = h\n" + LOOP), ("step(x[:, t], h)", "step(x[:, t], first)")),
         "every letter read from the start"),
        (wrong((LOOP, "    h = torch.zeros_like(h)\n" + LOOP)), "the given h left out"),
        (wrong(("range(x.shape[1])", "reversed(range(x.shape[1]))")), "read from the end"),
        (READ + STACKED + "    is_letter = (x != 0).any(2, keepdim=True)\n"
                          "    return (states * is_letter).sum(1) / is_letter.sum(1)", "the mean over the letters"),
        (wrong((LOOP, "    h = torch.zeros_like(h)\n" + LOOP), (KEEP, "        h = step(x[:, t], h)")),
         "the padding is read, the given h left out"),
        (wrong(("    return h", "    return h.detach()")), CUT),
    ),
    mutations=(
        (LOOP, "    for t in range(x.shape[1] - 2):"),
        (IS_LETTER, "        is_letter = (x[:, t] != 0).all(1, keepdim=True)"),
        (KEEP, "        h = torch.where(is_letter, step(x[:, t], h) + h, h)"),
    ))
