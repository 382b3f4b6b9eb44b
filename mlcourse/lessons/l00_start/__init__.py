"""Lesson 00: what an episode is, and you against two machines."""
