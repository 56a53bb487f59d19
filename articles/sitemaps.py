"""What search engines ask for: sitemaps and robots.txt, with addresses made from SITE_URL.

The stories are in parts by their keys: part 1 has those below 10,000, and so on. So a story never moves to another
part, a part is one look into the index of keys however many there are before it, and nothing is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Greatest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from articles import public
from articles.links import absolute, xml_text

KEYS_A_PART = 10_000
LISTS = 0  # the part that has all but stories
MOST_ADDRESSES = 50_000  # that a sitemap may have
NEWS_AGE = timedelta(hours=48)  # Google's rules for news sitemaps: this old at most,
NEWS_ENTRIES = 1_000  # and this many

XMLNS = "http://www.sitemaps.org/schemas/sitemap/0.9"


@public.kept
def sitemap(request: HttpRequest) -> HttpResponse:
    """The index of the parts."""
    parts = (reverse("sitemap_part", args=[part]) for part in (LISTS, *_parts_with_stories()))
    return _xml(f'<sitemapindex xmlns="{XMLNS}">', map(_sitemap, parts), "</sitemapindex>")


@public.kept
def sitemap_part(request: HttpRequest, part: int) -> HttpResponse:
    urls = list(_lists() if part == LISTS else _stories(part))
    if not urls:
        raise Http404("There is no such part.")
    return _xml(f'<urlset xmlns="{XMLNS}">', urls[:MOST_ADDRESSES], "</urlset>")


@public.kept
def news_sitemap(request: HttpRequest) -> HttpResponse:
    recent = public.stories().filter(published_at__gte=timezone.now() - NEWS_AGE)
    entries = [
        {
            "location": absolute(story.get_absolute_url()),
            "date": story.published_at,
            "title": xml_text(story.headline),
        }
        for story in recent.only("stem", "title", "published_at")[:NEWS_ENTRIES]
    ]
    context = {"entries": entries, "language": settings.LANGUAGE_CODE.partition("-")[0]}
    return render(request, "articles/news_sitemap.xml", context, content_type="application/xml; charset=utf-8")


@public.kept
def robots(request: HttpRequest) -> HttpResponse:
    closed = (reverse("admin:index"), reverse("search_suggest"), reverse("preview", args=["-"]).removesuffix("-/"))
    lines = ["User-agent: *", *(f"Disallow: {address}" for address in closed), ""]
    lines += [f"Sitemap: {absolute(reverse(name))}" for name in ("sitemap", "news_sitemap")]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def _parts_with_stories() -> list[int]:
    """From each part's first public story to the first one behind that part: as many steps as there are parts."""
    public_keys, values = public.stories().order_by().values_list("pk").query.sql_with_params()
    first = f"({public_keys} AND articles_article.id >= {{}} ORDER BY articles_article.id LIMIT 1)"
    behind = f"(first.id / {KEYS_A_PART} + 1) * {KEYS_A_PART}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE first(id) AS (SELECT {first.format(0)} UNION ALL "  # noqa: S608  (nobody's words but ours)
            f"SELECT {first.format(behind)} FROM first WHERE first.id IS NOT NULL) "
            f"SELECT first.id / {KEYS_A_PART} + 1 FROM first WHERE first.id IS NOT NULL",
            [*values, *values],
        )
        return [part for (part,) in cursor.fetchall()]


def _stories(part: int) -> Iterator[str]:
    first = (part - 1) * KEYS_A_PART
    stories = public.stories().filter(pk__gte=first, pk__lt=first + KEYS_A_PART).order_by("pk")
    rows = stories.values_list("stem", Greatest("modified_at", "publish_at"))
    return (_url(reverse("article", args=[stem]), changed) for stem, changed in rows)


def _lists() -> Iterator[str]:
    yield from (_url(reverse(name)) for name in ("home", "topics", "providers", "archive"))
    yield from (_url(topic.get_absolute_url()) for topic in public.topics())
    yield from (_url(provider.get_absolute_url()) for provider in public.providers())


def _sitemap(address: str) -> str:
    return f"<sitemap><loc>{escape(absolute(address))}</loc></sitemap>"


def _url(address: str, changed: datetime | None = None) -> str:
    lastmod = f"<lastmod>{changed.astimezone(UTC).isoformat(timespec='seconds')}</lastmod>" if changed else ""
    return f"<url><loc>{escape(absolute(address))}</loc>{lastmod}</url>"


def _xml(start: str, lines: Iterable[str], end: str) -> HttpResponse:
    text = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', start, *lines, end, ""])
    return HttpResponse(text, content_type="application/xml; charset=utf-8")
