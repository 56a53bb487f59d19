"""Files that were imported once and are gone from their tree: renamed, or taken away."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from articles import workflow
from articles.importing.updating import decided_by_editors
from articles.models import Article, SourceFile
from articles.reading.rows import ARTICLE_COLUMNS, moment
from articles.reading.trees import Scope

if TYPE_CHECKING:
    from articles.importing.batches import Parsed

CHUNK = 500  # paths
Story = tuple[str, str | None]  # what tells one from another where the path cannot: where it is, and since when
_ADDRESSES = (ARTICLE_COLUMNS.index("original_url"), ARTICLE_COLUMNS.index("web_url"))
_DATE = ARTICLE_COLUMNS.index("published_at")
_STORY = ("original_url", "web_url", "published_at")


def find_missing(scope: Scope) -> Iterator[SourceFile]:
    """What was imported from this folder before and is no longer there, with what tells one story from another."""
    # Of all paths, whatever their tree, as the index has no more; that few of them are missing is the rule.
    paths = SourceFile.objects.filter(path__startswith=scope.prefix).order_by("path").values_list("path", flat=True)
    missing = (path for path in paths.iterator() if scope.lacks(path))
    while chunk := list(islice(missing, CHUNK)):
        sources = SourceFile.objects.filter(path__in=chunk, tree=scope.tree).order_by("path")
        yield from sources.select_related("article").only("path", *(f"article__{name}" for name in _STORY))


def withdraw(source: SourceFile) -> bool:
    """Take the story off the public pages, unless its publication is an editor's decision. Whether it was."""
    article = Article.objects.filter(source_file=source, status__in=workflow.UNPUBLISH.sources).first()
    if article is None or decided_by_editors([article.pk]):
        return False
    workflow.unpublish(article, by=None, note="Its file is gone from the source.")
    return True


class Gone:
    """The stories whose files are gone, so that they are known again under other names. Looked for once a root, and
    only when there is a file that is new."""

    def __init__(self) -> None:
        self._by_root: dict[str, dict[Story, str]] = {}

    def path_of(self, parsed: Parsed) -> str:
        """Where the story in a new file was before; empty when it is new itself."""
        if parsed.reading.rows is None:
            return ""
        root = parsed.file.root
        if root not in self._by_root:
            self._by_root[root] = _stories(Scope(root, ""))
        values = parsed.rows.values
        address = next((values[index] for index in _ADDRESSES if values[index]), "")
        return self._by_root[root].get((address, values[_DATE]), "")


def _stories(scope: Scope) -> dict[Story, str]:
    """The paths of the stories whose files are gone."""
    found = ((source.article, source.path) for source in find_missing(scope))
    return {(story.original_url or story.web_url, moment(story.published_at)): path for story, path in found if story}
