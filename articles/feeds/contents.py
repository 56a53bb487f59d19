"""What a feed says, whatever it is written as.

Ids are `tag:` URIs (RFC 4151), made of what never changes: the site's host, a date, our key of the record. An address
would change with a story's stem, a topic's slug or the site's scheme, and every reader would show its stories as new.
Another site that imports an export of this one has other ids, as it should: its stories are its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings

from articles.links import Picture, absolute, iri, picture_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from articles.models import Article

SUMMARY_LENGTH = 2_000  # characters
FEEDS_SINCE = "2026"  # when feeds themselves got their ids; part of them ever since


@dataclass(frozen=True)
class Entry:
    id: str
    title: str
    address: str
    summary: str
    published: datetime
    updated: datetime
    outlet: str
    topics: tuple[str, ...]
    original: str
    picture: Picture | None


@dataclass(frozen=True)
class Feed:
    """`page` is what it is the feed of, `address` where it is itself."""

    id: str
    title: str
    description: str
    page: str
    address: str
    entries: tuple[Entry, ...]

    @property
    def updated(self) -> datetime:
        """When an entry last changed. An empty feed has no such time, but must not change by the second."""
        return max((entry.updated for entry in self.entries), default=datetime(2000, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Format:
    """A way to write a feed."""

    content_type: str
    write: Callable[[Feed], bytes]


def feed(name: str, title: str, description: str, page: str, address: str, stories: Iterable[Article]) -> Feed:
    """`name` tells the site's feeds apart, for good."""
    return Feed(
        id=_tag(FEEDS_SINCE, f"feed/{name}"),
        title=title,
        description=description,
        page=absolute(page),
        address=absolute(address),
        entries=tuple(map(_entry, stories)),
    )


def _entry(story: Article) -> Entry:
    return Entry(
        id=_tag(f"{story.created_at.astimezone(UTC):%Y-%m-%d}", f"article/{story.pk}"),
        title=story.headline,
        address=absolute(story.get_absolute_url()),
        summary=_shortened(story.summary),
        published=story.published_at.astimezone(UTC),
        updated=story.changed_at.astimezone(UTC),
        outlet=story.provider.name if story.provider else "",
        topics=tuple(topic.name for topic in story.topics.all()),
        original=iri(story.outbound_url),
        picture=picture_of(story.lead_image),
    )


def _tag(date: str, name: str) -> str:
    return f"tag:{urlsplit(settings.SITE_URL).hostname},{date}:{name}"


def _shortened(text: str) -> str:
    return text if len(text) <= SUMMARY_LENGTH else f"{text[: SUMMARY_LENGTH - 1]}…"
