"""Words by language: spelling, what a class and a family are, and the same words on every machine."""

import hashlib
import re

import pytest
import torch

from mlcourse import datasets
from mlcourse.datasets import words
from mlcourse.domains.identity import contents
from mlcourse.episode import EpisodeSampler


@pytest.fixture(scope="module")
def domain():
    return words.load()


def test_a_word_is_spelled_as_it_was_encoded():
    given = ["a", "zyx", "abcdefghijkl"]
    x = words.encode(given)
    assert x.shape == (3, 12, 26) and x.dtype == torch.uint8 and words.spell(x) == given == words.spell(x.float() / 255)
    assert x.flatten(1).sum(1).tolist() == [255, 3 * 255, 12 * 255]


@pytest.mark.parametrize("word", ["", "Aa", "a b", "é", "abcdefghijklm"])
def test_what_is_no_word_is_said(word):
    with pytest.raises(ValueError, match=f"a word has 1 to 12 letters a to z, got '{word}'; leave it out"):
        words.encode(["ok", word])


def test_each_language_has_forty_words_that_no_other_has(domain):
    spelled = words.spell(domain.images)
    assert len(set(spelled)) == len(spelled) == 9600 and domain.labels.bincount().tolist() == [40] * 240
    assert min(map(len, spelled)) == 4 and max(map(len, spelled)) == 11
    assert len(domain.digests.unique()) == 9600 and (domain.digests != 0).all()
    assert len(set(domain.groups)) == 60 and domain.classes[0] == "00a" and domain.groups[-1] == "59"


def test_a_word_is_made_of_syllables(domain):
    syllables = re.compile(rf"([{words.CONSONANTS}][{words.VOWELS}][{words.CONSONANTS}]?){{2,4}}")
    assert [word for word in words.spell(domain.images) if not syllables.fullmatch(word)] == []


def test_a_grammar_makes_the_words_that_its_shares_say():
    dice = words.Dice(0)
    plain = words.Grammar.family(dice)._replace(closed=0, ended=0, long=0, harmonic=0)
    made = lambda **shares: [plain._replace(**shares).word(dice) for _ in range(200)]
    vowels = lambda word: [letter for letter in word if letter in words.VOWELS]
    assert {len(word) for word in made()} == {4} and {len(word) for word in made(long=8, closed=8)} == {9}
    assert all(len(set(vowels(word))) == 1 for word in made(harmonic=8, long=8))
    assert any(len(set(vowels(word))) > 1 for word in made(long=8))
    assert all(word.endswith(tuple(plain.endings)) for word in made(ended=8))
    follows = {(word[0], word[1]) for word in made()}
    assert all(vowel in plain.vowels[onset][:words.AFTER] for onset, vowel in follows)
    assert {onset for onset, _ in follows} == set(plain.onsets[:words.ONSETS])


def test_the_first_of_a_list_is_the_most_frequent():
    dice, order = words.Dice(1), list("abcd")
    drawn = [dice.ranked(order, 3) for _ in range(6000)]
    counts = torch.tensor([drawn.count(letter) for letter in order]).double()
    expected = 1000 * torch.tensor([3.0, 2.0, 1.0, 0.0], dtype=torch.float64)
    assert ((counts - expected).abs() < 5 * (expected * (1 - expected / 6000)).sqrt() + 1).all()


def test_test_families_are_unseen():
    splits = datasets.load_splits("words")
    assert [len(part.classes) for part in splits] == [160, 40, 40]
    families = [set(part.groups) for part in splits]
    assert len(set.union(*families)) == sum(map(len, families)) == 60


def test_languages_of_a_family_are_more_alike_than_others(domain):
    """By the letters that they use: in cosine, on average."""
    counts = torch.stack([domain.images[domain.labels == c].sum((0, 1)).float() for c in range(240)])
    alike = torch.nn.functional.normalize(counts) @ torch.nn.functional.normalize(counts).T
    family = torch.arange(240) // 4
    kin, self = family[:, None] == family, torch.eye(240, dtype=torch.bool)
    assert alike[kin & ~self].mean() > alike[~kin].mean() + 0.1 and alike[kin & ~self].max() < 1


def test_an_episode_is_of_words(domain):
    batch = EpisodeSampler(domain, 5, 5, 15).sample(3, torch.Generator().manual_seed(0))
    assert batch.support_x.shape == (3, 25, 12, 26) and batch.query_x.shape == (3, 75, 12, 26)
    assert set(batch.support_x.unique().tolist()) == {0.0, 1.0}
    known = {word: label for word, label in zip(words.spell(domain.images), domain.labels.tolist(), strict=True)}
    for x, y, classes in zip(batch.query_x, batch.query_y, batch.classes, strict=True):
        assert [known[word] for word in words.spell(x)] == classes[y].tolist()


def test_the_words_are_these_on_every_machine(domain):
    spelled = words.spell(domain.images)
    assert spelled[:3] == ["poqozoxi", "dabpakiq", "pokpiq"]
    assert hashlib.sha256(" ".join(spelled).encode()).hexdigest()[:16] == "fb659f4d0ea8f40f"
    assert contents({"all": domain})["fingerprint"] == "0131b32946be8dc3"


def test_words_have_no_shift_no_side_and_no_colours():
    with pytest.raises(ValueError, match="words holds sequences, and the shift rotation is for pictures; leave it out"):
        datasets.load("words@rotation=0.5")
    with pytest.raises(ValueError, match="words holds sequences, and a side and colours are for pictures"):
        datasets.load("words", form=datasets.Form(84))


def test_verify_and_the_shape_of_a_sample_are_of_sequences():
    assert datasets.verify("words").startswith("words: 9,600 sequences of 240 classes in 60 groups, all readable (made")
    specs = ("words", "glyphs@noise=0.5", "folder:words", "sinusoids")
    assert [datasets.sequence_of(spec) for spec in specs] == [(12, 26), None, None, None]
