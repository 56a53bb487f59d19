"""The record of runs: who imported what, when, and what became of each file that there is something to tell of."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from articles.bulk import insert
from articles.importing.reports import Entry, ImportReport
from articles.models import ImportedFile, ImportRun

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from articles.importing import Options

MAX_REHEARSED = 10_000  # entries of a dry run, which wait in memory until it has been rolled back
_COLUMNS = ("run_id", "path", "outcome", "fields", "line", "key", "reason")
_LONGEST_PATH, _LONGEST_KEY = 500, 300


class RunLog:
    """One run's record, written as it goes on; a dry run's only at its end, or it would be rolled back too."""

    def __init__(self, options: Options, by: User | None, what: str) -> None:
        # Who holds the lock knows that no other run goes on.
        ImportRun.objects.filter(state=ImportRun.State.RUNNING).update(state=ImportRun.State.STOPPED)
        told = {name: value for name, value in dataclasses.asdict(options).items() if value and name != "wait"}
        self.run = ImportRun.objects.create(by=by, what=what, options=told, dry_run=options.dry_run)
        self._rehearsed: list[Entry] = []

    def add(self, entries: Iterable[Entry], report: ImportReport) -> None:
        if self.run.dry_run:
            self._rehearsed += islice(entries, MAX_REHEARSED - len(self._rehearsed))
            return
        with transaction.atomic():
            self._insert(entries)
            self._save(report)

    def close(self, state: ImportRun.State, report: ImportReport) -> None:
        self.run.state, self.run.ended_at = state, timezone.now()
        with transaction.atomic():
            self._insert(self._rehearsed)
            self._save(report)

    def _insert(self, entries: Iterable[Entry]) -> None:
        insert(
            ImportedFile,
            _COLUMNS,
            (
                (
                    self.run.pk,
                    entry.path[:_LONGEST_PATH],
                    entry.outcome,
                    json.dumps(list(entry.fields)),
                    entry.line,
                    entry.key[:_LONGEST_KEY],
                    entry.reason,
                )
                for entry in entries
            ),
        )

    def _save(self, report: ImportReport) -> None:
        for name, count in report.totals().items():
            setattr(self.run, name, count)
        self.run.save()
