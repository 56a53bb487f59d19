"""Import: text → document → database.

    report = import_paths([Path("site")], Options())

Files are read in batches. A file whose digest is known is skipped; the rest are parsed, in processes if asked, and
stored, each batch in one transaction. Pictures that lie in the tree are cached at the end.
"""

from __future__ import annotations

import gc
import hashlib
import logging
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from django.db import Error, connection, transaction

from articles.documents import Document, DocumentError, try_read
from articles.importing.assets import cache_pictures, pictures_in_tree
from articles.importing.describing import store_described
from articles.importing.missing import find_missing, withdraw
from articles.importing.reports import ImportReport, Outcome, Problem
from articles.importing.storing import Batch, Parsed, Stored, UnstorableError, load_sources, store_articles
from articles.importing.trees import Scope, TreeFile, find_files, find_scopes
from articles.models import SourceFile

__all__ = ["ImportReport", "Options", "Outcome", "Problem", "import_paths"]

BATCH_FILES = 500
BATCH_BYTES = 16 * 1024 * 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """How to import. `overwrite`: the source wins over editors throughout. `as_drafts`: nothing is published.
    `withdraw_missing`: stories whose files are gone are unpublished."""

    dry_run: bool = False
    workers: int = 1
    overwrite: bool = False
    as_drafts: bool = False
    withdraw_missing: bool = False


def import_paths(
    paths: Sequence[Path], options: Options, progress: Callable[[int], object] = lambda done: None
) -> ImportReport:
    """Import files and trees. Never raises for a bad file: the report names it. `progress` gets counts of files.
    What is stored when the database fails stays stored; the next run goes on from there.

    A dry run is the real run, rolled back; only the pictures in the tree are left alone.
    """
    with ExitStack() as stack:
        stack.enter_context(_without_cycle_collection())
        if options.dry_run:
            stack.enter_context(transaction.atomic())
            stack.callback(transaction.set_rollback, True)
        run = _Run(options, _parser(options.workers, stack))
        under_way: Pending | None = None
        for files in _batches(find_files(paths)):
            pending = run.begin(files)  # whose parsing goes on in other processes while this one stores
            if under_way:
                progress(run.finish(under_way))
            under_way = pending
        if under_way:
            progress(run.finish(under_way))
        for scope in find_scopes(paths):
            run.report_missing(scope)
        run.cache_pictures()
    return run.report


