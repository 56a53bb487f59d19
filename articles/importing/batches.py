"""A batch of files that were read, and what is known of each from before. The caller holds a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from articles.documents import Document, is_bare, read
from articles.importing.reports import Outcome
from articles.models import SourceFile
from articles.reading import Reading
from articles.reading.rows import ArticleRows
from articles.reading.trees import TreeFile

if TYPE_CHECKING:
    from articles.importing.missing import Gone

# Measured over the sister site's history: 99 % of all changes touch only these. Stored, but no editorial change.
NOISE = frozenset({"secured", "heat"})

SOURCE_COLUMNS = ("path", "tree", "text", "digest", "seen_as", "imported_at")


class UnstorableError(Exception):
    """A good document that contradicts what is already stored. The message is for the report."""


@dataclass(frozen=True)
class Parsed:
    """A file that holds a good document."""

    file: TreeFile
    reading: Reading

    @property
    def rows(self) -> ArticleRows:
        """Of an article."""
        assert self.reading.rows is not None  # noqa: S101
        return self.reading.rows

    @cached_property
    def document(self) -> Any:
        """Read again: new articles, which are nearly all, are stored from their rows alone."""
        return read(self.reading.text.encode(), bare=self.file.bare)


@dataclass(frozen=True)
class Stored:
    """What became of a file. `fields`: of its document; those that were taken, or kept, or are in conflict."""

    parsed: Parsed
    outcome: Outcome
    fields: Sequence[str] = ()
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Batch:
    """Files and how to store them. `sources`: what is known of them, by path. `uploaded`: they stand in no tree that
    will be looked at again."""

    files: Sequence[Parsed]
    sources: dict[str, SourceFile]
    overwrite: bool = False
    as_drafts: bool = False
    uploaded: bool = False

    @property
    def articles(self) -> list[Parsed]:
        return [parsed for parsed in self.files if parsed.reading.rows]

    @property
    def described(self) -> list[Parsed]:
        """The files of providers and topics."""
        return [parsed for parsed in self.files if not parsed.reading.rows]

    def source(self, parsed: Parsed) -> SourceFile | None:
        return self.sources.get(parsed.file.path)

    def source_values(self, parsed: Parsed) -> tuple[str, ...]:
        """What is kept of the file: SOURCE_COLUMNS but the last. An upload says nothing of the tree that the file may
        also stand in."""
        known, file, reading = self.source(parsed), parsed.file, parsed.reading
        if self.uploaded:
            tree, seen_as = (known.tree, known.seen_as) if known else ("", "")
            return file.path, tree, reading.text, reading.digest, seen_as
        return file.path, file.tree, reading.text, reading.digest, file.seen_as


def load_sources(files: Sequence[Parsed], gone: Gone | None) -> dict[str, SourceFile]:
    """What was last imported from these paths, locked; from the old path where a story's file was renamed; that
    is not looked for without `gone`."""
    known = _locked([parsed.file.path for parsed in files])
    new = [parsed for parsed in files if parsed.file.path not in known]
    before = {parsed.file.path: gone.paths_of(parsed) for parsed in new} if gone else {}
    sources = _locked([path for paths in before.values() for path in paths])
    for path, candidates in before.items():
        if found := next((each for each in candidates if each in sources), None):
            known[path] = sources.pop(found)
    return known


def _locked(paths: Sequence[str]) -> dict[str, SourceFile]:
    if not paths:
        return {}
    rows = SourceFile.objects.filter(path__in=paths).select_for_update().order_by("path")
    return {source.path: source for source in rows}


def last_imported(source: SourceFile) -> Document | None:
    """The document that was last imported from the path."""
    return read(source.text.encode(), bare=is_bare(source.path))


def unless_changed(changed: Iterable[str]) -> Outcome:
    """What nothing came of: the file said nothing new, or what it said had been decided here."""
    return Outcome.UNCHANGED if NOISE.issuperset(changed) else Outcome.KEPT
