"""The feeds' addresses: which stories, in whichever form."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.encoding import escape_uri_path

from articles import public
from articles.feeds import contents
from articles.search import clean, search

if TYPE_CHECKING:
    from articles.feeds.contents import Format
    from articles.models import ArticleQuerySet, Topic
    from providers.models import Provider

ENTRIES = 50


@public.kept
def everything(request: HttpRequest, form: Format) -> HttpResponse:
    return _response(
        form,
        name="all",
        title=settings.SITE_NAME,
        description=settings.SITE_DESCRIPTION,
        page=reverse("home"),
        address=escape_uri_path(request.path),
        stories=public.stories(),
    )


@public.kept
def topic(request: HttpRequest, slug: str, form: Format) -> HttpResponse:
    found = public.topic_named(slug)
    stories = public.stories_in(found, *public.topics().filter(parent=found))
    return _feed_of(request, form, f"topic/{found.pk}", found, stories)


@public.kept
def provider(request: HttpRequest, domain: str, form: Format) -> HttpResponse:
    found = public.provider_named(domain)
    return _feed_of(request, form, f"provider/{found.pk}", found, public.stories().filter(provider=found))


@public.kept
def found(request: HttpRequest, form: Format) -> HttpResponse:
    """What a search finds, newest first: a subscriber wants what has come since, not what fits best."""
    query = clean(request.GET.get("q", ""))
    asked = f"?q={quote(query)}" if query else ""
    return _response(
        form,
        name=f"search/{quote(query)}",
        title=_titled(f"“{query}”" if query else "Search"),
        description="",
        page=reverse("search") + asked,
        address=escape_uri_path(request.path) + asked,
        stories=search(public.stories(), query) if query else public.stories().none(),
    )


def _feed_of(
    request: HttpRequest, form: Format, name: str, record: Topic | Provider, stories: ArticleQuerySet
) -> HttpResponse:
    return _response(
        form,
        name=name,
        title=_titled(record.name),
        description=record.description,
        page=record.get_absolute_url(),
        address=escape_uri_path(request.path),
        stories=stories,
    )


def _titled(name: str) -> str:
    return f"{name} – {settings.SITE_NAME}"


def _response(
    form: Format, *, name: str, title: str, description: str, page: str, address: str, stories: ArticleQuerySet
) -> HttpResponse:
    # By when they went live here: an old story that an editor picks today is news to subscribers.
    newest = stories.order_by("-publish_at", "-pk").for_cards()[:ENTRIES]
    feed = contents.feed(name, title, description, page, address, newest)
    return HttpResponse(form.write(feed), content_type=form.content_type)
