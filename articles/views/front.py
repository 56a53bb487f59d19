"""The front page."""

from __future__ import annotations

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
class Choice:
    """Which stories are where. No story is in two places."""

    top: list[int]
    latest: list[int]
    sections: list[tuple[Section, list[int]]]
    navigation: tuple[Section, ...]

    @property
    def stories(self) -> list[int]:
        return [*self.top, *self.latest, *(story for _, stories in self.sections for story in stories)]


@public.kept
def home(request: HttpRequest) -> HttpResponse:
    choice = remembered("front", choose)
    cards = cards_by_key(choice.stories)
    top = _shown(choice.top, cards)
    context = {
        "lead": next(iter(top), None),
        "second": top[1:3],
        "support": top[3:],
        "latest": _shown(choice.latest, cards),
        "sections": choice.navigation,
        "fronts": [(section, shown) for section, stories in choice.sections if (shown := _shown(stories, cards))],
    }
    return render(request, "articles/home.html", context)


def choose() -> Choice:
    recent = public.find_recent()
    top = _top(list(recent.best[:LEAD_HORIZON]))
    latest = [story for story in recent.newest if story not in top][:LATEST]
    parts = without_repeats((section.stories for section in recent.sections), [*top, *latest], SECTION_STORIES)
    return Choice(top, latest, list(zip(recent.sections, parts, strict=True)), public.by_name(recent.sections))


def _top(best: list[int]) -> list[int]:
    """The best stories; as lead the best of them that has a picture."""
    illustrated = with_pictures(best)
    near = best[:LEAD_CANDIDATES]
    among = near if illustrated & {*near} else best
    return illustrated_first(among, illustrated.__contains__, TOP_STORIES)


def _shown(stories: list[int], cards: dict[int, Card]) -> list[Card]:
    return [cards[story] for story in stories if story in cards]
