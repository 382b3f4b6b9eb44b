"""AdaBN: replace the source's normalisation statistics by the target's, and change nothing else.

Li, Wang, Shi, Liu, Hou: Revisiting Batch Normalization for Practical Domain Adaptation, ICLR 2017 workshop. It needs
pictures of the target without labels, and no training. Every learner of this family predicts so.
"""

from __future__ import annotations

from torch import Tensor

from mlcourse.episode import Episode
from mlcourse.learner import Adapted, NetLearner, check_classes, check_head, require_grad
from mlcourse.losses import task_loss
from mlcourse.method import Method
from mlcourse.nets import features, head, statistics


class AdaBN(NetLearner):
    """A classifier of the source, in the support set, that predicts with the norm statistics of `unlabeled_x`.

    Closed set: a label means the same class in both domains. Trained on the support labels alone, with the batch's own
    statistics. A network with norm "layer" or "none" has no statistics to replace.
    Raises ValueError for an episode without unlabelled pictures, or whose classes are not those of the head.
    """

    stacks = True
    needs = ("features", "head")

    @property
    def is_transductive(self) -> bool:
        """False: queries are normalised by the statistics of the unlabelled pictures, not by their own."""
        return False

    def loss(self, episode: Episode) -> Tensor:
        """The cross-entropy of the source, L_y(θ; support)."""
        require_grad(self)
        self.check(episode)
        return self.label_loss(self.embed(episode.support_x, episode), episode)

    def embed(self, x: Tensor, episode: Episode) -> Tensor:
        """The features of pictures x of one domain, under their own batch's statistics."""
        return features(self.net, self.theta(episode.batch_shape), x)

    def label_loss(self, z: Tensor, episode: Episode) -> Tensor:
        """L_y from the features of the support set."""
        return task_loss(head(self.theta(episode.batch_shape), z), episode.support_y)

    def pair(self, episode: Episode) -> tuple[Tensor, Tensor]:
        """The features of source and target, each domain under its own statistics."""
        require_grad(self)
        self.check(episode)
        return self.embed(episode.support_x, episode), self.embed(episode.unlabeled_x, episode)

    def check(self, episode: Episode) -> None:
        """Raises ValueError as the class says."""
        check_classes(self, episode)
        check_head(self, episode)
        if episode.unlabeled_x.shape[len(episode.batch_shape)] == 0:
            raise ValueError(f"{type(self).__name__} adapts to unlabelled pictures of the target, but this episode has "
                             "none; sample with unlabeled=1 or more")

    def adapt(self, episode: Episode, steps: int | None = None) -> Adapted:
        """θ and the target's statistics. There is no inner loop: `steps` is ignored."""
        self.check(episode)
        theta = self.theta(episode.batch_shape)
        return Adapted(theta, statistics(self.net, theta, episode.unlabeled_x))


METHOD = Method("adabn", AdaBN, "the target's normalisation statistics", "headed", {},
                {"steps": 300, "tasks": 2, "lr": 2e-3}, across=True)
