"""How a folder's pictures fall into classes and splits, and what is said of it."""

import os

import pytest
from own_pictures import fill, save, two_classes

from mlcourse.datasets import load, load_splits


def loaded(root):
    """The domain of a folder and the lines that its loader says after the first."""
    domain = load(f"folder:{root}")
    return domain, domain.note.split("\n")[1:]


def split_names(root):
    return [part.classes for part in load_splits(f"folder:{root}")]


@pytest.mark.parametrize("names", ["training_set test_set", "seg_train seg_test", "train2017 val2017", "cars-train cars-eval"])
def test_splits_are_known_by_one_word_of_their_names(tmp_path, names):
    domain, said = loaded(fill(tmp_path, **dict.fromkeys(names.split(), "cat dog fox")))
    assert domain.classes == ("cat", "dog", "fox") and domain.labels.bincount().tolist() == [2] * 3
    assert said == [f"{names.replace(' ', ' and ')} hold the same 3 classes: one data set, each class with its pictures from "
                    "all these folders"]


def folders(root, names):
    """A picture in each of these folders."""
    for name in names.split():
        save(root / name / f"{name.replace('/', '-')}.png")
    return root


@pytest.mark.parametrize("names, first, part", [
    ("{}_train {}_test", "a_test", "test"), ("train_{} test_{}", "test_a", "test"),
    ("{}-Train {}-VAL {}.(eval)", "a-Train", "train"), ("x/{}_train x/{}_test y/{}_dev y/{}_test", "x/a_test", "test")])
def test_classes_that_end_or_start_with_a_split_are_one_data_set(tmp_path, names, first, part):
    domain, said = loaded(folders(tmp_path, " ".join(names.replace("{}", name) for name in "abcde")))
    groups = ("x/", "y/") if names.startswith("x/") else ("",)
    assert domain.classes == tuple(f"{group}{name}" for group in groups for name in "abcde")
    assert len(set(domain.labels.bincount().tolist())) == 1 and len(domain.images) == 5 * len(names.split())
    assert said[0] == f"every class folder names a class and a part: '{first}' is '{groups[0]}a' in {part}"
    assert "one data set" in said[1] and said[1].endswith("with its pictures from all these folders")


@pytest.mark.parametrize("names, classes", [
    ("a_train a_test b_train fast_food", 4), ("a_train b_train c_test d_test", 4), ("train_a a_test b_train test_b", 4),
    ("atrain atest btrain btest", 4), ("कि_train क_train क_test", 2)])
def test_classes_are_joined_where_all_are_named_so_and_one_has_two_parts(tmp_path, names, classes):
    assert len(loaded(folders(tmp_path, names))[0].classes) == classes


def test_classes_of_splits_that_are_named_after_them_are_the_same(tmp_path):
    domain, said = loaded(fill(tmp_path, train="a_train b_train", test="a_test b_test"))
    assert domain.classes == ("a", "b") and domain.labels.bincount().tolist() == [2, 2]
    assert said[-1].startswith("train and test hold the same 2 classes: one data set")


def test_test_classes_of_their_own_are_the_split_in_suffixes_too(tmp_path):
    _, said = loaded(folders(tmp_path, "a_train a_val b_train c_test d_test"))
    assert "no class of test is in another" in said[-1] and split_names(tmp_path) == [("a", "b"), (), ("c", "d")]


@pytest.mark.parametrize("names", ["train_station test_tube", "toy_train toy_car", "train_a train_b test_a test_b"])
def test_other_names_with_such_a_word_are_groups(tmp_path, names):
    domain, _ = loaded(fill(tmp_path, **dict.fromkeys(names.split(), "red blue")))
    assert set(domain.groups) == {*names.split()}


def test_classes_of_one_name_in_several_groups_are_said(tmp_path):
    domain, said = loaded(fill(tmp_path, fold1="cat dog", fold2="Cat fox"))
    assert len(domain.classes) == 4
    assert said == ["'cat' in fold1 and fold2 count as classes of their own, one for each of these folders; where they are "
                    "the same, put their pictures into one"]


@pytest.mark.parametrize("names", ["train val test", "Train Valid TEST", "training validation testing",
                                   "train dev test", "train val", "train test"])
