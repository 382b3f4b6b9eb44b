"""What the explorers of lesson 03 computed is marked ≈."""

from marks import check_marked

from mlcourse.lessons.l03_maml.widget_inner_loop import InnerLoopExplorer
from mlcourse.lessons.l03_maml.widget_outer_loop import OuterLoopPlayer
from mlcourse.nets import MLP


def played():
    player = OuterLoopPlayer()
    player.step(2)
    player.step(2)
    return player


def test_the_inner_loop():
    check_marked(lambda: InnerLoopExplorer({"θ": MLP()}), {10})


def test_the_outer_loop():
    check_marked(played, {2, 4, 40})
