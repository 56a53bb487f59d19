"""Small helps for the readers' pages and feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.conf import settings
from django.utils import dateformat, timezone
from django.utils.encoding import escape_uri_path
from django.utils.html import format_html

from articles.links import absolute, host, safe_url

if TYPE_CHECKING:
    from datetime import datetime

    from django.utils.safestring import SafeString

register = template.Library()

register.filter("absolute", absolute)
register.filter("host", host)
register.filter("safe_url", safe_url)


@register.simple_tag
def when(moment: datetime | None) -> SafeString | str:
    """The date, or the hour for today, as a `<time>`."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    pattern = "H:i T" if local.date() == timezone.localdate() else "j F Y"
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), dateformat.format(local, pattern))


@register.simple_tag(takes_context=True)
def canonical(context: dict[str, Any]) -> str:
    """The one address of the page that is shown: no parameters but the page number."""
    address = settings.SITE_URL + escape_uri_path(context["request"].path)
    page = context.get("page")
    return f"{address}?page={page.number}" if page and page.number > 1 else address
