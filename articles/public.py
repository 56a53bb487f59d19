"""What readers can reach. Every list of stories, topics and providers on a public address starts here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from articles.addresses import Gone, Moved, named
from articles.days import Span
from articles.models import Article, ArticleTopic, Topic, TopicListing
from articles.prepared import Prepared
from articles.ranking import Formula
from articles.remembered import remembered
from articles.search.asking import clean
from providers.models import Provider

if TYPE_CHECKING:
    from articles.models import ArticleQuerySet

# All that pages take from behind the question mark, by their addresses; the rest never reaches a view.
PARAMETERS = [
    (re.compile("/search/"), ("order", "page", "q")),
    (re.compile(r"/search/suggest/|/feeds/search\.\w+"), ("q",)),
    (re.compile("/(topics|providers)/"), ("page",)),
    (re.compile("/(topics|providers|archive)/.+|/(today|this-week)/", re.DOTALL), ("after", "before")),
]
NEWEST_FIRST = "newest"  # the order that search results can be in besides their own

RECENT = 300  # the stories that the front page is made of, and that decide what the navigation names
MAIN_TOPICS = 8
MOST_COUNTED = 1_000  # stories of a list


def asked(path: str, given: Mapping[str, str]) -> dict[str, str]:
    """Of the parameters those that the page at `path` knows, in one spelling for each page."""
    known = next((names for address, names in PARAMETERS if address.fullmatch(path)), ())
    spelt = {name: _spelt(name, given[name]) for name in known if name in given}
    return {name: value for name, value in spelt.items() if value is not None}


def _spelt(name: str, value: str) -> str | None:
    """None: it changes nothing."""
    match name:
        case "q":
            return clean(value) or None
        case "order":
            return value if value == NEWEST_FIRST else None
        case "page":
            return value if value != "1" else None
    return value


def kept(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For what is the same to every reader until the site's version changes: `config.page_cache` keeps it, and says in
    its headers how long others may. It only answers GET and HEAD. What has another name now is at the same route under
    that name; a story that is public no more is gone. An answer with a false `is_stored` is told of like that, but not
    kept."""

    @wraps(view)
    def marked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: Any
        try:
            response = view(request, *args, **kwargs)
        except Moved as moved:
            response = HttpResponsePermanentRedirect(_same_route(request, moved.name))
        except Gone:
            response = render(request, "410.html", status=410)
        response.is_kept = True
        return response

    # No form is here to be forged: who sends one is told by the method that it is not taken.
    return csrf_exempt(require_safe(cache_control(public=True, max_age=0, must_revalidate=True)(marked)))


def _same_route(request: HttpRequest, name: str) -> str:
    """The route that was asked for, with another name (the one text in it) and what was asked for of it."""
    match: Any = request.resolver_match
    arguments = {key: name if isinstance(value, str) else value for key, value in match.captured_kwargs.items()}
    return reverse(match.view_name, kwargs=arguments, query=request.GET or None)


@dataclass(frozen=True)
class Section:
    """A main topic and its recent stories, best first: those of its subtopics too."""

    pk: int
    name: str
    url: str
    stories: tuple[int, ...] = ()

    def named(self) -> Section:
        """Without stories: so it stays the same, and the HTML that is made of it, while they come and go."""
        return replace(self, stories=())


@dataclass(frozen=True)
class Recent:
    """The newest public stories. `best`: the first of the ranking first (`articles.ranking`)."""

    newest: tuple[int, ...] = ()
    best: tuple[int, ...] = ()
    sections: tuple[Section, ...] = ()


def formula() -> Formula:
    return Formula(settings.FRONT_QUALITY_WEIGHT, settings.FRONT_HEAT_WEIGHT, settings.FRONT_HALF_LIFE_HOURS)


def stories() -> ArticleQuerySet:
    """All public stories, newest first."""
    return Article.objects.published().newest_first()


