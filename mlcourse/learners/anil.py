"""ANIL: adapt the head only.

Raghu, Raghu, Bengio, Vinyals: Rapid Learning or Feature Reuse? Towards Understanding the Effectiveness of MAML,
ICLR 2020.
"""

from __future__ import annotations

from mlcourse.learners.maml import MAML
from mlcourse.method import SINUSOIDS, Method


class ANIL(MAML):
    """MAML whose inner loop moves the parameters of the network's `head` and leaves its body as it is."""

    needs = ("head",)
    only = ("head.",)


METHOD = Method("anil", ANIL, "MAML that adapts the head only", "headed", {"lr": 1.0},
                {"steps": 4000, "tasks": 8, "lr": 4e-3}, train_query=2, test_steps=5, sinusoids=SINUSOIDS)
