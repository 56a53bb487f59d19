"""The readers' pages. What is public is decided in `articles.public`; nothing here asks for more."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.core.paginator import InvalidPage, Page, Paginator
from django.db import DatabaseError
from django.db.models import Count, QuerySet
from django.db.models.functions import Lower, TruncDate
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from articles import public
from articles.models import Article, Topic
from articles.search import clean, midnight, search
from images.queue import standstill
from images.tasks import STILL_AFTER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from articles.models import ArticleQuerySet

STORIES_A_PAGE = 24
INDEX_ENTRIES_A_PAGE = 200
DAYS_A_PAGE = 60

FRONT_STORIES = 12
LEAD_CANDIDATES = 8  # the top of the front page is made of these newest,
LEAD_HORIZON = 24  # unless none has a picture: then of the newest here that has one too
SECTION_STORIES = 4
MORE_STORIES = 4


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    recent = list(public.stories().for_cards()[:LEAD_HORIZON])
    newest = recent[:FRONT_STORIES]
    lead, second, support = _top(recent)
    sections = public.sections()
    context = {
        "lead": lead,
        "second": second,
        "support": support,
        "latest": [story for story in newest if story not in (lead, *second, *support)],
        "sections": sections,
        "fronts": _fronts(sections, shown={story.pk for story in (lead, *newest) if story}),
    }
    return render(request, "articles/home.html", context)


def _top(recent: list[Article]) -> tuple[Article | None, list[Article], list[Article]]:
    """The lead, two stories beside it and two below: those with pictures first, then the better ones."""
    candidates = recent[:LEAD_CANDIDATES]
    if not any(map(_has_picture, candidates)):
        candidates += list(filter(_has_picture, recent))[:1]
    best = sorted(candidates, key=lambda story: (_has_picture(story), story.quality or 0), reverse=True)
    return next(iter(best), None), best[1:3], best[3:5]


def _has_picture(story: Article) -> bool:
    return bool(story.lead_image and story.lead_image.image.has_picture)


def _fronts(sections: list[public.Section], shown: set[int]) -> list[tuple[Topic, list[Article]]]:
    """Each section's newest stories that the page does not show already; no section twice the same story."""
    chosen: dict[Topic, list[int]] = {}
    for section in sections:
        chosen[section.topic] = [pk for pk in section.story_ids if pk not in shown][:SECTION_STORIES]
        shown |= set(chosen[section.topic])
    cards = public.stories().for_cards().in_bulk([pk for ids in chosen.values() for pk in ids])
    fronts = ((topic, [cards[pk] for pk in ids if pk in cards]) for topic, ids in chosen.items())
    return [(topic, stories) for topic, stories in fronts if stories]


@require_safe
def article(request: HttpRequest, stem: str) -> HttpResponse:
    whole = public.stories().for_cards().defer(None).defer("secured", "extra", "provider_ref")
    related = whole.prefetch_related("related_stories__provider", "related_stories__pictures__image")
    story = get_object_or_404(related, stem=stem)
    topic = next(iter(story.topics.all()), None)
    more = public.stories_in(topic).exclude(pk=story.pk).for_cards()[:MORE_STORIES] if topic else []
    return render(request, "articles/article.html", {"story": story, "topic": topic, "more": more})


@require_safe
def topic_index(request: HttpRequest) -> HttpResponse:
    page = _page(request, _tree(list(public.topics())), INDEX_ENTRIES_A_PAGE)
    counts = public.story_counts()
    entries = [(topic, counts[topic.pk], [(child, counts[child.pk]) for child in below]) for topic, below in page]
    return render(request, "articles/topics.html", {"page": page, "entries": entries})


def _tree(topics: list[Topic]) -> list[tuple[Topic, list[Topic]]]:
    """Topics in two levels, however deep they are kept."""
    by_pk = {topic.pk: topic for topic in topics}
    for topic in topics:  # a parent without a story is no part of the tree
        topic.parent = by_pk.get(topic.parent_id)
    tree: dict[Topic, list[Topic]] = {}
    for topic in topics:
        top = topic.line()[-1]
        below = tree.setdefault(top, [])
        if topic != top:
            below.append(topic)
    return sorted(tree.items(), key=lambda entry: entry[0].name)


@require_safe
def topic_page(request: HttpRequest, slug: str) -> HttpResponse:
    topic = get_object_or_404(public.topics_with_pages(), slug=slug)
    children = list(public.topics().filter(parent=topic))
    context = {
        "topic": topic,
        "parent": public.topics_with_pages().filter(pk=topic.parent_id).first(),
        "children": children,
        "page": _page(request, public.stories_in(topic, *children).for_cards()),
    }
    return render(request, "articles/topic.html", context)


@require_safe
def provider_index(request: HttpRequest) -> HttpResponse:
    providers = public.counted_providers().prefetch_related("logos__image").order_by(Lower("name"), "domain")
    page = _page(request, providers, INDEX_ENTRIES_A_PAGE)
    return render(request, "providers/index.html", {"page": page})


@require_safe
def provider_page(request: HttpRequest, domain: str) -> HttpResponse:
    """Without a public story there is no page: a provider known from drafts alone is nobody's business."""
    provider = get_object_or_404(public.providers().prefetch_related("logos__image"), domain=domain)
    page = _page(request, public.stories().filter(provider=provider).for_cards())
    return render(request, "providers/provider.html", {"provider": provider, "page": page})


@require_safe
def archive(request: HttpRequest) -> HttpResponse:
    days = (
        public.stories()
        .order_by()
        .annotate(day=TruncDate("published_at"))
        .values("day")
        .annotate(stories=Count("pk"))
        .order_by("-day")
    )
    return render(request, "articles/archive.html", {"page": _page(request, days, DAYS_A_PAGE)})


@require_safe
def archive_day(request: HttpRequest, day: date) -> HttpResponse:
    begin, end = midnight(day), midnight(day + timedelta(days=1))
    stories = public.stories()
    page = _page(request, stories.filter(published_at__gte=begin, published_at__lt=end).for_cards())
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


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    query = clean(request.GET.get("q", ""))
    found = search(public.stories(), query).for_cards() if query else public.stories().none()
    return render(request, "articles/search.html", {"query": query, "page": _page(request, found)})


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """For load balancers: whether this process can ask the database. And for people: a second line when the background
    work stands still, which is no reason to send readers elsewhere."""
    try:
        still = standstill(STILL_AFTER)
    except DatabaseError:
        return HttpResponse("database unavailable\n", content_type="text/plain", status=503)
    lines = ["ok", *([f"queue stands still: {still}"] if still else [])]
    return HttpResponse("".join(f"{line}\n" for line in lines), content_type="text/plain")


def _page(request: HttpRequest, entries: QuerySet | Sequence[Any], size: int = STORIES_A_PAGE) -> Page:
    number = request.GET.get("page", "1")
    if not re.fullmatch("[1-9][0-9]{0,8}", number):
        raise Http404("No such page.")
    try:
        return Paginator(entries, size).page(number)
    except InvalidPage as error:
        raise Http404("No such page.") from error
