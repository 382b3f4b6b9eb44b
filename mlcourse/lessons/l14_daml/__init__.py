"""Lesson 14: DAML-style GAN augmentation."""
