"""What search engines ask for: sitemaps and robots.txt, with addresses made from SITE_URL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.paginator import EmptyPage, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from articles import public
from articles.templatetags.readers import absolute, xml_text

ADDRESSES_A_SITEMAP = 10_000
NEWS_AGE = timedelta(hours=48)  # Google's rules for news sitemaps: this old at most,
NEWS_ENTRIES = 1_000  # and this many


@public.kept
def sitemap(request: HttpRequest) -> HttpResponse:
    """All addresses in one file; an index of several files once there are too many."""
    pages = _story_pages()
    if pages.num_pages == 1:
        return _urlset(request, [*_lists(), *_stories(pages, 1)])
    parts = [reverse("sitemap_part", args=[part]) for part in range(pages.num_pages + 1)]
    sitemaps = [{"location": absolute(address)} for address in parts]
    return _xml(request, "sitemap_index.xml", {"sitemaps": sitemaps})


@public.kept
def sitemap_part(request: HttpRequest, part: int) -> HttpResponse:
    """Part 0 has the lists, the others the stories."""
    try:
        return _urlset(request, _stories(_story_pages(), part) if part else _lists())
    except EmptyPage as error:
        raise Http404("There is no such part.") from error


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
    language = settings.LANGUAGE_CODE.partition("-")[0]
    return _xml(request, "articles/news_sitemap.xml", {"entries": entries, "language": language})


@public.kept
def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *", f"Disallow: {reverse('admin:index')}", f"Disallow: {reverse('search')}", ""]
    lines += [f"Sitemap: {absolute(reverse(name))}" for name in ("sitemap", "news_sitemap")]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def _story_pages() -> Paginator:
    return Paginator(public.stories().only("stem", "modified_at"), ADDRESSES_A_SITEMAP)


def _stories(pages: Paginator, number: int) -> list[dict[str, Any]]:
    return [_url(story.get_absolute_url(), story.modified_at) for story in pages.page(number)]


def _lists() -> list[dict[str, Any]]:
    fixed = [reverse(name) for name in ("home", "topics", "providers", "archive")]
    topics = [topic.get_absolute_url() for topic in public.topics()]
    providers = [provider.get_absolute_url() for provider in public.providers()]
    return [_url(address) for address in fixed + topics + providers]


def _url(address: str, lastmod: Any = None) -> dict[str, Any]:
    return {"location": absolute(address), "lastmod": lastmod}


def _urlset(request: HttpRequest, urls: list[dict[str, Any]]) -> HttpResponse:
    return _xml(request, "sitemap.xml", {"urlset": urls})


def _xml(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, context, content_type="application/xml; charset=utf-8")
