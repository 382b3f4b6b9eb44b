"""Studies: arms side by side on the same data, over seeds, with intervals."""

STUDIES = {"meta-lstm": "mlcourse.studies.meta_lstm.study:STUDY",
           "optimisers": "mlcourse.studies.optimisers.study:STUDY",
           "transfer": "mlcourse.studies.transfer.study:STUDY"}     # those of no lesson; a lesson names its own
