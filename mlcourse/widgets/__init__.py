"""Explorers: controls, a compute function that runs real torch, and a picture that follows."""

from mlcourse.widgets.adversarial_weight import AdversarialWeight
from mlcourse.widgets.bar import train_live
from mlcourse.widgets.base import Explorer, sweep
from mlcourse.widgets.contrast import ContrastExplorer
from mlcourse.widgets.factor_dial import FactorDial
from mlcourse.widgets.inner_loop import InnerLoopExplorer
from mlcourse.widgets.learned_rates import LearnedRates
from mlcourse.widgets.outer_loop import OuterLoopPlayer
from mlcourse.widgets.paired_gain import PairedGainExplorer
from mlcourse.widgets.predict import Predict, outcome
from mlcourse.widgets.rate_history import RateHistory
from mlcourse.widgets.real_generated import RealGeneratedExplorer
from mlcourse.widgets.shift_dial import ShiftDial
from mlcourse.widgets.temperature import TemperatureExplorer
from mlcourse.widgets.you_against_machine import YouAgainstMachine

__all__ = ["AdversarialWeight", "ContrastExplorer", "Explorer", "FactorDial", "InnerLoopExplorer", "LearnedRates",
           "OuterLoopPlayer", "PairedGainExplorer", "Predict", "RateHistory", "RealGeneratedExplorer", "ShiftDial",
           "TemperatureExplorer",
           "YouAgainstMachine", "outcome", "sweep", "train_live"]
