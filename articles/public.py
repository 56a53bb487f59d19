"""What readers can reach. Every list of stories, topics and providers on a public address starts here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from articles.models import Article, ArticleTopic, Topic
from providers.models import Provider

if TYPE_CHECKING:
    from articles.models import ArticleQuerySet

RECENT = 300  # the stories that decide what the front page and the navigation are about
MAIN_TOPICS = 8

_IN_TOPIC = Q(topic_items__tag=OuterRef("pk")) | Q(topic_items__tag__parent=OuterRef("pk"))


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
    """Topics with public stories of their own or in a direct subtopic, by name; `stories` is how many."""
    return _with_stories(Topic.objects.all(), _IN_TOPIC).order_by("name")


def topics_with_pages() -> QuerySet[Topic]:
    """Those, and the topics that a file or an editor describes: but none that is known from drafts alone."""
    described = ~Q(description="") | ~Q(source_id="")
    return Topic.objects.filter(described | Exists(Article.objects.published().filter(_IN_TOPIC)))


def providers() -> QuerySet[Provider]:
    """Providers with public stories, by name; `stories` is how many."""
    return _with_stories(Provider.objects.all(), Q(provider=OuterRef("pk"))).order_by("name", "domain")


def _with_stories(queryset: QuerySet, belongs: Q) -> QuerySet:
    public = Article.objects.published().filter(belongs).order_by()
    count = public.values(all=Value(1)).annotate(stories=Count("pk", distinct=True)).values("stories")
    # Filtering on the count would count twice; Exists stops at the first story.
    return queryset.filter(Exists(public)).annotate(stories=Subquery(count, output_field=IntegerField()))


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
    return [
        Section(topic, list(ids[topic.pk])) for topic in Topic.objects.filter(pk__in=busiest).order_by("name")
    ]
