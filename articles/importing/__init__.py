"""Import: text → document → database.

    report = import_paths([Path("site")], Options())

Files are read in batches. A file whose digest is known is skipped; the rest are parsed, in processes if asked, and
stored, each batch in one transaction. Pictures that lie in the tree are cached between the batches.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import DatabaseError, transaction

from articles.documents import Document, DocumentError, decode, try_read
from articles.importing.assets import cache_assets
from articles.importing.reports import ImportReport, Outcome, Problem
from articles.importing.storing import Parsed, Stored, UnstorableError, store
from articles.importing.trees import TreeFile, find_files
from articles.models import SourceFile

__all__ = ["ImportReport", "Options", "Outcome", "Problem", "import_paths"]

BATCH_SIZE = 500


@dataclass(frozen=True)
class Options:
    """How to import. `overwrite`: the source wins over editors throughout. `as_drafts`: nothing is published."""

    dry_run: bool = False
    workers: int = 1
    overwrite: bool = False
    as_drafts: bool = False


def import_paths(
    paths: Iterable[Path], options: Options, progress: Callable[[int], object] = lambda done: None
) -> ImportReport:
    """Import files and trees. Never raises for a bad file: the report names it. `progress` gets counts of files.

    A dry run is the real run, rolled back; only the pictures in the tree are left alone.
    """
    with ExitStack() as stack:
        if options.dry_run:
            stack.enter_context(transaction.atomic())
            stack.callback(transaction.set_rollback, True)
        run = _Run(options, _parser(options.workers, stack))
        for batch in _batches(find_files(paths)):
            run.import_batch(batch)
            progress(len(batch))
    return run.report


Parser = Callable[[Sequence[tuple[bytes, bool]]], Iterable[Document | DocumentError | None]]


def _parser(workers: int, stack: ExitStack) -> Parser:
    if workers <= 1:
        return lambda tasks: map(try_read, tasks)
    # Spawned, not forked: a fork would share this process's database connection.
    context = multiprocessing.get_context("spawn")
    pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=context))
    return lambda tasks: pool.map(try_read, tasks, chunksize=50)


def _batches(files: Iterator[TreeFile]) -> Iterator[list[TreeFile]]:
    """Up to BATCH_SIZE files at a time, no path twice in one: two trees may hold the same path."""
    batch: dict[str, TreeFile] = {}
    for file in files:
        if len(batch) == BATCH_SIZE or file.path in batch:
            yield list(batch.values())
            batch = {}
        batch[file.path] = file
    if batch:
        yield list(batch.values())


class _Run:
    """One import under way."""

    def __init__(self, options: Options, parser: Parser) -> None:
        self.options = options
        self.parser = parser
        self.report = ImportReport()

    def import_batch(self, files: list[TreeFile]) -> None:
        parsed = self._parse(self._changed(self._read(files)))
        stored = self._store(parsed)
        for each in stored:
            self.report.counts[each.outcome] += 1
            for reason in each.warnings:
                self._warn(each.parsed.file, reason)
        for file, reason in cache_assets(stored, dry_run=self.options.dry_run):
            self._warn(file, reason)

    def _read(self, files: list[TreeFile]) -> list[tuple[TreeFile, bytes]]:
        contents = []
        for file in files:
            if reason := file.unusable():
                self._fail(file, DocumentError(reason))
                continue
            try:
                contents.append((file, file.file.read_bytes()))
            except OSError as error:
                self._fail(file, DocumentError(f"cannot be read: {error.strerror or error}"))
        return contents

    def _changed(self, contents: list[tuple[TreeFile, bytes]]) -> list[tuple[TreeFile, bytes, str]]:
        """The files whose digest is not the one that was last imported, with their digests."""
        known = dict(
            SourceFile.objects.filter(path__in=[file.path for file, _ in contents]).values_list("path", "digest")
        )
        found = [(file, data, hashlib.sha256(data).hexdigest()) for file, data in contents]
        changed = [each for each in found if self.options.overwrite or known.get(each[0].path) != each[2]]
        self.report.counts[Outcome.UNCHANGED] += len(found) - len(changed)
        return changed

    def _parse(self, files: list[tuple[TreeFile, bytes, str]]) -> list[Parsed[Any]]:
        parsed: list[Parsed[Any]] = []
        results = self.parser([(data, file.bare) for file, data, _ in files])
        for (file, data, digest), result in zip(files, results, strict=True):
            if isinstance(result, DocumentError):
                self._fail(file, result)
            elif result is None:
                self._warn(file, "skipped: YAML without a taxonomy is no article, organization or topic")
            else:
                parsed.append(Parsed(file, decode(data), digest, result))
        return parsed

    def _store(self, parsed: list[Parsed[Any]]) -> list[Stored]:
        """Store the batch; if the database refuses it, file by file, so that only the guilty one is lost."""
        try:
            with transaction.atomic():
                return store(parsed, overwrite=self.options.overwrite, as_drafts=self.options.as_drafts)
        except (DatabaseError, UnstorableError) as error:
            if len(parsed) == 1:
                self._fail(parsed[0].file, DocumentError(str(error)))
                return []
            return [stored for each in parsed for stored in self._store([each])]

    def _fail(self, file: TreeFile, error: DocumentError) -> None:
        self.report.failed.append(Problem(_shown(file), error.line, error.key, error.reason))

    def _warn(self, file: TreeFile, reason: str) -> None:
        self.report.warnings.append(Problem(_shown(file), None, "", reason))


def _shown(file: TreeFile) -> str:
    """The file's path as a report can hold it: names that are not UTF-8 with question marks."""
    return str(file.file).encode("utf-8", "replace").decode()
