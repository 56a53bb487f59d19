"""JSON Feed 1.1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.templatetags.static import static

from articles.feeds.contents import Entry, Feed, Format
from articles.links import absolute

if TYPE_CHECKING:
    from datetime import datetime

VERSION = "https://jsonfeed.org/version/1.1"


def write(feed: Feed) -> bytes:
    data = {
        "version": VERSION,
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.address,
        "description": feed.description,
        "icon": absolute(static("icons/touch.png")),
        "favicon": absolute(static("icons/favicon.png")),
        "authors": [{"name": settings.SITE_NAME, "url": absolute("/")}],
        "language": settings.LANGUAGE_CODE,
        "items": list(map(_item, feed.entries)),
    }
    return json.dumps(_given(data), ensure_ascii=False).encode()


def _item(entry: Entry) -> dict[str, Any]:
    return _given(
        {
            "id": entry.id,
            "url": entry.address,
            "external_url": entry.original,
            "title": entry.title,
            "content_text": entry.summary or entry.title,  # the one thing that an item must have
            "image": entry.picture.url if entry.picture else "",
            "date_published": _moment(entry.published),
            "date_modified": _moment(entry.updated),
            "authors": [{"name": entry.outlet}] if entry.outlet else [],
            "tags": list(entry.topics),
        }
    )


def _given(data: dict[str, Any]) -> dict[str, Any]:
    """Without what there is not; but a feed has `items`, were there none."""
    return {key: value for key, value in data.items() if value or key == "items"}


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


JSON_FEED = Format("application/feed+json; charset=utf-8", write)
