"""Names of classes: which are the same, and how a list of names is said."""

import unicodedata

import pytest

from mlcourse.domains.names import class_key, listed, matched, quoted


@pytest.mark.parametrize(("one", "other"), [
    ("café", unicodedata.normalize("NFD", "café")), ("Cat", "cat"), ("dog ", "dog"), (" dog", "dog"),
    ("golden  retriever", "golden retriever"), ("golden_retriever", "Golden-Retriever"), ("Straße", "STRASSE"),
    ("tab\tle", "tab le"), ("no-break\u00a0space", "no-break space"), ("\ufeffcat", "cat"),
    ("barks / Ash", "barks / ash"), ("Ｃａｔ\u3000１", "cat 1"), ("well\u2013known", "well-known"), ("\u2014 x", "- x"),
    ("co\u00adoperate", "cooperate"), ("left\u200e", "left"), ("zero\u200dwidth", "zerowidth")])
def test_names_typed_in_two_ways_are_one(one, other):
    assert class_key(one) == class_key(other)
    assert matched([one, "x"], ["y", other], "A", "B") == {one: other}


@pytest.mark.parametrize(("one", "other"), [("1", "-1"), ("1", "\uff0d1"), ("2", "\u00b2"), ("a", "á"), ("cat", "cats"), ("_", "-"), ("7", "07"),
                                              ("ab", "a b")])
def test_names_that_mean_something_else_stay_apart(one, other):
    assert matched([one], [other], "A", "B") == {}


def test_the_very_name_comes_before_another_spelling():
    assert matched(["Cat", "cat"], ["cat", "x"], "A", "B") == {"cat": "cat"}
    assert matched(["a", "A"], ["A", "a"], "A", "B") == {"a": "a", "A": "A"}
    assert matched(["CAT", "cafe\u0301"], ["cat", "café", "Café"], "A", "B") == {"CAT": "cat", "cafe\u0301": "café"}


@pytest.mark.parametrize(("names", "others"), [(["Cat", "cat"], ["CAT"]), (["CAT"], ["cat", "Cat"])])
def test_where_it_is_open_which_is_meant_both_are_named(names, others):
    with pytest.raises(ValueError, match="'[Cc]at' and '[Cc]at' of .* differ only in case.* is 'CAT' of .*; rename them"):
        matched(names, others, "here", "there")


def test_a_list_of_names_is_short():
    assert listed([]) == "" and listed(["a"]) == "a" and listed("ab") == "a and b" and listed("abc") == "a, b and c"
    assert listed("abcdefg") == "a, b, c and 4 more" and quoted(["dog ", "cat"]) == "'dog ' and 'cat'"
    assert listed(["a\nb", "caf\udce9", "é"]) == "a\\nb, caf\\udce9 and é"
