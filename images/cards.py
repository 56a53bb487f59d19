"""A few words as a picture, for sites that show one with a link: a nameplate, a headline, whose it is. Pure: text in,
PNG out, the same each time.

The font is ours (images/fonts), so that it looks alike on every machine. It has Latin, Greek and Cyrillic letters; a
headline in any other is left out rather than shown as boxes. Measured: 10 to 70 ms and 7 to 33 kB a card.
"""

from __future__ import annotations

import hashlib
import io
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE = (1200, 630)
LONGEST = 300  # characters of a headline
EDITION = "1"  # another one for each change of how cards look: it makes other addresses of all

PAPER, INK, MUTED, ACCENT = "#fbfaf7", "#1c1b19", "#5f5b53", "#9b2d1f"
MARGIN = 72
HEADLINE_TOP, HEADLINE_BOTTOM = 164, 500
HEADLINE_SIZES = (84, 76, 68, 60, 52, 46)
LEADING = 1.2
COLOURS = 32

_FONT = Path(__file__).parent / "fonts" / "NotoSerif-Bold.ttf"
_NO_CHARACTER = "\U0010fffe"


@dataclass(frozen=True)
class Card:
    """What stands on it. `source` is whose the headline is; `kicker` what kind of thing."""

    nameplate: str
    headline: str
    source: str = ""
    kicker: str = ""

    @property
    def digest(self) -> str:
        """Names the picture: equal cards have equal ones."""
        return hashlib.sha256(
            "\0".join((EDITION, self.nameplate, self.headline, self.source, self.kicker)).encode()
        ).hexdigest()[:20]


def draw(card: Card) -> bytes:
    image = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(image)
    _draw_frame(pen, card)
    words = _shown(card.headline[:LONGEST]) or _shown(card.nameplate[:LONGEST])
    lines, size = _fitted(words)
    height = len(lines) * size * LEADING
    top = HEADLINE_TOP + (HEADLINE_BOTTOM - HEADLINE_TOP - height) / 2
    for number, line in enumerate(lines):
        pen.text((MARGIN, top + (number + 1) * size * LEADING - size * 0.3), line, INK, _font(size), anchor="ls")
    buffer = io.BytesIO()
    image.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(buffer, "PNG")
    return buffer.getvalue()


def _draw_frame(pen: ImageDraw.ImageDraw, card: Card) -> None:
    """The nameplate between two rules above, kicker and source below."""
    width, height = SIZE
    pen.rectangle((0, 0, width, 14), fill=ACCENT)
    pen.text((MARGIN, 96), _short(card.nameplate, 40, width - 2 * MARGIN), INK, _font(40), anchor="ls")
    pen.rectangle((MARGIN, 124, width - MARGIN, 127), fill=INK)
    pen.rectangle((MARGIN, 132, width - MARGIN, 133), fill=INK)
    pen.rectangle((MARGIN, 528, width - MARGIN, 529), fill=MUTED)
    kicker = _short(card.kicker, 32, width / 3)
    indent = _font(32).getlength(f"{kicker}  ") if kicker else 0
    pen.text((MARGIN, height - 48), kicker, ACCENT, _font(32), anchor="ls")
    source = _short(card.source, 32, width - 2 * MARGIN - indent)
    pen.text((MARGIN + indent, height - 48), source, MUTED, _font(32), anchor="ls")


def _fitted(text: str) -> tuple[list[str], int]:
    """The lines of a headline, in the largest size that they fit in; what does not fit in the smallest is cut."""
    for size in HEADLINE_SIZES:
        most = int((HEADLINE_BOTTOM - HEADLINE_TOP) / (size * LEADING))
        lines = list(_lines(text, size))
        if len(lines) <= most:
            return lines, size
    return [*lines[: most - 1], _short(" ".join(lines[most - 1 :]), size, _width())], size


def _lines(text: str, size: int) -> Iterator[str]:
    line = ""
    for word in _words(text, size):
        longer = f"{line} {word}".strip()
        if line and _font(size).getlength(longer) > _width():
            yield line
            longer = word
        line = longer
    if line:
        yield line


def _words(text: str, size: int) -> Iterator[str]:
    """Words, and pieces of those that are longer than a line."""
    for word in text.split():
        rest = word
        while _font(size).getlength(rest) > _width():
            fits = max(_fitting(rest, size, _width()), 1)
            yield rest[:fits]
            rest = rest[fits:]
        yield rest


def _short(text: str, size: int, width: float) -> str:
    shown = _shown(text[:LONGEST])
    if _font(size).getlength(shown) <= width:
        return shown
    fits = _fitting(shown, size, width - _font(size).getlength("…"))
    return f"{shown[:fits].rstrip()}…"


def _fitting(text: str, size: int, width: float) -> int:
    """How many of the first characters are no wider than that."""
    return bisect_right(range(1, len(text) + 1), width, key=lambda end: _font(size).getlength(text[:end]))


def _shown(text: str) -> str:
    """`text` without pictographs and the like; nothing of one with letters that the font has not."""
    characters = unicodedata.normalize("NFC", text)
    if any(character.isalpha() and not _has(character) for character in characters):
        return ""
    kept = (character if character.isspace() or _has(character) else " " for character in characters)
    return " ".join("".join(kept).split())


@lru_cache(2_000)
def _has(character: str) -> bool:
    if not character.isprintable():
        return False
    return bytes(_font(46).getmask(character)) != bytes(_font(46).getmask(_NO_CHARACTER))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FONT, size, layout_engine=ImageFont.Layout.BASIC)


def _width() -> int:
    return SIZE[0] - 2 * MARGIN
