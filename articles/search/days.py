"""Days by the site's clock."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone


def midnight(day: date) -> datetime:
    """When `day` begins: a plain bound, so that the index on the date serves."""
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 (made aware here)
