"""The sister site's JSON API, for the clients it has: the same addresses, keys and values.

Every list is `{"page": n, "value": [...], "nextPage": address or null}`, 25 stories a page, newest first. An absent
value is null. Sealed text is no part of it.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import reverse

from articles import public
from articles.bulk import find
from articles.documents import to_data
from articles.links import absolute
from articles.models import Article, ArticleQuerySet, Topic
from articles.records import article_document, with_parts
from images.models import RemoteImage

STORIES_A_PAGE = 25
MOST_PAGES = 1_000_000  # no database is asked for more
LOCALE = "en-us"  # what the sister site says of every story

_VERBATIM = (
    "webUrl",
    "originalUrl",
    "featuredContent",
    "heat",
    "type",
    "ampWebUrl",
    "cdnAmpWebUrl",
    "publishedDateTime",
    "updatedDateTime",
    "topics",
    "sourceUrl",
    "highlight",
    "tags",
)


@public.kept
def news(request: HttpRequest, number: int = 1) -> JsonResponse:
    return _page(public.stories(), number, "api_news_page")


@public.kept
def topic_news(request: HttpRequest, slug: str, number: int = 1) -> JsonResponse:
    topic = public.topic_named(slug)
    return _page(public.stories_in(topic), number, "api_topic_news_page", slug)


@public.kept
def topics(request: HttpRequest) -> JsonResponse:
    parents = dict(public.topics_with_pages().values_list("pk", "name"))
    return JsonResponse({"value": [_topic(topic, parents.get(topic.parent_id)) for topic in public.topics()]})


def _page(stories: ArticleQuerySet, number: int, route: str, *arguments: str) -> JsonResponse:
    """Keys first, which the index has without a look at the stories before them; one more tells of a further page."""
    start = (number - 1) * STORIES_A_PAGE
    if not 1 <= number <= MOST_PAGES:
        raise Http404("No such page.")
    keys = list(stories.values_list("pk", flat=True)[start : start + STORIES_A_PAGE + 1])
    if not keys and number > 1:
        raise Http404("No such page.")
    further = absolute(reverse(route, args=[*arguments, number + 1])) if len(keys) > STORIES_A_PAGE else None
    value = [_story(story) for story in _with_paths(keys[:STORIES_A_PAGE])]
    _leave_out_taken_down(value)
    return JsonResponse({"page": number, "value": value, "nextPage": further})


def _with_paths(keys: list[int]) -> QuerySet[Article]:
    return with_parts(public.stories().filter(pk__in=keys)).annotate(path=F("source_file__path"))


def _story(story: Article) -> dict[str, Any]:
    data = to_data(article_document(story))
    return {
        "path": getattr(story, "path", None) or f"_news/{story.stem}.md",
        "title": story.title,
        "excerpt": story.excerpt,
        **{key: data.get(key) for key in _VERBATIM},
        "images": _images(data),
        "content": story.body,
        "provider": _provider(data.get("provider")),
        "locale": data.get("locale", LOCALE),
        "categories": [story.category],
    }


def _provider(data: dict[str, Any] | None) -> dict[str, Any] | None:
    if data is None:
        return None
    known = {key: data.get(key) for key in ("name", "domain", "publishers", "authors")}
    return known | {"images": _images(data)}


def _images(data: dict[str, Any]) -> list[dict[str, Any]] | None:
    if "images" not in data:
        return None
    keys = ("url", "width", "height", "title", "attribution")
    return [
        {key: image.get(key) for key in keys} | {"isCached": image.get("isCached", False)} for image in data["images"]
    ]


def _leave_out_taken_down(stories: list[dict[str, Any]]) -> None:
    """Those of the providers too: they are named as each story's file has them, so only their addresses tell."""
    owners = [owner for story in stories for owner in (story, story["provider"]) if owner and owner["images"]]
    addresses = {image["url"] for owner in owners for image in owner["images"]}
    states = find(RemoteImage, "source_url", addresses, "source_url", "state")
    gone = {address for address, state in states if state == RemoteImage.State.TAKEN_DOWN}
    for owner in owners:
        owner["images"] = [image for image in owner["images"] if image["url"] not in gone]


def _topic(topic: Topic, parent: str | None) -> dict[str, Any]:
    return {
        "_id": topic.source_id or topic.slug,
        "name": topic.name,
        "shortname": topic.shortname or None,
        "parent": parent,
        "description": topic.description or None,
        "keywords": topic.keywords,
        "hashtags": topic.hashtags,
        "services": topic.services or None,
    }
