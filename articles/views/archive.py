"""The stories by their dates: years and months, a month, a day, today, this week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from articles import public
from articles.cards import Card
from articles.days import Month, Span, day_span, months_between, span_of, week_of
from articles.views.leading import lead_of
from articles.views.pages import Stretch, stretch_of

if TYPE_CHECKING:
    from articles.models import ArticleQuerySet


@dataclass(frozen=True)
class Calendar:
    """A month: its weeks of (day, how many stories), with nothing for the days of other months."""

    month: Month
    weeks: list[list[tuple[date, int] | None]]
    previous: Month | None  # the nearest months that have stories
    next: Month | None

    @property
    def stories(self) -> int:
        return sum(entry[1] for week in self.weeks for entry in week if entry)


@public.kept
def archive(request: HttpRequest) -> HttpResponse:
    """Every month that has stories; what it takes grows with the months, not with the stories."""
    ends = public.first_and_last()
    months = list(months_between(*(Month.of(timezone.localdate(end)) for end in ends))) if ends else []
    there = public.stories_are_in([month.span for month in months])
    full = [month for month, has_stories in zip(months, there, strict=True) if has_stories]
    years = [(year, list(within)) for year, within in groupby(full, key=lambda month: month.year)]
    return render(request, "articles/archive.html", {"years": years[::-1]})


@public.kept
def archive_month(request: HttpRequest, month: Month) -> HttpResponse:
    page = stretch_of(request, _stories_in(month.span))
    if not page:
        raise Http404("No stories in that month.")
    return render(
        request, "articles/archive_month.html", {"month": month, "calendar": _calendar(month), **_by_day(page)}
    )


@public.kept
def archive_day(request: HttpRequest, day: date) -> HttpResponse:
    span = day_span(day)
    page = stretch_of(request, _stories_in(span))
    if not page:
        raise Http404("No stories on that day.")
    context = {
        "day": day,
        "page": page,
        "lead": _lead(page),
        "calendar": _calendar(Month.of(day)),
        "previous": _day_of(_before(span)),
        "next": _day_of(_after(span)),
    }
    return render(request, "articles/archive_day.html", context)


@public.kept
def today(request: HttpRequest) -> HttpResponse:
    day = timezone.localdate()
    return _now(request, day_span(day), {"day": day}, "articles/today.html")


@public.kept
def this_week(request: HttpRequest) -> HttpResponse:
    days = week_of(timezone.localdate())
    return _now(request, span_of(days), {"days": days}, "articles/this_week.html")


def _now(request: HttpRequest, span: Span, context: dict[str, Any], template: str) -> HttpResponse:
    page = stretch_of(request, _stories_in(span))
    newest = None if page else _day_of(_before(span))
    return render(request, template, context | {"newest": newest} | _by_day(page))


def _lead(page: Stretch) -> Card | None:
    """What stands above a list of several stories, on its first page."""
    return None if page.newer or len(page) < 2 else lead_of(page)


def _by_day(page: Stretch) -> dict[str, Any]:
    """The page's stories under their days, but the one that leads them."""
    lead = _lead(page)
    grouped = groupby((card for card in page if card != lead), key=lambda card: timezone.localdate(card.published_at))
    return {"page": page, "lead": lead, "by_day": [(day, list(cards)) for day, cards in grouped]}


def _calendar(month: Month) -> Calendar:
    counts = dict(zip(month.days, public.counts_in([day_span(day) for day in month.days]), strict=True))
    weeks = [[(day, counts[day]) if day else None for day in week] for week in month.weeks()]
    before, after = _day_of(_before(month.span)), _day_of(_after(month.span))
    return Calendar(month, weeks, Month.of(before) if before else None, Month.of(after) if after else None)


def _stories_in(span: Span) -> ArticleQuerySet:
    return public.stories().filter(published_at__gte=span.begin, published_at__lt=span.end)


def _before(span: Span) -> ArticleQuerySet:
    return public.stories().filter(published_at__lt=span.begin)


def _after(span: Span) -> ArticleQuerySet:
    return public.stories().filter(published_at__gte=span.end).reverse()


def _day_of(stories: ArticleQuerySet) -> date | None:
    moment = stories.values_list("published_at", flat=True).first()
    return timezone.localdate(moment) if moment else None
