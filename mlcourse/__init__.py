"""mlcourse: a course on meta-learning and cross-domain transfer that you run."""

__version__ = "0.1.0"
