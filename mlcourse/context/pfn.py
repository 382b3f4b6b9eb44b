"""A prior-fitted network: one pass over a labelled table and new rows, in the place of fitting.

Müller, Hollmann, Pineda Arango, Grabocka, Hutter: Transformers Can Do Bayesian Inference, ICLR 2022; a token for each
row as in the first TabPFN (Hollmann, Müller, Eggensperger, Hutter, ICLR 2023).

    min_θ  E over tables of the prior of  -log q_θ(y_q | x_q, {(x_i, y_i)})

which is least where q is the posterior predictive. No token has a position, so that the order of the rows says nothing.
Each row attends to the labelled rows and to itself, so that a new row is predicted alone as among others.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.context.transformer import ContextTransformer, apart

FAR = 100.0         # standard deviations, where values are cut
ROUNDING = 1e-6     # of a column's largest value: what varies less is taken for constant


def standardise(x: Tensor, context: int) -> Tensor:
    """Every column of x (B, R, F) less the mean of its first `context` rows, in their standard deviations, cut at ±100:
    a new row changes no other. A column that is constant in those rows is 0 there.

    Raises ValueError without a labelled row.
    """
    if context < 1:
        raise ValueError(f"a table needs at least 1 labelled row to be standardised by, got {context}")
    seen = x[:, :context]
    mean, sd = seen.mean(1, keepdim=True), seen.std(1, keepdim=True, unbiased=False)
    floor = ROUNDING * seen.abs().amax(1, keepdim=True) + torch.finfo(x.dtype).tiny
    return ((x - mean) / sd.maximum(floor)).clamp(-FAR, FAR)


class PFN(nn.Module):
    """A prior-fitted network for tables of up to `features` columns and `classes` classes.

    layers, width, heads, seed: of the Transformer. Raises ValueError for fewer than 2 classes.
    """

    def __init__(self, features: int = 5, classes: int = 2, *, layers: int = 3, width: int = 64, heads: int = 4,
                 seed: int = 0):
        super().__init__()
        if classes < 2:
            raise ValueError(f"a table needs at least 2 classes, got {classes}")
        self.config = {"features": features, "classes": classes, "layers": layers, "width": width, "heads": heads,
                       "seed": seed}
        self.features, self.classes = features, classes
        self.transformer = ContextTransformer(features + classes, classes, layers, width, heads, seed)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Logits (B, R - C, classes) of the rows of x (B, R, F) that follow the C labelled ones, y (B, C).

        Fewer columns than the network has are filled up with zeros; a row without a label has zeros in its place.
        Raises ValueError for more columns, without a labelled row, or where all rows have labels.
        """
        context, rows = y.shape[1], x.shape[1]
        if x.shape[-1] > self.features:
            raise ValueError(f"this network reads up to {self.features} columns, got {x.shape[-1]}; leave some out, or "
                             "train one with more features")
        if rows <= context:
            raise ValueError(f"x needs the {context} labelled rows and at least one to predict after them, got {rows}")
        x = F.pad(standardise(x, context), (0, self.features - x.shape[-1]))
        labels = F.pad(F.one_hot(y, self.classes).to(x.dtype), (0, 0, 0, rows - context))
        return self.transformer(torch.cat([x, labels], -1), apart(context, rows - context, x.device))[:, context:]


def pfn_loss(model: PFN, x: Tensor, y: Tensor, context: int) -> Tensor:
    """The mean cross-entropy of the rows after the first `context`, of tables x (B, R, F) with labels y (B, R)."""
    return F.cross_entropy(model(x, y[:, :context]).flatten(0, 1), y[:, context:].flatten())
