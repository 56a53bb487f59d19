"""What this process remembers of the public site, for as long as it stays as it is.

Whatever is asked for here depends on nothing but the database: so it holds until the site's version changes, or a story
comes or goes by the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from django.db import connection
from django.utils import timezone

from articles.models import Article, SiteVersion

Value = TypeVar("Value")

_values: dict[str, tuple[Version, Any]] = {}


class Version(NamedTuple):
    """`coming`: when the next story goes live, `going`: when the next one comes down; as the database writes it."""

    token: int
    coming: object
    going: object


def remembered(name: str, make: Callable[[], Value]) -> Value:
    """What `make` gives; once for each version of the site."""
    version = current()
    if version is None:
        return make()
    known = _values.get(name)
    if known is None or known[0] != version:
        known = _values[name] = (version, make())
    value: Value = known[1]
    return value


def current() -> Version | None:
    """By what the site as it is now is known. None within a transaction, whose changes no token tells of yet."""
    if connection.in_atomic_block:
        return None
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_CURRENT, [now, now])
        row = cursor.fetchone()
    return Version(*row) if row else None


# In SQL, since each page asks it: the ORM takes longer to say this than the database to answer.
_CURRENT = f"""
    SELECT token,
        (SELECT MIN(publish_at) FROM {Article._meta.db_table} WHERE status = 'published' AND publish_at > %s),
        (SELECT MIN(unpublish_at) FROM {Article._meta.db_table} WHERE unpublish_at > %s)
    FROM {SiteVersion._meta.db_table}
"""  # noqa: S608
