"""One command for the background work, whatever the queue is kept in."""

from __future__ import annotations

import logging
import threading
import uuid
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from images import tasks

_log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Does the background work: fetches the pictures that wait for it. Runs until it is stopped; SIGTERM and Ctrl-C "
        "let it finish what it is at. Any number of workers may run, on any number of machines."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop as soon as there is nothing to do")

    def handle(self, *, once: bool, **options: object) -> None:
        tasks.sweep()
        tasks.wake()
        threading.Thread(target=_sweep_for_ever, daemon=True).start()
        if settings.TASKS["default"]["BACKEND"] == "django_tasks_rq.RQBackend":
            # In this very process: tasks are ours, short, and share what they know of the hosts they ask.
            call_command("rqworker", worker_class="rq.SimpleWorker", job_class="django_tasks_rq.Job", burst=once)
        else:
            _database_worker(once)


def _sweep_for_ever() -> None:
    while not tasks.stopping.wait(tasks.SWEEP_SECONDS):
        try:
            close_old_connections()
            tasks.sweep()
        except Exception:  # noqa: BLE001  (the next time may be better: a database restarts)
            _log.exception("The queue could not be looked through.")


def _database_worker(once: bool) -> None:
    from django_tasks_db.management.commands.db_worker import Worker  # installed only with this queue

    class PromptWorker(Worker):
        def shutdown(self, *args: Any) -> None:
            """The task at hand begins no more fetches, instead of going on for a minute."""
            tasks.stopping.set()
            super().shutdown(*args)

    worker = PromptWorker(
        queue_names=["default"],
        excluded_queue_names=[],
        interval=1,
        batch=once,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=uuid.uuid4().hex,
    )
    worker.configure_signals()
    worker.run()
