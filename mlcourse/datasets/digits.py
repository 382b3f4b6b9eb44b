"""The UCI handwritten digits that scikit-learn carries: real handwriting with no download.

Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits

from mlcourse.datasets.form import GREY, Form
from mlcourse.datasets.frame import in_frame
from mlcourse.datasets.source import Source
from mlcourse.domains import Domain


NOTE = "8×8 digits with ink from 0 to 16, enlarged bicubically and scaled to 0 to 255"


def load(form: Form = GREY) -> Domain:
    """1,797 digits, classes "0" to "9", of 8×8 pixels with 17 levels: in the frame, or enlarged to fill the picture."""
    data = load_digits()
    scans = data.images.astype(np.float32)
    images = torch.from_numpy(np.stack([_enlarge(scan) for scan in scans]))[:, None]
    names = tuple("0123456789")
    domain = Domain("digits", images, torch.from_numpy(data.target.astype(np.int64)), names, names, NOTE)
    return in_frame(domain, form, scans * (255 / 16))


def _enlarge(image: np.ndarray) -> np.ndarray:
    large = Image.fromarray(image).resize((28, 28), Image.Resampling.BICUBIC)
    return (np.asarray(large) * (255 / 16)).round().clip(0, 255).astype(np.uint8)


SOURCE = Source("digits", "handwritten digits (UCI)", lambda data_dir, form: load(form), place="scikit-learn",
                classes=10, images=1797, framed=True)