def test_splits_of_the_same_classes_are_one_data_set(tmp_path, names):
    domain, said = loaded(fill(tmp_path, **dict.fromkeys(names.split(), "cat dog fox")))
    count = len(names.split())
    assert domain.classes == domain.groups == ("cat", "dog", "fox") and domain.labels.bincount().tolist() == [count] * 3
    parts = " and ".join([", ".join(names.split()[:-1]), names.split()[-1]])
    assert said == [f"{parts} hold the same 3 classes: one data set, each class with its pictures from all these "
                    "folders"]
    assert sorted(sum(split_names(tmp_path), ())) == ["cat", "dog", "fox"]


def test_splits_that_share_some_classes_are_one_data_set_and_say_which_are_not_in_all(tmp_path):
    domain, said = loaded(fill(tmp_path, train="Cat dog fox", test="cat dog"))
    assert domain.classes == ("Cat", "dog", "fox") and domain.labels.bincount().tolist() == [2, 2, 1]
    assert said == ["the same class in another spelling: 'cat' in test is 'Cat'",
                    "train and test share classes, but not all ('fox' in train only): one data set of 3 classes, each "
                    "with its pictures from all these folders"]


def test_splits_of_different_classes_are_the_splits(tmp_path):
    domain, said = loaded(fill(tmp_path, train="a b c", val="d e", test="f g"))
    assert domain.classes == tuple("abcdefg")
    assert said == ["train, val and test are the splits, for no class of test is in another of these folders: 3 "
                    "training, 2 validation and 2 test classes"]
    assert split_names(tmp_path) == [("a", "b", "c"), ("d", "e"), ("f", "g")]
    assert [part.classes for part in load_splits(f"folder:{tmp_path}@noise=0.1")] == split_names(tmp_path)


def test_two_folders_of_different_classes_are_training_and_test(tmp_path):
    assert loaded(fill(tmp_path / "a", train="a b c", test="d e"))[1][0].endswith("3 training and 2 test classes")
    assert split_names(tmp_path / "a") == [("a", "b", "c"), (), ("d", "e")]
    fill(tmp_path / "b", train="a b c", val="d e")
    assert split_names(tmp_path / "b") == [("a", "b", "c"), (), ("d", "e")]


def test_validation_pictures_of_training_classes_leave_the_test_classes_unseen(tmp_path):
    _, said = loaded(fill(tmp_path, train="a b", val="a b", test="c d"))
    assert said[0].endswith("2 training and 2 test classes; 'a' and 'b' also in val count as training classes")
    assert split_names(tmp_path) == [("a", "b"), (), ("c", "d")]


def test_splits_of_groups_of_classes(tmp_path):
    fill(tmp_path / "train", greek="alpha beta", latin="a")
    fill(tmp_path / "test", thai="ko kho")
    assert split_names(tmp_path) == [("greek/alpha", "greek/beta", "latin/a"), (), ("thai/kho", "thai/ko")]


def test_test_pictures_without_classes_are_left_out_and_named(tmp_path):
    fill(tmp_path, train="cat dog", val="cat dog")
    save(tmp_path / "test" / "1.png")
    save(tmp_path / "unused" / "x" / "1.png")
    domain, said = loaded(tmp_path)
    assert domain.classes == ("cat", "dog") and len(domain.images) == 4
    assert said[0] == "left out, beside train and val: unused"
    assert said[-1] == "left out, in no class folder: test/1.png"


@pytest.mark.parametrize("name", ["images", "unknown", "test"])
def test_a_folder_around_test_pictures_is_no_class(tmp_path, name):
    fill(tmp_path, train="cat dog")
    save(tmp_path / "test" / name / "1.png")
    domain, said = loaded(tmp_path)
    assert domain.classes == ("cat", "dog")
    assert said == ["the classes are those of train", f"left out, in no class folder: test/{name}/1.png"]


def test_a_class_may_be_called_train(tmp_path):
    for name in ("plane", "train", "test"):
        save(tmp_path / name / "1.png")
    assert loaded(tmp_path)[0].classes == ("plane", "test", "train")


def test_train_and_test_without_class_folders_are_no_classes(tmp_path):
    for name in ("train", "test"):
        save(tmp_path / name / "1.png")
    with pytest.raises(ValueError, match="train and test in .* hold pictures, but no class folders; arrange them as"):
        load(f"folder:{tmp_path}")


