"""What lesson 07's exercises rest on: the library's own stretch and preprocessing, and the script with mistakes."""

import math

import numpy
import pytest
import torch

from mlcourse.course import notebooks
from mlcourse.exercises import exercise
from mlcourse.exercises.framework import Misconception, NotYet
from mlcourse.lessons.l07_optimiser import descent
from mlcourse.lessons.l07_optimiser.broken import SCRIPT
from mlcourse.lessons.l07_optimiser.checks import check_stretch
from mlcourse.lessons.l07_optimiser.checks_results import (FIRST, HIGH, LOW, MARKS, NEVER, PILES, RIGHT, ROUTES, RUN,
                                                           check_descents, truths)
from mlcourse.nets.lstm import LSTMCell
from mlcourse.optimisers import LearnedOptimiser, best_momentum, log_and_sign, random_quadratics, unroll


def functions(count=3):
    return random_quadratics(count, torch.Generator().manual_seed(0), 4)


def test_the_preprocessing_that_the_lesson_shows_is_the_librarys():
    cells = notebooks.read(notebooks.find("07")).cells
    cell, = (cell.source for cell in cells if cell.source.startswith("def log_and"))
    space = {"torch": torch, "math": math}
    exec(cell, space)
    g = torch.cat([torch.randn(40, 5), torch.zeros(1, 5), 1e-5 * torch.randn(4, 5)])
    torch.testing.assert_close(space["log_and_sign"](g), log_and_sign(g))


def test_the_stretch_is_the_librarys():
    m, (f, phi) = LearnedOptimiser(hidden=5), functions()
    loss, ends, state = exercise("07.2").reference()(m, f, phi, m.start(phi), 7)
    own = unroll(m, f, phi, m.start(phi), 7)
    wanted = own.losses.sum(0).mean()
    torch.testing.assert_close((loss, (ends, state)), (wanted, own.detached()))
    mine, theirs = (torch.autograd.grad(each, list(m.parameters())) for each in (loss, wanted))
    torch.testing.assert_close(mine, theirs)


def test_the_numbers_on_paper_are_those_of_the_formulas():
    right, low, high = truths(), *(torch.tensor(each, dtype=torch.float64) for each in (LOW, HIGH))
    alpha, beta = (float(each) for each in best_momentum(low, high))
    both = numpy.array([LOW, HIGH])
    assert right["factor"] == pytest.approx(descent.factor(both, right["rate"], 0).max())
    assert right["fast factor"] == pytest.approx(descent.factor(both, alpha, beta).max(), abs=1e-6)
    for moved in (0.99, 1.01):
        assert descent.factor(both, moved * right["rate"], 0).max() > right["factor"]
    for factor, steps in ((right["factor"], right["steps"]), (right["fast factor"], right["fast steps"])):
        assert factor**steps <= 1e-3 < factor ** (steps - 1) and steps == math.ceil(descent.steps_to_goal(factor))
    run = numpy.abs(descent.errors(both, alpha, beta, 30)).max(1)
    assert int(numpy.argmax(run <= 1e-3)) == RUN


@pytest.mark.parametrize("key, value", [("steps", 30), ("fast steps", 9), ("fast steps", 11)])
def test_a_step_too_few_or_too_many_does_not_pass(key, value):
    with pytest.raises(NotYet):
        check_descents(truths() | {key: value})


@pytest.mark.parametrize("key, value", [("factor", -0.8), ("fast factor", 0.5), ("steps", 30.9), ("fast steps", 9.97),
                                        ("steps", 6.9 / -math.log(0.8)), ("fast steps", 6.9 / math.log(2))])
def test_a_negative_factor_and_steps_that_are_not_rounded_up_pass(key, value):
    assert "from rest" in check_descents(truths() | {key: value})


