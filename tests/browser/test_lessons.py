"""Lessons that are run whole in JupyterLab, with what is done in them: the tests of tests/lessons/lNN/browser.py that
take `lab`."""

from of_lessons import browser_tests

globals().update(browser_tests("lab"))
