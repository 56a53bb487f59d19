"""Reading files in other processes, where there are so many that starting those pays."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from types import ModuleType

from articles.reading import Reading, read_files
from articles.reading.trees import TreeFile

WORTH_IT = 300  # files in one batch; a process takes as long to start as some hundreds take to read
CHUNK = 50  # files
MOST = 4  # storing goes on in one process, which more of them could not keep up with

Task = tuple[TreeFile, str]


class WorkerDiedError(Exception):
    """Killed from outside, most likely, as when memory runs out."""


class Readers:
    """`read` promises what files hold. Processes are started when the first large batch comes; that one is read here
    meanwhile."""

    def __init__(self, workers: int | None) -> None:
        self._workers = workers or min(MOST, _processors())
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def read(self, tasks: Sequence[Task]) -> Callable[[], Sequence[Reading]]:
        if self._workers == 1 or len(tasks) < WORTH_IT:
            return lambda: read_files(tasks)
        if self._pool is None:
            self._pool = _start(self._workers)
            return lambda: read_files(tasks)
        chunks = [tasks[start : start + CHUNK] for start in range(0, len(tasks), CHUNK)]
        try:
            futures = [self._pool.submit(read_files, chunk) for chunk in chunks]
        except BrokenExecutor:
            return lambda: read_files(tasks)  # an earlier batch will tell of it
        return lambda: _results(futures)


def _results(futures: Sequence[Future[list[Reading]]]) -> list[Reading]:
    try:
        return [reading for future in futures for reading in future.result()]
    except BrokenExecutor as error:
        raise WorkerDiedError(
            "A process that reads files has died. What is stored is stored: run it again, or with --workers 1."
        ) from error


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start(workers: int) -> ProcessPoolExecutor:
    # Spawned, not forked: a fork would share this process's database connection.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_set_up)
    with _unknown_main():
        for _ in range(workers):
            pool.submit(read_files, [])  # or they would be started one by one, as work comes in
    return pool


@contextmanager
def _unknown_main() -> Iterator[None]:
    """Processes that are started import the main module anew: a script without `if __name__ == "__main__"` would begin
    another import in each, and wait for itself for ever. Workers need nothing of it."""
    main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _set_up() -> None:
    """In a worker: leave Ctrl-C to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(1)
