"""What every data set of the course must hold. A new line in SOURCES takes part here without further ado."""

import pytest
from like_every_source import check_source

from mlcourse import datasets

NAMED = pytest.mark.parametrize("source", [source for source in datasets.SOURCES if source.load], ids=lambda s: s.name)


@NAMED
def test_it_holds_what_its_record_says(source):
    check_source(source)


@NAMED
def test_the_list_says_where_it_is_or_how_to_get_it(source):
    row = next(row for row in datasets.available() if row["name"] == source.name)
    assert row["about"] == source.about and row["where"]
    assert not row["present"] or row["images"]
