"""The kinds of value in which a right answer comes: {name: what makes it of the value of the reference solution}.

Each lesson says in tests/lessons/lNN/kinds.py which of them its exercises take.
"""

from fractions import Fraction

import numpy as np
import pandas as pd
import torch


def plain(x):
    return x.item() if isinstance(x, torch.Tensor) else x


def each(kind):
    return lambda values: tuple(kind(value) for value in values)


NUMBERS = {"float": lambda x: float(x),
           "float32": lambda x: np.float32(plain(x)), "float64": lambda x: np.float64(plain(x)),
           "array": lambda x: np.array(plain(x)), "array of float32": lambda x: np.array(plain(x), dtype=np.float32),
           "fraction": lambda x: Fraction(plain(x)),
           "array of one": lambda x: np.array([plain(x)]), "tensor": lambda x: torch.tensor(plain(x)),
           "tensor of float64": lambda x: torch.tensor(plain(x), dtype=torch.float64),
           "tensor with a graph": lambda x: torch.tensor(float(x), requires_grad=True),
           "tensor of one": lambda x: torch.tensor([plain(x)])}
SEVERAL = {**{f"tuple of {name}": each(kind) for name, kind in NUMBERS.items()},
           "list": lambda xs: [float(x) for x in xs], "array": lambda xs: np.array([plain(x) for x in xs]),
           "float32": lambda xs: np.array([plain(x) for x in xs], dtype=np.float32),
           "tensor": lambda xs: torch.tensor([plain(x) for x in xs])}
TENSORS = {"tensor": lambda x: x, "float32": lambda x: x.float(), "array": lambda x: x.numpy(),
           "array of float32": lambda x: x.float().numpy(), "list": lambda x: x.tolist(),
           "tuple": lambda x: tuple(x.tolist()),
           "data frame": lambda x: pd.DataFrame(x.numpy()).squeeze(axis="columns"),
           "negative stride": lambda x: x.flip(0).numpy()[::-1],
           "read-only array": lambda x: np.broadcast_to(x.numpy(), tuple(x.shape)),
           "list of tensors": lambda x: list(x),
           "tuple of arrays": lambda x: tuple(row.numpy() for row in x),
           "with a graph": lambda x: x.double().requires_grad_()}
CHANNELS = {name: kind for name, kind in TENSORS.items() if name != "data frame"}       # of more than two dimensions
LABELS = {**TENSORS, "int32": lambda x: x.int(), "whole floats": lambda x: x.float(),
          "NumPy int": lambda x: [np.int64(y) for y in x], "one by one": lambda x: [plain(y) for y in x]}
GRAPHS = {"scalar": lambda x: 1 * x, "float32": lambda x: x.float(), "float64": lambda x: x.double(),
          "one": lambda x: x[None]}
DICTS = {"float32": lambda d: {name: p.float() for name, p in d.items()}, "turned": lambda d: dict(reversed(d.items()))}
COUNTS = {name: lambda d, kind=kind: {key: kind(x) for key, x in d.items()} for name, kind in NUMBERS.items()}
ENTRIES = {"spaces and capitals": lambda d: {key: f" {text.upper()} " for key, text in d.items()},
           "NumPy text": lambda d: {key: np.str_(text) for key, text in d.items()}}
TEXTS = {"NumPy text": np.str_}
TRUTHS = {"bool": bool, "NumPy bool": np.bool_, "number": int, "tensor": torch.tensor}
PARTS = {"list": list, "arrays": lambda parts: tuple(p.numpy() for p in parts),
         "lists": lambda parts: [p.tolist() for p in parts]}
PAIRS = {**PARTS, "with graphs": lambda parts: tuple(p.double().requires_grad_() for p in parts)}
NETS = {"the net": lambda net: net, "in eval mode": lambda net: net.eval()}
CONNECTED = {"tensor": lambda x: x, "float32": lambda x: x.float(), "float64": lambda x: x.double(),
             "another step": lambda x: 1 * x}
UNBOUNDED = {name: kind for name, kind in NUMBERS.items() if name != "fraction"}       # of which one may be infinite
