"""Direction marks: what text from right to left may need, and what can make a page show words in another order."""

from __future__ import annotations

import re

_EMBEDDINGS = frozenset("\u202a\u202b\u202d\u202e")
_END_OF_EMBEDDING = "\u202c"
_ISOLATES = frozenset("\u2066\u2067\u2068")
_END_OF_ISOLATE = "\u2069"
_MARKS = re.compile(f"[{''.join(_EMBEDDINGS | _ISOLATES)}{_END_OF_EMBEDDING}{_END_OF_ISOLATE}]")


def may_hold_marks(source: str) -> bool:
    """Whether the text of a file might, be it as an escape. Quick, as nearly all do not."""
    if "\\u" in source or "\\U" in source:
        return True
    return not source.isascii() and any(mark in source for mark in _EMBEDDINGS | _ISOLATES)


def unended(text: str) -> list[str]:
    """The marks that begin something and do not end it, as Unicode's bidirectional algorithm pairs them."""
    begun: list[str] = []
    for mark in _MARKS.findall(text):
        if mark in _EMBEDDINGS or mark in _ISOLATES:
            begun.append(mark)
        elif mark == _END_OF_EMBEDDING and begun and begun[-1] in _EMBEDDINGS:
            begun.pop()
        elif mark == _END_OF_ISOLATE and not _ISOLATES.isdisjoint(begun):
            while begun.pop() not in _ISOLATES:  # the embeddings within end with it
                pass
    return begun
