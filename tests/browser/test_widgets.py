"""Each explorer in JupyterLab, as tests/lessons/lNN/browser.py says for those of its lesson.

Tests that take `widget` stand together here, so that all share one browser, one page and one kernel.
"""

from of_lessons import browser_tests

globals().update(browser_tests("widget"))
