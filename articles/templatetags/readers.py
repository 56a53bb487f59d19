"""Small helps for the readers' pages and feeds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.utils import dateformat, timezone
from django.utils.encoding import escape_uri_path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from articles.cards import Card
from articles.links import absolute, host, safe_url

register = template.Library()

REMEMBERED_CARDS = 4_096  # about 2 kB each
REMEMBERED_PARTS = 512  # most of them some cards, about 8 kB

register.filter("absolute", absolute)
register.filter("host", host)
register.filter("safe_url", safe_url)


@register.simple_tag
def when(moment: datetime | None) -> SafeString | str:
    """The date, or the hour for today, as a `<time>`."""
    if moment is None:
        return ""
    return _when(moment, *_clock())


@lru_cache(maxsize=REMEMBERED_CARDS)
def _when(moment: datetime, today: date, zone: tzinfo) -> SafeString:
    local = moment.astimezone(zone)
    pattern = "H:i T" if local.date() == today else "j F Y"
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), dateformat.format(local, pattern))


@register.filter(expects_localtime=True)
def iso(moment: datetime) -> str:
    return moment.isoformat()


@register.simple_tag
def apart(moment: datetime, story: datetime) -> str:
    """How long before or after the story something was, in the largest unit that says enough."""
    minutes = round(abs((moment - story).total_seconds()) / 60)
    if minutes == 0:
        return "at the same time"
    count, unit = next(
        (minutes // size, name) for size, name in ((1440, "day"), (60, "hour"), (1, "minute")) if minutes >= size
    )
    return f"{count} {unit}{'s' if count > 1 else ''} {'later' if moment > story else 'earlier'}"


@dataclass(frozen=True)
class Look:
    """How a card looks in its place. `level`: of its heading; `kind`: a class; `sizes`: of its picture, with what a
    crop takes; `foremost`: picture before all others; `eager`: picture at once; `plain`: no picture; `optional`: no
    placeholder."""

    level: int = 2
    kind: str = ""
    sizes: str = "(min-width: 40rem) 18rem, 10rem"
    foremost: bool = False
    eager: bool = False
    plain: bool = False
    optional: bool = False


@register.simple_tag
def card(story: Card, **look: Any) -> SafeString:
    """A story in a list: see Look. All that its HTML depends on is in the key, so it is made once."""
    render = _card.__wrapped__ if settings.DEBUG else _card  # who edits the template wants to see it
    html: SafeString = render(story, Look(**look), *_surroundings())
    return html


def _surroundings() -> tuple[Any, ...]:
    """What a card depends on that is not in it: dates are told by the site's clock, pictures are where they are."""
    return *_clock(), settings.MEDIA_URL


def _clock() -> tuple[date, tzinfo]:
    zone = timezone.get_current_timezone()
    return datetime.now(zone).date(), zone


@lru_cache(maxsize=REMEMBERED_CARDS)
def _card(story: Card, look: Look, *surroundings: Any) -> SafeString:
    return SafeString(get_template("articles/_card.html").render({"story": story, "look": look}).strip())


@register.simple_tag
def still(template_name: str, **values: Any) -> SafeString:
    """A part that is the same on many pages, made once for the `values` that it shows. It may use the site's name and
    description and today's date besides."""
    render = _still.__wrapped__ if settings.DEBUG else _still
    site = (settings.SITE_NAME, settings.SITE_DESCRIPTION, settings.STATIC_URL)
    html: SafeString = render(template_name, site, _surroundings(), **values)
    return html


@lru_cache(maxsize=REMEMBERED_PARTS)
def _still(template_name: str, site: tuple[str, ...], surroundings: tuple[Any, ...], **values: Any) -> SafeString:
    context = {"site_name": site[0], "site_description": site[1], **values}
    return SafeString(get_template(template_name).render(context).strip())


@register.simple_tag(takes_context=True)
def masthead(context: Context) -> SafeString:
    """The top of the page, the sections that its topic belongs to marked."""
    topic, sections = context.get("topic"), tuple(context.get("sections") or ())
    own = (topic.pk, topic.parent_id) if topic else ()
    here = tuple(section.pk for section in sections if section.pk in own)
    return still("articles/_masthead.html", sections=sections, here=here)


@register.filter
def place(page: Any) -> str:
    """For titles: which page of a list this is; nothing on the first."""
    if getattr(page, "query", ""):
        return dateformat.format(timezone.localtime(page.newest), ", \\u\\p \\t\\o j F Y H:i")
    return f", page {page.number}" if getattr(page, "number", 1) > 1 else ""


@register.simple_tag(takes_context=True)
def canonical(context: dict[str, Any]) -> str:
    """The one address of the page that is shown: no parameters but its place in the list."""
    address = settings.SITE_URL + escape_uri_path(context["request"].path)
    page = context.get("page")
    if number := getattr(page, "number", 0):
        return f"{address}?page={number}" if number > 1 else address
    return address + getattr(page, "query", "")
