"""What this process remembers of the public site, for as long as it stays as it is.

Whatever is asked for here depends on nothing but the database: so it holds until the site's version changes, or a story
comes or goes by the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from django.db import connection
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from articles.models import Article, SiteVersion

Value = TypeVar("Value")

_values: dict[str, tuple[Version, Any]] = {}


class Version(NamedTuple):
    token: int
    coming: datetime | None  # when the next story goes live,
    going: datetime | None  # and when the next one comes down


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
    now = timezone.now()
    published = Article.objects.filter(status=Article.Status.PUBLISHED)
    coming = published.filter(publish_at__gt=now).order_by("publish_at")
    going = published.filter(unpublish_at__gt=now).order_by("unpublish_at")
    row = SiteVersion.objects.values_list(
        "token", Subquery(coming.values("publish_at")[:1]), Subquery(going.values("unpublish_at")[:1])
    ).first()
    return Version(*row) if row else None
