"""Both ends of every lesson: the links to its neighbours, and where the learner stands."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from sample_lesson import sample

from mlcourse.course import frame, notebooks, standard

every_lesson = pytest.mark.parametrize("about", notebooks.lessons(), ids=lambda about: about.lesson)


def has_links(about):
    line, cells = frame.links(about.path), notebooks.read(about.path).cells
    standing = [(cell.id, found) for cell in cells for found in standard.LINKS.findall(cell.source)]
    return [(id, found.strip()) for id, found in standing] == [(cell.id, line) for cell in frame.ends(cells)]


def has_progress(about):
    """After the first code cell, and before the last cell of prose that nothing folds away."""
    cells, call = notebooks.read(about.path).cells, f'show_progress("{about.lesson}")'
    first = next(place for place, cell in enumerate(cells) if cell.cell_type == "code")
    last = next(place for place, cell in enumerate(cells) if cell.id == frame.ends(cells)[1].id)
    return [place for place, cell in enumerate(cells) if cell.source == call] == [first + 1, last - 1]


@every_lesson
def test_a_lesson_has_its_links_and_the_learners_progress_at_both_ends(about):
    there = has_links(about) and (has_progress(about) or not about.exercises)
    assert there, "python -m mlcourse.course.readme writes the links; docs/adding_a_lesson.md says what else is due"


@every_lesson
def test_every_link_leads_to_a_page_and_a_heading(about):
    for target, heading in re.findall(r"\]\(([^)#]+)#?([^)]*)\)", frame.links(about.path)):
        page = about.path.parent / target
        assert page.is_file()
        headings = [text for cell in notebooks.read(page).cells for _, text in notebooks.HEADING.findall(cell.source)
                    ] if heading else []
        assert not heading or heading in {text.replace(" ", "-") for text in headings}


def course(folder, *numbers):
    for number in numbers:
        lesson = sample(number, title=f"Lesson {number}")
        lesson.cells = [new_markdown_cell("# A title\nText."), new_code_cell("1"), new_markdown_cell("The end.")]
        nbformat.write(lesson, folder / f"{number}_x.ipynb")
    return {number: folder / f"{number}_x.ipynb" for number in numbers}


def test_neighbours_are_those_that_are_there(tmp_path):
    paths = course(tmp_path, "00", "03", "07", "99")
    shared = " · [Glossary](glossary.md) · [Symbols](99_x.ipynb) · [How to work here](00_x.ipynb#How-to-work-here)"
    assert frame.links(paths["03"]) == "← [00 Lesson 00](00_x.ipynb) · [07 Lesson 07](07_x.ipynb) →" + shared
    assert frame.links(paths["00"]) == "[03 Lesson 03](03_x.ipynb) →" + shared
    assert frame.links(paths["07"]) == "← [03 Lesson 03](03_x.ipynb)" + shared
    assert frame.links(paths["99"]) == "[Glossary](glossary.md) · [How to work here](00_x.ipynb#How-to-work-here)"


def test_the_line_is_put_at_both_ends_once_and_a_changed_one_is_replaced(tmp_path):
    paths = course(tmp_path, "00", "03")
    frame.fill(paths["03"])
    before = paths["03"].read_bytes()
    frame.fill(paths["03"])
    line = frame.links(paths["03"])
    assert paths["03"].read_bytes() == before
    assert [cell.source for cell in notebooks.read(paths["03"]).cells] == [
        f"# A title\n\n{line}\n\nText.", "1", f"The end.\n\n{line}"]
    course(tmp_path, "07")
    frame.fill(paths["03"])
    new = frame.links(paths["03"])
    assert new != line and paths["03"].read_text(encoding="utf-8") == before.decode().replace(line, new)


def test_what_is_folded_away_is_no_end(tmp_path):
    path = course(tmp_path, "00")["00"]
    notebook = notebooks.read(path)
    notebook.cells += [new_markdown_cell("## Further"), new_markdown_cell("More.")]
    notebooks.write(notebook, path)
    frame.fill(path)
    assert [standard.HELP in cell.source for cell in notebooks.read(path).cells] == [True, False, True, False, False]