def stories_in(*topics: Topic) -> ArticleQuerySet:
    """The public stories in any of `topics`, each once."""
    return stories().filter(pk__in=ArticleTopic.objects.filter(tag__in=topics).values("content_object"))


def listed(topic: Topic | int, at: datetime | None = None) -> QuerySet[TopicListing]:
    """The public stories on the topic's page, newest first: its own and those directly below."""
    return TopicListing.objects.filter(_is_public(at), topic=topic).order_by("-published_at", "-article_id")


def newest_in(topic: int, count: int) -> list[int]:
    """The first of them."""
    return [story for (story,) in _NEWEST_IN.ask(topic, "{} LIMIT %s", count)]


_NEWEST_IN = Prepared(lambda at, topic: listed(topic, at).values_list("article_id"), mark=-1)


def _is_public(at: datetime | None = None) -> Exists:
    return Exists(Article.objects.published(at).filter(pk=OuterRef("article_id")).order_by())


def topics() -> QuerySet[Topic]:
    """Topics with public stories of their own or in a direct subtopic, by name."""
    return Topic.objects.filter(_has_stories()).order_by("name")


def topics_with_pages() -> QuerySet[Topic]:
    """Those, and the topics that a file or an editor describes: but none that is known from drafts alone."""
    return Topic.objects.filter(~Q(description="") | ~Q(source_id="") | _has_stories())


def topic_named(slug: str) -> Topic:
    return named(topics_with_pages(), "slug", slug)


def provider_named(domain: str) -> Provider:
    return named(providers().prefetch_related("logos__image"), "domain", domain)


def _has_stories() -> Exists:
    return Exists(TopicListing.objects.filter(_is_public(), topic=OuterRef("pk")))


def story_counts() -> Counter[int]:
    """How many public stories each topic has by itself or in a direct subtopic, each counted once."""
    listings = TopicListing.objects.order_by()
    counts = _counted(listings, "topic")
    for untimely in _untimely():
        counts.subtract(_counted(listings.filter(article__in=untimely), "topic"))
    return counts


def providers() -> QuerySet[Provider]:
    """Providers with public stories, by name."""
    public = Article.objects.published().filter(provider=OuterRef("pk")).order_by()
    return Provider.objects.filter(Exists(public)).order_by("name", "domain")


def provider_counts() -> Counter[int]:
    """How many public stories each provider has."""
    # By state too, rather than of one state: so that it is read from the index that begins with the provider.
    by_state = Article.objects.order_by().values_list("provider", "status").annotate(rows=Count("*"))
    counts = Counter({provider: rows for provider, status, rows in by_state if status == Article.Status.PUBLISHED})
    for untimely in _untimely():
        counts.subtract(_counted(Article.objects.filter(pk__in=untimely).order_by(), "provider"))
    return counts


def _untimely() -> list[list[int]]:
    """The stories in the state of published that are not public: yet to come, or over. Few among all stories, so it is
    quicker to leave them out than to look up the times of each."""
    now, published = timezone.now(), Article.Status.PUBLISHED
    early = set(Article.objects.filter(status=published, publish_at__gt=now).order_by().values_list("pk", flat=True))
    over = Article.objects.filter(unpublish_at__lte=now).order_by().values_list("pk", "status")
    return [list(early), [pk for pk, status in over if status == published and pk not in early]]


def _counted(rows: QuerySet, by: str) -> Counter[int]:
    return Counter(dict(rows.values_list(by).annotate(rows=Count("*"))))


def count_up_to_most(rows: QuerySet) -> int:
    """How many there are, or MOST_COUNTED + 1 for more than that: no list is worth counting 100,000 rows."""
    return rows.order_by()[: MOST_COUNTED + 1].count()


