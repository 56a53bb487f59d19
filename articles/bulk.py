"""Many new rows at once, past the ORM's row objects: what makes a first import quick.

A row is a mapping of column attributes (`article_id`, `title`) to values; what it leaves out has the field's default.
Keys are reserved before they are used, so that children can be built beside their parents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import connection, models
from django.utils import timezone

Row = Mapping[str, Any]


def reserve_keys(model: type[models.Model], count: int) -> list[int]:
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
        return list(range(last + 1, last + 1 + count))


def insert(model: type[models.Model], rows: Iterable[Row], *, ignore_conflicts: bool = False) -> None:
    """Insert the rows, all with the same columns, in one statement."""
    found = list(rows)
    if not found:
        return
    fields = [field for field in model._meta.concrete_fields if not field.primary_key or field.attname in found[0]]
    plans = [_plan(field) for field in fields]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    conflicts = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({marks}){conflicts}",  # noqa: S608
            [_values(row, plans) for row in found],
        )


Converter = Callable[[Any], Any]
Plan = tuple[str, Any, Converter | None]  # attribute, the default as the database wants it, how it wants other values


def _values(row: Row, plans: list[Plan]) -> list[Any]:
    return [
        default if name not in row else converter(row[name]) if converter else row[name]
        for name, default, converter in plans
    ]


def _plan(field: models.Field[Any, Any]) -> Plan:
    converter = _converter(field)
    default = timezone.now() if _is_now(field) else field.get_default()
    return field.attname, converter(default) if converter else default, converter


def _is_now(field: models.Field[Any, Any]) -> bool:
    return bool(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))


def _converter(field: models.Field[Any, Any]) -> Converter | None:
    """How the database wants a value of this field, where that is not as it is."""
    if isinstance(field, models.DateTimeField):
        return connection.ops.adapt_datetimefield_value
    if isinstance(field, models.JSONField):
        empty = field.get_db_prep_value({}, connection)
        return lambda value: empty if value == {} else field.get_db_prep_value(value, connection)
    return None
