"""Articles as documents, many at a time: from plain rows, as making the ORM's objects is most of the work otherwise."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from articles.documents import ArticleDocument, ImageRef, ProviderRef, RelatedRef
from articles.documents.kinds import NestedKind
from articles.models import Article, ArticleImage, ArticleTopic, RelatedImage, RelatedStory

CHUNK = 500  # articles

_PROVIDER_REF = NestedKind(ProviderRef)


def _columns(shape: type[Any], *but: str) -> tuple[str, ...]:
    """The fields of a document's part that are columns of the same name."""
    return tuple(field.name for field in fields(shape) if field.name not in but)


_ARTICLE = _columns(ArticleDocument, "published", "provider", "topics", "images", "related", "extra")
_RELATED = _columns(RelatedRef, "provider", "images", "extra")
_USE = _columns(ImageRef, "url", "extra")
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
    rows = articles.order_by("pk").values_list("pk", "stem", *source, "status", _EXTRA, *_PROVIDER, *_ARTICLE)
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
                **dict(zip(_ARTICLE, values, strict=True)),
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
                "article", "pk", _EXTRA, *_PROVIDER, *_RELATED
            )
        )


def _grouped(pairs: Iterable[tuple[int, Any]]) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups


def _pictures(uses: QuerySet[Any], owner: str) -> dict[int, list[ImageRef]]:
    rows = uses.order_by(owner, "position", "pk").values_list(owner, "image__source_url", _EXTRA, *_USE)
    return _grouped(
        (key, ImageRef(url=url, extra=_mapping(extra), **dict(zip(_USE, values, strict=True))))
        for key, url, extra, *values in rows
    )


def _related(values: list[Any], pictures: tuple[ImageRef, ...]) -> RelatedRef:
    extra, domain, name, given, *columns = values
    return RelatedRef(
        provider=_provider(domain, name, given),
        images=pictures,
        extra=_mapping(extra),
        **dict(zip(_RELATED, columns, strict=True)),
    )


def _mapping(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {} if text == "{}" else json.loads(text)
    return found


@lru_cache(maxsize=4096)  # most articles' providers are another's too
def _provider(domain: str | None, name: str, given: str) -> ProviderRef | None:
    """What the source said of the provider, as long as it still is the provider."""
    if domain is None:
        return None
    as_given = _mapping(given)
    if as_given.get("domain") == domain:
        return _PROVIDER_REF.read(as_given)
    return ProviderRef(name=name, domain=domain)
