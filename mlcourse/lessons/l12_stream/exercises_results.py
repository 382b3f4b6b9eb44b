verdicts = None
