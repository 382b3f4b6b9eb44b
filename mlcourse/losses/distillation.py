"""The loss of distillation as a pure function, and what it is made of: soft targets and their entropy."""

from __future__ import annotations

import torch
from torch import Tensor


def soft_targets(logits: Tensor, temperature: float) -> Tensor:
    """p_i = exp(v_i/τ) / Σ_j exp(v_j/τ): class probabilities (…, N) of logits v (…, N) at temperature τ (Hinton,
    Vinyals and Dean, "Distilling the Knowledge in a Neural Network", NIPS 2014 workshop, arXiv 1503.02531, equation 1).

    τ = 1 is the softmax; as τ grows, p goes to 1/N. Raises ValueError for a temperature that is not positive.
    """
    _check_temperature(temperature)
    return (logits / temperature).softmax(-1)


def entropy(p: Tensor) -> Tensor:
    """H(p) = -Σ_i p_i log p_i in nats, (…,) of probabilities (…, N): 0 of a one-hot p, log N of an even one."""
    return -torch.special.xlogy(p, p).sum(-1)


def distillation(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """τ² KL(p ‖ q): how far the student's q = softmax(z/τ) is from the teacher's soft targets p = softmax(v/τ), the
    mean over pictures.

    Up to the entropy of p, which no student can change, it is τ² times the cross-entropy of Hinton et al. 2015,
    section 2: their gradients are equal. That of the cross-entropy in z is (q - p)/τ, which falls as 1/τ² at high τ
    (equations 2 to 4); τ² undoes that, and as τ grows the gradient goes to (z - v)/N for logits that add up to 0.
    student, teacher: logits z, v (M, N); with a leading task dimension on both, the losses of the tasks. No gradient
    flows to the teacher. Raises ValueError for a temperature that is not positive, or unequal shapes.
    """
    _check_temperature(temperature)
    if student.shape != teacher.shape:
        raise ValueError(f"student and teacher must score the same pictures and classes, got logits of shape "
                         f"{tuple(student.shape)} and {tuple(teacher.shape)}")
    log_q, log_p = ((logits / temperature).log_softmax(-1) for logits in (student, teacher.detach()))
    return temperature**2 * (log_p.exp() * (log_p - log_q)).sum(-1).mean(-1)


def _check_temperature(temperature: float) -> None:
    if not temperature > 0:
        raise ValueError(f"the temperature must be positive, got {temperature}; 1 is the softmax itself, and 2 to 20 "
                         "are common in distillation")
