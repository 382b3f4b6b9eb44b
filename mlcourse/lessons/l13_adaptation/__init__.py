"""Lesson 13: domain adaptation."""
