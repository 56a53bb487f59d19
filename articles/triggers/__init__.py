"""What the database itself keeps in step, whoever writes: forms, imports past the ORM, scripts, other machines.

Each part says in SQL, for both databases, what it wants to be there; `install` puts it there after every migration
(`articles.apps`). `remove` takes the triggers away before one, since SQLite cannot alter a table that a trigger names.
Why triggers: docs/decisions/triggers.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connections, transaction

from articles.triggers import addresses, index, listings, version
from articles.triggers.sql import PREFIX, Part

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

PARTS: list[Part] = [version.PART, addresses.PART, index.PART, listings.PART]


def install(using: str = "default") -> None:
    """Make the triggers as the code has them now. Nothing is installed until all tables are there."""
    connection = connections[using]
    if not _tables_are_there(connection):
        return
    with transaction.atomic(using):
        remove(using)
        for part in PARTS:
            part.install(connection)


def remove(using: str = "default") -> None:
    """Take all our triggers away; what they have kept stays."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgname, tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal AND starts_with(tgname, %s)",
                [PREFIX],
            )
            for name, table in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name} ON {table}")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB %s", [f"{PREFIX}*"])
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")


def _tables_are_there(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        return {table for part in PARTS for table in part.tables} <= set(connection.introspection.table_names(cursor))
