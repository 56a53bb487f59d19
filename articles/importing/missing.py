"""Files that were imported once and are gone from their tree: renamed, or taken away."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from django.db import transaction

from articles import workflow
from articles.documents import ArticleDocument
from articles.importing.batches import last_imported
from articles.importing.updating import decided_by_editors
from articles.models import Article, SourceFile
from articles.reading.rows import ARTICLE_COLUMNS, moment
from articles.reading.trees import Scope

if TYPE_CHECKING:
    from articles.importing.batches import Parsed

CHUNK = 500  # paths
FEW = 20  # files that may always go
_ADDRESSES = (ARTICLE_COLUMNS.index("original_url"), ARTICLE_COLUMNS.index("web_url"))
_DATE = ARTICLE_COLUMNS.index("published_at")


def find_missing(scope: Scope) -> Iterator[list[SourceFile]]:
    """What was imported from this folder before and is no longer there, some hundreds at a time, without texts."""
    # Of all paths, whatever their tree, as the index has no more; that few of them are missing is the rule.
    paths = SourceFile.objects.filter(path__startswith=scope.prefix).order_by("path").values_list("path", flat=True)
    missing = (path for path in paths.iterator() if scope.lacks(path))
    while chunk := list(islice(missing, CHUNK)):
        sources = SourceFile.objects.filter(path__in=chunk, tree=scope.tree)
        if found := list(sources.defer("text").order_by("path")):
            yield found


def is_emptied(scope: Scope) -> bool:
    """Whether all of the stories that were imported from this folder are gone, or most of very many."""
    gone = sum(source.article_id is not None for sources in find_missing(scope) for source in sources)
    known = SourceFile.objects.filter(tree=scope.tree, path__startswith=scope.prefix, article__isnull=False).count()
    return gone > 0 and (gone == known or (gone > FEW and gone > known - gone))


def withdraw(sources: Sequence[SourceFile]) -> set[int]:
    """Take their stories off the public pages, but for those whose publication is an editor's decision. Returns the
    keys of the sources whose stories were; these are read again should they come back."""
    stories = {source.article_id: source.pk for source in sources if source.article_id}
    with transaction.atomic():
        SourceFile.objects.filter(pk__in=stories.values()).hold()
        rows = Article.objects.filter(pk__in=stories, status__in=workflow.UNPUBLISH.sources)
        public = set(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
        times = dict.fromkeys(public - decided_by_editors(public))
        done = workflow.apply_to_each(workflow.UNPUBLISH, times, by=None, note="Its file is gone from the source.").done
        withdrawn = {stories[article] for article in done}
        SourceFile.objects.filter(pk__in=withdrawn).update(digest="", seen_as="")
    return withdrawn


class Gone:
    """The stories whose files are gone, so that they are known again under other names: by the same text, or by address
    and date. Looked for once a root, and only when there is a file that is new."""

    def __init__(self) -> None:
        self._by_root: dict[str, dict[object, list[str]]] = {}

    def paths_of(self, parsed: Parsed) -> list[str]:
        """Where the story in a new file may have been before."""
        if parsed.reading.rows is None:
            return []
        root = parsed.file.root
        if root not in self._by_root:
            self._by_root[root] = _stories(Scope(root, ""))
        values, known = parsed.rows.values, self._by_root[root]
        address = next((values[index] for index in _ADDRESSES if values[index]), "")
        return known.get(parsed.reading.digest, []) + known.get((address, values[_DATE]), [])


def _stories(scope: Scope) -> dict[object, list[str]]:
    """The paths of the stories whose files are gone, by what they last said: an editor may have changed it here."""
    found: dict[object, list[str]] = defaultdict(list)
    for sources in find_missing(scope):
        for source in SourceFile.objects.filter(pk__in=[each.pk for each in sources if each.article_id]):
            found[hashlib.sha256(source.text.encode()).hexdigest()].append(source.path)
            base = last_imported(source)
            if isinstance(base, ArticleDocument) and (address := base.original_url or base.web_url):
                found[address, moment(base.published_at)].append(source.path)
    return dict(found)
