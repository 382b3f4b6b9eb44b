"""The embedded data set: characters of many scripts in simulated hands, and typeset digits."""

from mlcourse.datasets.glyphs.stored import (DATA, FILE, HANDS, SIDE, SPLITS, load, load_digits, load_digits_by_face,
                                             load_digits_named_by_face, load_hands, read)

__all__ = ["DATA", "FILE", "HANDS", "SIDE", "SPLITS", "load", "load_digits", "load_digits_by_face",
           "load_digits_named_by_face", "load_hands", "read"]
