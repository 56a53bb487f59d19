"""Export: database → document → text, so that everything can leave again.

What was imported and not edited comes out byte for byte; what was edited differs in the lines of the edited keys; what
was made here is written in the house style.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet

from articles.documents import (
    ArticleDocument,
    Document,
    DocumentError,
    TopicDocument,
    edit,
    field_data,
    is_bare,
    read,
    write,
)
from articles.exporting.folders import Folder, Names, UnwritableError, safe_name
from articles.exporting.stored import CHUNK, stored_articles
from articles.exporting.told import Told
from articles.merging import changed_fields
from articles.models import Article, SourceFile, Topic
from articles.records import provider_document, topic_document
from images import uploads
from images.files import read_original
from providers.models import Provider

__all__ = ["ExportReport", "count_records", "export_tree"]

_NAMELESS = TopicDocument(name="")
_AT_ONCE = timedelta(seconds=1)  # an import makes a provider, and never comes back to it


@dataclass
class ExportReport:
    """How many files were written, how many of them differ from what was imported, and which could not be written."""

    written: int = 0
    edited: int = 0
    new: int = 0
    failed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"written={self.written} edited={self.edited} new={self.new} failed={len(self.failed)}"


def export_tree(
    folder: Path,
    articles: QuerySet[Article] | None = None,
    progress: Callable[[int], object] = lambda done: None,
    *,
    overwrite: bool = False,
) -> ExportReport:
    """Write `_news`, `_data` and whatever else was imported into `folder`, all as it was when the export began.

    `articles`: only these, else all. `overwrite`: files that are there give way. `progress` gets counts of records;
    there are `count_records()`. Raises OSError when nothing can be written any more.
    """
    export = _Export(Folder(folder, overwrite=overwrite))
    with _one_moment():
        for item in chain(_articles(_chosen(articles)), _providers(export.told), _topics()):
            export.write(item)
            progress(1)
        export.write_uploads()
    return export.report


def count_records(articles: QuerySet[Article] | None = None) -> int:
    """How many records there are to look at."""
    return _chosen(articles).count() + Provider.objects.count() + Topic.objects.count()


def _chosen(articles: QuerySet[Article] | None) -> QuerySet[Article]:
    return Article.objects.all() if articles is None else articles


class _Item(NamedTuple):
    """A document, the file it was last imported from, and the path it would be given. `is_bare`: articles' files tell
    all there is to it, so that it needs none of its own."""

    document: Document
    path: str | None
    text: str
    name: str
    is_bare: bool = False


def _articles(articles: QuerySet[Article]) -> Iterator[_Item]:
    for story in stored_articles(articles):
        yield _Item(story.document, story.path, story.text, f"_news/{safe_name(story.stem)}.md")


def _providers(told: Told) -> Iterator[_Item]:
    rows = Provider.objects.select_related("source_file").prefetch_related("logos__image").order_by("pk")
    for provider in rows.iterator(chunk_size=CHUNK):
        document = provider_document(provider)
        is_edited = provider.modified_at - provider.created_at > _AT_ONCE and told.is_silent_on(document)
        is_bare = not (document.description or document.other_names or document.extra or is_edited)
        name = f"_data/organizations/{safe_name(provider.domain)}.md"
        yield _Item(document, *_source(provider), name, is_bare)


def _topics() -> Iterator[_Item]:
    rows = Topic.objects.select_related("source_file", "parent").prefetch_related("pictures__image").order_by("pk")
    for topic in rows.iterator(chunk_size=CHUNK):
        document, name = topic_document(topic), f"_data/topics/{safe_name(topic.slug)}.yaml"
        yield _Item(document, *_source(topic), name, dataclasses.replace(document, name="") == _NAMELESS)


def _source(record: Provider | Topic) -> tuple[str | None, str]:
    source = getattr(record, "source_file", None)
    return (source.path, source.text) if source else (None, "")


class _Export:
    """An export under way."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.told = Told()
        self.report = ExportReport()

    def write(self, item: _Item) -> None:
        """Write the record's file, if it is to have one."""
        if item.path is None and item.is_bare:
            return
        if item.path is None:
            path, text, document = self.names.free(item.name), write(item.document), item.document
        else:
            path, (text, document) = item.path, _edited(item)
        if isinstance(document, ArticleDocument):
            self.told.listen(document)
        if self._write(path, text.encode()):
            self.report.new += item.path is None
            self.report.edited += item.path is not None and text != item.text

    def write_uploads(self) -> None:
        """The pictures that no source has, where the documents say that they are."""
        for image in uploads.uploaded().iterator(chunk_size=CHUNK):
            try:
                data = read_original(image)
            except OSError as error:
                self.report.failed.append(f"{image.source_url}: {error}")
            else:
                self.report.new += self._write(image.source_url.removeprefix("/"), data)

    def _write(self, path: str, content: bytes) -> bool:
        try:
            self.folder.write(path, content)
        except UnwritableError as error:
            self.report.failed.append(f"{path}: {error}")
            return False
        self.report.written += 1
        return True

    @cached_property
    def names(self) -> Names:
        return Names(SourceFile.objects.values_list("path", flat=True).iterator())


def _edited(item: _Item) -> tuple[str, Document]:
    """The imported text with what was edited here, and what it then says."""
    document, data, bare = item.document, item.text.encode(), is_bare(item.path or "")
    try:
        base = read(data, bare=bare)
    except DocumentError:  # the reader is stricter now than it was then
        base = None
    if base == document:
        return item.text, document
    if not isinstance(base, type(document)):
        return write(document), document
    changes = {name: getattr(document, name) for name in changed_fields(base, document)}
    changes = {name: value for name, value in changes.items() if not _is_same(base, document, name)}
    if "extra" in changes:  # each key as the file has it where it says the same
        changes["extra"] = {key: _either(base.extra, key, value) for key, value in document.extra.items()}
    meant = dataclasses.replace(base, **changes)
    return edit(data, meant, bare=bare) if changes else item.text, meant


def _is_same(one: Document, other: Document, name: str) -> bool:
    return _as_kept(field_data(one, name)) == _as_kept(field_data(other, name))


def _either(values: dict[str, Any], key: str, value: Any) -> Any:
    return values[key] if key in values and _as_kept(values[key]) == _as_kept(value) else value


def _as_kept(value: Any) -> Any:
    """What any database keeps of a JSON value: PostgreSQL makes a whole number of 1.5e30, and not quite the same."""
    return json.loads(json.dumps(value), parse_int=float)


@contextmanager
def _one_moment() -> Iterator[None]:
    """What is read inside is as it was at one moment, whatever is written meanwhile; nobody is kept from writing."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:  # not by `atomic`, which would begin as a writer (see DATABASES)
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
