"""GDumb and fine-tune: GDumb's network, then gradient steps on the task at hand.

Ours. Where tasks want different labels for one picture, GDumb as it is cannot know which task it is asked about; these
steps tell it, as they tell train on everything.
"""

from __future__ import annotations

from torch import Tensor, nn

from mlcourse.engine.descend import check_rate
from mlcourse.online.fine_tune import tuned
from mlcourse.online.gdumb import GDumb
from mlcourse.online.strategy import Predictor
from mlcourse.phases import check_counts


class GDumbFineTune(GDumb):
    """alpha, test_steps: rate and number of the gradient steps in `after`; the rest as in `GDumb`."""

    def __init__(self, net: nn.Module, *, alpha: float = 0.05, test_steps: int = 30, **training):
        super().__init__(net, **training)
        check_rate(alpha)
        check_counts(test_steps=test_steps)
        self.alpha, self.test_steps = alpha, test_steps

    def after(self, x: Tensor, y: Tensor) -> Predictor:
        """The network trained on the memory, after the steps on all samples given."""
        return tuned(self.network(), x, y, self.test_steps, self.alpha)
