"""What the text of lesson 04 says in numbers, against sums of its own and the rows of its study."""

import pytest
import torch

from mlcourse.course import notebooks
from mlcourse.lessons.l04_first_order.arrows import FIRST, JOINT, SECOND, angle, arrows, two_tasks
from mlcourse.nets import MLP


def text():
    """The Markdown of the lesson."""
    return "\n".join(cell.source for cell in notebooks.read(notebooks.find("04")).cells if cell.cell_type == "markdown")


def test_theta_is_as_long_as_the_text_says():
    size = sum(p.numel() for p in MLP().parameters())
    assert f"{size:,}" == "1,761" and "all 1,761 parameters" in text() and round(size**2 / 1e6) == 3


@pytest.mark.parametrize("alpha", [0.01, 0.02])
def test_fomaml_stands_about_half_way(alpha):
    found = arrows(MLP(seed=0), two_tasks(), alpha, 1, (JOINT, FIRST, SECOND))
    share = angle(found[FIRST], found[SECOND]) / angle(found[JOINT], found[SECOND])
    assert 0.4 < share < 0.6 and "about half-way" in text()


def test_what_to_try_with_the_arrows_comes_true():
    at = lambda alpha, steps: arrows(MLP(seed=0), two_tasks(), alpha, steps, (JOINT, FIRST, SECOND))
    missing = lambda found: float((found[SECOND] - found[FIRST]).norm() / found[SECOND].norm())
    small, usual, large, several = at(1e-4, 1), at(0.01, 1), at(0.02, 1), at(0.01, 3)
    assert angle(small[FIRST], small[SECOND]) < 0.1
    for name in (JOINT, FIRST):
        assert angle(usual[name], usual[SECOND]) < angle(large[name], large[SECOND])
    assert missing(usual) < missing(several)


def test_the_product_by_hand():
    theta = torch.tensor(2.0, requires_grad=True)
    g, = torch.autograd.grad(theta**3, theta, create_graph=True)
    slope, = torch.autograd.grad(5 * g, theta)
    assert slope == 60 and r"30\,\theta=60" in text()
