"""Atom feeds: of everything, of a topic, of a provider.

Built on Django's feed generator, not on its `Feed` class, which takes addresses from the Host header.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.encoding import escape_uri_path
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape

from articles import public
from articles.templatetags.readers import absolute, safe_url, share_url, xml_text

if TYPE_CHECKING:
    from articles.models import Article, ArticleQuerySet

ENTRIES = 50
SUMMARY_LENGTH = 2_000  # characters


class StoryFeed(Atom1Feed):
    """Atom with more links to an entry: the original story, its picture."""

    def add_item_elements(self, handler: Any, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        for attributes in item["links"]:
            handler.addQuickElement("link", "", attributes)

    def latest_post_date(self) -> datetime:
        """When an entry last changed. An empty feed has no such time, but must not change by the second."""
        return max((item["updateddate"] for item in self.items), default=datetime(2000, 1, 1, tzinfo=UTC))


@public.kept
def everything(request: HttpRequest) -> HttpResponse:
    return _response(request, public.stories(), settings.SITE_NAME, settings.SITE_DESCRIPTION, reverse("home"))


@public.kept
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(public.topics_with_pages(), slug=slug)
    stories = public.stories_in(found, *public.topics().filter(parent=found))
    return _response(request, stories, _titled(found.name), found.description, found.get_absolute_url())


@public.kept
def provider(request: HttpRequest, domain: str) -> HttpResponse:
    found = get_object_or_404(public.providers(), domain=domain)
    stories = public.stories().filter(provider=found)
    return _response(request, stories, _titled(found.name), found.description, found.get_absolute_url())


def _titled(name: str) -> str:
    return f"{name} – {settings.SITE_NAME}"


def _response(request: HttpRequest, stories: ArticleQuerySet, title: str, subtitle: str, page: str) -> HttpResponse:
    feed = StoryFeed(
        title=xml_text(title),
        link=absolute(page),
        description="",
        subtitle=xml_text(subtitle) or None,
        feed_url=absolute(escape_uri_path(request.path)),
        language=settings.LANGUAGE_CODE,
        author_name=settings.SITE_NAME,
    )
    # By when they went live here: an old story that an editor picks today is news to subscribers.
    for story in stories.order_by("-publish_at", "-pk").for_cards()[:ENTRIES]:
        feed.add_item(**_entry(story))
    return HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


def _entry(story: Article) -> dict[str, Any]:
    address = absolute(story.get_absolute_url())
    return {
        "title": xml_text(story.headline),
        "link": address,
        "unique_id": address,
        "description": escape(xml_text(_shortened(story.summary))),  # the generator declares it as HTML
        "author_name": xml_text(story.provider.name) if story.provider else None,
        "pubdate": story.published_at,
        "updateddate": max(filter(None, (story.modified_at, story.publish_at))),
        "categories": [xml_text(topic.name) for topic in story.topics.all()],
        "links": [*_original(story), *_picture(story)],
    }


def _shortened(text: str) -> str:
    return text if len(text) <= SUMMARY_LENGTH else f"{text[: SUMMARY_LENGTH - 1]}…"


def _original(story: Article) -> list[dict[str, str]]:
    address = safe_url(story.outbound_url)
    return [{"rel": "via", "href": xml_text(address)}] if address else []


def _picture(story: Article) -> list[dict[str, str]]:
    use = story.lead_image
    if use is None or not use.image.has_picture:
        return []
    mime_type = "image/png" if use.image.has_alpha else "image/jpeg"
    return [{"rel": "enclosure", "href": share_url(use.image), "type": mime_type}]
