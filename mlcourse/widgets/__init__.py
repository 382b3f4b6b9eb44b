"""Explorers: controls, a compute function that runs real torch, and a picture that follows."""

from mlcourse.lessons.l00_start.widget_you_against_machine import YouAgainstMachine
from mlcourse.lessons.l01_domains.widget_factor_dial import FactorDial
from mlcourse.lessons.l01_domains.widget_shift_dial import ShiftDial
from mlcourse.lessons.l03_maml.widget_inner_loop import InnerLoopExplorer
from mlcourse.lessons.l03_maml.widget_outer_loop import OuterLoopPlayer
from mlcourse.lessons.l05_meta_sgd.rate_history import RateHistory
from mlcourse.lessons.l05_meta_sgd.widget_learned_rates import LearnedRates
from mlcourse.lessons.l13_adaptation.widget_adversarial_weight import AdversarialWeight
from mlcourse.lessons.l14_daml.widget_paired_gain import PairedGainExplorer
from mlcourse.lessons.l14_daml.widget_real_generated import RealGeneratedExplorer
from mlcourse.lessons.l15_distillation.widget_temperature import TemperatureExplorer
from mlcourse.lessons.l16_contrast.widget_contrast import ContrastExplorer
from mlcourse.widgets.bar import train_live
from mlcourse.widgets.base import Explorer, sweep
from mlcourse.widgets.predict import Predict, outcome

__all__ = ["AdversarialWeight", "ContrastExplorer", "Explorer", "FactorDial", "InnerLoopExplorer", "LearnedRates",
           "OuterLoopPlayer", "PairedGainExplorer", "Predict", "RateHistory", "RealGeneratedExplorer", "ShiftDial",
           "TemperatureExplorer",
           "YouAgainstMachine", "outcome", "sweep", "train_live"]
