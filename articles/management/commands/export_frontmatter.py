"""Write everything back as front-matter files."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from articles.exporting import count_records, export_tree
from articles.management.progress import Progress
from articles.models import Article


class Command(BaseCommand):
    help = (
        "Write articles, organizations and topics to DIR as front-matter files. What was imported and not edited "
        "comes out byte for byte. Exit status 1 when any file could not be written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="where to write; made if it is not there")
        parser.add_argument(
            "--status", action="append", choices=Article.Status.values, help="only articles in this state; repeatable"
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="write into a folder that is not empty; files that hold the same already are left alone",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        self._check(folder, force=options["force"])
        articles = Article.objects.all()
        if options["status"]:
            articles = articles.filter(status__in=options["status"])
        try:
            with Progress(sys.stderr, "records", lambda: count_records(articles)) as progress:
                report = export_tree(folder, articles, progress.update, overwrite=options["force"])
        except OSError as error:
            raise CommandError(str(error)) from error
        for problem in report.failed:
            self.stderr.write(f"failed: {problem}", self.style.ERROR)
        self.stdout.write(str(report))
        if report.failed:
            raise CommandError(f"{len(report.failed)} of the files could not be written.")

    def _check(self, folder: Path, *, force: bool) -> None:
        if folder.exists() and not folder.is_dir():
            raise CommandError(f"{folder} is not a folder.")
        if folder.is_dir() and any(folder.iterdir()) and not force:
            raise CommandError(f"{folder} is not empty. --force writes into it all the same.")
