"""The check of lesson 17 on words: what is read of a word ends where the word does."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mlcourse.exercises.framework import LearnerFunction, NotYet, explain
from mlcourse.exercises.values import tensor
from mlcourse.lessons.l17_context.checks import a_tensor, check_graph, drawn, same

LETTERS, WIDTH = 26, 3
LENGTHS = ((4, 2, 5, 3), (3, 1), (2, 6, 5))         # of the words of a batch
PLACES = 6                                          # so that one word alone, in the last batch, goes to the end
READ_FAULTS = (
    ("the padding is read", {"stop": "never"}, "a step from a row of zeros changes the state, too; after the last "
                                               "letter it must stay as it is"),
    ("the padding wipes the state", {"stop": "wiped"}, "after the last letter the state stays as it is; times 0 it is "
                                                       "forgotten"),
    ("all stop where the shortest word ends", {"stop": "shortest"}, "each word ends for itself; whatever stands beside "
                                                                    "it, all its letters are read"),
    ("all go on to the end of the longest word", {"stop": "longest"}, "each word ends for itself; its state must not "
                                                                      "depend on the length of its neighbours"),
    ("the last place left out", {"stop": "early"}, "a word may fill all places; read at x[:, -1], too"),
    ("the last letter left out", {"last": -1}, "a word of n letters takes n steps"),
    ("the first letter left out", {"first": 1}, "the first step is from the letter at place 0"),
    ("every letter read from the start", {"carried": False}, "a step goes on from the state after the letter before, "
                                                             "so h becomes what step returned"),
    ("the given h left out", {"given": False}, "the first step goes on from the h that you are given, whatever it is"),
    ("read from the end", {"back": True}, "letters are read in their order, place 0 first"),
    ("the mean over the letters", {"mean": True}, "asked is the state after the last letter; it has seen all of them, "
                                                  "in order"),
)


class Step:
    """A step of a small recurrent network that a row of zeros changes, too; its weights are `parameters`. Raises
    ValueError for letters and states of other shapes."""

    def __init__(self):
        shapes = ((LETTERS, WIDTH), (WIDTH, WIDTH), (WIDTH,))
        self.parameters = tuple(drawn(shape, seed).requires_grad_() for seed, shape in enumerate(shapes))

    def __call__(self, letters: Tensor, h: Tensor) -> Tensor:
        w, u, b = self.parameters
        if not (isinstance(letters, Tensor) and isinstance(h, Tensor) and letters.ndim == h.ndim == 2
                and letters.shape[1] == LETTERS and h.shape == (len(letters), WIDTH)):
            shapes = " and ".join(str(tuple(each.shape)) for each in (letters, h) if isinstance(each, Tensor))
            raise ValueError(f"step takes the letters at one place (M, {LETTERS}) and states (M, w), got {shapes}")
        return (letters.double() @ w + h.double() @ u + b).tanh()


def words_of(lengths: tuple[int, ...], places: int = PLACES) -> Tensor:
    """Words of random letters, padded to so many places."""
    letters = torch.randint(LETTERS, (len(lengths), places), generator=torch.Generator().manual_seed(len(lengths)))
    return F.one_hot(letters, LETTERS) * (torch.arange(places)[:, None] < torch.tensor(lengths)[:, None, None]).double()


def check_read_words(answer: object) -> str:
    """17.7: the states of three batches of words, and their gradient."""
    read_words, step = LearnerFunction(answer, "read_words"), Step()
    for lengths in LENGTHS:
        x, h = words_of(lengths), drawn((len(lengths), WIDTH), 5)
        wanted = (len(lengths), WIDTH)
        got = tensor(a_tensor(read_words(x.clone(), step, h.clone())), wanted,
                     f"for {len(lengths)} words the states must have the shape {wanted}")
        truth = lambda x=x, h=h, lengths=lengths, **faults: states(x, step, h, lengths, **faults)
        if not same(got, truth()):
            explain(got, truth, READ_FAULTS, same)
            raise NotYet("the state of a word must be that after its last letter, one step for each letter from the "
                         f"given h; try words of {' and '.join(map(str, lengths))} letters in {PLACES} places.")
    start = h.clone().requires_grad_()
    check_graph(read_words(x.clone(), step, 1 * start), (*step.parameters, start),
                "training changes the weights of step")
    return "A word says the same alone and beside longer ones."


@torch.no_grad()
def states(x: Tensor, step: Step, h: Tensor, lengths: tuple[int, ...], *, stop: str = "own", first: int = 0,
           last: int = 0, carried: bool = True, given: bool = True, back: bool = False, mean: bool = False) -> Tensor:
    """The states, word by word; the options are the known faults."""
    ends = {"never": x.shape[1], "shortest": min(lengths), "longest": max(lengths)}
    found = []
    for word, start, length in zip(x, h if given else torch.zeros_like(h), lengths, strict=True):
        end = min(length, x.shape[1] - 1) if stop == "early" else ends.get(stop, length)
        places = range(first, end + last)
        state, seen = start[None], []
        for t in reversed(places) if back else places:
            state = step(word[t, None], state if carried else start[None])
            seen.append(state)
        if stop == "wiped" and length < x.shape[1]:
            state = torch.zeros_like(state)
        found.append(torch.stack(seen[:length]).mean(0) if mean and seen else state)
    return torch.cat(found)
