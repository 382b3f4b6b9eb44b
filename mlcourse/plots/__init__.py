"""Figures from plain records: moving scenes for the widgets, and static pictures for the lessons."""
