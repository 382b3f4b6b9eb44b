"""Small pictures of one's own, in files."""

from itertools import count

import numpy as np
from PIL import Image


def mark(side=40) -> np.ndarray:
    """0 and 1 (side, side): ink in an L, which no turn or mirror image of itself equals, on an empty border."""
    ink = np.zeros((side, side))
    ink[side // 5:side - side // 4, side // 4:side // 3] = 1
    ink[side - side // 3:side - side // 4, side // 4:side - side // 4] = 1
    return ink


def drawing(mode="L") -> Image.Image:
    """Dark ink on a bright ground."""
    return Image.fromarray((230 - 210 * mark()).astype(np.uint8)).convert(mode)


NUMBERS = count(1)


def numbered() -> Image.Image:
    """A drawing that equals no other one, by the spots near its upper edge."""
    image, number = drawing(), next(NUMBERS)
    for place in range(18):
        if number >> place & 1:
            image.putpixel((2 + 2 * place, 2), 130)
    return image


def save(path, image=None, **options):
    """Write a picture, by default one that equals no other, and the folders above it; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or numbered()).save(path, **options)
    return path


def fill(root, **folders):
    """One picture in each of the class folders named: fill(root, train="cat dog") makes root/train/cat/train.png."""
    for above, classes in folders.items():
        for name in classes.split():
            save(root / above / name / f"{above}.png")
    return root


def two_classes(root):
    """A folder of classes a and b, a picture in each; returns the folder of a."""
    for name in "ab":
        save(root / name / "whole.png")
    return root / "a"
