"""Lists a page at a time: stories from where the reader is on, indexes by number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest

from articles.cards import Card, cards_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

STORIES_A_PAGE = 24
INDEX_ENTRIES_A_PAGE = 200

_CURSOR = re.compile(r"([12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?)Z_([1-9]\d{0,17})", re.ASCII)


class Cursor(NamedTuple):
    """A place in a list of stories: that of the story with this date and key, whether or not it is still there."""

    at: datetime
    key: int

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z_{self.key}"

    @classmethod
    def read(cls, text: str) -> Cursor:
        found = _CURSOR.fullmatch(text)
        try:
            cursor = cls(datetime.fromisoformat(f"{found[1]}+00:00"), int(found[2])) if found else None
        except ValueError:
            cursor = None
        if cursor is None or str(cursor) != text:  # each place has one name
            raise Http404("No such page.")
        return cursor


@dataclass(frozen=True)
class Stretch:
    """A page of stories, newest first, and the queries of the pages beside it: empty where there is none."""

    cards: Sequence[Card] = ()
    newer: str = ""
    older: str = ""
    query: str = ""  # the page's own, however it was come to; the first page has none

    def __iter__(self) -> Iterator[Card]:
        return iter(self.cards)

    def __len__(self) -> int:
        return len(self.cards)

    @property
    def newest(self) -> datetime:
        return self.cards[0].published_at


def stretch_of(request: HttpRequest, rows: QuerySet, key: str = "id") -> Stretch:
    """The page of `rows` (newest first) that the address asks for: older than `before`, newer than `after`, or the
    first. It costs the same wherever in the list it is."""
    before, after = request.GET.get("before"), request.GET.get("after")
    if before is not None and after is not None:
        raise Http404("No such page.")
    if after is not None:
        found = _places(rows.filter(_newer(Cursor.read(after), key)).reverse(), key)
        if len(found) > STORIES_A_PAGE:
            page = found[STORIES_A_PAGE - 1 :: -1]
            more = rows.filter(_older(page[-1], key)).order_by().exists()
            return _stretch(page, more=more, query=f"?before={found[STORIES_A_PAGE]}", first=False)
    if before is None:  # or fewer stories are newer than fill a page: that is the first one
        found = _places(rows, key)
        return _stretch(found[:STORIES_A_PAGE], more=len(found) > STORIES_A_PAGE)
    found = _places(rows.filter(_older(Cursor.read(before), key)), key)
    if not found:
        raise Http404("No such page.")
    first = not rows.filter(_newer(found[0], key)).order_by().exists()
    return _stretch(found[:STORIES_A_PAGE], more=len(found) > STORIES_A_PAGE, query=f"?before={before}", first=first)


def _places(rows: QuerySet, key: str) -> list[Cursor]:
    return [Cursor(*row) for row in rows.values_list("published_at", key)[: STORIES_A_PAGE + 1]]


def _stretch(places: list[Cursor], *, more: bool, query: str = "", first: bool = True) -> Stretch:
    return Stretch(
        cards_of(place.key for place in places),
        newer="" if first else f"?after={places[0]}",
        older=f"?before={places[-1]}" if more else "",
        query="" if first else query,
    )


def _older(place: Cursor, key: str) -> Q:
    # The first bound says nothing new, but it is the one that an index is entered by.
    return Q(published_at__lte=place.at) & (Q(published_at__lt=place.at) | Q(**{f"{key}__lt": place.key}))


def _newer(place: Cursor, key: str) -> Q:
    return Q(published_at__gte=place.at) & (Q(published_at__gt=place.at) | Q(**{f"{key}__gt": place.key}))


def page_of(request: HttpRequest, entries: QuerySet | Sequence[Any], size: int = STORIES_A_PAGE) -> Page:
    number = request.GET.get("page", "1")
    if not re.fullmatch("[1-9][0-9]{0,8}", number):
        raise Http404("No such page.")
    try:
        return Paginator(entries, size).page(number)
    except InvalidPage as error:
        raise Http404("No such page.") from error
