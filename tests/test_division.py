"""Splits that say what they need, and cross-validation where there are too few classes to hold out."""

import re

import pytest
from tiny import patterns

from mlcourse.division import divide, has_splits
from mlcourse.domains import Domain


def domain(classes, groups=None):
    found = patterns(classes=classes, per_class=4)
    return Domain("mine", found.images, found.labels, found.classes, groups or found.classes)


def names(parts):
    return [set(part.classes) for part in parts]


def test_many_classes_are_split_as_before():
    division = divide(domain(40), "folder:mine", 5)
    (fold,) = division.folds
    assert (division.by, division.said) == ("group", "")
    assert [len(part.classes) for part in division.parts.values()] == [24, 8, 8] and fold.test is division.parts["test"]


@pytest.mark.parametrize("classes, way, folds", [(10, 5, 2), (9, 2, 4), (24, 5, 4), (11, 3, 3), (4, 2, 2)])
def test_few_classes_are_cross_validated_each_tested_once(classes, way, folds):
    division = divide(domain(classes), "folder:mine", way)
    assert division.by == "none" and len(division.folds) == folds and set(division.parts) == {"train"}
    tested = [name for fold in division.folds for name in fold.test.classes]
    assert sorted(tested) == sorted(domain(classes).classes)
    for fold in division.folds:
        train, test = names(fold[:2])
        assert not train & test and train | test == set(tested) and min(len(train), len(test)) >= way
    assert f"so the number is cross-validated: {folds} trainings, each tested on {classes // folds}" in division.said
    asked = divide(domain(classes), "folder:mine", way, "none")
    assert names([fold.test for fold in asked.folds]) == names([fold.test for fold in division.folds])


def test_two_groups_of_many_classes_are_split_by_class_and_it_is_said():
    division = divide(domain(30, tuple("ab"[i % 2] for i in range(30))), "folder:mine", 5)
    assert division.by == "class" and "has 2 class groups" in division.said
    assert division.said.endswith("so it is split by class")
    assert set(division.parts["test"].groups) <= {"a", "b"} and len(division.parts["test"].classes) == 6


def test_a_split_that_is_asked_for_is_made_or_refused():
    kin = domain(30, tuple(f"g{i // 3}" for i in range(30)))
    by_group, by_class = (divide(kin, "folder:mine", 5, by).parts for by in ("group", "class"))
    assert not {g for g in by_group["train"].groups} & set(by_group["test"].groups)
    assert {g for g in by_class["train"].groups} & set(by_class["test"].groups)
    with pytest.raises(ValueError, match="way 9 needs 9 classes in training and in the test, but mine/test has 6; ask for a"
                                         " smaller --way, or divide the classes otherwise with --split-by"):
        divide(kin, "folder:mine", 9, "class")
    with pytest.raises(ValueError, match="has 2 class groups; .* needs at least 3; ask for a smaller --way"):
        divide(domain(6, tuple("aaabbb")), "folder:mine", 2, "group")


def test_a_domain_that_comes_in_splits_is_not_divided_otherwise_unasked():
    given = domain(10, ("train",) * 6 + ("test",) * 4)
    assert has_splits(given, "folder:mine") and names(divide(given, "folder:mine", 4).folds[0][:2])[1] == set(given.classes[6:])
    with pytest.raises(ValueError, match="mine/test has 4; ask for a smaller --way"):
        divide(given, "folder:mine", 5)
    assert divide(given, "folder:mine", 5, "none").by == "none"


@pytest.mark.parametrize("classes, way, by, says", [
    (9, 5, None, "mine has 9 classes, but training and test need 5 each; add classes, or lower --way to at most 4"),
    (3, 2, None, "mine has 3 classes, but training and test need 2 each; add classes"),
    (9, 5, "none", "has 9 classes, but training and test need 5 each"),
    (9, 5, "alphabet", "split-by must be one of group, class, none, got 'alphabet'"),
    (9, 1, None, "way must be at least 2, got 1"),
])
def test_what_cannot_be_divided_is_said(classes, way, by, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        divide(domain(classes), "folder:mine", way, by)
