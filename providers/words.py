"""Text as search compares it: words without case, accents and signs. Pure.

Both databases are given these words, and never the text, so that they find the same.
"""

from __future__ import annotations

import html
import re
import unicodedata
from zlib import crc32

LONGEST_WORD = 100  # characters
LONGEST_TEXT = 20_000  # characters of one part that are looked at: PostgreSQL refuses documents without end
FINGERPRINT_LENGTH = 10  # with the line's end before it

# Scripts that put no spaces between words: each of their letters is a word here, and what is typed a phrase of them.
_ALONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"  # Chinese characters
)
_WORD = re.compile(rf"(?=[^\W_])[{_ALONE}]|[^\W_{_ALONE}]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
_SPELT_OTHERWISE = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff")  # within words, and unseen
)


def words(text: str) -> list[str]:
    """The words of `text` in their order: `L’Été, R&amp;D` → l, ete, r, d."""
    return [word[:LONGEST_WORD] for word in _WORD.findall(_folded(html.unescape(text)))]


def spans(text: str) -> list[tuple[list[str], int, int]]:
    """The same, each with where it stands in `text`, whose entities are resolved already."""
    found = ((words(match.group()), *match.span()) for match in _WRITTEN.finditer(text))
    return [span for span in found if span[0]]


def searchable(*parts: str) -> str:
    """The words of each part on a line of its own. The last line is a fingerprint of the parts: so whatever changes in
    them changes this too, which is how triggers know who wrote a part and not this (`articles.triggers.index`)."""
    lines = [" ".join(words(part[:LONGEST_TEXT])) for part in parts]
    raw = "\0".join(parts).encode("utf-8", "surrogatepass")
    return "\n".join([*lines, f"#{crc32(raw):08x}"])


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text).casefold().translate(_SPELT_OTHERWISE)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart))


# A word as it is written, accents apart or not, and soft hyphens within.
_WRITTEN = re.compile(rf"(?=[^\W_])[{_ALONE}]|[^\W_{_ALONE}](?:[^\W_{_ALONE}]|[\u0300-\u036f\u00ad\u200b-\u200d])*")
