"""The front page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from articles import public
from articles.cards import Card, cards_by_key, with_pictures
from articles.public import Section
from articles.ranking import illustrated_first, without_repeats
from articles.remembered import remembered

TOP_STORIES = 5  # the lead, two beside it and two below
LEAD_CANDIDATES = 8  # of the ranking: one of these with a picture leads,
LEAD_HORIZON = 24  # or else one of these
LATEST = 7
SECTION_STORIES = 4


@dataclass(frozen=True)
class Front:
    """Which stories are where. No story is in two places."""

    top: tuple[Card, ...]
    latest: tuple[Card, ...]
    sections: tuple[tuple[Section, tuple[Card, ...]], ...]
    navigation: tuple[Section, ...]


@public.kept
def home(request: HttpRequest) -> HttpResponse:
    front = remembered("front", choose)
    context = {
        "lead": next(iter(front.top), None),
        "second": front.top[1:3],
        "support": front.top[3:],
        "latest": front.latest,
        "sections": front.navigation,
        "fronts": front.sections,
    }
    return render(request, "articles/home.html", context)


def choose() -> Front:
    recent = public.find_recent()
    top = _top(list(recent.best[:LEAD_HORIZON]))
    latest = [story for story in recent.newest if story not in top][:LATEST]
    parts = list(without_repeats((section.stories for section in recent.sections), [*top, *latest], SECTION_STORIES))
    cards = cards_by_key([*top, *latest, *(story for part in parts for story in part)])

    def shown(stories: Iterable[int]) -> tuple[Card, ...]:
        return tuple(cards[story] for story in stories if story in cards)

    sections = ((section.named(), shown(part)) for section, part in zip(recent.sections, parts, strict=True))
    return Front(
        shown(top), shown(latest), tuple(pair for pair in sections if pair[1]), public.navigation(recent.sections)
    )


def _top(best: list[int]) -> list[int]:
    """The best stories; as lead the best of them that has a picture."""
    illustrated = with_pictures(best)
    near = best[:LEAD_CANDIDATES]
    among = near if illustrated & {*near} else best
    return illustrated_first(among, illustrated.__contains__, TOP_STORIES)
