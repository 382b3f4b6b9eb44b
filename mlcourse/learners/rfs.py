"""RFS: pretrain on all training classes at once, then a logistic regression on unit features.

Tian, Wang, Krishnan, Tenenbaum, Isola: Rethinking Few-Shot Image Classification: a Good Embedding Is All You Need?,
ECCV 2020.

    θ ← minimise the cross-entropy of one classifier over all training classes                         (`loss`)
    W, b = argmin  C Σ_i CE(W z_i + b, y_i) + ½ |W|²     with z = f_θ(x) / |f_θ(x)| of the supports    (`adapt`)

The convention is scikit-learn's, whose LogisticRegression the authors' code calls with its default C = 1: a sum over
the samples, and a bias without penalty. (For two classes that one fits a single logistic function; here it is a softmax
for any N.) Not in here: their self-distillation, and the five augmented copies that they make of every support picture.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.episode import Episode
from mlcourse.learner import check_classes
from mlcourse.learners.pretrained import PRETRAINING, LinearHead, Pretrained
from mlcourse.method import Method
from mlcourse.nets import features

NEWTON = 10                                 # steps
HALVES = 0.5 ** torch.arange(6)             # the shares of a step that are tried


class RFS(Pretrained):
    """A logistic regression on the unit features of a pretrained body, which no task changes.

    net, train_classes, seed: as in `Pretrained`. C: the weight of the loss against ½|W|², positive.
    Raises ValueError in regression.
    """

    def __init__(self, net: nn.Module, train_classes: int = 0, C: float = 1.0, seed: int = 0):
        super().__init__(net, train_classes, seed)
        check_rate(C, "weight C of the loss")
        self.C = C
        self.config = {"train_classes": train_classes, "C": C, "seed": seed}

    def adapt(self, episode: Episode, steps: int | None = None) -> LinearHead:
        """The logistic regression of the support set; `steps` is ignored."""
        check_classes(self, episode)
        z, stats = self.embedded(episode)
        weight, bias = logistic(F.normalize(z, dim=-1), F.one_hot(episode.support_y, episode.way), self.C)
        return LinearHead(weight, bias, stats)

    def predict(self, state: LinearHead, x: Tensor) -> Tensor:
        """W z + b."""
        z = features(self.net, self.theta(), x, state.stats)
        return F.normalize(z, dim=-1) @ state.weight + state.bias


def logistic(z: Tensor, y: Tensor, C: float) -> tuple[Tensor, Tensor]:
    """Weight (D, N) and bias (N,), of mean 0, of a logistic regression of one-hot labels y (M, N) on z (M, D): the
    minimum of C Σ_i CE(z_i W + b, y_i) + ½ |W|² by Newton steps from 0, in float64.

    At the minimum W = C zᵀA with A = y - p, p the probabilities, and every column of A sums to 0. With f = K A + b and
    K = C zzᵀ, the objective over C is Σ_i CE(f_i, y_i) + ½ tr AᵀKA, and a Newton step solves for A and b the system

        A_n + p_n (f_n - g) = r_n,  1ᵀA_n = 0,     g = Σ_n p_n f_n,     r = y - p + p (f - Σ_n p_n f_n) at the old f

    one class after another for a given g, which joins them: A_n = u_n + U_n g. Then Σ_n A_n = 0 gives g, up to a
    constant that no softmax sees. (Without the bias this is algorithm 3.3 of Rasmussen and Williams, Gaussian Processes
    for Machine Learning, 2006.) Of the step, its half, its quarter, … the best is taken. A step costs what N systems of
    M equations do, so M is best in the tens.
    """
    kind, z, y = z.dtype, z.double(), y.double()
    m, n = y.shape
    K, one = C * z @ z.mT, torch.ones(m, 1).to(z)
    A, b = torch.zeros_like(y), y.new_zeros(n)
    shares = HALVES.to(z).view(-1, 1, 1)
    for _ in range(NEWTON):
        f = K @ A + b
        p = f.softmax(-1)
        r = y - p + p * (f - (p * f).sum(-1, keepdim=True))
        P = torch.diag_embed(p.mT)                                                          # (N, M, M)
        left = _bordered(torch.eye(m).to(z) + P @ K, P @ one, one.mT.expand(n, 1, m))       # of A_n and b_n
        right = F.pad(torch.cat([r.mT.unsqueeze(-1), P], -1), (0, 0, 0, 1))                 # r_n, and p_n of g
        solved = torch.linalg.solve(left, right)
        u, U = solved[..., :1], solved[..., 1:]
        g = torch.linalg.solve(U.sum(0)[:m] + one @ one.mT, -u.sum(0)[:m])
        solved = (u + U @ g).squeeze(-1)
        A_t, b_t = A + shares * (solved[:, :m].mT - A), b + shares * (solved[:, m] - b)
        f_t = K @ A_t + b_t
        objective = (f_t.logsumexp(-1) - (y * f_t).sum(-1)).sum(-1) + (A_t * (f_t - b_t)).sum((-2, -1)) / 2
        best = (objective <= objective.min() * (1 + 1e-9)).int().argmax()      # the longest, up to rounding
        A, b = A_t[best], b_t[best, 0]
    return (C * z.mT @ A).to(kind), (b - b.mean()).to(kind)


def _bordered(matrix: Tensor, column: Tensor, row: Tensor) -> Tensor:
    """(N, M + 1, M + 1): the matrix (N, M, M) with a column to its right, a row below and a 0 in the corner."""
    return torch.cat([torch.cat([matrix, column], -1), F.pad(row, (0, 1))], -2)


METHOD = Method("rfs", RFS, "pretrain a classifier, fit a logistic regression", "headless", {},
                PRETRAINING, train_way=32, train_query=1, baseline=True)
