"""What the database itself keeps in step, whoever writes: forms, imports past the ORM, scripts, other machines.

Each part says in SQL, for both databases, what it wants to be there; `install` puts it there after every migration
(`articles.apps`). `remove` takes the triggers away before one, since SQLite cannot alter a table that a trigger names.
Why triggers: docs/decisions/triggers.md.

Where all is there already, nothing is touched: to drop a trigger, PostgreSQL waits for whoever reads the table, and
lets nobody else read it meanwhile. A view with nothing but the statements' fingerprint in it says what was installed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.db import connections, transaction

from articles.triggers import addresses, index, listings, version
from articles.triggers.sql import PREFIX, Part, run

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

PARTS: list[Part] = [version.PART, addresses.PART, index.PART, listings.PART]
MARK = f"{PREFIX}triggers"  # the view
LONGEST_WAIT = "10s"  # for a table, until the migration fails rather than keep readers out


def install(using: str = "default") -> None:
    """Make the triggers as the code has them now. Nothing is installed until all tables are there."""
    connection = connections[using]
    if not _tables_are_there(connection):
        return
    with transaction.atomic(using):
        is_missing = not _is_installed(connection)
        if is_missing:
            remove(using)
            run(connection, *_statements(connection))
        to_fill = [part for part in PARTS if part.prepare(connection) or is_missing]
        if to_fill:
            run(connection, f"DROP VIEW IF EXISTS {MARK}")
    for part in to_fill:
        part.fill()
    if to_fill:  # only now, so that whatever was cut short is done again
        run(connection, f"CREATE VIEW {MARK} AS SELECT '{_fingerprint(connection)}' AS fingerprint")


def remove(using: str = "default") -> None:
    """Take all our triggers away; what they have kept stays, and is made good when they are installed again."""
    connection = connections[using]
    with transaction.atomic(using):
        found = list(_found(connection))
        if found and connection.vendor == "postgresql":
            run(connection, f"SET LOCAL lock_timeout = '{LONGEST_WAIT}'")
        tables = {name: f" ON {table}" if connection.vendor == "postgresql" else "" for name, table, _ in found}
        run(connection, *(f"DROP TRIGGER {name}{on}" for name, on in tables.items()), f"DROP VIEW IF EXISTS {MARK}")


def _is_installed(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        if MARK not in connection.introspection.table_names(cursor, include_views=True):
            return False
        cursor.execute(f"SELECT fingerprint FROM {MARK}")
        is_ours = cursor.fetchone() == (_fingerprint(connection),)
    wanted = re.findall(r"CREATE (?:CONSTRAINT )?TRIGGER (\w+)", "\n".join(_statements(connection)))
    return is_ours and set(wanted) <= {name for name, _, is_on in _found(connection) if is_on}


def _statements(connection: BaseDatabaseWrapper) -> list[str]:
    return [statement for part in PARTS for statement in part.statements(connection)]


def _fingerprint(connection: BaseDatabaseWrapper) -> str:
    return hashlib.sha256("\n".join(_statements(connection)).encode()).hexdigest()


def _found(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, str, bool]]:
    """The names of our triggers, their tables, and whether they are switched on."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgname, tgrelid::regclass::text, tgenabled = 'O' FROM pg_trigger"
                " WHERE NOT tgisinternal AND starts_with(tgname, %s)",
                [PREFIX],
            )
        else:
            cursor.execute(
                "SELECT name, tbl_name, 1 FROM sqlite_master WHERE type = 'trigger' AND name GLOB %s", [f"{PREFIX}*"]
            )
        yield from cursor.fetchall()


def _tables_are_there(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        return {table for part in PARTS for table in part.tables} <= set(connection.introspection.table_names(cursor))
