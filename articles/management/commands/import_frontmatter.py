"""Import front-matter files, or trees of them."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from articles.importing import ImportReport, Options, import_paths
from articles.management.progress import Progress
from articles.reading.trees import count_files
from articles.reading.workers import WorkerDiedError


class Command(BaseCommand):
    help = (
        "Import articles, organizations and topics from front-matter files. A file's path within its tree is its "
        "identity, so running it again updates. Exit status 1 when any file failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "paths",
            nargs="+",
            type=Path,
            metavar="PATH",
            help="a file (.md, .markdown, .txt, .yaml, .yml), or a folder to look for them in",
        )
        parser.add_argument("--dry-run", action="store_true", help="report what would happen, and change nothing")
        parser.add_argument(
            "--workers", type=int, metavar="N", help="read files in N processes (default: as many as are of use)"
        )
        parser.add_argument("--report", type=Path, metavar="FILE", help="write the report to FILE as JSON")
        parser.add_argument("--overwrite", action="store_true", help="let the source win over editors' changes")
        parser.add_argument("--as-drafts", action="store_true", help="publish nothing, whatever the files say")
        parser.add_argument(
            "--withdraw-missing", action="store_true", help="unpublish stories whose files are gone from the tree"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._check(options)
        names = [field.name for field in dataclasses.fields(Options)]
        chosen = Options(**{name: options[name] for name in names if name in options})
        try:
            with Progress(sys.stderr, "files", lambda: count_files(options["paths"])) as progress:
                report = import_paths(options["paths"], chosen, progress=progress.update, waiting=self._wait)
        except DatabaseError as error:
            raise CommandError(f"The database failed: {error}. Run it again: what is stored is skipped.") from error
        except WorkerDiedError as error:
            raise CommandError(str(error)) from error
        self._print(report, options)
        if report.failed:
            raise CommandError(f"{len(report.failed)} of the files could not be imported.", returncode=1)

    def _check(self, options: dict[str, Any]) -> None:
        for path in options["paths"]:
            if not path.exists():
                raise CommandError(f"There is no {path}.")
        if options["workers"] is not None and options["workers"] < 1:
            raise CommandError("--workers has to be 1 or more.")
        report: Path | None = options["report"]
        if report and (report.is_dir() or not report.absolute().parent.is_dir()):
            raise CommandError(f"--report: {report} cannot be written.")

    def _wait(self) -> None:
        self.stderr.write("Another import is running; this one begins when that has ended.")

    def _print(self, report: ImportReport, options: dict[str, Any]) -> None:
        for problem in report.warnings:
            self.stderr.write(f"warning: {problem}")
        for problem in report.failed:
            self.stderr.write(f"failed: {problem}", self.style.ERROR)
        if options["report"]:
            text = json.dumps(report.as_data(), indent=2, ensure_ascii=False) + "\n"
            options["report"].write_text(text, encoding="utf-8")
        if options["dry_run"]:
            self.stderr.write("Dry run: nothing was changed.")
        self.stdout.write(str(report))
