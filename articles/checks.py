"""What a story should have before it goes live, and what of it is wanting.

Each check is advisory unless the setting CHECKS_REQUIRED names it: then the verbs that make a story public refuse it.
"""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from articles.bulk import CHUNK, chunks
from articles.models import Article, ArticleImage, ArticleTopic
from images.alt import alt_warning
from images.models import RemoteImage

LONGEST_TITLE = 200  # characters that any list has room for
LONGEST_QUOTE = 60  # characters
NAMED = 5  # pictures


@dataclass(frozen=True)
class Check:
    """`one` and `many` end a sentence about how many stories want it: "1 lacks a picture", "2 lack a picture"."""

    name: str
    one: str
    many: str


CHECKS = {
    check.name: check
    for check in (
        Check("title", "has no good title", "have no good title"),
        Check("link", "has no link to follow", "have no link to follow"),
        Check("provider", "has no provider", "have no provider"),
        Check("topic", "has no topic", "have no topic"),
        Check("picture", "lacks a picture", "lack a picture"),
        Check("alt", "lacks alternative text", "lack alternative text"),
        Check("duplicate", "is a duplicate", "are duplicates"),
    )
}


@dataclass(frozen=True)
class Finding:
    """What is wanting in a story: `says` it in a sentence for its editor."""

    check: Check
    says: str

    @property
    def is_required(self) -> bool:
        return self.check.name in settings.CHECKS_REQUIRED


def findings(articles: Iterable[int], only: Collection[str] = CHECKS.keys()) -> dict[int, list[Finding]]:
    """What the named checks find in the stories of these keys, as they are in the database; at most four queries for
    each 500. A story of which nothing is wanting has an empty list."""
    keys = list(articles)
    if not only:
        return {key: [] for key in keys}
    found: dict[int, list[Finding]] = {}
    for some in chunks(keys, CHUNK):
        found |= _findings(some, only)
    return found


def _findings(keys: Sequence[int], only: Collection[str]) -> dict[int, list[Finding]]:
    rows = list(Article.objects.filter(pk__in=keys).order_by().values(*_COLUMNS))
    topics = _with_topics(keys) if "topic" in only else set()
    pictures = _pictures(keys) if {"picture", "alt"} & set(only) else {}
    doubles = _doubles(rows) if "duplicate" in only else {}
    found = {}
    for row in rows:
        said = _sayings(row, row["pk"] in topics, pictures.get(row["pk"], []), doubles.get(row["pk"], ""))
        found[row["pk"]] = [Finding(CHECKS[name], text) for name, text in said.items() if text and name in only]
    return found


def required(articles: Iterable[int]) -> dict[int, list[Finding]]:
    """What keeps each from going live."""
    return findings(articles, settings.CHECKS_REQUIRED)


_COLUMNS = ("pk", "title", "web_url", "original_url", "provider", "no_picture", "link_key", "publish_at")
_Row = dict[str, Any]
_NEVER = datetime.max.replace(tzinfo=UTC)


def _sayings(row: _Row, has_topic: bool, pictures: list[_Row], double: str) -> dict[str, str]:
    """By check, what is wanting; nothing where it passes."""
    lead = pictures[0] if pictures else None
    return {
        "title": _of_title(html.unescape(row["title"])),
        "link": "" if row["link_key"] is not None else "Readers have no link to follow.",
        "provider": "" if row["provider"] else "It has no provider.",
        "topic": "" if has_topic else "It has no topic.",
        "picture": "" if row["no_picture"] and not lead else _of_picture(lead),
        "alt": _of_alt(pictures),
        "duplicate": double,
    }


def _of_title(title: str) -> str:
    if not title.strip():
        return "It has no title."
    return f"Its title has {len(title)} characters." if len(title) > LONGEST_TITLE else ""


def _of_picture(lead: _Row | None) -> str:
    if lead is None:
        return "It has no picture. If it is meant to have none, tick “runs without a picture”."
    if lead["image__content_hash"]:
        return ""
    if lead["image__state"] == RemoteImage.State.PENDING:
        return "Its picture has not arrived yet."
    return f"Its picture could not be fetched: {lead['image__detail'] or lead['image__state']}"


def _of_alt(pictures: list[_Row]) -> str:
    """Of each picture by its place, of the first few in full."""
    warnings = [
        f"{'Its picture' if len(pictures) == 1 else f'Picture {place}'}: {warning}"
        for place, use in enumerate(pictures, 1)
        if (warning := alt_warning(use["alt"], use["image__source_url"]))
    ]
    more = [f"… and {len(warnings) - NAMED} more."] if len(warnings) > NAMED else []
    return " ".join(warnings[:NAMED] + more)


def _with_topics(keys: Sequence[int]) -> set[int]:
    return set(ArticleTopic.objects.filter(content_object__in=keys).order_by().values_list("content_object", flat=True))


def _pictures(keys: Sequence[int]) -> dict[int, list[_Row]]:
    uses = ArticleImage.objects.filter(article__in=keys).order_by("position", "pk")
    pictures: dict[int, list[_Row]] = defaultdict(list)
    names = ("source_url", "state", "detail", "content_hash")
    for use in uses.values("article", "alt", *(f"image__{name}" for name in names)):
        pictures[use["article"]].append(use)
    return pictures


def _doubles(rows: list[_Row]) -> dict[int, str]:
    """For each story whose link another has as well, which: one that ran before it, or that waits since before it."""
    links = {row["link_key"] for row in rows if row["link_key"] is not None}
    if not links:
        return {}
    others = Article.objects.filter(link_key__in=links).exclude(status=Article.Status.REJECTED).order_by()
    namesakes: Iterable[Any] = others.values("pk", "link_key", "title", "publish_at").iterator()
    first: dict[int, _Row] = {}
    for other in namesakes:
        first[other["link_key"]] = min(other, first.get(other["link_key"], other), key=_turn)
    now = timezone.now()
    return {
        row["pk"]: _double(first[row["link_key"]], now)
        for row in rows
        if row["link_key"] in first and _turn(first[row["link_key"]]) < _turn(row)
    }


def _turn(row: _Row) -> tuple[bool, datetime, int]:
    """Whose turn comes first: by when they went or go live, then those that wait, by age."""
    return row["publish_at"] is None, row["publish_at"] or _NEVER, row["pk"]


def _double(other: _Row, now: datetime) -> str:
    if other["publish_at"] is None:
        return f"The same link waits too: {_quoted(other)}."
    if other["publish_at"] > now:
        return f"The same link is to run already: {_quoted(other)}."
    return f"The same link has run before: {_quoted(other)}."


def _quoted(row: _Row) -> str:
    title = html.unescape(row["title"])
    return f"“{title if len(title) <= LONGEST_QUOTE else title[: LONGEST_QUOTE - 1] + '…'}”"
