"""Import: text → document → database.

    report = import_paths([Path("site")], Options())

Files are found, and those that look as they did when they were read last are passed over. The rest are read and parsed,
in other processes where there are many, while this one stores the batch before, each in one short transaction. Pictures
that lie in the tree are cached at the end.
"""

from __future__ import annotations

import gc
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from django.db import Error, connection, transaction

from articles import bulk
from articles.importing.assets import cache_pictures, pictures_in_tree
from articles.importing.batches import Batch, Parsed, Stored, UnstorableError, load_sources
from articles.importing.creating import create
from articles.importing.describing import store_described
from articles.importing.locking import ImportBusyError, only_import
from articles.importing.missing import Gone, find_missing, is_emptied, withdraw
from articles.importing.reports import Entry, ImportReport, Outcome, Problem
from articles.importing.runs import RunLog
from articles.importing.updating import update
from articles.models import ImportedFile, ImportRun, SourceFile
from articles.reading import Reading
from articles.reading.trees import Scope, TreeFile, as_text, find_files, find_scopes
from articles.reading.workers import Readers
from images.tasks import wake
from providers.takedown import keep_down

if TYPE_CHECKING:
    from django.contrib.auth.models import User

__all__ = ["ImportBusyError", "ImportReport", "Options", "Outcome", "Problem", "import_paths"]

BATCH_FILES = 500
BATCH_BYTES = 4 * 1024 * 1024
AHEAD = 3  # batches that are being read while one is stored

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """How to import."""

    dry_run: bool = False
    workers: int | None = None  # processes that read files; None: as many as are of use
    overwrite: bool = False  # the source wins over editors throughout
    as_drafts: bool = False  # nothing is published
    withdraw_missing: bool = False  # stories whose files are gone are unpublished
    uploaded: bool = False  # the files stand in no tree that will be looked at again
    wait: bool = True  # for another import to end; else ImportBusyError


def import_paths(
    paths: Sequence[Path],
    options: Options,
    *,
    by: User | None = None,
    what: str = "",
    progress: Callable[[int], object] = lambda done: None,
    waiting: Callable[[], object] = lambda: None,
) -> ImportReport:
    """Import files and trees. Never raises for a bad file: the report names it. What is stored when the database fails
    stays stored; the next run goes on from there. The run is recorded; `by` began it, and `what` is for people to read.
    `progress` gets counts of files; `waiting` is called when another import has to end first.

    A dry run is the real run, rolled back; only the pictures in the tree are left alone.
    """
    with only_import(wait=options.wait, waiting=waiting), _without_cycle_collection(), _rare_checkpoints():
        run = _Run(options, RunLog(options, by, what or " ".join(map(as_text, paths))))
        with run.recorded(), ExitStack() as stack:
            if options.dry_run:
                stack.enter_context(transaction.atomic())
                stack.callback(transaction.set_rollback, True)
            readers = stack.enter_context(Readers(options.workers))
            run.import_files(find_files(paths), readers, progress)
            if not options.uploaded:
                for scope in find_scopes(paths):
                    run.report_missing(scope)
            run.cache_pictures()
        if not options.dry_run:
            wake()
    return run.report


@contextmanager
def _without_cycle_collection() -> Iterator[None]:
    """New articles leave no cycles behind, and looking for some takes a tenth of an import's time. Merged ones do, as
    prefetched records know each other: those are collected by the batch."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def _rare_checkpoints() -> Iterator[None]:
    """SQLite's log may grow to 40 MB: copied after each batch, the same pages would be copied time and again."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        [usual] = cursor.execute("PRAGMA wal_autocheckpoint").fetchone()
        cursor.execute("PRAGMA wal_autocheckpoint = 10000")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA wal_autocheckpoint = {usual}")
            if not connection.in_atomic_block:
                cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _batches(files: Iterable[TreeFile]) -> Iterator[list[TreeFile]]:
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
    tree: str


