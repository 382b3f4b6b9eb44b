"""The UCI handwritten digits that scikit-learn carries: real handwriting with no download.

Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits

from mlcourse.datasets.source import Source
from mlcourse.domains import Domain


def load() -> Domain:
    """1,797 digits, classes "0" to "9", images uint8 (1797, 1, 28, 28): 8×8 pixels with 17 levels, enlarged."""
    data = load_digits()
    images = np.stack([_enlarge(image) for image in data.images.astype(np.float32)])
    names = tuple("0123456789")
    return Domain("digits", torch.from_numpy(images)[:, None], torch.from_numpy(data.target.astype(np.int64)), names,
                  names, "8×8 digits with ink from 0 to 16, enlarged bicubically to 28×28 and scaled to 0 to 255")


def _enlarge(image: np.ndarray) -> np.ndarray:
    large = Image.fromarray(image).resize((28, 28), Image.Resampling.BICUBIC)
    return (np.asarray(large) * (255 / 16)).round().clip(0, 255).astype(np.uint8)


SOURCE = Source("digits", "handwritten digits (UCI)", lambda data_dir, form: form.of(load()), place="scikit-learn",
                classes=10, images=1797)
