"""Episodes, and every way to draw them: from one domain, across domains, as pairs, as views."""

from mlcourse.episode.episode import (Episode, EpisodeSampler, Splits, are_splits, distinct, split_by_group,
                                      split_classes)

__all__ = ["Episode", "EpisodeSampler", "Splits", "are_splits", "distinct", "split_by_group", "split_classes"]
