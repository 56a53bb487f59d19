"""The picture that other sites show with a link to one of our pages: a story's own, else a card drawn by us.

A card's address has the digest of what is on it: it may be kept for ever, and nobody can have other words drawn.
"""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.core.cache import cache

from articles.cards import Story
from articles.links import Picture, absolute, picture_of, route
from articles.models import Article, Topic
from images.cards import SIZE, Card, draw
from providers.models import Provider

NARROWEST = 300  # pixels: below that, sites show a picture as a thumbnail or not at all
KEPT_FOR = 7 * 24 * 3600  # seconds

Record = Article | Story | Topic | Provider


def share_picture(record: Record | None = None) -> Picture:
    """For the page of `record`, or of the site."""
    own = picture_of(record.lead_image) if isinstance(record, Article | Story) else None
    return own if own and own.width >= NARROWEST else _drawn(record)


def card_for(record: Record | None) -> Card:
    if isinstance(record, Article | Story):
        source = record.provider.name if record.provider else ""
        return Card(settings.SITE_NAME, record.headline, source, "Video" if record.type == "video" else "")
    if isinstance(record, Topic):
        return Card(settings.SITE_NAME, record.name, kicker="Topic")
    if isinstance(record, Provider):
        return Card(settings.SITE_NAME, record.name, record.domain, "Outlet")
    return Card(settings.SITE_NAME, settings.SITE_DESCRIPTION)


def address_of(record: Record | None) -> str:
    digest = card_for(record).digest
    if record is None:
        return route("site_card", digest)
    kind = "article" if isinstance(record, Story) else record._meta.model_name
    return route("card", kind, record.pk, digest)


def png_of(card: Card) -> bytes:
    """Drawn once, as long as the cache remembers."""
    png: bytes = cache.get_or_set(f"card:{card.digest}", partial(draw, card), KEPT_FOR)  # type: ignore[assignment]
    return png


def _drawn(record: Record | None) -> Picture:
    card = card_for(record)
    words = f"{card.headline} – {card.nameplate}"
    return Picture(absolute(address_of(record)), *SIZE, mime_type="image/png", alt=words)
