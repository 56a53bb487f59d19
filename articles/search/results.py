"""What a search finds, ranked, and how it can be narrowed. The work is bounded: of more than `MOST` stories that match,
the newest are ranked and counted."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.utils import timezone
from django.utils.dateformat import format as date_format

from articles.days import midnight
from articles.models import ArticleTopic, Topic
from articles.search.asking import Filter, Query, read
from articles.search.engines import Sought, engine
from providers.models import Provider

if TYPE_CHECKING:
    from articles.models import ArticleQuerySet

MOST = 2_500
HALF_LIFE = 90  # days, after which a story counts half as much
CHOICES = 8  # of each kind
TIMES = 12

MINUTES_A_DAY = 24 * 60


class Found(NamedTuple):
    story: int
    minute: int  # of its date, since 1970
    relevance: float
    provider: int | None


@dataclass(frozen=True)
class Choice:
    """What narrows the search, and how many stories that leaves."""

    label: str
    count: int
    query: Query


@dataclass(frozen=True)
class Results:
    stories: list[int] = field(default_factory=list)  # their keys, in order
    has_more: bool = False  # than were looked at
    topics: list[Choice] = field(default_factory=list)
    outlets: list[Choice] = field(default_factory=list)
    times: list[Choice] = field(default_factory=list)


def find(stories: ArticleQuerySet, query: Query, sought: Sought, *, newest_first: bool = False) -> Results:
    """A flat number of queries: one for the stories, one for each kind of choice but the times."""
    rows = engine().joined(stories, sought).values_list("pk", "minute", "relevance", "provider_id")
    found = [Found(*row) for row in rows[: MOST + 1]]
    has_more, found = len(found) > MOST, found[:MOST]
    ordered = sorted(found, key=_by_age if newest_first or not sought.wanted else _Rank(), reverse=True)
    kinds = [_topics(found, query), _outlets(found, query), _times(found, query)]
    return Results([each.story for each in ordered], has_more, *map(_that_can_be_asked, kinds))


def _by_age(found: Found) -> tuple[int, int]:
    return found.minute, found.story


class _Rank:
    """Relevance times recency, by the day so that the order of a page is the next page's; the newer one when equal."""

    def __init__(self) -> None:
        self.now = _minute(midnight(timezone.localdate() + timedelta(days=1)))

    def __call__(self, found: Found) -> tuple[float, int, int]:
        age = max(0, self.now - found.minute) / MINUTES_A_DAY
        return found.relevance / (1 + age / HALF_LIFE), found.minute, found.story


# --- What it can be narrowed to -----------------------------------------------------------------


def _that_can_be_asked(choices: list[Choice]) -> list[Choice]:
    """Whole: a long query's last filter would be cut off, and the choice find more than it says."""
    whole = [choice for choice in choices if read(choice.query.text) == choice.query]
    return [choice for choice in whole if not choice.query.has_too_many_filters]


def _topics(found: list[Found], query: Query) -> list[Choice]:
    """Each with its subtopics, as `topic:` has it; each story once."""
    uses = ArticleTopic.objects.filter(content_object__in=engine().among([each.story for each in found])).order_by()
    above = dict(Topic.objects.filter(parent__isnull=False).order_by().values_list("pk", "parent_id"))
    stories: defaultdict[int, set[int]] = defaultdict(set)
    for story, topic in uses.values_list("content_object_id", "tag_id"):
        stories[topic].add(story)
        if topic in above:
            stories[above[topic]].add(story)
    counts = _that_narrow(((topic, len(those)) for topic, those in stories.items()), len(found))
    topics = Topic.objects.in_bulk([topic for topic, _ in counts])
    choices = [(topics[key], Filter("topic", topics[key].slug), count) for key, count in counts if key in topics]
    return [Choice(str(topic), count, query.plus(narrower)) for topic, narrower, count in choices]


def _outlets(found: list[Found], query: Query) -> list[Choice]:
    """Each instead of those that are asked for: of several outlets, `provider:` finds the stories of any."""
    counts = Counter(each.provider for each in found if each.provider is not None)
    narrowing = _that_narrow(counts.items(), len(found))
    outlets = Provider.objects.in_bulk([key for key, _ in narrowing])
    others = query.without_filters("provider")
    return [
        Choice(outlets[key].name, count, others.plus(Filter("provider", outlets[key].domain)))
        for key, count in narrowing
        if key in outlets
    ]


def _times(found: list[Found], query: Query) -> list[Choice]:
    """The years, newest first; of one year, the months."""
    months = _months(found)
    years: Counter[date] = Counter()
    for month, count in months.items():
        years[month.replace(month=1)] += count
    if len(years) > 1:
        return [_time(query, year, year.replace(year=year.year + 1), "Y", years[year]) for year in _latest(years)]
    if len(months) > 1:
        return [_time(query, month, _month_after(month), "F Y", months[month]) for month in _latest(months)]
    return []


def _latest(spans: Iterable[date]) -> list[date]:
    return sorted(spans, reverse=True)[:TIMES]


def _time(query: Query, first: date, end: date, pattern: str, count: int) -> Choice:
    """What is asked for within it stays, so that the choice never widens the search."""
    said = [day.isoformat()[: 4 if pattern == "Y" else 7] for day in (first, end)]
    after = max([Filter("after", said[0]), *query.named("after")], key=lambda each: each.day or date.min)
    before = min([Filter("before", said[1]), *query.named("before")], key=lambda each: each.day or date.max)
    narrower = query.without_filters("after", "before").plus(after, before)
    return Choice(date_format(first, pattern), count, narrower)


def _month_after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _months(found: Iterable[Found]) -> Counter[date]:
    """By the site's clock. They come newest first, so that it is asked once for each month and not for each story."""
    months: Counter[date] = Counter()
    month, begins = date.max, sys.maxsize
    for each in found:
        if each.minute < begins:
            month = timezone.localdate(datetime.fromtimestamp(each.minute * 60, UTC)).replace(day=1)
            begins = _minute(midnight(month))
        months[month] += 1
    return months


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _that_narrow(counts: Iterable[tuple[int, int]], among: int) -> list[tuple[int, int]]:
    """The commonest, without those that all have."""
    narrowing = [(key, count) for key, count in counts if count < among]
    return sorted(narrowing, key=lambda each: (-each[1], each[0]))[:CHOICES]
