"""How parts say what they want."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

PREFIX = "copydesk_"  # of the names of all our triggers and functions


@dataclass(frozen=True)
class Part:
    """One thing to keep in step. `tables`: those that have to be there; `install` makes triggers (the old ones are
    gone), and what else it needs unless that is there already."""

    tables: frozenset[str]
    install: Callable[[BaseDatabaseWrapper], None]


def run(connection: BaseDatabaseWrapper, *statements: str) -> None:
    """Each statement as it is written: a `%` is a `%`."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
