"""What a loader did to pictures of one's own is said by the commands that use them, once they start."""

from own_pictures import drawing, save, two_classes

from mlcourse.datasets import load


def test_a_command_says_what_was_done_to_the_pictures_on_stderr(tmp_path, mlcourse):
    for split, classes in (("train", "abcde"), ("test", "fghij")):
        for name in classes:
            for i in range(2):
                own = drawing()             # with a spot of its own, or it were the same picture in every class
                own.paste(0, (6 * "abcdefghij".index(name) % 36, 30 * i + 2, 6 * "abcdefghij".index(name) % 36 + 4, 30 * i + 7))
                own.putpixel((39, 2 + "abcdefghij".index(name)), 0)
                save(tmp_path / "own" / split / name / f"{i}.jfif", own.resize((40, 40)), format="jpeg")
    (tmp_path / "own" / "notes.txt").write_text("hello")
    spec = f"folder:{tmp_path / 'own'}"
    said = [f"{spec}: 20 images of 40×40 pixels: 20 inverted (their border is bright), 20 resized",
            "  train and test are the splits, for no class of test is in another of these folders: 5 training and 5 "
            "test classes", "  passed over, no pictures or hidden: notes.txt"]
    words = ("--domain", spec, "--query", 1, "--episodes", 3)
    status, out, err = mlcourse("train", "protonet", *words, "--steps", 1, "--folder", tmp_path / "run", "--json")
    assert status == 0 and err.split("\n")[:3] == said and out.startswith("{")
    status, out, err = mlcourse("evaluate", tmp_path / "run" / "model.safetensors", *words)
    assert status == 0 and err.split("\n")[:3] == said and "5-way 1-shot" in out
    status, out, err = mlcourse("train", "protonet", *words, "--way", 6, "--folder", tmp_path / "other")
    assert status == 2 and err.count("\n") == 1, "one sentence for bad input"
    assert "own/test has 5; ask for a smaller --way" in err


def test_verify_says_it_in_one_line(tmp_path, mlcourse):
    (two_classes(tmp_path) / "notes.txt").write_text("hello")
    status, out, _ = mlcourse("data", "verify", f"folder:{tmp_path}")
    assert status == 0 and out.count("\n") == 1 and "2 resized; passed over, no pictures or hidden: a/notes.txt)" in out


def test_names_of_the_course_are_not_commented_on(mlcourse, capsys):
    from mlcourse.datasets.notes import say

    say(["digits"], [load("digits")])
    assert capsys.readouterr().err == ""
