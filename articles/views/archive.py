"""The archive, day by day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from articles import public
from articles.search import midnight
from articles.views.pages import page_of

if TYPE_CHECKING:
    from articles.models import ArticleQuerySet

DAYS_A_PAGE = 60


@public.kept
def archive(request: HttpRequest) -> HttpResponse:
    days = (
        public.stories()
        .order_by()
        .annotate(day=TruncDate("published_at"))
        .values("day")
        .annotate(stories=Count("pk"))
        .order_by("-day")
    )
    return render(request, "articles/archive.html", {"page": page_of(request, days, DAYS_A_PAGE)})


@public.kept
def archive_day(request: HttpRequest, day: date) -> HttpResponse:
    begin, end = midnight(day), midnight(day + timedelta(days=1))
    stories = public.stories()
    page = page_of(request, stories.filter(published_at__gte=begin, published_at__lt=end).for_cards())
    if not page.object_list:
        raise Http404("No stories on that day.")
    context = {
        "day": day,
        "page": page,
        "previous": _day_of(stories.filter(published_at__lt=begin)),
        "next": _day_of(stories.filter(published_at__gte=end).order_by("published_at")),
    }
    return render(request, "articles/archive_day.html", context)


def _day_of(stories: ArticleQuerySet) -> date | None:
    moment = stories.values_list("published_at", flat=True).first()
    return timezone.localdate(moment) if moment else None
