"""Generators of pictures: each makes an episode of an episode, with more supports than were given."""

from mlcourse.generators.dagan import DAGAN
from mlcourse.generators.generator import Generator, augmented, grouped
from mlcourse.generators.made import FromSet, HandMade

__all__ = ["DAGAN", "FromSet", "Generator", "HandMade", "augmented", "grouped"]
