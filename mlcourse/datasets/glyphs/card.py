"""The dataset card of glyphs and its contact sheets, made from the arrays of the data file."""

from __future__ import annotations

import io
import textwrap

import numpy as np

from mlcourse.datasets.glyphs.characters import ALIKE_BY_EYE
from mlcourse.datasets.glyphs.stored import HANDS, SIDE, SPLITS, unpack

COLUMNS = 32        # characters in a row of the contact sheet
ZOOM = 1.5          # of the contact sheets
LABEL = 225         # pixels left of a row for its name
SHOWN = 2           # characters of every script on the sheet of hands


def png(rows: list[tuple[str, np.ndarray]], zoom: float = ZOOM) -> bytes:
    """Rows of pictures, each (label, uint8 (28, W)), as a PNG of dark ink on white, 16 grey levels."""
    from PIL import Image, ImageDraw

    height, width = int(SIDE * zoom), max(int(picture.shape[1] * zoom) for _, picture in rows)
    sheet = Image.new("L", (LABEL + width, height * len(rows)), 255)
    pen = ImageDraw.Draw(sheet)
    previous = ""
    for index, (label, picture) in enumerate(rows):
        image = Image.fromarray(255 - picture)
        sheet.paste(image.resize((int(image.width * zoom), height), Image.Resampling.BILINEAR), (LABEL, index * height))
        if label != previous:
            pen.line((0, index * height, sheet.width, index * height), fill=187)
            pen.text((4, index * height + height // 2), label, fill=0, anchor="lm", font_size=14)
        previous = label
    buffer = io.BytesIO()
    sheet.quantize(16).save(buffer, "png", optimize=True)
    return buffer.getvalue()


def sheets(content: dict[str, np.ndarray]) -> dict[str, bytes]:
    """The three contact sheets as PNG files: all characters, the hands, the typeset digits."""
    drawn = unpack(content["images"]).numpy().reshape(-1, HANDS, SIDE, SIDE)
    groups = content["groups"]
    scripts = list(dict.fromkeys(groups.tolist()))
    every, hands = [], []
    for script in scripts:
        members = np.flatnonzero(groups == script)
        for start in range(0, len(members), COLUMNS):
            every.append((script, np.hstack([drawn[i, i % HANDS] for i in members[start:start + COLUMNS]])))
        for i in members[[len(members) // 3, -2]][:SHOWN]:
            hands.append((script, np.hstack(list(drawn[i]))))
    digits = unpack(content["digit_images"]).numpy()
    faces = [(face, np.hstack([digits[(content["digit_faces"] == k) & (content["digit_labels"] == d)][r, 0]
                               for d in range(10) for r in (0, 1, 2)]))
             for k, face in enumerate(content["faces"].tolist())]
    return {"glyphs.png": png(every), "glyphs-hands.png": png(hands), "glyphs-digits.png": png(faces)}


def table(content: dict[str, np.ndarray]) -> str:
    """The scripts with their split, number of characters and font, as a Markdown table."""
    split = {script: part for part, scripts in SPLITS.items() for script in scripts}
    groups, fonts = content["groups"], content["fonts"]
    lines = ["| script | split | characters | images | font |", "|---|---|---:|---:|---|"]
    for script in dict.fromkeys(groups.tolist()):
        here = groups == script
        lines.append(f"| {script} | {split[script]} | {here.sum()} | {here.sum() * HANDS:,} | {fonts[here][0]} |")
    sizes = {part: int(np.isin(groups, scripts).sum()) for part, scripts in SPLITS.items()}
    total = ", ".join(f"{part} {size}" for part, size in sizes.items())
    lines.append(f"| **{len(set(groups.tolist()))} scripts** | {total} | **{len(groups)}** | "
                 f"**{len(groups) * HANDS:,}** | |")
    return "\n".join(lines)


def card(content: dict[str, np.ndarray], size: int) -> str:
    """The text of the dataset card. size: bytes of the data file."""
    text = CARD.format(
        classes=len(content["classes"]), images=len(content["labels"]), hands=HANDS, size=size / 1e6,
        scripts=len(set(content["groups"].tolist())), table=table(content), digits=len(content["digit_labels"]),
        faces=len(content["faces"]), versions=", ".join(content["made_with"].tolist()),
        eye=len(ALIKE_BY_EYE), names=", ".join(content["faces"].tolist()),
        **{part: ", ".join(names) for part, names in SPLITS.items()})
    return "\n".join(wrapped(line) for line in text.split("\n"))


def wrapped(line: str) -> str:
    """A line of Markdown broken at 120 characters; tables and pictures stay as they are."""
    if line.startswith(("|", "!")):
        return line
    indent = "   " if line.startswith("   ") else "  " if line.startswith("- ") else ""
    return textwrap.fill(line, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


CARD = """\
# Dataset card: glyphs

*This file is written by `mlcourse data build glyphs`, together with the data and the pictures below.*

**What it is.** {classes} characters of {scripts} scripts, each written by the same {hands} simulated hands: {images:,}
pictures of 28×28 pixels in 16 grey levels, ink high (0 is background, 255 is ink). With them come {digits:,} typeset
digits in {faces} typefaces. Everything lies in one file, `glyphs.npz`, {size:.1f} MB. It is the data set that the
course uses when nothing has been downloaded, and it plays the part of Omniglot (Lake, Salakhutdinov and Tenenbaum
2015): scripts play the part of alphabets, hands the part of the people who drew them.

**Nobody wrote these characters.** They are made from font outlines by a program. A result on glyphs is a result on
glyphs; that it carries over to handwriting is a question that the course asks and measures, not an assumption.

## In code

```python
from mlcourse.datasets import glyphs

domain = glyphs.load()                  # "glyphs": classes like "Greek/GREEK CAPITAL LETTER PSI", one group per script
hand = glyphs.load_hands()              # which of the {hands} hands drew each picture
typeset = glyphs.load_digits()          # "glyphs-digits": classes "0" to "9", as in every data set of digits
faces = glyphs.load_digits_by_face()    # the same by typeface: {{"DejaVu Sans": Domain, …}}
glyphs.SPLITS                           # the split by script
```

## All characters

Every character once, each in another hand.

![Every character of the data set once, in rows by script](glyphs.png)

## Scripts and splits

{table}

- Training scripts: {train}.
- Validation scripts: {val}.
- Test scripts: {test}.

No script stands in two splits. The digits are a script of their own in the test split: whoever trains on the training
scripts and chooses on the validation scripts has seen no digit when typeset or handwritten digits are the target.

## The hands

Two characters of every script, one column per hand.

![Two characters of every script, each drawn by the 20 hands](glyphs-hands.png)

## How it is made

1. **Characters.** From the character map of each font, the base letters and signs of the scripts: no accented or
   negated composites, no ligatures, nothing that consists of dots only. A character that the font lacks is never
   drawn, so there are no empty boxes.
2. **Strokes.** The font's outline is thinned to a skeleton (Zhang and Suen 1984), and the side branches that thinning
   leaves at corners are removed. What remains is a path that a pen can follow.
3. **One of each group of look-alikes.** One shape stands in several scripts (A, Α, А), and within one script (o, O, 0;
   c, C). Two characters look alike when, moved and scaled to the same box, and with one of them widened and slanted as
   the hands do, either (a) the farthest distance from a point of one path to the other path plus three times the mean
   distance is below 5.25 pixels, or (b) the cosine between their blurred drawings exceeds 0.92. The first finds the
   same shape in other proportions; the second finds shapes that differ by a hook or a tail only. The limits were set by
   looking at pairs in order of both measures: on the far side of them nearly all pairs are one shape to a reader, on
   the near side nearly all are two. Of each group the first in the order of `SOURCES` stays. In the finished drawings
   we looked at the pairs that a nearest-neighbour classifier confuses most often, and took out the second of
   {eye} more (`ALIKE_BY_EYE` names each with its partner). The rule is strict: scripts lose letters that a person
   tells apart, and no script is complete.
4. **Hands.** A hand has a slant, a width, a rotation of the baseline, a size, a pen (its width, and for some a broad
   nib held at an angle), a roundness of corners, and a smooth field that bends all its characters alike. Every single
   drawing adds a small variation of each. The path is moved at four times the final resolution, followed by the pen,
   and averaged over areas. Where strokes are dense the pen is narrower, so that they do not run together.
5. **Typeset digits.** 0–9 as the fonts draw them, {faces} faces, 20 renderings of each with small changes of size,
   place, slant and angle. The faces:
   {names}.

![Three renderings of each digit in every typeface](glyphs-digits.png)

The command is `mlcourse data build glyphs`. It needs no network and takes about two minutes. The same versions give
the same bytes; other versions may draw slightly different outlines, which is why the result is kept and not made anew
on every machine.

This file was made with {versions}.

## What is in the file

`glyphs.npz` is a NumPy archive without pickled objects: `images` and `digit_images` (uint8, 392 bytes per picture, two
pixels to a byte, the left one in the high four bits), `labels`, `hands`, `classes`, `groups`, `fonts`, `digit_labels`,
`digit_faces`, `faces`, `made_with`. Pictures are ordered by class, then by hand or rendering.

## Known limits

- The 20 hands write in every split, so a hand is no held-out quantity; only characters and scripts are.
- One font draws each script, so a character has one design: a person may write a different form of the letter.
- Scripts are isolated characters. Arabic stands in its isolated forms; Lao without vowel signs above and below.
- A skeleton loses the difference between thick and thin strokes, and now and then a very short serif.
- Some neighbours remain close (س and ش differ by three dots): a perfect score is not to be expected.

## Fonts and licences

The outlines come from fonts that matplotlib carries. DejaVu: the Bitstream Vera licence with public-domain changes.
STIX: SIL Open Font License 1.1. Computer Modern: the BaKoMa fonts in TrueType form, free to use and distribute under
the BaKoMa Fonts Licence. The licence texts come with matplotlib, beside the fonts in `mpl-data/fonts/ttf` and in its
`LICENSE` file. This data set holds small pictures of characters and no font.
"""
