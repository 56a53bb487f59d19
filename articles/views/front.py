"""The front page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from articles import public
from articles.models import Article, Topic

FRONT_STORIES = 12
LEAD_CANDIDATES = 8  # the top of the front page is made of these newest,
LEAD_HORIZON = 24  # unless none has a picture: then of the newest here that has one too
SECTION_STORIES = 4


@public.kept
def home(request: HttpRequest) -> HttpResponse:
    recent = list(public.stories().for_cards()[:LEAD_HORIZON])
    newest = recent[:FRONT_STORIES]
    lead, second, support = _top(recent)
    sections = public.sections()
    context = {
        "lead": lead,
        "second": second,
        "support": support,
        "latest": [story for story in newest if story not in (lead, *second, *support)],
        "sections": sections,
        "fronts": _fronts(sections, shown={story.pk for story in (lead, *newest) if story}),
    }
    return render(request, "articles/home.html", context)


def _top(recent: list[Article]) -> tuple[Article | None, list[Article], list[Article]]:
    """The lead, two stories beside it and two below: those with pictures first, then the better ones."""
    candidates = recent[:LEAD_CANDIDATES]
    if not any(map(_has_picture, candidates)):
        candidates += list(filter(_has_picture, recent))[:1]
    best = sorted(candidates, key=lambda story: (_has_picture(story), story.quality or 0), reverse=True)
    return next(iter(best), None), best[1:3], best[3:5]


def _has_picture(story: Article) -> bool:
    return bool(story.lead_image and story.lead_image.image.has_picture)


def _fronts(sections: list[public.Section], shown: set[int]) -> list[tuple[Topic, list[Article]]]:
    """Each section's newest stories that the page does not show already; no section twice the same story."""
    chosen: dict[Topic, list[int]] = {}
    for section in sections:
        chosen[section.topic] = [pk for pk in section.story_ids if pk not in shown][:SECTION_STORIES]
        shown |= set(chosen[section.topic])
    cards = public.stories().for_cards().in_bulk([pk for ids in chosen.values() for pk in ids])
    fronts = ((topic, [cards[pk] for pk in ids if pk in cards]) for topic, ids in chosen.items())
    return [(topic, stories) for topic, stories in fronts if stories]
