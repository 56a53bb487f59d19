"""Stories as lists show them: plain values, of many stories in one query.

A card can be compared, so its HTML is made once (`{% card %}`), and no page pays for models that it only reads from.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from articles.links import route
from articles.models import Article, ArticleImage, ArticleTopic, RelatedImage, RelatedStory, Topic
from articles.prepared import Prepared
from images.models import RemoteImage
from images.shown import COLUMNS, Shown, shown
from providers.models import Provider, ProviderImage

SHORT = 500  # characters: more than any list has room for


def _short(text: str) -> str:
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


class Titled:
    """As readers see it, of a title in the source's spelling."""

    __slots__ = ()
    title: str

    @property
    def headline(self) -> str:
        return html.unescape(self.title)


@dataclass(frozen=True, slots=True)
class Card(Titled):
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
    def summary(self) -> str:
        return _short(html.unescape(self.excerpt))


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


@dataclass(frozen=True, slots=True)
class Report(Titled):
    """What an outlet has on a story, and when it had it."""

    title: str
    excerpt: str
    address: str
    type: str
    published_at: datetime | None
    outlet: str | None
    picture: Shown | None = None
    is_ours: bool = False  # the story itself

    @property
    def summary(self) -> str:
        return _short(html.unescape(self.excerpt))


@dataclass(frozen=True, slots=True)
class Named:
    """A topic, and the one above it."""

    pk: int
    name: str
    slug: str
    parent_id: int | None = None
    parent: Named | None = None

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return route("topic", self.slug)


@dataclass(frozen=True, slots=True)
class Outlet:
    name: str
    domain: str
    logo: Shown | None

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return route("provider", self.domain)


@dataclass(frozen=True, slots=True)
class Lead:
    """The first picture, and what the story says of it."""

    image: Shown
    alt: str
    title: str
    attribution: str


@dataclass(frozen=True, slots=True)
class Story(Titled):
    """All that a story's own page shows of it; named as it is on the models."""

    pk: int
    stem: str
    title: str
    excerpt: str
    body: str
    type: str
    original_url: str
    web_url: str
    featured_content: str
    published_at: datetime
    updated_at: datetime | None
    publish_at: datetime | None  # a draft's, in a preview
    modified_at: datetime
    provider: Outlet | None
    lead_image: Lead | None
    topics: tuple[Named, ...]

    @property
    def summary(self) -> str:
        return html.unescape(self.excerpt)

    @property
    def outbound_url(self) -> str:
        return self.web_url or self.original_url

    @property
    def changed_at(self) -> datetime:
        return max(self.modified_at, self.publish_at or self.modified_at)

    def get_absolute_url(self) -> str:
        return route("article", self.stem)


def public_story(stem: str) -> Story | None:
    rows = _PUBLIC.ask(stem, _STORY)
    return _story(*rows[0]) if rows else None


def story_as_it_is(key: int) -> Story:
    """In whatever state: for previews, and nothing that the public sees."""
    with connection.cursor() as cursor:
        cursor.execute(_STORY.replace("{}", "%s"), [key])
        return _story(*cursor.fetchone())


def _story(*row: Any) -> Story:
    values = {column: _aware(value) for column, value in zip(_OF_STORY, row, strict=False)}
    name, domain, alt, title, attribution, *pictures = row[len(_OF_STORY) :]
    picture, logo = shown(*pictures[: len(COLUMNS)]), shown(*pictures[len(COLUMNS) :])
    return Story(
        pk=values.pop("id"),
        provider=Outlet(name, domain, logo) if domain else None,
        lead_image=Lead(picture, alt, title, attribution) if picture else None,
        topics=_topics_of(row[0]),
        **values,
    )


def _topics_of(story: int) -> tuple[Named, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_TOPICS, [story])
        return tuple(
            Named(key, name, slug, above, Named(above, above_name, above_slug) if above else None)
            for key, name, slug, above, above_name, above_slug in cursor.fetchall()
        )


def related_to(story: int) -> list[Report]:
    """The other outlets' reports, as the story's source has them in order."""
    with connection.cursor() as cursor:
        cursor.execute(_REPORTS, [story])
        return [_report(*row) for row in cursor.fetchall()]


