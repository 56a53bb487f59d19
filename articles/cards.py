"""Stories as lists show them: plain values, of many stories in three queries.

A card can be compared, so its HTML is made once (`{% card %}`), and no page pays for model instances it only reads from.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import F

from articles.models import Article, ArticleImage, ArticleTopic
from images.shown import COLUMNS, Shown, shown

if TYPE_CHECKING:
    from articles.models import ArticleQuerySet

_OF_STORY = ("pk", "stem", "title", "excerpt", "type", "published_at", "provider__name", "provider__domain")
_OF_PICTURE = tuple(f"image__{column}" for column in COLUMNS)


@dataclass(frozen=True, slots=True)
class Card:
    pk: int
    stem: str
    title: str
    excerpt: str
    type: str
    published_at: datetime
    outlet: str | None
    domain: str | None
    topic: str | None  # the first one's name
    slug: str | None
    picture: Shown | None

    @property
    def headline(self) -> str:
        return html.unescape(self.title)

    @property
    def summary(self) -> str:
        return html.unescape(self.excerpt)


def cards_of(stories: ArticleQuerySet) -> list[Card]:
    """Of a list that is public, in its order."""
    return _cards(list(stories.values_list(*_OF_STORY)))


def cards_by_key(keys: Iterable[int]) -> dict[int, Card]:
    """Of stories that a public list has just named."""
    return {card.pk: card for card in cards_of(Article.objects.filter(pk__in=[*keys]).order_by())}


def pictures_of(keys: Iterable[int]) -> dict[int, Shown]:
    """The first picture of each story, if there is something to show of it."""
    rows = (
        ArticleImage.objects.filter(article__in=[*keys])
        .order_by("-position", "-pk")
        .values_list("article_id", *_OF_PICTURE)
    )
    first = {key: picture for key, *picture in rows}  # the last one that is read stays
    found = {key: shown(*picture) for key, picture in first.items()}
    return {key: picture for key, picture in found.items() if picture}


def _cards(rows: list[tuple]) -> list[Card]:
    keys = [row[0] for row in rows]
    if not keys:
        return []
    topics, pictures = _first_topics(keys), pictures_of(keys)
    return [Card(*row, *topics.get(row[0], (None, None)), pictures.get(row[0])) for row in rows]


def _first_topics(keys: list[int]) -> dict[int, tuple[str, str]]:
    rows = (
        ArticleTopic.objects.filter(content_object__in=keys)
        .order_by("-position", "-pk")
        .values_list("content_object_id", F("tag__name"), F("tag__slug"))
    )
    return {key: (name, slug) for key, name, slug in rows}
