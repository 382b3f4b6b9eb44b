"""Part "words" of the study of lesson 17: what is counted, what is trained, and what they are judged on."""

import pytest
import torch

from mlcourse.datasets.words import ALPHABET, encode
from mlcourse.episode import EpisodeSampler
from mlcourse.lessons.l17_context import study_context_words as words

WORDS = encode(["abab", "baba", "zo"]).float() / 255


@pytest.fixture
def sampler():
    return EpisodeSampler(words.data().val, words.WAY, 1, 2)


def test_counts_are_of_letters_and_of_letters_that_follow_one_another():
    a, b, z, o = map(ALPHABET.index, "abzo")
    letters, pairs = words.Letters()(WORDS), words.Pairs()(WORDS).view(3, 26, 26)
    assert torch.equal(letters[0], letters[1]) and letters[2, [z, o]].tolist() == pytest.approx([0.5**0.5] * 2)
    assert pairs[0, a, b] == pytest.approx(2 * pairs[0, b, a]) and pairs[1, b, a] == pytest.approx(2 * pairs[1, a, b])
    assert pairs[2, z, o] == 1 and letters.norm(dim=1).tolist() == pytest.approx([1] * 3)


def test_both_counts_stand_side_by_side():
    parts = words.Letters()(WORDS), words.Pairs()(WORDS)
    assert torch.equal(words.LettersAndPairs()(WORDS), torch.cat(parts, 1))


def test_more_padding_changes_what_reads_it_alone(sampler):
    x = sampler.sample(1, torch.Generator().manual_seed(0)).support_x[0]
    longer = words.Longer(sampler.domain, words.WAY, 1, 2).sample(1, torch.Generator().manual_seed(0)).support_x[0]
    assert torch.equal(longer[:, :x.shape[1]], x) and not longer[:, x.shape[1]:].any() and len(longer[0]) == 20
    for arm, changes in ((words.PROTO_GRU, False), (words.READS_ON, True)):
        net = words.TRAINED[arm].make(0, 1e-3).net
        assert torch.allclose(net(x), net(longer), atol=1e-6) != changes


def test_the_gru_that_reads_padding_is_the_gru_for_a_word_without_any():
    word = encode(["abcdefghijkl"]).float() / 255
    one, other = (words.TRAINED[arm].make(3, 1e-3).net for arm in (words.PROTO_GRU, words.READS_ON))
    torch.testing.assert_close(one(word), other(word))


@pytest.mark.parametrize("arm", words.NETWORKS)
def test_what_is_untrained_is_the_network_before_its_training(arm):
    before, steps, seconds = words.learner_of(words.untrained(arm), 0.0, 3, 1.0)
    start = words.TRAINED[arm].make(3, words.rates(arm)[0])
    assert (steps, seconds) == (0, 0.0) and before.config == start.config
    same = lambda learner: [torch.equal(p, q) for p, q in zip(learner.parameters(), start.parameters(), strict=True)]
    assert all(same(before))
    after, steps, _ = words.learner_of(arm, words.rates(arm)[0], 3, 1e-4)
    assert steps == 1 and not all(same(after))


def test_training_shows_one_shot_and_five():
    sampler, generator = words.EitherShot(words.data().train, words.WAY), torch.Generator().manual_seed(0)
    found = {sampler.sample(2, generator).support_x.shape for _ in range(12)}
    assert found == {(2, words.WAY * shot, 12, 26) for shot in words.SHOTS}


def test_arms_share_the_episodes_of_a_seed_and_each_seed_has_its_own(monkeypatch):
    asked = []
    monkeypatch.setattr(words, "scores", lambda learner, sampler, episodes, seed: asked.append(
        (sampler.domain.name, sampler.shot, episodes, seed)) or torch.zeros(episodes))
    for arm, split, seed in ((words.PAIRS, "test", 0), (words.LETTERS_ALONE, "test", 0), (words.PAIRS, "test", 1),
                             (words.PAIRS, "val", 0), (words.PAIRS, "val", 1)):
        words.judged(arm, 0.0, split, seed, 1.0, 3)
    one, other, third, val, same = (asked[i:i + 2] for i in range(0, 10, 2))
    assert one == other != third and val == same and {each[0] for each in val} != {each[0] for each in one}
