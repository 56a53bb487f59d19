"""The words that were found, marked in the text they were found in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from django.utils.safestring import SafeString

from articles.search.asking import Words
from providers.words import spans

BEFORE = 60  # characters of a text that are shown before the first word found
LONGEST = 280
LOOKED_AT = 2_000  # characters: a long text is cut to a few of them, and a page has many texts


def marked(text: str, wanted: Iterable[Words]) -> SafeString:
    """As HTML, whatever `text` holds."""
    parts, done = [], 0
    for begin, end in _places(text, list(wanted)):
        parts += [escape(text[done:begin]), "<mark>", escape(text[begin:end]), "</mark>"]
        done = end
    return SafeString("".join([*parts, escape(text[done:])]))


def excerpt(text: str, wanted: Iterable[Words]) -> SafeString:
    """The same of a long text, cut to where the first word stands."""
    wanted = list(wanted)
    if len(text) <= LONGEST:
        return marked(text, wanted)
    first = next(iter(_places(text, wanted)), (0, 0))[0]
    begin = text.rfind(" ", 0, max(0, first - BEFORE)) + 1 if first > LONGEST - BEFORE else 0
    end = begin + LONGEST
    cut = text[begin:end].rpartition(" ")[0] or text[begin:end]
    return SafeString(("… " if begin else "") + marked(cut, wanted) + (" …" if end < len(text) else ""))


def _places(text: str, wanted: list[Words]) -> list[tuple[int, int]]:
    """From where to where, in order and apart."""
    said = [(word, begin, end) for found, begin, end in spans(text[:LOOKED_AT]) for word in found]
    places: list[tuple[int, int]] = []
    for begin, end in sorted(place for each in wanted for place in _of(each, said)):
        if places and begin <= places[-1][1]:
            places[-1] = (places[-1][0], max(end, places[-1][1]))
        else:
            places.append((begin, end))
    return places


def _of(wanted: Words, said: list[tuple[str, int, int]]) -> Iterator[tuple[int, int]]:
    *before, last = wanted.words
    length = len(wanted.words)
    for place in range(len(said) - length + 1):
        window = said[place : place + length]
        ends = window[-1][0].startswith(last) if wanted.begins else window[-1][0] == last
        if ends and [word for word, _, _ in window[:-1]] == before:
            yield window[0][1], window[-1][2]
