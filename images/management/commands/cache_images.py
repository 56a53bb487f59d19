import math

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from tqdm import tqdm

from images import queue
from images.caching import cache_due
from images.models import RemoteImage


class Command(BaseCommand):
    help = (
        "Fetches the pictures that wait for it, makes their renditions and says what failed and why. "
        "May be stopped and started again; what is cached already is not fetched again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, metavar="N", help="fetch no more than N pictures")
        parser.add_argument(
            "--retry-failed",
            action="store_true",
            help="also fetch those that failed before, for good or for now, without further waiting",
        )

    def handle(self, *, limit: int | None, retry_failed: bool, **options: object) -> None:
        if limit is not None and limit < 1:
            raise CommandError("--limit must be at least 1.")
        if retry_failed:
            queue.mark_pending(RemoteImage.objects.filter(~Q(reason="")).exclude(state=RemoteImage.State.PENDING))
        at_most = math.inf if limit is None else limit
        with tqdm(total=int(min(queue.due().count(), at_most)), unit="picture", disable=None) as progress:
            try:
                report = cache_due(limit=at_most, wait_for_others=True, on_done=lambda image: progress.update())
            except KeyboardInterrupt as error:
                raise CommandError("Stopped. What was not fetched is due as before.") from error
        for image in report.failed:
            self.stderr.write(f"{image.source_url}: {image.reason}: {image.detail}")
        self.stdout.write(f"cached={report.cached} failed={len(report.failed)}")