def test_classes_in_one_folder_further_in(tmp_path):
    for root, inner in (("one", "images"), ("two", "data/images"), ("three", "train")):
        fill(tmp_path / root / inner / "..", **{inner.split("/")[-1]: "cat dog"})
        (tmp_path / root / "annotations").mkdir()
        (tmp_path / root / "annotations" / "1.xml").write_text("<x/>")
        domain, said = loaded(tmp_path / root)
        assert domain.name == f"folder:{root}" and domain.classes == ("cat", "dog")
        assert said == [f"the classes are the folders in {inner}", "passed over, no pictures or hidden: annotations"]


def test_a_class_folder_that_holds_one_more_folder(tmp_path):
    for name in ("n01", "n02"):
        save(tmp_path / "a" / "train" / name / "images" / "1.png")
        save(tmp_path / "a" / "val" / "images" / f"{name}.png")
        save(tmp_path / "b" / name / "train" / "1.png")
        save(tmp_path / "b" / name / "test" / "2.png")
    domain, said = loaded(tmp_path / "a")
    assert domain.classes == ("n01", "n02") and len(domain.images) == 2
    assert said == ["the pictures of a class in train are those in images in its folder",
                    "the classes are those of train", "left out, in no class folder: val/images/n01.png and val/images/n02.png"]
    domain, said = loaded(tmp_path / "b")
    assert domain.classes == ("n01", "n02") and domain.labels.tolist() == [0, 0, 1, 1]
    assert said == ["the pictures of a class in b are those in test and train in its folder"]


def test_what_systems_leave_behind_is_no_class_and_no_picture(tmp_path):
    folder = two_classes(tmp_path)
    for name in ("__MACOSX", ".git", "@eaDir"):
        save(tmp_path / name / "a" / "1.png")
    for name in (".DS_Store", "._whole.png", "Thumbs.db", "desktop.ini"):
        (folder / name).write_bytes(b"\0\0\0\1Bud1")
    (folder / "x.png").mkdir()
    domain, said = loaded(tmp_path)
    assert domain.classes == ("a", "b") and len(domain.images) == 2
    assert said == ["passed over, no pictures or hidden: @eaDir, __MACOSX, a/Thumbs.db and 5 more"]


def test_pictures_beside_the_class_folders_are_named(tmp_path):
    two_classes(tmp_path)
    save(tmp_path / "loose.png")
    assert loaded(tmp_path)[1] == ["left out, in no class folder: loose.png"]


def test_folders_that_fit_no_layout_are_one_sentence(tmp_path):
    save(tmp_path / "deep" / "a" / "b" / "c" / "1.png")
    save(tmp_path / "deep" / "d" / "e" / "f" / "1.png")
    with pytest.raises(ValueError, match="the pictures in .*a/b lie too deep; arrange .*deep as PATH/class/image"):
        load(f"folder:{tmp_path / 'deep'}")
    fill(tmp_path / "open", train="CAT dog", test="cat Cat dog")
    with pytest.raises(ValueError, match="'Cat' and 'cat' of test differ only .* rename them"):
        load(f"folder:{tmp_path / 'open'}")
    os.makedirs(os.fsencode(tmp_path) + b"/name/caf\xe9")
    save(tmp_path / "name" / "b" / "1.png")
    os.rename(save(tmp_path / "1.png"), os.fsencode(tmp_path) + b"/name/caf\xe9/1.png")
    with pytest.raises(ValueError, match=r"the name of the folder '.*caf.udce9' is not UTF-8; rename it"):
        load(f"folder:{tmp_path / 'name'}")


def test_links_in_a_circle_end(tmp_path):
    (two_classes(tmp_path) / "round").symlink_to("..")
    assert loaded(tmp_path)[1] == ["passed over, no pictures or hidden: a/round"]


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    two_classes(tmp_path)
    kept = type(tmp_path).iterdir

    def iterdir(path):
        if path.name == "b":
            raise PermissionError(13, "Permission denied", str(path))
        return kept(path)

    monkeypatch.setattr(type(tmp_path), "iterdir", iterdir)
    with pytest.raises(ValueError, match="b cannot be read .Permission denied.; change its permissions or move it"):
        load(f"folder:{tmp_path}")
