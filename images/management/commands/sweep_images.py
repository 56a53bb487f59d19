from django.core.management.base import BaseCommand, CommandParser

from images import files


class Command(BaseCommand):
    help = (
        "Deletes the files of pictures that nothing refers to: of addresses that give another picture now, of "
        "takedowns that could not be finished, of work that was cut short. Files younger than a day are left alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only name the files that would be deleted")

    def handle(self, *, dry_run: bool, verbosity: int, **options: object) -> None:
        swept = files.sweep(dry_run=dry_run)
        for name in swept if dry_run or verbosity > 1 else ():
            self.stdout.write(name)
        self.stdout.write(f"{'unused' if dry_run else 'deleted'}={len(swept)}")
