"""Queries that the ORM puts into SQL once, for pages on which that takes longer than the database does to answer.

What is public stays said in one place, `Article.objects.published()`: here it is only not said anew for each page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

_AT = datetime(1900, 1, 1, 1, 1, 1, 1, tzinfo=UTC)  # in place of the time at which it is asked


@dataclass(frozen=True)
class Prepared:
    """`make` gives the query for a time and one more value, of which `mark` is one that nothing ever has."""

    make: Callable[[datetime, Any], QuerySet[Any, Any]]
    mark: Any

    def ask(self, value: Any, around: str = "{}", *more: Any) -> list[tuple[Any, ...]]:
        """The rows for `value`, now. `around` is SQL that the query stands in, `more` the values of what follows it."""
        sql, params = _compiled(self, connection.vendor)
        adapt = connection.ops.adapt_datetimefield_value
        now, then = adapt(timezone.now()), adapt(_AT)
        filled = [now if param == then else value if param == self.mark else param for param in params]
        with connection.cursor() as cursor:
            cursor.execute(around.replace("{}", sql), [*filled, *more])
            return list(cursor.fetchall())


@lru_cache
def _compiled(prepared: Prepared, vendor: str) -> tuple[str, tuple[Any, ...]]:
    sql, params = prepared.make(_AT, prepared.mark).query.sql_with_params()
    return sql, tuple(params)
