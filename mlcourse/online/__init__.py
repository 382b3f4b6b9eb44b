"""Tasks that arrive one after another: streams, strategies that meet them, and what is measured on the way."""

from mlcourse.online.buffer import Buffer
from mlcourse.online.everything import TrainOnEverything
from mlcourse.online.fine_tune import FineTune
from mlcourse.online.forgetting import forgetting, mean_forgetting
from mlcourse.online.ftml import FTML
from mlcourse.online.gdumb import GDumb
from mlcourse.online.gdumb_fine_tune import GDumbFineTune
from mlcourse.online.looks import GROUNDS, Look, drift, rainbow, rendered
from mlcourse.online.needed import Needed, kaplan_meier, median_needed, samples_needed, share_passed
from mlcourse.online.play import Played, play, share_right, unadapted
from mlcourse.online.random_features import RandomFeatures, RandomFeaturesAlone
from mlcourse.online.scratch import FromScratch
from mlcourse.online.strategy import Predictor, Strategy
from mlcourse.online.stream import Recipe, Task, recipes, stream

__all__ = ["FTML", "GROUNDS", "Buffer", "FineTune", "FromScratch", "GDumb", "GDumbFineTune", "Look", "Needed",
           "Played", "Predictor", "RandomFeatures", "RandomFeaturesAlone", "Recipe", "Strategy", "Task",
           "TrainOnEverything", "drift", "forgetting", "kaplan_meier", "mean_forgetting", "median_needed", "play",
           "rainbow", "recipes", "rendered", "samples_needed", "share_passed", "share_right", "stream", "unadapted"]
