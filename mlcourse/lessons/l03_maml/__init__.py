"""Lesson 03: MAML."""
