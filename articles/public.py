"""What readers can reach. Every list of stories, topics and providers on a public address starts here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from articles.addresses import Gone, Moved, named
from articles.models import Article, ArticleTopic, SiteVersion, Topic
from providers.models import Provider

if TYPE_CHECKING:
    from datetime import datetime

    from articles.models import ArticleQuerySet

# All that pages take from behind the question mark; the rest never reaches a view.
PARAMETERS = frozenset({"q", "order", "page", "before", "after"})

RECENT = 300  # the stories that decide what the front page and the navigation are about
MAIN_TOPICS = 8


def kept(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For what is the same to every reader until the site's version changes: `config.page_cache` keeps it, and says in
    its headers how long others may. It only answers GET and HEAD. What has another name now is at the same route under
    that name; a story that is public no more is gone."""

    @wraps(view)
    def marked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: Any
        try:
            response = view(request, *args, **kwargs)
        except Moved as moved:
            response = HttpResponsePermanentRedirect(_same_route(request, moved.name))
        except Gone:
            return render(request, "410.html", status=410)
        response.is_kept = True
        return response

    return require_safe(cache_control(public=True, max_age=0, must_revalidate=True)(marked))


def _same_route(request: HttpRequest, name: str) -> str:
    """The route that was asked for, with another name (the one text in it) and what was asked for of it."""
    match: Any = request.resolver_match
    arguments = {key: name if isinstance(value, str) else value for key, value in match.captured_kwargs.items()}
    return reverse(match.view_name, kwargs=arguments, query=request.GET or None)


@dataclass(frozen=True)
class Version:
    """What readers see now. Whatever is made of it holds as long as there is no other version, until `until`."""

    token: int
    until: datetime | None  # when next a story goes live or expires by itself


def version() -> Version | None:
    """The version of the site from whatever was committed last. None: nothing is to be kept, or it cannot be told."""
    global _last
    if not settings.PAGE_CACHE_SECONDS:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_TOKEN)
        row = cursor.fetchone()
    if row is None:
        return None
    last, now = _last, timezone.now()
    if last is None or last.token != row[0] or (last.until and last.until <= now):
        last = _last = Version(row[0], Article.objects.next_change(now))
    return last


_last: Version | None = None
_TOKEN = f"SELECT token FROM {SiteVersion._meta.db_table} WHERE id = 1"  # noqa: S608 (with each request: no ORM)


@dataclass(frozen=True)
class Section:
    """A main topic and its recent stories, newest first: those of its subtopics too."""

    topic: Topic
    story_ids: list[int] = field(default_factory=list)


def stories() -> ArticleQuerySet:
    """All public stories, newest first."""
    return Article.objects.published().newest_first()


def stories_in(*topics: Topic) -> ArticleQuerySet:
    """The public stories in any of `topics`, each once."""
    return stories().filter(pk__in=ArticleTopic.objects.filter(tag__in=topics).values("content_object"))


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
    # Asking for a list of topics, not for "this or its parent", lets the database use the index on the topic.
    family = Topic.objects.filter(Q(pk=OuterRef(OuterRef("pk"))) | Q(parent=OuterRef(OuterRef("pk"))))
    return Exists(Article.objects.published().filter(topic_items__tag__in=family.order_by()).order_by())


def story_counts() -> Counter[int]:
    """How many public stories each topic has by itself or in a direct subtopic, each counted once."""
    items = ArticleTopic.objects.filter(content_object__in=Article.objects.published().order_by()).order_by()
    in_both = items.filter(tag__parent__isnull=False, content_object__topic_items__tag=F("tag__parent"))
    counts = _distinct_stories(items, "tag")
    counts.update(_distinct_stories(items.filter(tag__parent__isnull=False), "tag__parent"))
    counts.subtract(_distinct_stories(in_both, "tag__parent"))
    return counts


def _distinct_stories(items: QuerySet[ArticleTopic], topic: str) -> Counter[int]:
    return Counter(dict(items.values_list(topic).annotate(Count("content_object", distinct=True))))


def providers() -> QuerySet[Provider]:
    """Providers with public stories, by name."""
    public = Article.objects.published().filter(provider=OuterRef("pk")).order_by()
    return Provider.objects.filter(Exists(public)).order_by("name", "domain")


def counted_providers() -> QuerySet[Provider]:
    """The same, with `stories`: how many."""
    public = Article.objects.published().filter(provider=OuterRef("pk")).order_by()
    count = public.values("provider").annotate(stories=Count("pk")).values("stories")
    return providers().annotate(stories=Subquery(count))


def sections() -> list[Section]:
    """The main topics of the recent stories, by name. Two queries, whatever the number of topics."""
    rows = (
        ArticleTopic.objects.filter(content_object__in=stories()[:RECENT].values("pk"))
        .order_by("-content_object__published_at", "-content_object_id")
        .values_list(Coalesce("tag__parent", F("tag")), "content_object")
    )
    ids: dict[int, dict[int, None]] = {}
    for topic, story in rows:
        ids.setdefault(topic, {})[story] = None
    busiest = sorted(ids, key=lambda topic: len(ids[topic]), reverse=True)[:MAIN_TOPICS]
    return [Section(topic, list(ids[topic.pk])) for topic in Topic.objects.filter(pk__in=busiest).order_by("name")]
