"""Days, weeks and months by the site's clock, as plain bounds: so that the index on the date serves."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

WEEKS = Calendar(firstweekday=0)  # Monday


class Span(NamedTuple):
    """From the one moment on, until just before the other."""

    begin: datetime
    end: datetime


def midnight(day: date) -> datetime:
    """When `day` begins."""
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 (made aware here)


def day_span(day: date) -> Span:
    return Span(midnight(day), midnight(day + timedelta(days=1)))


def week_of(day: date) -> list[date]:
    """Monday to Sunday."""
    monday = day - timedelta(days=day.weekday())
    return [monday + timedelta(days=number) for number in range(7)]


def span_of(days: list[date]) -> Span:
    return Span(midnight(days[0]), midnight(days[-1] + timedelta(days=1)))


@dataclass(frozen=True, order=True)
class Month:
    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def next(self) -> Month:
        return Month.of(self.first + timedelta(days=31))

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.next.first - self.first).days)]

    @property
    def span(self) -> Span:
        return Span(midnight(self.first), midnight(self.next.first))

    def weeks(self) -> list[list[date | None]]:
        """Monday to Sunday; None where the week reaches into another month."""
        whole = WEEKS.monthdatescalendar(self.year, self.month)
        return [[day if day.month == self.month else None for day in week] for week in whole]


def months_between(first: Month, last: Month) -> Iterator[Month]:
    while first <= last:
        yield first
        first = first.next