@contextmanager
def _without_cycle_collection() -> Iterator[None]:
    """Documents and rows hold no cycles, and looking for some takes a tenth of an import's time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


Parser = Callable[[Sequence[tuple[bytes, bool]]], Iterable[Document | DocumentError | None]]


def _parser(workers: int, stack: ExitStack) -> Parser:
    if workers <= 1:
        return lambda tasks: map(try_read, tasks)
    # Spawned, not forked: a fork would share this process's database connection.
    context = multiprocessing.get_context("spawn")
    pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=context))
    return lambda tasks: pool.map(try_read, tasks, chunksize=50)


def _batches(files: Iterator[TreeFile]) -> Iterator[list[TreeFile]]:
    """A number of files at a time, or of bytes, and no path twice in one batch: two trees may hold the same path."""
    batch: dict[str, TreeFile] = {}
    size = 0
    for file in files:
        size += file.size
        if len(batch) == BATCH_FILES or size > BATCH_BYTES or file.path in batch:
            yield list(batch.values())
            batch, size = {}, file.size
        batch[file.path] = file
    if batch:
        yield list(batch.values())


class Known(NamedTuple):
    """What the database knows of a file. `key`: of its SourceFile."""

    key: int
    digest: str
    seen_as: str


def _known(files: list[TreeFile]) -> dict[str, Known]:
    rows = SourceFile.objects.filter(path__in=[file.path for file in files if file.is_named])
    facts = rows.values_list("path", "pk", "digest", "seen_as")
    return {path: Known(key, digest, seen_as) for path, key, digest, seen_as in facts}


def _is_as_seen(file: TreeFile, known: dict[str, Known]) -> bool:
    """Whether size and time say that the file is the one that was read last."""
    facts = known.get(file.path)
    return facts is not None and facts.seen_as != "" and facts.seen_as == file.seen_as


def _remember(files: list[TreeFile], known: dict[str, Known]) -> None:
    """Files that were read in vain need not be next time."""
    rows = [SourceFile(pk=known[file.path].key, seen_as=file.seen_as) for file in files if file.seen_as]
    SourceFile.objects.bulk_update(rows, ["seen_as"])


@dataclass(frozen=True)
class Pending:
    """A batch under way: how many files it has, those that changed with their content and digest, and what parsing
    makes of those."""

    count: int
    changed: list[tuple[TreeFile, bytes, str]]
    results: Iterable[Document | DocumentError | None]


class _Run:
    """One import under way."""

    def __init__(self, options: Options, parser: Parser) -> None:
        self.options = options
        self.parser = parser
        self.report = ImportReport()
        self.roots: dict[Path, None] = {}
        self.seen: set[str] = set()
        self.pictures: dict[str, TreeFile] = {}  # site-relative addresses, and the first file that names each

    def begin(self, files: list[TreeFile]) -> Pending:
        """Read the files that may have changed, and have those that did parsed."""
        self.roots |= dict.fromkeys(file.root for file in files)
        self.seen.update(file.path for file in files)
        known = {} if self.options.overwrite else _known(files)
        suspects = [file for file in files if not _is_as_seen(file, known)]
        self.report.counts[Outcome.UNCHANGED] += len(files) - len(suspects)
        changed = self._changed(self._read(suspects), known)
        return Pending(len(files), changed, self.parser([(data, file.bare) for file, data, _ in changed]))

    def finish(self, pending: Pending) -> int:
        """Store what was parsed. Returns how many files are done."""
        for stored in self._store(self._parsed(pending)):
            self.report.counts[stored.outcome] += 1
            for reason in stored.warnings:
                self._warn(stored.parsed.file, reason)
            for url in pictures_in_tree(stored.parsed.document):
                self.pictures.setdefault(url, stored.parsed.file)
        return pending.count

    def report_missing(self, scope: Scope) -> None:
        """Name the files that are gone; nothing is deleted."""
        for source in list(find_missing(scope, self.seen)):
            withdrawn = self.options.withdraw_missing and withdraw(source)
            self.report.counts[Outcome.UPDATED] += withdrawn
            reason = "gone from the tree; " + ("its story was unpublished" if withdrawn else "nothing was changed")
            self.report.warnings.append(Problem(source.path, None, "", reason))

    def cache_pictures(self) -> None:
        for file, reason in cache_pictures(list(self.roots), self.pictures, dry_run=self.options.dry_run):
            self._warn(file, reason)

    def _read(self, files: list[TreeFile]) -> list[tuple[TreeFile, bytes]]:
        contents = []
        for file in files:
            try:
                contents.append((file, file.read()))
            except DocumentError as error:
                self._fail(file, error)
        return contents

    def _changed(
        self, contents: list[tuple[TreeFile, bytes]], known: dict[str, Known]
    ) -> list[tuple[TreeFile, bytes, str]]:
        """The files whose digest is not the one that was last imported, with their digests."""
        changed, same = [], []
        for file, data in contents:
            digest = hashlib.sha256(data).hexdigest()
            if file.path in known and known[file.path].digest == digest:
                same.append(file)
            else:
                changed.append((file, data, digest))
        self.report.counts[Outcome.UNCHANGED] += len(same)
        _remember(same, known)
        return changed

    def _parsed(self, pending: Pending) -> list[Parsed[Any]]:
        parsed: list[Parsed[Any]] = []
        for (file, data, digest), result in zip(pending.changed, pending.results, strict=True):
            if isinstance(result, DocumentError):
                self._fail(file, result)
            elif result is None:
                self._warn(file, "skipped: YAML without a taxonomy is no article, organization or topic")
            else:
                parsed.append(Parsed(file, data.decode(), digest, result))
        return parsed

    def _store(self, files: list[Parsed[Any]]) -> list[Stored]:
        """Store the batch; if that fails, file by file, so that only the guilty one is lost."""
        if not files:
            return []
        try:
            with transaction.atomic():
                batch = Batch(files, load_sources(files), self.options.overwrite, self.options.as_drafts)
                return store_described(batch) + store_articles(batch)
        except Exception as error:
            if _is_outage(error):
                raise
            if len(files) == 1:
                self._fail(files[0].file, _reason(error))
                return []
            return [stored for each in files for stored in self._store([each])]

    def _fail(self, file: TreeFile, error: DocumentError) -> None:
        self.report.failed.append(Problem(file.shown, error.line, error.key, error.reason))

    def _warn(self, file: TreeFile, reason: str) -> None:
        self.report.warnings.append(Problem(file.shown, None, "", reason))


def _is_outage(error: Exception) -> bool:
    """Whether it is the database that fails, and would fail for every other file too."""
    return isinstance(error, Error) and ("database is locked" in str(error) or not connection.is_usable())


def _reason(error: Exception) -> DocumentError:
    if isinstance(error, UnstorableError):
        return DocumentError(str(error))
    logger.exception("A file could not be stored.")
    return DocumentError(f"cannot be stored: {(str(error).splitlines() or [repr(error)])[0]}")