@pytest.mark.parametrize("key, value, says", [
    ("fast steps", RUN, "that is the run from rest; ask only ln 1000 over -ln of the factor"),
    ("rate", 0.25, "that is the α that goes with the best β"),
    *(("steps", value, "divide 6.9 by -ln of the factor") for value in (34.5, 34.54, 35)),
    *(("fast steps", value, "divide 6.9 by -ln of the factor") for value in (13.8, 13.82, 14)),
])
def test_a_likely_slip_on_paper_is_told_what_it_is(key, value, says):
    with pytest.raises(Misconception, match=says):
        check_descents(truths() | {key: value})


def test_the_rate_that_goes_with_momentum_is_the_librarys():
    rate = float(best_momentum(*(torch.tensor(each, dtype=torch.float64) for each in (LOW, HIGH)))[0])
    assert rate == pytest.approx(0.25) and abs(1 - HIGH * rate) == pytest.approx(1.25)
    assert any(key == "rate" and value == pytest.approx(rate) for key, value, *_ in ROUTES)


def test_what_is_returned_in_another_order_is_told_so():
    ways = {"123": False, "132": True, "213": True, "231": True, "312": True, "321": True}
    for way, wrong in ways.items():
        def shuffled(m, f, phi, state, steps, way=way):
            three = exercise("07.2").reference()(m, f, phi, state, steps)
            return tuple(three[int(each) - 1] for each in way)
        if wrong:
            with pytest.raises(Misconception, match="returned in another order"):
                check_stretch(shuffled)
        else:
            assert "are right" in check_stretch(shuffled)


def test_a_loss_for_each_function_is_no_other_order():
    def each(m, f, phi, state, steps):
        return f(phi + m(phi, state)[0]), phi, state
    with pytest.raises(NotYet, match="must be a scalar") as found:
        check_stretch(each)
    assert not isinstance(found.value, Misconception)


# ---------------------------------------------------------------- the script with mistakes

def script(source=SCRIPT, **names):
    """What the script defines, with what it takes for granted."""
    space = {"torch": torch, "LSTMCell": LSTMCell, **names}
    exec(source, space)
    return space


def test_cells_in_a_plain_list_are_no_parameters():
    kept = [name for name, _ in script()["Optimiser"]().named_parameters()]
    mended = script(SCRIPT.replace("[LSTMCell(2, 20), LSTMCell(20, 20)]",
                                   "torch.nn.ModuleList([LSTMCell(2, 20), LSTMCell(20, 20)])"))["Optimiser"]()
    assert MARKS["a"].does == NEVER and MARKS["b"].does == RIGHT and all(name.startswith("out") for name in kept)
    assert any(name.startswith("cells") for name, _ in mended.named_parameters())


def trained(source):
    """Where each stretch of the script's training begins, and the gradients before each step of its optimiser."""
    begins, seen = [], []
    weight = torch.nn.Parameter(torch.zeros(()))

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = weight

        def start(self, phi):
            return phi.new_zeros(())

    class Watched(torch.optim.SGD):
        def step(self):
            seen.append(float(weight.grad))

    def stretch(m, f, phi, state, steps):
        begins.append(float(phi))
        return m.weight * 1.0, phi + 1, state + 1

    class Torch:
        nn = torch.nn

        class optim:
            Adam = Watched
    space = script(source.replace("range(400)", "range(2)"), stretch=stretch,
                   random_quadratics=lambda count: (None, torch.zeros(())))
    space["torch"] = Torch
    space["train"](Model())
    return begins, seen


def test_gradients_pile_up_and_every_stretch_begins_at_the_start():
    begins, seen = trained(SCRIPT)
    assert MARKS["d"].does == PILES and seen == list(range(1, 11))
    assert MARKS["e"].does == FIRST and set(begins) == {0.0}
    *kept, last = SCRIPT.split("\n")
    assert last.rstrip().endswith("# e")
    begins, seen = trained("\n".join(kept).replace("            meta_loss.backward()",
                                                   "            outer.zero_grad()\n            meta_loss.backward()"))
    assert begins == [0.0, 1.0, 2.0, 3.0, 4.0] * 2 and seen == [1.0] * 10 and MARKS["c"].does == RIGHT
