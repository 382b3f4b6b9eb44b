"""mlcourse: a course on meta-learning and cross-domain transfer that you run."""