def main_topics(provider: Provider) -> list[Section]:
    """What the provider's newest stories are about mostly."""
    newest = stories().filter(provider=provider).values_list("pk", flat=True)[: RECENT // 3]
    rows = _topics_of(newest)
    return _sections({key: key for key in newest}, rows)[:MAIN_TOPICS]


# --- Recent stories -----------------------------------------------------------------------------


def sections() -> tuple[Section, ...]:
    """The main topics of the recent stories: the navigation."""
    return remembered("sections", lambda: navigation(find_recent().sections))


def navigation(sections: Iterable[Section]) -> tuple[Section, ...]:
    """By name, and without their stories."""
    return tuple(section.named() for section in sorted(sections, key=lambda section: section.name))


def find_recent() -> Recent:
    """Two queries."""
    rank = formula().rank
    rows = list(stories().values_list("pk", "quality", "heat", "published_at")[:RECENT])
    ranks = {pk: rank(quality, heat, at) for pk, quality, heat, at in rows}
    best = sorted(ranks, key=ranks.__getitem__, reverse=True)
    return Recent(tuple(ranks), tuple(best), tuple(_sections(ranks, _topics_of(ranks))[:MAIN_TOPICS]))


def _topics_of(stories: Iterable[int]) -> list[tuple]:
    return list(
        ArticleTopic.objects.filter(content_object__in=[*stories])
        .order_by()
        .values_list(
            "content_object_id",
            "tag_id",
            "tag__name",
            "tag__slug",
            "tag__parent_id",
            "tag__parent__name",
            "tag__parent__slug",
        )
    )


def _sections(ranks: dict[int, float], rows: list[tuple]) -> list[Section]:
    """The topics that most of the stories have, or have one of right below. Of equal ones the first by name."""
    names: dict[int, tuple[str, str]] = {}
    members: dict[int, set[int]] = {}
    for story, topic, name, slug, parent, parent_name, parent_slug in rows:
        key = parent or topic
        names[key] = (parent_name, parent_slug) if parent else (name, slug)
        members.setdefault(key, set()).add(story)
    busiest = sorted(members, key=lambda key: (-len(members[key]), names[key]))
    return [
        Section(
            key,
            names[key][0],
            reverse("topic", args=[names[key][1]]),
            tuple(sorted(members[key], key=lambda story: (ranks[story], story), reverse=True)),
        )
        for key in busiest
    ]


# --- Days ---------------------------------------------------------------------------------------


def counts_in(spans: list[Span]) -> list[int]:
    """How many public stories there are in each span of time. One query, which reads no more than what it counts."""
    return _for_each("(SELECT COUNT(*) FROM ({}) stories)", spans)


def stories_are_in(spans: list[Span]) -> list[bool]:
    """Whether there is a public story in each span. One query, which reads one row a span."""
    return [bool(found) for found in _for_each("EXISTS ({})", spans)]


def _for_each(question: str, spans: list[Span]) -> list[int]:
    """What the database says to the question of each span's stories: what is public is said by the ORM, as ever."""
    if not spans:
        return []
    bounds = [RawSQL(f"spans.column{number}", []) for number in (2, 3)]  # noqa: S611 (a constant)
    within = Article.objects.published().filter(published_at__gte=bounds[0], published_at__lt=bounds[1]).order_by()
    sql, params = within.values("published_at").query.sql_with_params()
    adapt = connection.ops.adapt_datetimefield_value
    values: list[Any] = []
    for number, span in enumerate(spans):
        values += [number, adapt(span.begin), adapt(span.end)]
    table = ", ".join(["(%s, %s, %s)"] * len(spans))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {question.format(sql)} FROM (VALUES {table}) AS spans ORDER BY column1",  # noqa: S608
            [*params, *values],
        )
        return [found for (found,) in cursor.fetchall()]


def first_and_last() -> tuple[datetime, datetime] | None:
    """The dates of the oldest and of the newest public story."""
    dates = stories().values_list("published_at", flat=True)
    newest, oldest = dates.first(), dates.reverse().first()
    return (oldest, newest) if oldest and newest else None
