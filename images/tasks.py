"""The background work. A task is a wake-up call: what there is to do stands on the rows, so one too many finds nothing
to do, and for one that was lost `sweep` makes another."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_tasks import task

from images import files, queue
from images.caching import WORKERS, cache_due
from images.models import RemoteImage

TASK_SECONDS = 60.0  # then the next task goes on: other work may wait in the queue
SWEEP_SECONDS = 30.0
STILL_AFTER = timedelta(minutes=10)  # then people are told that the queue stands still
KEPT_FOR = timedelta(days=1)  # of what a database remembers of tasks that are done

stopping = threading.Event()  # set when this worker is told to end
alongside: list[Callable[[threading.Event], None]] = []  # what else a worker does, in threads; apps above add theirs
_log = logging.getLogger(__name__)


@task()
def fetch_pictures() -> str:
    """Fetch what is due, for a while. Where there is more, another worker is called, or this one again."""
    if others := queue.due()[WORKERS : WORKERS + 1].exists():
        fetch_pictures.enqueue()
    report = cache_due(seconds=TASK_SECONDS, stopping=stopping)
    if not others:
        _call()
    return f"cached={report.cached} failed={len(report.failed)}"


def wake() -> None:
    """Call a worker once the transaction is over, if there is anything to do. A queue that is down stops nobody."""
    transaction.on_commit(_call, robust=True)


def _call() -> None:
    if queue.due().exists() and not _is_called():
        fetch_pictures.enqueue()


def _is_called() -> bool:
    """Whether a call waits already, as far as the queue can be asked: without a worker they would pile up."""
    if not queue_is_in_database():
        return False
    from django_tasks_db.models import DBTaskResult  # installed only with this backend

    return DBTaskResult.objects.ready().filter(task_path=fetch_pictures.module_path).exists()


def queue_is_in_database() -> bool:
    return settings.TASKS["default"]["BACKEND"] == "django_tasks_db.DatabaseBackend"


def sweep() -> None:
    """What is done now and then: call again for what no worker came for, as the calls were lost with one that died, and
    clear away what the dead left."""
    if queue.standstill(timedelta(seconds=SWEEP_SECONDS)):
        _call()
    files.delete_dead_parts()
    if queue_is_in_database():
        _forget_old_tasks()


def _forget_old_tasks() -> None:
    from django_tasks_db.models import DBTaskResult  # installed only with this backend

    DBTaskResult.objects.filter(started_at__lt=timezone.now() - KEPT_FOR).delete()


def wanted(address: str) -> RemoteImage:
    """The image of an address that an editor waits for: unless it is here already, it is fetched before all others."""
    image, is_new = RemoteImage.objects.get_or_create(source_url=address, defaults={"urgent": True})
    row = RemoteImage.objects.filter(pk=image.pk)
    if image.state == RemoteImage.State.FAILED:
        queue.mark_pending(row, urgent=True)
    elif image.state == RemoteImage.State.PENDING and not is_new:
        row.update(urgent=True)  # and no more: somebody may be at it
    image.refresh_from_db()
    wake()
    return image
