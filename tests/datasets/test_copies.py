"""Equal pictures among one's own: one of each class counts, and what contradicts itself is said."""

import re
import shutil

import numpy as np
import pytest
import torch
from own_pictures import numbered, save
from PIL import Image

from mlcourse.datasets import load
from mlcourse.episode import EpisodeSampler


def noise(count):
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def test_copies_within_a_class_are_left_out_and_said(tmp_path):
    for i, pixels in enumerate(noise(6)):
        first = save(tmp_path / "ab"[i % 2] / f"{i}.png", Image.fromarray(pixels))
        for end in ("", " 2"):
            shutil.copy(first, first.with_name(f"{i} (copy{end}).png"))
    domain = load(f"folder:{tmp_path}")
    assert domain.labels.tolist() == [0, 0, 0, 1, 1, 1] and len(set(domain.digests.tolist())) == 6
    assert domain.note.split("\n")[0].startswith("18 images") and domain.note.split("\n")[1:] == [
        "left out, equal to another picture of the same class: 12 in all, a/0 (copy).png, a/0.png, a/2 (copy).png and "
        "9 more"]


def test_a_class_of_one_picture_many_times_fills_no_episode(tmp_path):
    for name in "ab":
        image = numbered()
        for i in range(10):
            save(tmp_path / name / f"{i}.png", image)
    domain = load(f"folder:{tmp_path}")
    assert domain.labels.tolist() == [0, 1]
    with pytest.raises(ValueError, match="needs 6 samples of every class, but class 'a' of .* has 1; ask for fewer"):
        EpisodeSampler(domain, 2, 1, 5)


def test_copies_in_an_array_are_left_out_and_said(tmp_path):
    for times in (1, 2):
        np.savez(tmp_path / f"{times}.npz", images=np.concatenate([noise(4)] * times), labels=[0, 0, 1, 1] * times)
    domain, once = (load(f"array:{tmp_path / f'{times}.npz'}") for times in (2, 1))
    assert domain.labels.tolist() == [0, 0, 1, 1] and torch.equal(domain.images, once.images)
    assert "equal" not in once.note
    assert "left out, equal to another picture of the same class: 4 in all, images[4], images[5]" in domain.note


def test_equal_pictures_in_two_classes_are_kept_and_said(tmp_path):
    one, other = numbered(), numbered()
    for place, image in (("a/0", one), ("a/1", other), ("b/0", numbered()), ("b/7", one)):
        save(tmp_path / f"{place}.png", image)
    domain = load(f"folder:{tmp_path}")
    assert domain.labels.tolist() == [0, 0, 1, 1]
    assert domain.note.split("\n")[1:] == ["equal pictures in several classes, whose labels so contradict each other: "
                                           "1 in all, the first a/0.png and b/7.png; remove those that are wrong"]


def test_pictures_that_differ_are_all_taken_without_a_word(tmp_path):
    for place in ("a/0", "a/1", "b/0"):
        save(tmp_path / f"{place}.png")
    domain = load(f"folder:{tmp_path}")
    assert len(domain.images) == 3 and not re.search("equal|\n", domain.note)
