"""Made-up words by language, as sequences of letters: computed, so there is nothing to download.

A class is a language, a sample one of its words, a group a family of languages. A family draws a grammar:

    word       2 or 3 syllables, and in some words an ending in place of the last vowel or after the last coda
    syllable   onset, vowel, and in some a coda; the vowel depends on the onset (a Markov chain), but in words with
               vowel harmony all are that of the first syllable

Of each list of letters a grammar uses the first few, the n-th of them less often than the one before. A language is its
family's grammar after some drift: letters exchanged in each list, an ending replaced, shares moved by at most an
eighth.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mlcourse.datasets.source import Source
from mlcourse.domains import Domain

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
VOWELS = "aeiouy"
CONSONANTS = "".join(letter for letter in ALPHABET if letter not in VOWELS)
LENGTH = 12                                         # places of a word; the made ones have up to 11 letters
FAMILIES = tuple(f"{number:02d}" for number in range(60))
LANGUAGES, WORDS = "abcd", 40                       # of a family, of a language
ONSETS, AFTER, CODAS, ENDINGS = 6, 2, 3, 3          # how many of each list are in use
DRIFT = 2                                           # exchanges in a list between a family and a language


class Dice:
    """Whole numbers from a seed, the same on every machine."""

    def __init__(self, seed: int):
        self.generator, self.drawn = torch.Generator().manual_seed(seed), iter(())

    def below(self, n: int) -> int:
        """One of 0..n-1, equally likely to within n/2³¹."""
        number = next(self.drawn, None)
        if number is None:
            self.drawn = iter(torch.randint(2**31 - 1, (4096,), generator=self.generator).tolist())
            number = next(self.drawn)
        return number % n

    def shuffled(self, letters: str) -> list[str]:
        """The letters in random order."""
        return sorted(letters, key=lambda letter: (self.below(2**31 - 1), letter))

    def ranked(self, order: list[str], n: int) -> str:
        """One of the first n, their shares as n : n-1 : … : 1."""
        drawn, place = self.below(n * (n + 1) // 2), 0
        while drawn >= n - place:
            drawn, place = drawn - (n - place), place + 1
        return order[place]


class Grammar(NamedTuple):
    """How the words of a language are made.

    onsets, codas, and after each onset vowels: letters, the most frequent first. closed: of 8 syllables, those with a
    coda. ended, long, harmonic: of 8 words, those with an ending, with 3 syllables, with vowel harmony.
    """

    onsets: list[str]
    codas: list[str]
    vowels: dict[str, list[str]]
    endings: list[str]
    closed: int
    ended: int
    long: int
    harmonic: int

    @classmethod
    def family(cls, dice: Dice) -> Grammar:
        """That of a new family."""
        onsets, codas = dice.shuffled(CONSONANTS), dice.shuffled(CONSONANTS)
        vowels = {consonant: dice.shuffled(VOWELS) for consonant in CONSONANTS}
        endings = [_ending(codas, dice) for _ in range(ENDINGS)]
        return cls(onsets, codas, vowels, endings, *(dice.below(8) for _ in range(4)))

    def language(self, dice: Dice) -> Grammar:
        """That of a new language of the family."""
        codas = _exchanged(self.codas, CODAS, dice)
        vowels = {consonant: _exchanged(order, AFTER, dice) for consonant, order in self.vowels.items()}
        endings = [*self.endings[1:], _ending(codas, dice)]
        shares = (min(7, max(0, share + dice.below(3) - 1)) for share in self[4:])
        return Grammar(_exchanged(self.onsets, ONSETS, dice), codas, vowels, endings, *shares)

    def word(self, dice: Dice) -> str:
        """A word of the language."""
        made, harmony = "", ""
        is_harmonic = dice.below(8) < self.harmonic
        for _ in range(2 + (dice.below(8) < self.long)):
            onset = dice.ranked(self.onsets, ONSETS)
            vowel = harmony or dice.ranked(self.vowels[onset], AFTER)
            harmony = vowel if is_harmonic else ""
            made += onset + vowel + (dice.ranked(self.codas, CODAS) if dice.below(8) < self.closed else "")
        if dice.below(8) < self.ended:
            made = made.rstrip(VOWELS) + dice.ranked(self.endings, ENDINGS)
        return made


def _ending(codas: list[str], dice: Dice) -> str:
    """A vowel, or a vowel and a coda."""
    return VOWELS[dice.below(len(VOWELS))] + (dice.ranked(codas, CODAS) if dice.below(2) else "")


def _exchanged(order: list[str], used: int, dice: Dice) -> list[str]:
    """A list in which some of the letters in use have changed places with others."""
    order = list(order)
    for _ in range(DRIFT):
        i, j = dice.below(used), dice.below(len(order))
        order[i], order[j] = order[j], order[i]
    return order


def load() -> Domain:
    """40 words of each of 240 languages, classes "00a" to "59d": sequences uint8 (9600, 12, 26), groups "00" to "59".

    Every word stands once: one that a language before has, too, is left out.
    """
    found, classes = {}, []
    for number, name in enumerate(FAMILIES):
        dice = Dice(number)
        family = Grammar.family(dice)
        for language in LANGUAGES:
            grammar, most = family.language(dice), len(found) + WORDS
            while len(found) < most:
                found.setdefault(grammar.word(dice), len(classes))
            classes.append(name + language)
    return Domain("words", encode(list(found)), torch.tensor(list(found.values())), tuple(classes),
                  tuple(name[:2] for name in classes),
                  "made up by the grammar of each language; no word stands in two languages")


def encode(words: list[str]) -> Tensor:
    """Words of up to 12 letters a to z as sequences, uint8 (M, 12, 26): 255 for the letter at each place, 0 throughout
    after the last. Raises ValueError for other words."""
    images = torch.zeros(len(words), LENGTH, len(ALPHABET), dtype=torch.uint8)
    for row, word in enumerate(words):
        if not 1 <= len(word) <= LENGTH or not set(word) <= set(ALPHABET):
            raise ValueError(f"a word has 1 to {LENGTH} letters a to z, got {word!r}; leave it out")
        images[row, range(len(word)), [ALPHABET.index(letter) for letter in word]] = 255
    return images


def spell(x: Tensor) -> list[str]:
    """The words of sequences (M, 12, 26), of bytes or of numbers in [0, 1]."""
    places, letters = x.max(2)
    return ["".join(ALPHABET[i] for i in row[there]) for row, there in zip(letters, places > 0, strict=True)]


SOURCE = Source("words", "made-up words by language, sequences of letters", lambda data_dir, form: form.of(load()),
                place="computed", classes=len(FAMILIES) * len(LANGUAGES),
                images=len(FAMILIES) * len(LANGUAGES) * WORDS,
                splits={"train": FAMILIES[:40], "val": FAMILIES[40:50], "test": FAMILIES[50:]},
                sequence=(LENGTH, len(ALPHABET)))
