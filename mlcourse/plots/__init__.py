"""Figures from plain records: moving scenes for the widgets, and static pictures for the lessons."""

from mlcourse.plots.static import Picture, bars_with_intervals, blank, learning_curve, picture, show_episode

__all__ = ["Picture", "bars_with_intervals", "blank", "learning_curve", "picture", "show_episode"]
