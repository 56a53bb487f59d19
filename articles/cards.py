"""Stories as lists show them: plain values, of many stories in one query.

A card can be compared, so its HTML is made once (`{% card %}`), and no page pays for model instances it only reads from.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from articles.models import Article, ArticleImage, ArticleTopic, Topic
from images.models import RemoteImage
from images.shown import COLUMNS, Shown, shown
from providers.models import Provider


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


def cards_of(stories: Iterable[int]) -> list[Card]:
    """The cards of stories that a public list has just named, in its order."""
    keys = list(stories)
    cards = cards_by_key(keys)
    return [cards[key] for key in keys if key in cards]


def cards_by_key(stories: Iterable[int]) -> dict[int, Card]:
    return {row[0]: _card(row) for row in _rows(_CARDS, stories)}


def with_pictures(stories: Iterable[int]) -> set[int]:
    """Those that have a picture to show."""
    return {row[0] for row in _rows(_PICTURES, stories) if shown(*row[1:])}


def _card(row: tuple[Any, ...]) -> Card:
    key, stem, title, excerpt, kind, at, outlet, domain, topic, slug, *picture = row
    moment = at if at.tzinfo else at.replace(tzinfo=UTC)  # SQLite knows no zones
    return Card(key, stem, title, excerpt, kind, moment, outlet, domain, topic, slug, shown(*picture))


def _rows(sql: str, stories: Iterable[int]) -> list[tuple[Any, ...]]:
    keys = list(stories)
    if not keys:
        return []
    postgres = connection.vendor == "postgresql"
    among = "= ANY(%s)" if postgres else "IN (SELECT value FROM json_each(%s))"
    with connection.cursor() as cursor:
        cursor.execute(sql + among, [keys if postgres else json.dumps(keys)])
        return list(cursor.fetchall())


def _first(uses: str, story: str) -> str:
    return f"(SELECT id FROM {uses} WHERE {story} = a.id ORDER BY position, id LIMIT 1)"  # noqa: S608


# In SQL, since a page of cards is made of nothing else: the ORM takes longer to say this than the database to answer.
_ARTICLE, _USE = Article._meta.db_table, ArticleImage._meta.db_table
_ITEM, _TOPIC = ArticleTopic._meta.db_table, Topic._meta.db_table
_PICTURE = ", ".join(f"r.{column}" for column in COLUMNS)
_WITH_PICTURE = (
    f" LEFT JOIN {_USE} u ON u.id = {_first(_USE, 'article_id')}"
    f" LEFT JOIN {RemoteImage._meta.db_table} r ON r.id = u.image_id"
)
_PICTURES = f"SELECT a.id, {_PICTURE} FROM {_ARTICLE} a{_WITH_PICTURE} WHERE a.id "  # noqa: S608
_CARDS = (
    "SELECT a.id, a.stem, a.title, a.excerpt, a.type, a.published_at, p.name, p.domain, t.name, t.slug,"  # noqa: S608
    f" {_PICTURE} FROM {_ARTICLE} a LEFT JOIN {Provider._meta.db_table} p ON p.id = a.provider_id"
    f" LEFT JOIN {_ITEM} i ON i.id = {_first(_ITEM, 'content_object_id')} LEFT JOIN {_TOPIC} t ON t.id = i.tag_id"
    f"{_WITH_PICTURE} WHERE a.id "
)
