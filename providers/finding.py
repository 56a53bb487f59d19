"""Finding what has names by their words: providers, and topics too."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from providers.words import words

M = TypeVar("M", bound=Model)


def begun_with(text: str) -> Q | None:
    """Of which each word of `text` begins a word in one of its names; None when there are no words."""
    found = None
    for word in words(text):
        begun = Q(search_text__startswith=word)
        for before in (" ", "\n"):
            begun |= Q(search_text__contains=before + word)
        found = begun if found is None else found & begun
    return found


def found_by_name(records: QuerySet[M], text: str, otherwise: Q | None = None) -> QuerySet[M]:
    """All of them when nothing is typed; none when there is no word in it, and nothing fits `otherwise`."""
    if not text.strip():
        return records
    begun = begun_with(text)
    if begun is None:
        return records.filter(otherwise) if otherwise else records.none()
    return records.filter(begun | otherwise if otherwise else begun)
