"""What the explorers of lesson 01 computed is marked ≈."""

from marks import check_marked
from tiny import patterns

from mlcourse.lessons.l01_domains.widget_factor_dial import FactorDial
from mlcourse.lessons.l01_domains.widget_shift_dial import ShiftDial
from mlcourse.nets import Conv4


def test_the_shift_dial():
    home, away = patterns(0, 10, 40, side=28), patterns(1, 10, 40, side=28)
    check_marked(lambda: ShiftDial(Conv4(10, width=4, norm="none"), home, away), {5, 95, 100})


def test_the_factor_dial():
    check_marked(FactorDial, {95})
