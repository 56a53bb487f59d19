"""Many rows at once, past the ORM's row objects: what makes an import quick.

Values are as `articles.reading.rows` makes them: text, numbers and None; moments as text in UTC, mappings as JSON.
Keys are reserved before they are used, so that children can be built beside their parents.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from django.db import connection, models
from django.utils import timezone

from articles.reading.rows import Row, moment

MOST_PARAMETERS = 32_000  # of a statement, that SQLite takes
CHUNK = 500  # rows; more terms SQLite does not take in one

T = TypeVar("T")


def reserve_keys(model: type[models.Model], count: int) -> Sequence[int]:
    """Primary keys that nothing else will get. The caller holds a transaction that goes on to write."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return [key for (key,) in cursor.fetchall()]
        # SQLite's writers take turns, and AUTOINCREMENT remembers the highest key there ever was.
        cursor.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = %s", [table])
        last = cursor.fetchone()[0]
        return range(last + 1, last + 1 + count)


def find(model: type[models.Model], by: str, values: Iterable[str], *columns: str) -> list[Row]:
    """The `columns` of the rows whose text column `by` has one of the values, as one parameter however many."""
    wanted = list(values)
    if not wanted:
        return []
    name = connection.ops.quote_name
    names = ", ".join(name(_column(model, each)) for each in columns)
    among: tuple[str, Any] = ("IN (SELECT value FROM json_each(%s))", json.dumps(wanted))
    if connection.vendor == "postgresql":
        among = ("= ANY(%s)", wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {names} FROM {name(model._meta.db_table)} WHERE {name(_column(model, by))} {among[0]}",  # noqa: S608
            [among[1]],
        )
        return list(cursor.fetchall())


def insert(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Row], *, ignore_conflicts: bool = False
) -> int:
    """Insert the rows of `columns` (attributes: `article_id`); what they leave out has the field's default. Returns how
    many were inserted."""
    found = list(rows)
    if not found:
        return 0
    name = connection.ops.quote_name
    default_names, defaults = _defaults(model, columns)
    names = ", ".join(name(_column(model, each)) for each in (*columns, *default_names))
    into = f"{name(model._meta.db_table)} ({names})"
    values = ", ".join([*(["%s"] * len(columns)), *map(_literal, defaults)])  # binding the same again takes time
    conflicts = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            return sum(_insert_many(cursor, into, values, rows, conflicts) for rows in _chunks(found, len(columns)))
        if ignore_conflicts:  # which COPY cannot, and a statement a row would be a round trip each
            many = ", ".join([f"({values})"] * len(found))
            cursor.execute(f"INSERT INTO {into} VALUES {many}{conflicts}", list(chain.from_iterable(found)))  # noqa: S608
        else:
            with connection.wrap_database_errors, cursor.copy(f"COPY {into} FROM STDIN") as copy:
                for row in found:
                    copy.write_row((*row, *defaults))
            return len(found)
        return int(cursor.rowcount)


def _insert_many(cursor: Any, into: str, values: str, rows: Sequence[Row], conflicts: str) -> int:
    """As one statement: before each, SQLite has the search index written out (FTS5 does so at every savepoint)."""
    many = ", ".join([f"({values})"] * len(rows))
    cursor.execute(f"INSERT INTO {into} VALUES {many}{conflicts}", list(chain.from_iterable(rows)))  # noqa: S608
    return int(cursor.rowcount)


def _chunks(rows: Sequence[Row], width: int) -> Iterator[Sequence[Row]]:
    return chunks(rows, min(CHUNK, MOST_PARAMETERS // width))


def chunks(items: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """So many at a time, as databases bind only so many values."""
    return (items[start : start + size] for start in range(0, len(items), size))


def update(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Set `columns` of the rows whose primary keys come last in each of `rows`."""
    name = connection.ops.quote_name
    changes = ", ".join(f"{name(_column(model, each))} = %s" for each in columns)
    table, key = name(model._meta.db_table), name(_column(model, "pk"))
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {changes} WHERE {key} = %s", list(rows))  # noqa: S608


def _column(model: type[models.Model], attribute: str) -> str:
    if attribute == "pk":
        return str(model._meta.pk.column)
    return next(str(field.column) for field in model._meta.concrete_fields if field.attname == attribute)


def _defaults(model: type[models.Model], columns: Sequence[str]) -> tuple[list[str], Row]:
    """The fields that rows of `columns` say nothing of, and what the database gets for them."""
    left = [field for field in model._meta.concrete_fields if not field.primary_key and field.attname not in columns]
    return [field.attname for field in left], tuple(_default(field) for field in left)


def _literal(value: bool | float | str | None) -> str:
    """A default, which is a constant of our own, as SQL spells it."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''").replace("%", "%%") + "'"
    return str(value).upper()


def _default(field: models.Field[Any, Any]) -> Any:
    if isinstance(field, models.DateTimeField):
        is_now = field.auto_now or field.auto_now_add or field.default is timezone.now
        return moment(timezone.now() if is_now else field.get_default())
    if isinstance(field, models.JSONField):
        return json.dumps(field.get_default())
    return field.get_default()
