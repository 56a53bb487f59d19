"""The front page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from articles import public
from articles.cards import Card, cards_by_key, pictures_of
from articles.ranking import illustrated_first, without_repeats

TOP_STORIES = 5  # the lead, two beside it and two below
LEAD_CANDIDATES = 8  # of the ranking: one of these with a picture leads,
LEAD_HORIZON = 24  # or else one of these
LATEST = 8
SECTION_STORIES = 4


@public.kept
def home(request: HttpRequest) -> HttpResponse:
    recent = public.recent()
    top = _top(list(recent.best[:LEAD_HORIZON]))
    [latest, *parts] = [[pk for pk in recent.newest if pk not in top][:LATEST], *(s.stories for s in recent.sections)]
    chosen = without_repeats([list(part) for part in parts], [*top, *latest], SECTION_STORIES)
    cards = cards_by_key([*top, *latest, *(pk for part in chosen for pk in part)])
    lead, *others = _shown(top, cards) or [None]
    context = {
        "lead": lead,
        "second": others[:2],
        "support": others[2:],
        "latest": _shown(latest, cards),
        "sections": public.by_name(recent.sections),
        "fronts": [
            (section, stories)
            for section, part in zip(recent.sections, chosen, strict=True)
            if (stories := _shown(part, cards))
        ],
    }
    return render(request, "articles/home.html", context)


def _top(best: list[int]) -> list[int]:
    """The stories at the top: the best, and as lead the best of them that has a picture."""
    pictures = pictures_of(best)
    near = best[:LEAD_CANDIDATES]
    among = near if any(pk in pictures for pk in near) else best
    return illustrated_first(among, pictures.__contains__, TOP_STORIES)


def _shown(keys: list[int], cards: dict[int, Card]) -> list[Card]:
    return [cards[key] for key in keys if key in cards]
