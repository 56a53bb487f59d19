"""An article's document as the rows that a database takes. Pure, so that it is done where files are parsed.

Values are text, numbers and None: moments as text in UTC, mappings as JSON. SQLite and PostgreSQL take them so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from articles.documents import ArticleDocument, ImageRef, ProviderRef, RelatedRef, make_stem, topic_key
from articles.documents.kinds import NestedKind
from articles.outbound import link_key
from providers.words import searchable


def _fields(shape: type[Any], *but: str) -> tuple[str, ...]:
    return tuple(field.name for field in fields(shape) if field.name not in but)


# The fields of documents and their parts that are columns of the same name. Each has an `extra` as well, a mapping.
ARTICLE_FIELDS = _fields(ArticleDocument, "published", "provider", "topics", "images", "related", "extra")
RELATED_FIELDS = _fields(RelatedRef, "provider", "images", "extra")
USE_FIELDS = _fields(ImageRef, "url", "extra")

# Columns of rows, in order: moments and mappings are stored as text, the other fields as they are.
_MOMENTS = ("published_at", "updated_at")
_AS_IT_IS = tuple(name for name in ARTICLE_FIELDS if name not in _MOMENTS)
ARTICLE_COLUMNS = (*_AS_IT_IS, *_MOMENTS, "extra", "search_text", "link_key", "provider_ref")
_RELATED_AS_IT_IS = tuple(name for name in RELATED_FIELDS if name not in _MOMENTS)
RELATED_COLUMNS = ("position", *_RELATED_AS_IT_IS, "published_at", "extra", "provider_ref")
USE_COLUMNS = ("position", *USE_FIELDS, "extra")

_article_values = attrgetter(*_AS_IT_IS)
_related_values = attrgetter(*_RELATED_AS_IT_IS)
_use_values = attrgetter(*USE_FIELDS)
_PROVIDER = NestedKind(ProviderRef)

Row = tuple[Any, ...]


class UseRow(NamedTuple):
    """A picture in its place."""

    url: str
    values: Row  # of USE_COLUMNS


class ProviderRow(NamedTuple):
    """An outlet as somebody names it."""

    domain: str
    name: str
    logos: list[UseRow]


class RelatedRow(NamedTuple):
    values: Row  # of RELATED_COLUMNS
    provider: ProviderRow | None
    pictures: list[UseRow]


class ArticleRows(NamedTuple):
    """All that is stored of one article, but for the keys of what it names."""

    stem: str  # that it would like to have
    published: bool
    values: Row  # of ARTICLE_COLUMNS
    provider: ProviderRow | None
    topics: list[tuple[str, str]]  # key and name, in order
    pictures: list[UseRow]
    related: list[RelatedRow]

    def providers(self) -> list[ProviderRow]:
        named = [self.provider, *(story.provider for story in self.related)]
        return [provider for provider in named if provider is not None]

    def all_pictures(self) -> list[UseRow]:
        return [*self.pictures, *(use for story in self.related for use in story.pictures)]


def article_rows(document: ArticleDocument, name: str = "") -> ArticleRows:
    """`name`: of the document's file, without its ending."""
    provider, given = _provider(document.provider)
    return ArticleRows(
        make_stem(document.published_at, document.title, name),
        document.published,
        (
            *_article_values(document),
            moment(document.published_at),
            moment(document.updated_at),
            mapping(document.extra),
            searchable(document.title, document.excerpt),
            link_key(document.web_url, document.original_url),
            given,
        ),
        provider,
        [(topic_key(name), name) for name in document.topics],
        use_rows(document.images),
        [_related(position, story) for position, story in enumerate(document.related)],
    )


def _related(position: int, story: RelatedRef) -> RelatedRow:
    provider, given = _provider(story.provider)
    values = (position, *_related_values(story), moment(story.published_at), mapping(story.extra), given)
    return RelatedRow(values, provider, use_rows(story.images))


def _provider(ref: ProviderRef | None) -> tuple[ProviderRow | None, str]:
    """The provider, and all that the source says of it."""
    if ref is None:
        return None, "{}"
    if not ref.images and ref.authors is None and not ref.extra:
        return _bare_provider(ref.domain, ref.name)
    return ProviderRow(ref.domain, ref.name, use_rows(ref.images)), mapping(_PROVIDER.plain(ref))


@lru_cache(1000)  # a few outlets have most of the stories
def _bare_provider(domain: str, name: str) -> tuple[ProviderRow, str]:
    return ProviderRow(domain, name, []), mapping({"name": name, "domain": domain})


def use_rows(refs: Iterable[ImageRef]) -> list[UseRow]:
    return [UseRow(ref.url, (position, *_use_values(ref), mapping(ref.extra))) for position, ref in enumerate(refs)]


def moment(at: datetime | None) -> str | None:
    """A time as databases take it: in UTC, and without saying so."""
    return None if at is None else at.astimezone(UTC).isoformat(" ").removesuffix("+00:00")


def mapping(value: dict[str, Any]) -> str:
    return json.dumps(value) if value else "{}"
