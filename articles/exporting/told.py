"""What exported articles tell of their providers: one without a file of its own is made from that again, and needs a
file only when an editor gave it another name or other logos."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import Any

from articles.documents import ArticleDocument, ProviderDocument
from articles.reading.rows import USE_FIELDS

_logo = attrgetter("url", *USE_FIELDS)


class Told:
    """By domain. Listens to all articles first."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = defaultdict(set)
        self._logos: dict[str, set[Any]] = defaultdict(set)

    def listen(self, document: ArticleDocument) -> None:
        for ref in (document.provider, *(story.provider for story in document.related)):
            if ref is not None:
                self._names[ref.domain].add(ref.name)
                self._logos[ref.domain].update(map(_logo, ref.images))

    def is_silent_on(self, document: ProviderDocument) -> bool:
        """Whether there are articles of the provider, and none tells its name or its logos."""
        names, told = self._names.get(document.domain), self._logos.get(document.domain, set())
        logos = set(map(_logo, document.images))
        return names is not None and (document.name not in names or not logos <= told or bool(logos) != bool(told))
