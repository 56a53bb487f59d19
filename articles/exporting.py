"""Export: database → document → text, so that everything can leave again.

What was imported and not edited comes out byte for byte; what was edited differs in the lines of the edited keys; what
was made here is written in the house style.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from django.db.models import QuerySet

from articles.documents import Document, TopicDocument, edit, is_bare, read, write
from articles.merging import changed_fields
from articles.models import Article, SourceFile, Topic
from articles.records import article_document, provider_document, topic_document, with_parts
from providers.models import Provider

CHUNK = 500  # records
MAX_NAME_BYTES = 200  # of the 255 that file systems allow
_NAMELESS = TopicDocument(name="")


class UnsafePathError(Exception):
    """A stored path that would leave the folder."""


@dataclass
class ExportReport:
    """How many files were written, and how many of them differ from what was imported."""

    written: int = 0
    edited: int = 0
    new: int = 0

    def __str__(self) -> str:
        return f"written={self.written} edited={self.edited} new={self.new}"


def export_tree(
    folder: Path,
    articles: QuerySet[Article] | None = None,
    progress: Callable[[int], object] = lambda done: None,
) -> ExportReport:
    """Write `_news`, `_data` and whatever else was imported into `folder`; `articles`: only these, else all."""
    report, names = ExportReport(), _Names()
    chosen = Article.objects.all() if articles is None else articles
    for source, document, name in chain(_articles(chosen), _providers(), _topics()):
        text = _text(source, document)
        _write(folder, source.path if source else names.free(name), text)
        report.written += 1
        report.new += source is None
        report.edited += source is not None and text != source.text
        progress(1)
    return report


Export = tuple[SourceFile | None, Document, str]


def _articles(articles: QuerySet[Article]) -> Iterator[Export]:
    rows = with_parts(articles).select_related("provider", "source_file").order_by("pk")
    for article in rows.iterator(chunk_size=CHUNK):
        yield _source(article), article_document(article), f"_news/{safe_name(article.stem)}.md"


def _providers() -> Iterator[Export]:
    rows = Provider.objects.select_related("source_file").prefetch_related("logos__image").order_by("pk")
    for provider in rows.iterator(chunk_size=CHUNK):
        source, document = _source(provider), provider_document(provider)
        # Without a file of its own, most are just what articles say, and will be made from those again.
        if source or document.description or document.other_names or document.extra:
            yield source, document, f"_data/organizations/{safe_name(provider.domain)}.md"


def _topics() -> Iterator[Export]:
    rows = Topic.objects.select_related("source_file", "parent").prefetch_related("pictures__image").order_by("pk")
    for topic in rows.iterator(chunk_size=CHUNK):
        source, document = _source(topic), topic_document(topic)
        if source or dataclasses.replace(document, name="") != _NAMELESS:
            yield source, document, f"_data/topics/{safe_name(topic.slug)}.yaml"


def _source(record: Article | Provider | Topic) -> SourceFile | None:
    return getattr(record, "source_file", None)


def _text(source: SourceFile | None, document: Document) -> str:
    if source is None:
        return write(document)
    data = source.text.encode()
    base = read(data, bare=is_bare(source.path))
    if not isinstance(base, type(document)):
        return write(document)
    changes = {name: getattr(document, name) for name in changed_fields(base, document)}
    return edit(data, dataclasses.replace(base, **changes), bare=is_bare(source.path)) if changes else source.text


def _write(folder: Path, path: str, text: str) -> None:
    file = folder / path
    if not file.resolve().is_relative_to(folder.resolve()):
        raise UnsafePathError(f"{path} would be written outside {folder}.")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())


class _Names:
    """Paths for what has none yet: none that is another's, even where case does not count."""

    def __init__(self) -> None:
        self.used: set[str] | None = None

    def free(self, path: str) -> str:
        if self.used is None:
            self.used = {known.casefold() for known in SourceFile.objects.values_list("path", flat=True).iterator()}
        stem, dot, ending = path.rpartition(".")
        tried = chain([path], (f"{stem}-{number}{dot}{ending}" for number in range(2, 10**6)))
        free = next(name for name in tried if name.casefold() not in self.used)
        self.used.add(free.casefold())
        return free


def safe_name(name: str) -> str:
    """`name` as every common file system can hold it."""
    safe = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "-", name).rstrip(". ") or "-"
    if len(safe.encode()) <= MAX_NAME_BYTES:
        return safe
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{safe.encode()[: MAX_NAME_BYTES - 13].decode('utf-8', 'ignore')}-{digest}"
