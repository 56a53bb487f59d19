"""One story's page."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from articles import public
from articles.addresses import story_named
from articles.cards import Card, Named, Report, Story, cards_of, public_story, related_to
from articles.embeds import find_embed
from articles.remembered import remembered

MORE_STORIES = 4
VIDEO = "video"


@public.kept
def article(request: HttpRequest, stem: str) -> HttpResponse:
    story = public_story(stem)
    if story is None:
        story_named(public.stories(), stem)  # raises what is to be said of it
        raise Http404("No such story.")
    topic = next(iter(story.topics), None)
    context = {
        "story": story,
        "topic": topic,
        "timeline": timeline(story, related_to(story.pk)),
        "more": _more(story, topic) if topic else (),
        "embed": find_embed(story.featured_content, settings.EMBED_HOSTS) if story.type == VIDEO else None,
    }
    return render(request, "articles/article.html", context)


def timeline(story: Story, reports: list[Report]) -> list[Report]:
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
