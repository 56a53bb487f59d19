"""Revisions: an article's documents through time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from articles.documents import to_data
from articles.models import Article, Revision
from articles.records import article_document, with_parts

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def record(article: Article, *, by: User | None, note: str = "") -> Revision:
    """Keep the article as it now stands in the database, under its version; again under one version replaces it."""
    stored = with_parts(Article.objects.filter(pk=article.pk)).get()
    document = to_data(article_document(stored))
    document.pop("secured", None)  # sealed text stays in its one place
    revision, _ = Revision.objects.update_or_create(
        article=stored,
        version=stored.version,
        defaults={"document": document, "author": by, "note": note},
    )
    return revision


def keep_last(article: Article) -> None:
    """Keep the article as it stands in the database before it is changed, unless that version has been kept already:
    an import makes thousands of articles that nobody will ever change."""
    if not Revision.objects.filter(article=article, version=article.version).exists():
        record(article, by=None, note="As it was before")
