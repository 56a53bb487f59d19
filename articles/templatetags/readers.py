"""Small helps for the readers' pages and feeds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from django import template
from django.conf import settings
from django.utils import dateformat, timezone
from django.utils.encoding import escape_uri_path
from django.utils.html import format_html

if TYPE_CHECKING:
    from datetime import datetime

    from django.utils.safestring import SafeString

    from images.models import RemoteImage

register = template.Library()

SHARE_WIDTH = 960

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@register.filter
def safe_url(url: str) -> str:
    """`url` if it is a web address, else nothing: sources may hold `javascript:` too."""
    return url if host(url) else ""


@register.filter
def host(url: str) -> str:
    """The host of a web address, without `www.`; empty for anything that is not one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https"):
        return ""
    return (parts.hostname or "").removeprefix("www.")


@register.filter
def absolute(url: str) -> str:
    """`url` on our own site: from SITE_URL, never from the Host header."""
    return urljoin(f"{settings.SITE_URL}/", url)


@register.filter
def share_url(image: RemoteImage) -> str:
    """Our copy of a cached picture for other programs: a format all of them show, in a handy width."""
    widths = image.rendition_widths()
    width = max((width for width in widths if width <= SHARE_WIDTH), default=widths[0])
    return absolute(image.rendition_url(width, "universal"))


@register.filter
def xml_text(text: str) -> str:
    """`text` without the characters that no XML document may hold."""
    return _NOT_IN_XML.sub("", text)


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
