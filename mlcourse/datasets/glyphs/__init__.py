"""The embedded data set: characters of many scripts in simulated hands, and typeset digits."""

from mlcourse.datasets.glyphs.stored import (DATA, FILE, GLYPHS, HANDS, SIDE, SPLITS, TYPESET, load, load_digits,
                                             load_digits_by_face, load_digits_named_by_face, load_hands, read,
                                             typefaces, typeset)

__all__ = ["DATA", "FILE", "GLYPHS", "HANDS", "SIDE", "SPLITS", "TYPESET", "load", "load_digits", "load_digits_by_face",
           "load_digits_named_by_face", "load_hands", "read", "typefaces",
           "typeset"]
