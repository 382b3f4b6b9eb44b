"""Lesson 12: the kinds of value that a right answer to each exercise comes in."""

import math

import numpy as np
import torch
from answer_kinds import ENTRIES, GRAPHS, SEVERAL, TENSORS

SHARES = {"list": list, "NumPy": lambda pair: tuple(None if x is None else np.float64(x) for x in pair),
          "tensors": lambda pair: [None if x is None else torch.tensor(x) for x in pair],
          "nan for none": lambda pair: np.array([math.nan if x is None else x for x in pair])}
BUFFERS = {"tuple": tuple, "lists": lambda pairs: [list(pair) for pair in pairs],
           "arrays": lambda pairs: [tuple(part.numpy() for part in pair) for pair in pairs]}

KINDS = {
    "12.1": SHARES, "12.2": BUFFERS, "12.3": GRAPHS, "12.4": SEVERAL, "12.5": TENSORS, "12.6": ENTRIES,
}