def _report(
    title: str, excerpt: str, address: str, kind: str, at: datetime | None, outlet: str | None, *picture: Any
) -> Report:
    return Report(title, excerpt, address, kind, _aware(at), outlet, shown(*picture))


def _aware(value: Any) -> Any:
    """A value of a row: SQLite's moments know no zone."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and not value.tzinfo else value


def _card(row: tuple[Any, ...]) -> Card:
    key, stem, title, excerpt, kind, at, outlet, domain, topic, slug, *picture = row
    return Card(key, stem, title, excerpt, kind, _aware(at), outlet, domain, topic, slug, shown(*picture))


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


def _with_picture(uses: str, story: str) -> str:
    """The first use of a picture as `u`, the picture as `r`; for a story `a`."""
    return f" LEFT JOIN {uses} u ON u.id = {_first(uses, story)} LEFT JOIN {_IMAGE} r ON r.id = u.image_id"


# In SQL, since a page of cards is made of nothing else: the ORM takes longer to say this than the database to answer.
_ARTICLE, _ITEM, _TOPIC, _PROVIDER, _LOGOS, _RELATED, _IMAGE = (
    model._meta.db_table for model in (Article, ArticleTopic, Topic, Provider, ProviderImage, RelatedStory, RemoteImage)
)
_EXCERPT = f"substr(a.excerpt, 1, {6 * SHORT})"  # some of them may be entities
_PICTURE = ", ".join(f"r.{column}" for column in COLUMNS)
_OF_ARTICLE = _with_picture(ArticleImage._meta.db_table, "article_id")
_PICTURES = f"SELECT a.id, {_PICTURE} FROM {_ARTICLE} a{_OF_ARTICLE} WHERE a.id "  # noqa: S608
_CARDS = (
    f"SELECT a.id, a.stem, a.title, {_EXCERPT}, a.type, a.published_at, p.name, p.domain, t.name, t.slug,"  # noqa: S608
    f" {_PICTURE} FROM {_ARTICLE} a LEFT JOIN {_PROVIDER} p ON p.id = a.provider_id"
    f" LEFT JOIN {_ITEM} i ON i.id = {_first(_ITEM, 'content_object_id')} LEFT JOIN {_TOPIC} t ON t.id = i.tag_id"
    f"{_OF_ARTICLE} WHERE a.id "
)
_OF_STORY = (
    "id", "stem", "title", "excerpt", "body", "type", "original_url", "web_url", "featured_content",
    "published_at", "updated_at", "publish_at", "modified_at",
)  # fmt: skip
_LOGO = ", ".join(f"l.{column}" for column in COLUMNS)
_PUBLIC = Prepared(lambda at, stem: Article.objects.published(at).filter(stem=stem).order_by().values("pk"), mark="\0")
_STORY = (
    f"SELECT {', '.join(f'a.{column}' for column in _OF_STORY)}, p.name, p.domain,"  # noqa: S608
    f" u.alt, u.title, u.attribution, {_PICTURE}, {_LOGO}"
    f" FROM {_ARTICLE} a LEFT JOIN {_PROVIDER} p ON p.id = a.provider_id{_OF_ARTICLE}"
    f" LEFT JOIN {_LOGOS} o ON o.id ="
    f" (SELECT id FROM {_LOGOS} WHERE provider_id = p.id ORDER BY COALESCE(width, 0) DESC, position, id LIMIT 1)"
    f" LEFT JOIN {_IMAGE} l ON l.id = o.image_id WHERE a.id = ({{}})"
)
_TOPICS = (
    f"SELECT t.id, t.name, t.slug, t.parent_id, h.name, h.slug FROM {_ITEM} i JOIN {_TOPIC} t ON t.id = i.tag_id"  # noqa: S608
    f" LEFT JOIN {_TOPIC} h ON h.id = t.parent_id WHERE i.content_object_id = %s ORDER BY i.position, i.id"
)
_REPORTS = (
    f"SELECT a.title, {_EXCERPT}, a.web_url, a.type, a.published_at, p.name, {_PICTURE}"  # noqa: S608
    f" FROM {_RELATED} a LEFT JOIN {_PROVIDER} p ON p.id = a.provider_id"
    f"{_with_picture(RelatedImage._meta.db_table, 'related_story_id')}"
    " WHERE a.article_id = %s ORDER BY a.position, a.id"
)
