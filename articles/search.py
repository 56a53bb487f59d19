"""Finding stories: by their words, by their days."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils import timezone

from articles.models import ArticleTopic
from articles.reading.rows import searchable

if TYPE_CHECKING:
    from articles.models import ArticleQuerySet

MAX_LENGTH = 200
MAX_WORDS = 20


def clean(query: str) -> str:
    """The query as it is searched for: capped, and without what databases refuse (NUL, lone surrogates)."""
    text = query.replace("\0", " ").encode("utf-8", "ignore").decode()
    return " ".join(text[:MAX_LENGTH].split())


def search(stories: ArticleQuerySet, query: str) -> ArticleQuerySet:
    """Those of `stories` in which every word of `query` occurs; all of them when it has no words."""
    for word in list(dict.fromkeys(clean(query).split()))[:MAX_WORDS]:
        stories = stories.filter(_has(word))
    return stories


def _has(word: str) -> Q:
    """Names are kept as they were given, so they are compared with the word as typed too."""
    plain = searchable(word, "").strip()
    tagged = ArticleTopic.objects.filter(Q(tag__name__icontains=word) | Q(tag__name__icontains=plain))
    return (
        Q(search_text__icontains=plain)
        | Q(provider__name__icontains=word)
        | Q(provider__name__icontains=plain)
        | Q(pk__in=tagged.values("content_object"))
    )


def midnight(day: date) -> datetime:
    """When `day` begins by the site's clock: a plain bound, so that the index on the date serves."""
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 (made aware here)
