"""Files that were imported once and are gone from their tree."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from articles import workflow
from articles.importing.storing import decided_by_editors
from articles.importing.trees import Scope
from articles.models import Article, SourceFile


def find_missing(scope: Scope, seen: Collection[str]) -> Iterator[SourceFile]:
    """What was imported from this folder before, but is not among the paths seen now; without the texts."""
    rows = SourceFile.objects.filter(tree=scope.tree, path__startswith=scope.prefix).defer("text").order_by("path")
    return (source for source in rows.iterator() if source.path not in seen)


def withdraw(source: SourceFile) -> bool:
    """Take the story off the public pages, unless its publication is an editor's decision. Whether it was."""
    article = Article.objects.filter(source_file=source, status__in=workflow.UNPUBLISH.sources).first()
    if article is None or decided_by_editors([article.pk]):
        return False
    workflow.unpublish(article, by=None, note="Its file is gone from the source.")
    return True
