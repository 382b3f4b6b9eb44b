"""Tunes and their sounds: the score shows the notes, the sound has their overtones, and no tune stands in two sets."""

import pytest
import torch

from mlcourse.lessons.l16_contrast.tunes import LOWEST, NOTE, RATE, SCALE, WINDOW, score, sound, spectrogram, tunes


def test_a_score_has_a_bar_for_each_note_and_a_higher_note_stands_higher():
    up, down = score(torch.tensor([[0, 1, 5, 7], [7, 5, 1, 0]]))[:, 0] > 0
    assert torch.equal(up.flip(1).roll(-1, 1)[:, :6], down[:, :6]) and up.sum() == down.sum() == 4 * 3 * 6
    top = [int(torch.where(up[:, beat * 7])[0].min()) for beat in range(4)]
    assert top == sorted(top, reverse=True) and len(set(top)) == 4


def test_the_loudest_frequency_of_each_note_is_one_of_its_overtones():
    notes = torch.tensor([[0, 3, 7, 2], [6, 6, 1, 4]])
    heard = sound(notes, seed=5).unflatten(1, (4, -1))
    assert heard.shape[2] == round(NOTE * RATE)
    size = torch.fft.rfft(heard, n=1 << 14).abs()
    loudest = size[..., 300:].argmax(-1).add(300) * RATE / (1 << 14)
    pitch = LOWEST * 2 ** (torch.tensor(SCALE)[notes] / 12)
    times = loudest / pitch
    assert ((times / times.round() - 1).abs() < 0.03).all() and (times.round() <= 4).all()


def test_a_spectrogram_shows_a_pure_tone_in_its_band():
    time = torch.arange(4 * round(NOTE * RATE)) / RATE
    picture, = spectrogram(torch.sin(2 * torch.pi * 1000 * time)[None])
    assert picture.shape == (1, 28, 28) and picture.dtype == torch.uint8
    band = 4 * RATE / WINDOW
    assert (27 - picture[0].float().mean(1).argmax()) == round(1000 / band - 0.5)


def test_tunes_are_the_same_again_and_those_of_another_range_are_others():
    a, b, labels = tunes(0, 10)
    assert all(torch.equal(one, other) for one, other in zip((a, b, labels), tunes(0, 10)))
    assert a.shape == b.shape == (20, 1, 28, 28) and labels.tolist() == [i // 2 for i in range(20)]
    assert torch.equal(a[::2], a[1::2]) and not torch.equal(b[::2], b[1::2])
    everything = tunes(0, 4096, takes=1)[0].flatten(1)
    assert len({bytes(row.numpy().tobytes()) for row in everything}) == 4096
    assert torch.equal(tunes(10, 20)[0][::2].flatten(1), everything[10:20])


@pytest.mark.parametrize("first, last", [(-1, 5), (5, 5), (4000, 4097)])
def test_a_number_of_no_tune_is_refused(first, last):
    with pytest.raises(ValueError, match="tunes have numbers from 0 to 4095, got"):
        tunes(first, last)
