"""Pen strokes of the glyphs: the skeleton of each drawing, followed as a pen would, as 64 points in order.

A second modality of the same characters. A picture is thinned to lines one pixel wide; the pen starts at the upper left
end of a line, goes straight on where lines meet, and is lifted where it can go no farther. Nobody saw the hand move:
the order and direction of these strokes are the program's, the same rule for every drawing.
"""

from __future__ import annotations

import shlex
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mlcourse.datasets.glyphs import DATA, HANDS, SIDE, SPLITS, load
from mlcourse.datasets.glyphs.build import archive
from mlcourse.datasets.glyphs.drawing import neighbours, thin
from mlcourse.system.files import write_atomically

POINTS = 64
FILE = "glyph-strokes.npz"
FINE = 2            # pictures are thinned at twice their resolution
INK = 0.45          # of full ink: what counts as a line
QUARTER = 4         # points are stored to a quarter of a pixel
BESIDE = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)
REMEDY = f"make it again with `mlcourse data build strokes --folder {shlex.quote(str(DATA))}`"
CARD = """# Dataset card: glyph strokes

*This file is written by `mlcourse data build strokes`, together with the data.*

**What it is.** A pen's path through each of the {count:,} drawings of [glyphs](glyphs.md), in their order: 64 points
with x, y and the pen (0 where it is set down, 1 where it has drawn a line from the point before). One file,
`glyph-strokes.npz`, {size:.0f} kB, to a quarter of a pixel. {strokes:.1f} strokes a drawing on average, at most {most}.

**Nobody's hand was watched.** The paths are traced from the pictures by a program: thinned to lines one pixel wide
(Zhang and Suen 1984), followed from the upper left, straight on where lines meet, no line twice. Order and direction
are the program's and not a writer's, and two drawings of one character may fall into different strokes.

```python
from mlcourse.datasets.strokes import draw, load_strokes

paths = load_strokes()          # float32 (10300, 64, 3), x and y from -1 to 1, row i for picture i of glyphs.load()
pictures = draw(paths[:20])     # redrawn with a thin pen
```
"""


def skeletons(images: Tensor) -> np.ndarray:
    """The lines of uint8 pictures (M, 1, 28, 28), one pixel wide at twice the resolution: bool (M, 56, 56)."""
    fine = torch.nn.functional.interpolate(images.float() / 255, scale_factor=FINE, mode="bilinear")[:, 0].numpy()
    room = np.pad(fine > INK, ((0, 0), (1, 1), (1, 1)))          # a margin, so that pictures can stand side by side
    m, h, w = room.shape
    return thin(room.reshape(m * h, w)).reshape(m, h, w)[:, 1:-1, 1:-1]


def follow(lines: np.ndarray) -> list[np.ndarray]:
    """The strokes of a skeleton (h, w): each an array (P, 2) of (row, column), from where the pen is set down to where
    it is lifted. Every pixel of the skeleton lies on a stroke or beside one."""
    left = set(map(tuple, np.argwhere(lines).tolist()))
    ends = sorted(map(tuple, np.argwhere(lines & (neighbours(lines) <= 1)).tolist()), key=sum)
    done: set[tuple[int, int]] = set()
    strokes = []
    while left:
        start = next((p for p in ends if p in left), None) or _loose_end(left)
        path = _walk(start, left)
        joint = [p for p in _around(path[0]) if p in done and p not in path]
        done.update(path)
        if joint:
            path.insert(0, joint[0])
        if len(path) > 2 or not joint:           # a corner pixel beside a line is no stroke
            strokes.append(np.array(path))
    return strokes


def _around(p) -> list[tuple[int, int]]:
    return [(p[0] + i, p[1] + j) for i, j in BESIDE]


def _loose_end(left: set) -> tuple[int, int]:
    """Where to set the pen down among pixels none of which ends a line: on one with few neighbours, upper left
    first."""
    return min(left, key=lambda p: (sum(q in left for q in _around(p)) > 1, sum(p), p))


def _walk(start: tuple[int, int], left: set) -> list[tuple[int, int]]:
    """Follow the pixels of `left` from `start`, straight on where there is a choice, and take them out of it."""
    path = [start]
    left.discard(start)
    while True:
        here = path[-1]
        back = path[max(0, len(path) - 6)]
        ahead = np.subtract(here, back)
        choices = [q for q in _around(here) if q in left]
        if not choices:
            return path
        bend = lambda q: (-float(np.dot(np.subtract(q, here), ahead)) / float(np.hypot(*np.subtract(q, here))), q)
        path.append(min(choices, key=bend))
        left.discard(path[-1])


