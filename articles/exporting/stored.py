"""Articles as documents, many at a time: from plain rows, as making the ORM's objects is most of the work otherwise."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from articles.documents import ArticleDocument, ImageRef, ProviderRef, RelatedRef
from articles.models import Article, ArticleImage, ArticleTopic, RelatedImage, RelatedStory
from articles.reading.rows import ARTICLE_FIELDS, RELATED_FIELDS, USE_FIELDS
from articles.records import provider_ref

CHUNK = 500  # articles

# Mappings as text: most are empty or known already, and need not be read.
_EXTRA = Cast("extra", TextField())
_PROVIDER = ("provider__domain", "provider__name", Cast("provider_ref", TextField()))


class Stored(NamedTuple):
    """An article, and the file it was last imported from: no path, no file."""

    stem: str
    document: ArticleDocument
    path: str | None
    text: str


def stored_articles(articles: QuerySet[Article]) -> Iterator[Stored]:
    """In order of their keys; five queries a chunk."""
    source = ("source_file__path", "source_file__text")
    rows = articles.order_by("pk").values_list("pk", "stem", *source, "status", _EXTRA, *_PROVIDER, *ARTICLE_FIELDS)
    stream = rows.iterator(chunk_size=CHUNK)
    while chunk := list(islice(stream, CHUNK)):
        parts = _Parts([row[0] for row in chunk])
        for key, stem, path, text, status, extra, domain, name, given, *values in chunk:
            document = ArticleDocument(
                published=status == Article.Status.PUBLISHED,
                provider=_provider(domain, name, given),
                topics=tuple(parts.topics[key]),
                images=tuple(parts.pictures[key]),
                related=tuple(parts.related[key]),
                extra=_mapping(extra),
                **dict(zip(ARTICLE_FIELDS, values, strict=True)),
            )
            yield Stored(stem, document, path, text or "")


class _Parts:
    """The lists of some articles, by the articles' keys."""

    def __init__(self, articles: list[int]) -> None:
        self.topics = _grouped(
            ArticleTopic.objects.filter(content_object__in=articles)
            .order_by("content_object", "position", "pk")
            .values_list("content_object", "tag__name")
        )
        self.pictures = _pictures(ArticleImage.objects.filter(article__in=articles), "article")
        stories = RelatedStory.objects.filter(article__in=articles)
        pictures = _pictures(RelatedImage.objects.filter(related_story__in=stories), "related_story")
        self.related = _grouped(
            (article, _related(values, tuple(pictures[key])))
            for article, key, *values in stories.order_by("article", "position", "pk").values_list(
                "article", "pk", _EXTRA, *_PROVIDER, *RELATED_FIELDS
            )
        )


def _grouped(pairs: Iterable[tuple[int, Any]]) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups


def _pictures(uses: QuerySet[Any], owner: str) -> dict[int, list[ImageRef]]:
    rows = uses.order_by(owner, "position", "pk").values_list(owner, "image__source_url", _EXTRA, *USE_FIELDS)
    return _grouped(
        (key, ImageRef(url=url, extra=_mapping(extra), **dict(zip(USE_FIELDS, values, strict=True))))
        for key, url, extra, *values in rows
    )


def _related(values: list[Any], pictures: tuple[ImageRef, ...]) -> RelatedRef:
    extra, domain, name, given, *columns = values
    return RelatedRef(
        provider=_provider(domain, name, given),
        images=pictures,
        extra=_mapping(extra),
        **dict(zip(RELATED_FIELDS, columns, strict=True)),
    )


def _mapping(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {} if text == "{}" else json.loads(text)
    return found


@lru_cache(maxsize=4096)  # most articles' providers are another's too
def _provider(domain: str | None, name: str, given: str) -> ProviderRef | None:
    return None if domain is None else provider_ref(domain, name, _mapping(given))
