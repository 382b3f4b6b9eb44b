"""The embedded data set: what it must hold, that it can be made again, and what a damaged file says."""

import unicodedata

import matplotlib
import numpy as np
import pytest
import torch

from mlcourse.datasets.glyphs import stored as glyphs
from mlcourse.datasets.glyphs import build as glyph_build, characters as glyph_characters, drawing as glyph_drawing
from mlcourse.episode import EpisodeSampler, split_by_group

PATH = glyphs.DATA / glyphs.FILE
SOME = [glyph_characters.Character("Digits", "4", "DejaVuSans.ttf"),
        glyph_characters.Character("Hebrew", "א", "DejaVuSans.ttf"),
        glyph_characters.Character("Fraktur", "𝔄", "STIXGeneral.ttf")]


@pytest.fixture(scope="module")
def domain():
    return glyphs.load()


@pytest.fixture(scope="module")
def drawn(domain):
    return domain.images[:, 0].float().div(255).reshape(len(domain.classes), glyphs.HANDS, 28, 28)


@pytest.fixture(scope="module")
def small():
    return glyph_build.arrays(SOME, {"STIX": "STIXGeneral.ttf"})


def test_enough_scripts_and_characters(domain):
    assert len(domain.classes) >= 500
    assert len(set(domain.groups)) >= 12
    assert torch.bincount(domain.labels).tolist() == [glyphs.HANDS] * len(domain.classes)
    assert all(domain.groups.count(script) >= 5 for script in set(domain.groups))
    assert torch.equal(glyphs.load_hands(), torch.arange(glyphs.HANDS).repeat(len(domain.classes)))


def test_class_names_are_script_and_unicode_name(domain):
    for name, script in zip(domain.classes, domain.groups):
        assert name.startswith(script + "/")
        assert unicodedata.lookup(name.split("/", 1)[1])
    assert [n.split()[-1] for n in domain.classes if n.startswith("Digits/")] == \
        "ZERO ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE".split()


def test_splits_cover_every_script_once(domain):
    splits = split_by_group(domain, **glyphs.SPLITS)
    named = [script for scripts in glyphs.SPLITS.values() for script in scripts]
    assert len(named) == len(set(named)) == len(set(domain.groups))
    assert not set(splits.train.classes) & set(splits.test.classes)
    assert len(set(splits.test.groups)) >= 5 and len(splits.test.classes) >= 100
    assert len(splits.val.classes) >= 50 and len(splits.train.classes) >= 300


def test_file_is_small():
    assert PATH.stat().st_size < 5_000_000
    assert all(path.stat().st_size < 400_000 for path in PATH.parent.glob("glyphs*.png"))


def test_no_drawing_is_blank_or_a_blot_or_cut_off(drawn):
    ink = drawn.mean((2, 3))
    assert 0.015 < ink.min() and ink.max() < 0.6
    border = torch.cat([drawn[..., 0, :], drawn[..., -1, :], drawn[..., 0], drawn[..., -1]], -1)
    assert border.max() < 0.5
    assert (drawn.amax((2, 3)) > 0.6).all()


def test_no_class_draws_the_box_of_a_missing_character(domain):
    characters = {c.name: c for c in glyph_characters.candidates()}
    for name in domain.classes:
        character = characters[name]
        assert ord(character.text) in glyph_drawing.character_map(character.font)
    with pytest.raises(ValueError, match=r"DejaVuSans.ttf has no character U\+4E00; choose a font"):
        glyph_drawing.outline("DejaVuSans.ttf", "一")


def test_no_two_classes_are_the_same(drawn):
    mean = drawn.mean(1).flatten(1)
    assert (torch.cdist(mean, mean) + 9 * torch.eye(len(mean))).min() > 0.6


def test_no_pair_of_classes_is_confused_as_a_rule(drawn):
    """A nearest neighbour among the other hands' drawings rarely takes one class for one and the same other."""
    soft = torch.nn.functional.avg_pool2d(drawn, 3, 1, 1).flatten(2)
    classes, half = len(soft), glyphs.HANDS // 2
    known, asked = soft[:, :half].flatten(0, 1), soft[:, half:].flatten(0, 1)
    taken_for = torch.cdist(asked, known).argmin(1) // half
    counts = torch.bincount(torch.arange(classes).repeat_interleave(half) * classes + taken_for,
                            minlength=classes ** 2).reshape(classes, classes)
    assert counts.diagonal().sum() > 0.4 * len(asked)
    confused = (counts + counts.T).fill_diagonal_(0)
    assert confused.max() <= 0.5 * 2 * half


def test_every_hand_has_a_style_of_its_own(drawn):
    hands = drawn.transpose(0, 1)
    weight = hands.mean((1, 2, 3))
    assert weight.max() > 1.8 * weight.min()
    mean = hands.mean(1).flatten(1)
    assert (torch.cdist(mean, mean) + 9 * torch.eye(len(mean))).min() > 0.1
    half = len(drawn) // 2
    first, second = hands[:, :half].mean(1).flatten(1), hands[:, half:].mean(1).flatten(1)
    nearest = torch.cdist(first, second).argmin(1)    # half of a hand's characters tells whose the other half is
    assert (nearest == torch.arange(glyphs.HANDS)).float().mean() >= 0.9


