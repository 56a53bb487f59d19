"""How parts say what they want."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

PREFIX = "copydesk_"  # of the names of all our triggers and functions


@dataclass(frozen=True)
class Part:
    """One thing to keep in step."""

    tables: frozenset[str]  # that have to be there
    statements: Callable[[BaseDatabaseWrapper], Iterable[str]]  # make the triggers, and good what they have missed
    # Makes what else it needs, unless that is there already, and says whether it has to be filled.
    prepare: Callable[[BaseDatabaseWrapper], bool] = lambda connection: False
    fill: Callable[[], object] = lambda: None  # afterwards, where it takes too long for one transaction


def run(connection: BaseDatabaseWrapper, *statements: str) -> None:
    """Each statement as it is written: a `%` is a `%`."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
