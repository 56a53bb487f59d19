"""Finding stories by their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from articles.models import ArticleTopic

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
    tagged = ArticleTopic.objects.filter(tag__name__icontains=word).values("content_object")
    return Q(title__icontains=word) | Q(excerpt__icontains=word) | Q(provider__name__icontains=word) | Q(pk__in=tagged)
