"""Which story leads a list."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from articles import public
from articles.cards import Card
from articles.models import Article
from articles.ranking import illustrated_first
from articles.views.pages import Stretch


def lead_of_the_day(page: Stretch) -> Card | None:
    """The best story of the newest day in the list, if this is its first page and more than one story is on it."""
    if page.newer or len(page) < 2:
        return None
    day = timezone.localdate(page.newest)
    return lead_of(card for card in page if timezone.localdate(card.published_at) == day)


def lead_of(cards: Iterable[Card]) -> Card | None:
    """The best of them, one with a picture if there is one."""
    by_key = {card.pk: card for card in cards}
    rank = public.formula().rank
    scores = Article.objects.filter(pk__in=by_key).order_by().values_list("pk", "quality", "heat", "published_at")
    ranks = {pk: rank(quality, heat, at) for pk, quality, heat, at in scores}
    best = sorted(by_key.values(), key=lambda card: (ranks.get(card.pk, 0.0), card.pk), reverse=True)
    return next(iter(illustrated_first(best, lambda card: card.picture is not None, 1)), None)
