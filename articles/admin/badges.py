"""The state of a story, at a glance."""

from __future__ import annotations

from datetime import datetime

from django.template.defaultfilters import date as format_date
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles.models import Article


def state_badge(article: Article) -> SafeString:
    now, name, word = timezone.now(), article.status, article.get_status_display()
    if article.status == Article.Status.PUBLISHED:
        if article.publish_at and article.publish_at > now:
            name, word = "scheduled", "Scheduled"
        elif article.unpublish_at and article.unpublish_at <= now:
            name, word = "expired", "Expired"
    badge = format_html('<span class="badge badge-{}">{}</span>', name, word)
    if article.status != Article.Status.PUBLISHED:
        return badge
    if article.publish_at and article.publish_at > now:
        return format_html('{} <span class="when">public from {}</span>', badge, zoned(article.publish_at))
    if article.unpublish_at:
        word = "was public until" if article.unpublish_at <= now else "public until"
        return format_html('{} <span class="when">{} {}</span>', badge, word, zoned(article.unpublish_at))
    return badge


def zoned(at: datetime) -> str:
    """By the site's clock, with its zone."""
    return format_date(timezone.localtime(at), "j M Y, H:i T")
