"""The five splits of exercise 06.2 share what its check says, and nothing worse."""

import pytest
import torch

from mlcourse.lessons.l06_images import five_splits
from mlcourse.lessons.l06_images.checks_results import ALIKE, CLASSES, LEAKS, NOTHING, SCRIPTS, TURNED
from mlcourse.lessons.l06_images.five_splits import SPLITS, glyphs


def characters(domain, turns=0):
    """Which characters of the data set the pictures are drawings of, when turned back."""
    every = {tuple(picture.flatten().tolist()): int(label)
             for picture, label in zip(glyphs().images, glyphs().labels, strict=True)}
    back = torch.rot90(domain.images, -turns, (2, 3))
    return {every.get(tuple(picture.flatten().tolist()), -1) for picture in back}


@pytest.mark.parametrize("key", SPLITS)
def test_a_split_shares_what_the_check_says(key):
    train, test = SPLITS[key]()
    same, turned = characters(train) & characters(test) - {-1}, characters(train) & characters(test, 1) - {-1}
    found = NOTHING
    if set(train.groups) & set(test.groups):
        found = SCRIPTS
    if same:
        found = CLASSES if set(train.groups) & set(test.groups) else ALIKE
    if turned and -1 not in characters(test, 1):
        found = TURNED
    assert LEAKS[key].verdict == found


@pytest.mark.parametrize("key", SPLITS)
def test_no_picture_and_no_name_stands_on_both_sides(key):
    train, test = SPLITS[key]()
    assert not set(train.digests.tolist()) & set(test.digests.tolist())
    assert not set(train.classes) & set(test.classes)


def test_the_pairs_shown_are_the_nearest():
    train, test = SPLITS["a"]()
    far = five_splits.distances(train, test)
    assert far.shape == (len(test.classes), len(train.classes))
    twins = [test.classes[c] for c in far.min(1).values.argsort()[:five_splits.PAIRS].tolist()]
    assert all(name.startswith("Greek") for name in twins)
    alike = {f"Greek/GREEK CAPITAL LETTER {greek}": f"Latin/LATIN CAPITAL LETTER {latin}"
             for latin, greek in five_splits.GREEK.items()}
    assert all(train.classes[int(far[test.classes.index(name)].argmin())] == alike[name] for name in twins)


def test_a_look_names_its_scripts_and_not_its_leak():
    alt = five_splits.look("d").alt
    assert "Lao, Tifinagh" in alt and not any(word in alt for word in ("90", "turn", "leak"))