def resample(strokes: list[np.ndarray], points: int = POINTS) -> np.ndarray:
    """Strokes as `points` points, evenly spaced along each and shared out by length: float64 (points, 3).

    Columns: x and y in the strokes' own units, and the pen: 0 where it is set down, 1 where it has drawn a line from
    the point before. Every stroke gets at least two points; where there are too many strokes, the shortest go.
    """
    length = [np.hypot(*np.diff(s, axis=0).T).sum() for s in strokes]
    kept = sorted(np.argsort(length, kind="stable")[::-1][:points // 2])
    strokes, length = [_smooth(strokes[i]) for i in kept], np.array([length[i] + 1e-9 for i in kept])
    share = 2 + np.floor((points - 2 * len(strokes)) * length / length.sum()).astype(int)
    share[np.argmax(length)] += points - share.sum()
    rows = []
    for stroke, count in zip(strokes, share, strict=True):
        along = np.concatenate([[0.0], np.hypot(*np.diff(stroke, axis=0).T).cumsum()])
        at = np.linspace(0, along[-1], count)
        pen = np.arange(count) > 0
        rows.append(np.stack([np.interp(at, along, stroke[:, 1]), np.interp(at, along, stroke[:, 0]), pen], 1))
    return np.concatenate(rows)


def _smooth(stroke: np.ndarray) -> np.ndarray:
    """Each point but the ends as the mean of itself and its neighbours: takes the stairs out of a line of pixels."""
    stroke = stroke.astype(float)
    inner = (stroke[:-2] + stroke[1:-1] + stroke[2:]) / 3
    return np.concatenate([stroke[:1], inner, stroke[-1:]]) if len(stroke) > 2 else stroke


def trace(images: Tensor) -> np.ndarray:
    """The pen strokes of uint8 pictures (M, 1, 28, 28): float32 (M, 64, 3).

    Columns: x to the right and y downwards, both from -1 to 1 over the picture, and the pen as in `resample`. The same
    picture gives the same strokes. Raises ValueError for a picture without a line.
    """
    drawn = []
    for number, lines in enumerate(skeletons(images)):
        strokes = follow(lines)
        if not strokes:
            raise ValueError(f"picture {number} has no line to follow; leave empty or very faint pictures out")
        drawn.append(resample(strokes))
    out = np.stack(drawn)
    out[..., :2] = (out[..., :2] + 0.5) / (FINE * SIDE / 2) - 1
    return out.astype(np.float32)


def draw(strokes: Tensor) -> Tensor:
    """Strokes (M, 64, 3) drawn again with a thin pen, float32 (M, 1, 28, 28) in [0, 1]: to look at them."""
    steps = torch.linspace(0, 1, 8)[:, None]
    pictures = torch.zeros(len(strokes), SIDE * SIDE)
    for picture, points in zip(pictures, strokes, strict=True):
        xy = (points[:, :2] + 1) * SIDE / 2 - 0.5
        line = torch.cat([xy[:1], *(a + steps * (b - a) for a, b, pen in zip(xy[:-1], xy[1:], points[1:, 2]) if pen)])
        column, row = line.round().long().clamp(0, SIDE - 1).T
        picture[row * SIDE + column] = 1
    return pictures.view(-1, 1, SIDE, SIDE)


def pack(strokes: np.ndarray) -> dict[str, np.ndarray]:
    """Strokes (M, 64, 3) to a quarter of a pixel: differences of successive points modulo 256 (M, 64, 2), pen bits
    (M, 8), both uint8."""
    place = np.rint((strokes[..., :2] + 1) * SIDE / 2 * QUARTER).astype(np.uint8)
    return {"steps": np.diff(place, axis=1, prepend=np.uint8(0)), "pen": np.packbits(strokes[..., 2] > 0.5, axis=1)}


def unpack(arrays: dict[str, np.ndarray]) -> Tensor:
    """The inverse of `pack`, to a quarter of a pixel: float32 (M, 64, 3)."""
    place = np.cumsum(arrays["steps"], axis=1, dtype=np.uint8) / QUARTER / (SIDE / 2) - 1
    pen = np.unpackbits(arrays["pen"], axis=1)[..., None]
    return torch.from_numpy(np.concatenate([place, pen], 2).astype(np.float32))


def load_strokes(path: str | Path | None = None) -> Tensor:
    """The strokes of every drawing of `glyphs.load()`, in its order: float32 (10300, 64, 3), columns as in `trace`.

    path: the file or its folder; None is the repository's data folder.
    Raises FileNotFoundError when there is no such file and ValueError when it is damaged.
    """
    path = Path(DATA if path is None else path)
    path = path / FILE if path.is_dir() else path
    if not path.exists():
        raise FileNotFoundError(f"there is no strokes file {path}; {REMEDY}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("steps", "pen")}
        m = len(arrays["steps"])
        if m % HANDS or arrays["steps"].shape != (m, POINTS, 2) or arrays["pen"].shape != (m, POINTS // 8):
            raise ValueError(f"steps has shape {arrays['steps'].shape} and pen {arrays['pen'].shape}")
        return unpack(arrays)
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}); {REMEDY}") from error


def pictures_and_strokes(split: str) -> tuple[Tensor, Tensor, Tensor]:
    """The drawings of a split's scripts twice over: pictures uint8 (M, 1, 28, 28), strokes (M, 64, 3), and labels (M,).

    split: "train", "val" or "test"; rows and labels are those of `load_splits("glyphs")`. Raises as `load_strokes`
    does.
    """
    domain, paths = load(), load_strokes()
    members = torch.tensor([group in SPLITS[split] for group in domain.groups])
    mine = members[domain.labels]
    return domain.images[mine], paths[mine], (members.cumsum(0) - 1)[domain.labels[mine]]


def build(out: str | Path) -> Path:
    """Trace every glyph of the repository's data file; write the strokes and their card into the folder `out`; returns
    the data file.

    The same glyphs give the same bytes.
    """
    from tqdm import tqdm

    images = load().images
    parts = [trace(images[i:i + HANDS]) for i in tqdm(range(0, len(images), HANDS), "characters", unit="")]
    paths = np.concatenate(parts)
    data, downs = archive(pack(paths)), (paths[..., 2] == 0).sum(1)
    card = CARD.format(count=len(paths), size=len(data) / 1000, strokes=downs.mean(), most=downs.max())
    path = Path(out) / FILE
    write_atomically(path, data)
    write_atomically(path.with_suffix(".md"), card.encode())
    return path
