"""The state of a story, at a glance."""

from __future__ import annotations

from datetime import datetime

from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles.models import Article


def state_badge(article: Article) -> SafeString:
    if article.is_coming:
        return _badge("scheduled", "Scheduled", "public from", article.publish_at)
    if article.has_ended:
        return _badge("expired", "Expired", "was public until", article.unpublish_at)
    end = article.unpublish_at if article.status == Article.Status.PUBLISHED else None
    return _badge(article.status, article.get_status_display(), "public until", end)


def _badge(name: str, word: str, when: str = "", at: datetime | None = None) -> SafeString:
    badge = format_html('<span class="badge badge-{}">{}</span>', name, word)
    return format_html('{} <span class="when">{} {}</span>', badge, when, zoned(at)) if at else badge


def zoned(at: datetime) -> str:
    """By the site's clock, with its zone."""
    return format_date(timezone.localtime(at), "j M Y, H:i T")
