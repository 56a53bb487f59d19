"""One story's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from articles import public
from articles.cards import Card, cards_of
from articles.embeds import find_embed
from articles.models import Article, ArticleImage, RelatedImage, RelatedStory, Topic
from providers.models import ProviderImage

if TYPE_CHECKING:
    from articles.models import ArticleQuerySet

MORE_STORIES = 4
VIDEO = "video"


@dataclass(frozen=True)
class Report:
    """An outlet's report in the timeline: our story itself, or a related one."""

    at: datetime | None
    story: Article | None = None
    related: RelatedStory | None = None


@public.kept
def article(request: HttpRequest, stem: str) -> HttpResponse:
    story = get_object_or_404(_whole(public.stories()), stem=stem)
    topic = next(iter(story.topics.all()), None)
    context = {
        "story": story,
        "topic": topic,
        "timeline": timeline(story, list(story.related_stories.all())),
        "more": _more(story, topic) if topic else [],
        "embed": find_embed(story.featured_content, settings.EMBED_HOSTS) if story.type == VIDEO else None,
    }
    return render(request, "articles/article.html", context)


def timeline(story: Article, related: list[RelatedStory]) -> list[Report]:
    """Who reported when, the first first, with the story in its place; what has no date comes last, as the source has
    it. Nothing when nobody else did."""
    if not related:
        return []
    dated = [Report(item.published_at, related=item) for item in related if item.published_at]
    undated = [Report(None, related=item) for item in related if not item.published_at]
    return sorted([Report(story.published_at, story=story), *dated], key=_moment) + undated


def _moment(report: Report) -> datetime:
    assert report.at  # noqa: S101 (those without are not sorted)
    return report.at


def _whole(stories: ArticleQuerySet) -> ArticleQuerySet:
    """With all that the page shows, in as few queries as there are tables."""
    pictures, related_pictures, logos = (
        model.objects.select_related("image") for model in (ArticleImage, RelatedImage, ProviderImage)
    )
    related = RelatedStory.objects.select_related("provider").prefetch_related(Prefetch("pictures", related_pictures))
    return (
        stories.select_related("provider")
        .prefetch_related(
            Prefetch("pictures", pictures),
            Prefetch("provider__logos", logos),
            "topics",
            Prefetch("related_stories", related.defer("extra", "provider_ref")),
        )
        .defer("secured", "search_text", "extra", "provider_ref")
    )


def _more(story: Article, topic: Topic) -> list[Card]:
    keys = public.listed(topic).values_list("article_id", flat=True)[: MORE_STORIES + 1]
    return cards_of([key for key in keys if key != story.pk][:MORE_STORIES])
