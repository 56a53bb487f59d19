"""What a story's own page shows: to readers, and in previews before they may see it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from articles import public
from articles.cards import Card, Named, Report, Story, cards_of
from articles.embeds import find_embed
from articles.remembered import remembered

MORE_STORIES = 4
VIDEO = "video"


def page_context(story: Story, reports: list[Report]) -> dict[str, Any]:
    """For the template `articles/article.html`. `reports`: those of other outlets, as the source has them in order."""
    topic = next(iter(story.topics), None)
    return {
        "story": story,
        "topic": topic,
        "timeline": _timeline(story, reports),
        "more": _more(story, topic) if topic else (),
        "embed": find_embed(story.featured_content, settings.EMBED_HOSTS) if story.type == VIDEO else None,
    }


def _timeline(story: Story, reports: list[Report]) -> list[Report]:
    """Who reported when, the first first, with the story in its place; what has no date comes last, as the source has
    it. Nothing when nobody else did."""
    if not reports:
        return []
    outlet = story.provider.name if story.provider else None
    ours = Report(story.title, "", "", story.type, story.published_at, outlet, is_ours=True)
    dated: list[tuple[datetime, Report]] = [(story.published_at, ours)]
    dated += [(report.published_at, report) for report in reports if report.published_at]
    dated.sort(key=lambda pair: pair[0])
    return [report for _, report in dated] + [report for report in reports if not report.published_at]


def _more(story: Story, topic: Named) -> tuple[Card, ...]:
    newest = remembered(("newest", topic.pk), lambda: cards_of(public.newest_in(topic.pk, MORE_STORIES + 1)))
    return tuple(card for card in newest if card.pk != story.pk)[:MORE_STORIES]