def test_look_alikes_are_found_over_scripts():
    letters = [glyph_characters.strokes("DejaVuSans.ttf", text) for text in "AАoOxж"]
    near = glyph_characters.apart(letters)
    same = {pair for pair, (far, mean) in near.items() if far + 3 * mean < glyph_characters.NEAR}
    assert same == {(0, 1), (2, 3)}
    assert glyph_characters.first_of_each(6, sorted(same)) == [0, 2, 4, 5]


def test_the_text_of_look_alikes_stays_out(domain):
    names = {name.split("/", 1)[1] for name in domain.classes}
    assert not names & glyph_characters.ALIKE_BY_EYE
    assert not names & {"GREEK CAPITAL LETTER ALPHA", "CYRILLIC CAPITAL LETTER A", "LATIN SMALL LETTER O",
                        "LATIN CAPITAL LETTER O", "LATIN SMALL LETTER C"}


def test_typeset_digits():
    digits, faces = glyphs.load_digits(), glyphs.load_digits_by_face()
    assert digits.classes == tuple("0123456789") and digits.name == "glyphs-digits"
    assert len(faces) >= 8 and sum(len(d.images) for d in faces.values()) == len(digits.images)
    for face, part in faces.items():
        assert part.name == f"glyphs-digits/{face}"
        assert torch.bincount(part.labels).tolist() == [20] * 10
        assert len(part.images.flatten(1).unique(dim=0)) == 200
    mean = torch.stack([part.images.float().mean((0, 1)).flatten() / 255 for part in faces.values()])
    assert (torch.cdist(mean, mean) + 9 * torch.eye(len(mean))).min() > 0.05


def test_episodes_are_neither_trivial_nor_hopeless(domain):
    sampler = EpisodeSampler(split_by_group(domain, **glyphs.SPLITS).test, way=5, shot=1)
    episode = sampler.sample(200, torch.Generator().manual_seed(0))
    nearest = torch.cdist(episode.query_x.flatten(2), episode.support_x.flatten(2)).argmin(2)
    accuracy = (episode.support_y.gather(1, nearest) == episode.query_y).float().mean()
    assert 0.45 < accuracy < 0.75


def test_packing_keeps_the_sixteen_levels():
    images = (torch.randint(0, 16, (3, 1, 28, 28), generator=torch.Generator().manual_seed(0)) * 17).byte()
    assert torch.equal(glyphs.unpack(glyphs.pack(images.numpy())), images)


def test_the_same_characters_give_the_same_bytes(small):
    again = glyph_build.arrays(SOME, {"STIX": "STIXGeneral.ttf"})
    assert glyph_build.archive(small) == glyph_build.archive(again)


def test_stored_drawings_are_what_the_command_draws():
    stored = glyphs.read()
    if stored["made_with"].tolist() != glyph_build.versions():
        pytest.skip(f"the file was made with {', '.join(stored['made_with'])}, here is matplotlib "
                    f"{matplotlib.__version__}")
    for character in SOME[:2]:
        rows = stored["images"][stored["classes"][stored["labels"]] == character.name]
        assert np.array_equal(rows, glyphs.pack(glyph_build.drawings(character)))


def test_no_file_and_damaged_files_are_explained(tmp_path):
    remedy = "mlcourse data build glyphs"
    with pytest.raises(FileNotFoundError, match=f"there is no glyphs file .*{remedy}"):
        glyphs.load(tmp_path / "none.npz")
    whole = PATH.read_bytes()
    middle = len(whole) // 2
    damaged = {"cut.npz": whole[:middle], "empty.npz": b"", "text.npz": b"not an archive",
               "flipped.npz": whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1:]}
    for name, content in damaged.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} is damaged .*{remedy}"):
            glyphs.load(tmp_path / name)


@pytest.mark.parametrize("change", [lambda a: a.pop("hands"), lambda a: a.update(labels=a["labels"][1:]),
                                    lambda a: a.update(images=a["images"][:, 1:]),
                                    lambda a: a.update(classes=a["classes"][1:])])
def test_an_archive_of_something_else_is_damaged(tmp_path, small, change):
    content = dict(small)
    (tmp_path / glyphs.FILE).write_bytes(glyph_build.archive(content))
    assert len(glyphs.load(tmp_path).classes) == len(SOME)
    change(content)
    (tmp_path / glyphs.FILE).write_bytes(glyph_build.archive(content))
    with pytest.raises(ValueError, match="is damaged .*mlcourse data build glyphs"):
        glyphs.load(tmp_path)



def test_the_card_matches_the_file():
    from mlcourse.datasets.glyphs.card import card

    text = (PATH.parent / "glyphs.md").read_text(encoding="utf-8")
    assert text == card(glyphs.read(), PATH.stat().st_size)
