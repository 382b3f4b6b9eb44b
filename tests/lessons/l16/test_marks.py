"""What the explorer of lesson 16 computed is marked ≈."""

import torch
from marks import check_marked

from mlcourse.lessons.l16_contrast.widget_contrast import ContrastExplorer


def paired():
    a, b = torch.randn(2, 30, 6, generator=torch.Generator().manual_seed(0))
    pictures = torch.rand(30, 1, 28, 28)
    return ContrastExplorer({"some": (lambda x: x, lambda x: x)}, a, a + b, torch.arange(30) // 3, pictures, pictures)


def test_the_contrast():
    check_marked(paired, set(range(1, 11)))
