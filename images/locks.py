"""Locks on the table of images. SQLite lets only one write in any case."""

from django.db import connection

from images.models import RemoteImage


def change_images() -> None:
    """Taken first by whoever goes on to lock rows and change them, so that nobody waits for the other in a circle."""
    _lock("ROW EXCLUSIVE")


def hold_images() -> None:
    """Until the transaction ends, nobody else changes rows of images."""
    _lock("SHARE ROW EXCLUSIVE")


def _lock(mode: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {RemoteImage._meta.db_table} IN {mode} MODE")
