"""The version of the public site, and what this process remembers for as long as it stays as it is.

Whatever is made of the public site depends on nothing but the database: so it holds until the site's version changes
(`articles.triggers.version`), or a story comes or goes by the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.db import connection
from django.utils import timezone

from articles.models import Article, SiteVersion

if TYPE_CHECKING:
    from datetime import datetime

Value = TypeVar("Value")

MOST = 1_000  # values, the most of them some cards


@dataclass(frozen=True)
class Version:
    """What readers see now. Whatever is made of it holds as long as there is no other version, until `until`."""

    token: int
    until: datetime | None  # when next a story goes live or expires by itself


def version() -> Version | None:
    """The version of the site from whatever was committed last. None: nothing is to be kept, or it cannot be told, as
    within a transaction, whose changes no token tells of yet."""
    global _last
    if not settings.PAGE_CACHE_SECONDS or connection.in_atomic_block:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_TOKEN)
        row = cursor.fetchone()
    if row is None:
        return None
    last, now = _last, timezone.now()
    if last is None or last.token != row[0] or (last.until and last.until <= now):
        last = _last = Version(row[0], Article.objects.next_change(now))
    return last


_last: Version | None = None
_TOKEN = f"SELECT token FROM {SiteVersion._meta.db_table} WHERE id = 1"  # noqa: S608 (with each request: no ORM)


@contextmanager
def answering(known: Version | None) -> Iterator[None]:
    """A request is answered for the version that it came under: what is remembered of it needs not be asked for again.
    What is committed meanwhile is for the next one."""
    before = _known.set(known)
    try:
        yield
    finally:
        _known.reset(before)


_known: ContextVar[Version | None] = ContextVar("version of the site", default=None)


def remembered(name: Hashable, make: Callable[[], Value]) -> Value:
    """What `make` gives; once for each version of the site."""
    now = version() if connection.in_atomic_block else _known.get() or version()
    if now is None:
        return make()
    known = _values.get(name)
    if known is None or known[0] != now:
        if len(_values) >= MOST:
            _values.clear()
        known = _values[name] = (now, make())
    value: Value = known[1]
    return value


_values: dict[Hashable, tuple[Version, Any]] = {}
