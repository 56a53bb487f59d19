"""What the heads of pages say to other sites and to search engines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django import template
from django.utils.dateformat import format as format_date
from django.utils.safestring import SafeString, mark_safe

from articles import structured
from articles.sharing import share_picture

if TYPE_CHECKING:
    from datetime import date

    from articles.cards import Story
    from articles.models import Topic
    from providers.models import Provider

register = template.Library()
register.simple_tag(share_picture)

# Nothing in a script element is an entity, so what could end it is written as JSON's own escapes.
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def script(data: dict[str, Any]) -> SafeString:
    """A block of data, which no browser runs and no content policy is asked about."""
    text = json.dumps(data, ensure_ascii=False).translate(_ESCAPES)
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
def list_data(name: str, route: str) -> SafeString:
    return script(structured.of_list(name, route))


@register.simple_tag
def day_data(day: date) -> SafeString:
    return script(structured.of_day(day, format_date(day, "j F Y")))
