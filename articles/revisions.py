"""Revisions: an article's documents through time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from django.db.models import F

from articles.bulk import chunks
from articles.documents import ArticleDocument, from_data, open_data
from articles.models import Article, Revision
from articles.records import article_document, with_parts

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def record(article: Article, *, by: User | None, note: str = "") -> None:
    """Keep the article as it now stands in the database, under its version; again under one version replaces it."""
    record_each([article.pk], by=by, note=note)


def record_each(articles: Sequence[int], *, by: User | None, note: str = "") -> None:
    """The same for many, by their keys; the number of queries does not grow with them but by the chunk."""
    for keys in chunks(articles):
        stored = with_parts(Article.objects.filter(pk__in=keys))
        Revision.objects.bulk_create(
            [_revision(article, by, note) for article in stored],
            update_conflicts=True,
            unique_fields=["article", "version"],
            update_fields=["document", "author", "note"],
        )


def _revision(article: Article, by: User | None, note: str) -> Revision:
    return Revision(
        article=article,
        version=article.version,
        document=open_data(article_document(article)),
        author=by,
        created_at=article.modified_at,  # it may be kept long after
        note=note,
    )


def as_of(article: int, version: int) -> ArticleDocument | None:
    """The article's document as it was at a version. One that was never kept said what the next kept one says: whoever
    changes what a story says keeps the version before; only whether it was public is not told by another version. None
    where nothing was kept since.

    What providers and topics are called is theirs: to rename or delete one makes no version of its stories, and a
    version that is kept later has the names of then."""
    kept = Revision.objects.filter(article=article, version__gte=version).order_by("version").first()
    return None if kept is None else document_of(kept)


def before_each(versions: Mapping[int, int], reach: int) -> dict[int, ArticleDocument]:
    """The same of many articles: each as it was before a version of its, which is at most `reach` behind its last."""
    found: dict[int, ArticleDocument] = {}
    for keys in chunks(sorted(versions)):
        near = Revision.objects.filter(version__gte=F("article__version") - reach)
        kept = near.filter(article__in=keys).order_by("article", "version")
        for revision in kept:
            if revision.version >= versions[revision.article_id] - 1:
                found.setdefault(revision.article_id, document_of(revision))
    return found


def document_of(revision: Revision) -> ArticleDocument:
    return cast("ArticleDocument", from_data(revision.document))


def keep_last(article: Article) -> None:
    """Keep the article as it stands in the database before it is changed, unless that version has been kept already:
    an import makes thousands of articles that nobody will ever change."""
    keep_last_of_each([article.pk])


def keep_last_of_each(articles: Collection[int]) -> None:
    kept = Revision.objects.filter(article__in=articles, version=F("article__version"))
    unkept = set(articles).difference(kept.values_list("article", flat=True))
    record_each(sorted(unkept), by=None, note="As it was before")
