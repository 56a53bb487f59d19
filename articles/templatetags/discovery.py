"""What the heads of pages say to other sites and to search engines."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from django import template
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from articles import structured
from articles.sharing import Record, share_picture

if TYPE_CHECKING:
    from datetime import date

    from articles.cards import Story
    from articles.days import Month
    from articles.models import Topic
    from providers.models import Provider

register = template.Library()

# Nothing in a script element is an entity, so what could end it is written as JSON's own escapes.
_UNSAFE = re.compile("[<>&\u2028\u2029]")
_JSON = json.JSONEncoder(ensure_ascii=False)

_PICTURE = """<meta property="og:image" content="{}">
<meta property="og:image:type" content="{}">
<meta property="og:image:width" content="{}">
<meta property="og:image:height" content="{}">
{}<meta name="twitter:card" content="summary_large_image">"""


@register.simple_tag(name="share_picture")
def share_picture_tags(record: Record | None = None) -> SafeString:
    """What the head says of the picture that other sites show with a link to the page of `record`, or of the site."""
    shared = share_picture(record or None)
    alt = format_html('<meta property="og:image:alt" content="{}">\n', shared.alt) if shared.alt else ""
    return format_html(_PICTURE, shared.url, shared.mime_type, shared.width, shared.height, alt)


def script(data: dict[str, Any]) -> SafeString:
    """A block of data, which no browser runs and no content policy is asked about."""
    text = _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", _JSON.encode(data))
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308


@register.simple_tag
def site_data() -> SafeString:
    return script(structured.graph(structured.site()))


@register.simple_tag
def story_data(story: Story) -> SafeString:
    return script(structured.of_story(story))


@register.simple_tag
def topic_data(topic: Topic, parent: Topic | None) -> SafeString:
    return script(structured.of_topic(topic, parent))


@register.simple_tag
def provider_data(provider: Provider) -> SafeString:
    return script(structured.of_provider(provider))


@register.simple_tag
def list_data(name: str, page: str) -> SafeString:
    return script(structured.of_list(name, page))


@register.simple_tag
def day_data(day: date) -> SafeString:
    return script(structured.of_dates("archive_day", day, format_date(day, "j F Y")))


@register.simple_tag
def month_data(month: Month) -> SafeString:
    return script(structured.of_dates("archive_month", month, format_date(month.first, "F Y")))
