"""One import at a time, on all machines that share a database. The lock goes with its process, however that ends, so a
killed import is never in the way of the next."""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

from django.db import connection

LOCK_NUMBER = zlib.crc32(b"articles.importing")  # PostgreSQL's locks have numbers


class ImportBusyError(Exception):
    """Another import is running, and the caller does not want to wait."""


@contextmanager
def only_import(*, wait: bool, waiting: Callable[[], object]) -> Iterator[None]:
    """Hold the lock. If another import does: tell `waiting` once and wait, or raise ImportBusyError."""
    lock = _Advisory() if connection.vendor == "postgresql" else _File()
    try:
        if not lock.try_take():
            if not wait:
                raise ImportBusyError("Another import is running.")
            waiting()
            lock.take()
        yield
    finally:
        lock.release()


class _Advisory:
    """A lock of PostgreSQL's, which goes with the connection."""

    def try_take(self) -> bool:
        return bool(self._call("pg_try_advisory_lock"))

    def take(self) -> None:
        self._call("pg_advisory_lock")

    def release(self) -> None:
        """Also when it was never taken, which PostgreSQL does not mind."""
        if connection.is_usable():
            self._call("pg_advisory_unlock")

    def _call(self, function: str) -> object:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [LOCK_NUMBER])
            return cursor.fetchone()[0]


def _open_or_make(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o644)


class _File:
    """A locked file beside SQLite's own, which goes with the process. A database in memory has only one process."""

    def __init__(self) -> None:
        name = str(connection.settings_dict["NAME"])
        in_memory = name == ":memory:" or "mode=memory" in name
        path = f"{name.removeprefix('file:')}-import"
        # Open as long as it is held; to read, as the file may be another user's of the same database.
        self._file = TemporaryFile() if in_memory else open(path, "rb", opener=_open_or_make)  # noqa: SIM115

    def try_take(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def take(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def release(self) -> None:
        self._file.close()
