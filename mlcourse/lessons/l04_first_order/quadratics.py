"""Two tasks that are quadratics, and where each algorithm's outer loop comes to rest on them.

Task i is f_i(w) = ½ Σ_j a_ij (w_j - c_ij)², with curvatures a_ij > 0 and its minimum at c_i; support and query loss are
the same. An inner step takes w_j - c_ij to (1 - α a_ij)(w_j - c_ij), and the mean meta-gradient of each algorithm is
Σ_i s_ij (w_j - c_ij) for some weights s_ij, so that it vanishes at the mean of the minima with these weights:

    joint training   a                 (its solution in matrices: -(Σ A_i)⁻¹ Σ b_i)
    FOMAML           (1 - αa) a
    MAML             (1 - αa)² a       (-(Σ (I - αA_i)² A_i)⁻¹ Σ (I - αA_i)² b_i; Finn, Rajeswaran, Kakade, Levine:
                                        Online Meta-Learning, ICML 2019, appendix)
    Reptile          1 - (1 - αa)^k
    iMAML            a / (1 + a/λ)²
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from mlcourse.lessons.l04_first_order.arrows import FIRST, IMPLICIT, JOINT, REPTILE, SECOND

WEIGHTS: dict[str, Callable[[Tensor, float, int], Tensor]] = {
    JOINT: lambda a, alpha, k: a,
    FIRST: lambda a, alpha, k: (1 - alpha * a) * a,
    SECOND: lambda a, alpha, k: (1 - alpha * a) ** 2 * a,
    REPTILE: lambda a, alpha, k: 1 - (1 - alpha * a) ** k if alpha else a,
    IMPLICIT: lambda a, alpha, k: a / (1 + alpha * a) ** 2,
}


def rest(algorithm: str, a: Tensor, c: Tensor, alpha: float, k: int = 2) -> Tensor:
    """Where an algorithm's mean meta-gradient vanishes (D,).

    a, c (T, D): curvatures and minima of T tasks. k: Reptile's inner steps; the others take one, and iMAML has λ = 1/α.
    """
    s = WEIGHTS[algorithm](a, alpha, k)
    return (s * c).sum(0) / s.sum(0)
