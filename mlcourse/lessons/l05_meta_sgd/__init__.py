"""Lesson 05: Meta-SGD and meta-transfer."""
