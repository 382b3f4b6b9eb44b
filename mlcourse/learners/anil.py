"""ANIL: adapt the head only.

Raghu, Raghu, Bengio, Vinyals: Rapid Learning or Feature Reuse? Towards Understanding the Effectiveness of MAML,
ICLR 2020.
"""

from __future__ import annotations

from mlcourse.learners.maml import MAML


class ANIL(MAML):
    """MAML whose inner loop moves the parameters of the network's `head` and leaves its body as it is."""

    only = ("head.",)
