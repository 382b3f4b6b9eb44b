"""Lesson 01: domains, tasks, modalities, and kinds of shift."""
