"""Every lesson against the size that the course sets itself; and the count, on a small lesson made here."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from sample_lesson import sample

from mlcourse.course import notebooks, standard


@pytest.mark.parametrize("about", notebooks.lessons(), ids=lambda about: about.lesson)
def test_a_lesson_keeps_to_the_standard(about):
    assert not standard.excess(about.path), f"lesson {about.lesson}: {standard.measure(about.path)}"


# ---------------------------------------------------------------- the count


def stored(folder, *cells, **metadata):
    """A lesson of these cells after a heading of 4 words; its exercise is 00.1, of 5 minutes."""
    lesson = sample("00", **metadata)
    lesson.cells = [new_markdown_cell("# A short lesson"), *cells]
    nbformat.write(lesson, folder / "00_sample.ipynb")
    return folder / "00_sample.ipynb"


def shows(data, source="1", **metadata):
    return new_code_cell(source, outputs=[new_output("display_data", data, metadata=metadata)])


def png(plain, alt):
    return shows({"image/png": "", "text/plain": plain}, **{"image/png": {"alt": alt}})


def further(heading="## Further", folded=True):
    return new_markdown_cell(heading, metadata={notebooks.COLLAPSED: True} if folded else {})


def test_what_is_read_is_prose_what_cells_print_and_the_words_of_explorers(tmp_path):
    printed = new_code_cell("print('one two')", outputs=[new_output("stream", text="one two\n")])
    size = standard.measure(stored(
        tmp_path, printed, shows({"text/plain": "Predict(00.p1)", "text/html": "<p><b>Which</b> way &amp; why?</p>"}),
        shows({"text/html": "<style>td { color: red }</style><table><td>3 4</td></table>", "text/plain": "0 3 4"}),
        png("Picture: three words here", "three words here"),
        png("YouAgainstMachine(episode)", "a headline. A caption.")))
    assert size.words == 4 + 2 + 4 + 2 + 4
    assert (size.pictures, size.widgets) == (1, 1)


def test_code_is_counted_without_empty_lines_and_minutes_are_those_of_the_records(tmp_path):
    size = standard.measure(stored(tmp_path, new_code_cell("x = 1\n\ny = 2"), new_code_cell("z = '" + 95 * "a" + "'")))
    assert (size.lines, size.longest_cell, size.longest_line) == (3, 2, 101)
    assert (size.exercise_minutes, size.minutes) == (5, 5)


def test_further_is_counted_for_itself_up_to_the_next_heading_of_its_level(tmp_path):
    size = standard.measure(stored(
        tmp_path, further(), new_markdown_cell("three words more"), new_code_cell("x = 1\ny = 2"),
        new_markdown_cell("### Deeper"), new_markdown_cell("Back again.\n\n## References\n\nNone.")))
    assert (size.words, size.lines, size.longest_cell) == (4 + 2 + 3, 0, 2)
    assert (size.further_words, size.further_cells, size.open_further) == (2 + 3 + 2, 1, 0)


def test_an_exercise_in_further_takes_no_minutes_of_the_lesson(tmp_path):
    stub = new_code_cell("x = ...", metadata={"tags": ["exercise", "exercise:00.1"]})
    assert standard.measure(stored(tmp_path, stub, further())).exercise_minutes == 5
    assert standard.measure(stored(tmp_path, further(), stub)).exercise_minutes == 0


@pytest.mark.parametrize("cell", [further(folded=False), further("## Further\n\nText that is never folded away.")])
def test_further_must_be_folded_and_its_heading_alone(tmp_path, cell):
    assert standard.measure(stored(tmp_path, cell)).open_further == 1


def test_a_prediction_that_the_notebook_spells_out_is_seen(tmp_path):
    source = "Predict('00.p1', 'Which?', ['a', 'b'])\noutcome('00.p1', f'{1}')\nPredict('00.p2')\noutcome('00.p2')"
    assert standard.measure(stored(tmp_path, new_code_cell(source))).told_predictions == 1


def test_the_table_of_all_symbols_is_no_reading(tmp_path):
    table = new_markdown_cell("three words before\n\n<!-- symbols -->\n| a | b |\n| c | d |\n<!-- /symbols -->\n\nand "
                              "two")
    assert standard.measure(stored(tmp_path, table)).words == standard.measure(stored(tmp_path)).words + 5


def test_the_excess_is_what_is_too_much_or_too_little(tmp_path):
    path = stored(tmp_path, new_markdown_cell("word " * 1800), new_code_cell("x = 1\n" * 21), minutes=61)
    assert standard.excess(path) == {"words": 4, "longest_cell": 1, "exercise_minutes": 15, "minutes": 1}
    page = stored(tmp_path, minutes=20, lesson="99", exercises=[])
    assert standard.excess(page) == {}


def test_validate_prints_the_sizes_and_stars_what_misses(mlcourse, tmp_path, monkeypatch):
    path = stored(tmp_path, new_markdown_cell("word " * 1800))
    monkeypatch.setattr(notebooks, "lessons", lambda: [notebooks.read_lesson(path)])
    monkeypatch.setattr(notebooks, "validate", lambda path: [])
    status, out, _ = mlcourse("validate")
    assert status == 0 and "1804*" in out and "1 notebook: every property holds" in out
