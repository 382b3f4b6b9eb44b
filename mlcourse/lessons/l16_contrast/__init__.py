"""Lesson 16: contrast across domains and modalities."""
