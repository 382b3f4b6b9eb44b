"""Losses as pure functions: of a task, of aligned features, of contrast, of distillation, of generators."""

from mlcourse.losses.task import task_loss

__all__ = ["task_loss"]
