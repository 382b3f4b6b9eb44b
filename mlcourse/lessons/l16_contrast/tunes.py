"""Tunes twice over: the score as a picture, and the spectrogram of its sound. All of it is synthetic: a program makes
the tones, and nobody played.

A tune is four notes of the scale of C major, each from c' to c''. A take plays it on an instrument of its own: its
overtones have random weights, it is out of tune by up to a third of a semitone, and there is noise.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

NOTES = 4
SCALE = (0, 2, 4, 5, 7, 9, 11, 12)          # semitones above c'
LOWEST = 261.6                              # c', Hz
RATE = 4800                                 # samples a second
NOTE = 0.15                                 # seconds
OVERTONES = 4                               # the highest below half of RATE
WINDOW, SIDE = 224, 28                      # samples; bins and frames of a spectrogram
AT_ONCE = 256                               # sounds whose spectra are held at once


def tunes(first: int, last: int, takes: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """The tunes number `first` to `last` - 1 of all 4,096 in a shuffled order, each in some takes: scores uint8 (M, 1,
    28, 28), spectrograms likewise, and labels (M,) from 0.

    The same numbers give the same tunes and takes. Raises ValueError for numbers that are none of a tune.
    """
    total = len(SCALE) ** NOTES
    if not 0 <= first < last <= total:
        raise ValueError(f"tunes have numbers from 0 to {total - 1}, got {first} to {last - 1}")
    chosen = torch.randperm(total, generator=torch.Generator().manual_seed(0))[first:last]
    notes = torch.stack([chosen // len(SCALE) ** i % len(SCALE) for i in range(NOTES)], 1).repeat_interleave(takes, 0)
    return score(notes), spectrogram(sound(notes, first + 1)), torch.arange(last - first).repeat_interleave(takes)


def score(notes: Tensor) -> Tensor:
    """Notes (M, 4), 0 to 7, as uint8 pictures (M, 1, 28, 28): time to the right, a bar for each note, higher notes
    higher up."""
    m, wide, high = len(notes), SIDE // NOTES, 3
    pictures = torch.zeros(m, SIDE, SIDE, dtype=torch.uint8)
    for beat in range(NOTES):
        for row in range(high):
            pictures[torch.arange(m)[:, None], (25 - high * notes[:, beat] - row)[:, None],
                     torch.arange(beat * wide, beat * wide + wide - 1)[None]] = 255
    return pictures[:, None]


def sound(notes: Tensor, seed: int) -> Tensor:
    """Takes of notes (M, 4): float32 samples (M, 2880) at 4,800 a second."""
    generator = torch.Generator().manual_seed(seed)
    m, samples = len(notes), round(NOTE * RATE)
    weights = torch.rand(m, OVERTONES, generator=generator) + 0.1
    off = torch.rand(m, 1, generator=generator) * 2 / 3 - 1 / 3
    pitch = LOWEST * 2 ** ((torch.tensor(SCALE, dtype=torch.float32)[notes] + off) / 12)
    time = torch.arange(samples) / RATE
    fade = torch.exp(-time / 0.1)
    tone = sum(weights[:, h, None, None] * (2 * math.pi * (h + 1) * pitch[..., None] * time).sin()
               for h in range(OVERTONES))
    return (tone * fade).flatten(1) + 0.3 * torch.randn(m, NOTES * samples, generator=generator)


def spectrogram(samples: Tensor) -> Tensor:
    """Sounds as uint8 pictures (M, 1, 28, 28): 28 moments to the right, 28 bands of 86 Hz upwards, louder is darker."""
    return torch.cat([_spectrogram(part) for part in samples.split(AT_ONCE)])


def _spectrogram(samples: Tensor) -> Tensor:
    hop = samples.shape[1] // SIDE
    size = torch.stft(samples, WINDOW, hop, window=torch.hann_window(WINDOW), return_complex=True).abs()
    bands = size[:, :4 * SIDE, :SIDE].unflatten(1, (SIDE, 4)).mean(2).flip(1)
    loud = torch.log1p(bands)
    return (255 * loud / loud.amax((1, 2), keepdim=True)).round().byte()[:, None]