def _known(files: Sequence[TreeFile]) -> dict[str, Known]:
    paths = [file.path for file in files if file.is_named]
    return {
        path: Known(*facts)
        for path, *facts in bulk.find(SourceFile, "path", paths, "path", "pk", "digest", "seen_as", "tree")
    }


class Pending(NamedTuple):
    """A batch under way: how many files it has, those that may have changed, what is known of them, and the promise of
    what they hold."""

    size: int
    suspects: list[TreeFile]
    known: dict[str, Known]
    readings: Callable[[], Sequence[Reading]]


class _Run:
    """One import under way."""

    def __init__(self, options: Options, log: RunLog) -> None:
        self.options = options
        self.log = log
        self.report = ImportReport(log.run)
        self.entries: list[Entry] = []  # of the batch under way, for the log
        self.gone = None if options.uploaded else Gone()
        self.roots: dict[str, None] = {}
        self.pictures: dict[str, TreeFile] = {}  # site-relative addresses, and the first file that names each

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Keep what came of it, also when it is ended by an error or by hand."""
        try:
            yield
        except BaseException:
            if connection.is_usable():
                self.log.close(ImportRun.State.STOPPED, self.report)
            raise
        self._keep_entries()
        self.log.close(ImportRun.State.DONE, self.report)

    def import_files(self, files: Iterable[TreeFile], readers: Readers, progress: Callable[[int], object]) -> None:
        under_way: deque[Pending] = deque()
        for batch in _batches(files):
            under_way.append(self._begin(batch, readers))
            if len(under_way) > AHEAD:
                progress(self._finish(under_way.popleft()))
        while under_way:
            progress(self._finish(under_way.popleft()))

    def _begin(self, files: list[TreeFile], readers: Readers) -> Pending:
        """Have the files read that may have changed."""
        self.roots |= dict.fromkeys(file.root for file in files)
        known = {} if self.options.overwrite else _known(files)
        suspects = [file for file in files if not _is_as_seen(file, known)]
        self.report.counts[Outcome.UNCHANGED] += len(files) - len(suspects)
        digests = ((file, known[file.path].digest if file.path in known else "") for file in suspects)
        return Pending(len(files), suspects, known, readers.read(list(digests)))

    def _finish(self, pending: Pending) -> int:
        """Store what was read. Returns how many files are done."""
        parsed, same = self._sort(zip(pending.suspects, pending.readings(), strict=True))
        self.report.counts[Outcome.UNCHANGED] += len(same)
        if not self.options.uploaded:
            _remember(same, pending.known)
        stored = self._store(parsed)
        for each in stored:
            self._count(each)
        self._keep_entries()
        if sum(each.outcome is Outcome.CREATED for each in stored) < len(parsed):  # some were merged, or failed
            gc.collect(0)  # the youngest: what was made since the last time
        return pending.size

    def _sort(self, readings: Iterable[tuple[TreeFile, Reading]]) -> tuple[list[Parsed], list[TreeFile]]:
        """The files that hold documents, and those that were read in vain; the others are told of."""
        parsed, same = [], []
        for file, reading in readings:
            if reading.problem:
                self._fail(file, *reading.problem)
            elif reading.is_skipped:
                self._warn(file, "skipped: YAML without a taxonomy is no article, organization or topic")
            elif not reading.text:
                same.append(file)
            else:
                parsed.append(Parsed(file, reading))
        return parsed, same

    def _store(self, files: Sequence[Parsed]) -> list[Stored]:
        """Store the batch; if that fails, file by file, so that only the guilty one is lost."""
        if not files:
            return []
        try:
            with transaction.atomic():
                return self._store_batch(files)
        except Exception as error:
            if _is_outage(error):
                raise
            if len(files) == 1:
                self._fail(files[0].file, _reason(error))
                return []
            return [stored for each in files for stored in self._store([each])]

    def _store_batch(self, files: Sequence[Parsed]) -> list[Stored]:
        options = self.options
        sources = load_sources(files, self.gone)
        batch = Batch(files, sources, options.overwrite, options.as_drafts, options.uploaded)
        new = [parsed for parsed in batch.articles if not batch.source(parsed)]
        known = [parsed for parsed in batch.articles if batch.source(parsed)]
        stored = store_described(batch) + create(batch, new) + update(batch, known)
        keep_down()
        return stored

    def _count(self, stored: Stored) -> None:
        file = stored.parsed.file
        self.report.counts[stored.outcome] += 1
        if stored.outcome is not Outcome.UNCHANGED:
            self.entries.append(Entry(file.path, stored.outcome.value, stored.fields))
        for reason in (*stored.parsed.reading.warnings, *stored.warnings):
            self._warn(file, reason)
        for url in pictures_in_tree(stored.parsed):
            self.pictures.setdefault(url, file)

    def report_missing(self, scope: Scope) -> None:
        """Name the files that are gone; nothing is deleted, nor withdrawn where it looks as if a disk were gone."""
        may_withdraw = self.options.withdraw_missing and not is_emptied(scope)
        for sources in find_missing(scope):
            withdrawn = withdraw(sources) if may_withdraw else set()
            self.report.counts[Outcome.UPDATED] += len(withdrawn)
            for source in sources:
                reason = "its story was unpublished" if source.pk in withdrawn else "nothing was changed"
                problem = Problem(source.path, None, "", f"gone from the tree; {reason}")
                self._note(self.report.warnings, source.path, problem)
        if self.options.withdraw_missing and not may_withdraw:
            reason = "most of its files are gone: nothing was unpublished, as a disk may be missing"
            self._note(
                self.report.warnings, scope.prefix, Problem(os.path.join(scope.tree, scope.prefix), None, "", reason)
            )
        self._keep_entries()

    def cache_pictures(self) -> None:
        roots = [Path(root) for root in self.roots]
        for file, reason in cache_pictures(roots, self.pictures, dry_run=self.options.dry_run):
            self._warn(file, reason)

    def _fail(self, file: TreeFile, reason: str, line: int | None = None, key: str = "") -> None:
        self._note(self.report.failed, as_text(file.path), Problem(file.shown, line, key, reason))

    def _warn(self, file: TreeFile, reason: str) -> None:
        self._note(self.report.warnings, as_text(file.path), Problem(file.shown, None, "", reason))

    def _note(self, problems: list[Problem], path: str, problem: Problem) -> None:
        problems.append(problem)
        Outcomes = ImportedFile.Outcome
        outcome = Outcomes.FAILED if problems is self.report.failed else Outcomes.WARNING
        self.entries.append(Entry(path, outcome.value, (), problem.line, problem.key, problem.reason))

    def _keep_entries(self) -> None:
        if self.entries:
            self.log.add(self.entries, self.report)
            self.entries = []


def _is_as_seen(file: TreeFile, known: dict[str, Known]) -> bool:
    """Whether size and time say that the file is the one that was read last."""
    facts = known.get(file.path)
    return facts is not None and facts.seen_as != "" and (facts.seen_as, facts.tree) == (file.seen_as, file.tree)


def _remember(files: Sequence[TreeFile], known: dict[str, Known]) -> None:
    """Files that were read in vain need not be next time. The tree may be elsewhere now."""
    rows = [
        (file.seen_as, file.tree, known[file.path].key)
        for file in files
        if file.seen_as or file.tree != known[file.path].tree
    ]
    if rows:
        with transaction.atomic():
            bulk.update(SourceFile, ["seen_as", "tree"], rows)


def _is_outage(error: Exception) -> bool:
    """Whether it is the database that fails, and would fail for every other file too."""
    return isinstance(error, Error) and ("database is locked" in str(error) or not connection.is_usable())


def _reason(error: Exception) -> str:
    if isinstance(error, UnstorableError):
        return str(error)
    logger.exception("A file could not be stored.")
    return f"cannot be stored: {(str(error).splitlines() or [repr(error)])[0]}"
