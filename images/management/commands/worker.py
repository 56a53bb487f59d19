"""One command for the background work, whatever the queue is kept in."""

from __future__ import annotations

import logging
import threading
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, close_old_connections

from images import tasks

OUTAGE_SECONDS = 5.0  # until the next attempt, when database or Redis are away
_log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Does the background work: fetches the pictures that wait for it, and tells the CDN in front (PURGE_URL) when "
        "the public site has changed. Runs until it is stopped; SIGTERM and Ctrl-C let it finish what it is at. Any "
        "number of workers may run, on any number of machines."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop as soon as there is nothing to do")

    def handle(self, *, once: bool, **options: object) -> None:
        threading.Thread(target=_sweep_for_ever, daemon=True).start()
        for do in tasks.alongside if not once else []:
            threading.Thread(target=do, args=[tasks.stopping], daemon=True).start()
        work, outages = (_database_worker, _OUTAGES) if tasks.queue_is_in_database() else _with_redis()
        while not tasks.stopping.is_set():
            try:
                tasks.wake()
                work(once)
                return
            except outages as error:
                if once:
                    raise CommandError(str(error)) from error
                _log.warning("The worker is interrupted, and goes on in a moment: %s", error)
                close_old_connections()
                tasks.stopping.wait(OUTAGE_SECONDS)


_OUTAGES: tuple[type[Exception], ...] = (OperationalError, InterfaceError)


def _sweep_for_ever() -> None:
    while True:
        try:
            close_old_connections()
            tasks.sweep()
        except Exception:  # noqa: BLE001  (the next time may be better: a database restarts)
            _log.exception("The queue could not be looked through.")
        if tasks.stopping.wait(tasks.SWEEP_SECONDS):
            return


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


def _with_redis() -> tuple[Any, tuple[type[Exception], ...]]:
    """The same for a queue in Redis, and what may go wrong with it."""
    from django_rq.workers import get_worker  # installed only with this queue
    from redis.exceptions import ConnectionError as RedisAway
    from rq import SimpleWorker

    class PromptWorker(SimpleWorker):
        """In this very process: tasks are ours, short, and share what they know of the hosts they ask."""

        def request_stop(self, *args: Any) -> None:
            tasks.stopping.set()
            super().request_stop(*args)

    def work(once: bool) -> None:
        worker_class: Any = PromptWorker
        get_worker("default", worker_class=worker_class, job_class="django_tasks_rq.Job").work(burst=once)

    return work, (*_OUTAGES, RedisAway)
