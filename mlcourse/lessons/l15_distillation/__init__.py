"""Lesson 15: distillation across domains."""
