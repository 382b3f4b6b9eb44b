"""The quiz of lesson 00 in JupyterLab, inside its lesson: it is answered with the mouse and from the keyboard alone."""


def test_you_against_machine(lab, tmp_path):
    page = lab("notebooks/00_start_here.ipynb")
    assert page.errors() == []
    quiz = page.widget("YouAgainstMachine")
    assert "Question 1 of 10" in quiz.says()
    assert quiz.faults() == []
    picture = quiz.pixels()
    quiz.root.get_by_role("button", name="2", exact=True).click()
    picture = quiz.changed(picture)
    assert "Question 2 of 10" in quiz.says()
    quiz.root.get_by_role("button", name="3", exact=True).focus()
    quiz.page.keyboard.press("Space")
    picture = quiz.changed(picture)
    assert "Question 3 of 10" in quiz.says()
    quiz.root.get_by_placeholder("or type").focus()
    for number in range(4, 12):
        quiz.page.keyboard.press(str(number % 5 + 1))
        picture = quiz.changed(picture)
        if number < 11:
            quiz.root.get_by_text(f"Question {number} of 10").wait_for()
    quiz.root.get_by_text("of 10 right").wait_for()
    assert "95 % interval" in quiz.says() and "kept for lesson 18" in quiz.says()
    assert quiz.root.get_by_role("button", name="1", exact=True).is_disabled()
    assert quiz.faults() == []
    quiz.root.screenshot(path=tmp_path / "quiz.png")
    assert page.errors() == []
