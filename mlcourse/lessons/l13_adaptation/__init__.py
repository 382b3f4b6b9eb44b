"""Lesson 13: domain adaptation."""

from mlcourse.lesson import Lesson

LESSON = Lesson(
    __name__,
    does="carry typeset digits over to handwriting without a label by AdaBN and CORAL, break both by other class "
         "shares, and estimate those by BBSE",
    exercises="exercises:EXERCISES",
    predictions="predictions:PREDICTIONS",
    explorers={"AlignmentWeight": "explorers:alignment_weight", "LabelShiftDial": "explorers:label_shift_dial"},
    studies={"label-shift": "study_label_shift:STUDY", "frame": "study_frame:STUDY",
             "baseline": "study_baseline:STUDY", "choosing": "study_choosing:STUDY", "network": "study_network:STUDY"},
    terms="terms:TERMS",
    chinese="terms:CHINESE",
    symbols="terms:SYMBOLS",
)
