"""Addresses as other programs and sites get them: whole, and ours made from SITE_URL, never from a Host header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urljoin, urlsplit

from django.conf import settings
from django.urls import get_script_prefix, get_urlconf, reverse

if TYPE_CHECKING:
    from images.models import RemoteImage
    from images.shown import Shown

SHARE_WIDTH = 1280

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


_NOT_IN_IRI = re.compile(r'[\x00-\x20"<>\\^`{|}\x7f]')


@dataclass(frozen=True)
class Picture:
    """A picture that others may show, at its whole address."""

    url: str
    width: int
    height: int
    mime_type: str
    alt: str = ""


class Use(Protocol):
    """A picture in its place, on a model or as plain values."""

    @property
    def image(self) -> Any: ...

    @property
    def alt(self) -> Any: ...


def safe_url(url: str) -> str:
    """`url` if it is a web address, else nothing: sources may hold `javascript:` too."""
    return url if host(url) else ""


def iri(url: str) -> str:
    """A web address as strict readers want it: characters that no address may have are percent-encoded."""
    return _NOT_IN_IRI.sub(lambda found: quote(found[0]), safe_url(url))


@lru_cache(maxsize=4_096)
def host(url: str) -> str:
    """The host of a web address, without `www.`; empty for anything that is not one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https"):
        return ""
    return (parts.hostname or "").removeprefix("www.")


def absolute(url: str) -> str:
    """`url` on our own site, unless it is elsewhere already."""
    return _joined(f"{settings.SITE_URL}/", url)


_joined = lru_cache(maxsize=4_096)(urljoin)  # a page says its own address, and its topics', a few times


def route(name: str, *arguments: Any) -> str:
    """The address of a page on our own site: what `reverse` says, which takes longer to say it."""
    return _route(get_script_prefix(), get_urlconf(), name, *arguments)


@lru_cache(maxsize=8_192)
def _route(script_prefix: str, urlconf: str | None, name: str, *arguments: Any) -> str:
    return reverse(name, urlconf, args=arguments)


def picture(image: RemoteImage | Shown | None, alt: str = "") -> Picture | None:
    """Our copy of a picture for other programs, if we have one: a format all of them show, in a handy width."""
    if image is None or not image.has_picture:
        return None
    widths = image.rendition_widths()
    width = max((width for width in widths if width <= SHARE_WIDTH), default=widths[0])
    return Picture(
        url=absolute(image.rendition_url(width, "universal")),
        width=width,
        height=image.rendition_height(width),
        mime_type="image/png" if image.has_alpha else "image/jpeg",
        alt=alt,
    )


def picture_of(use: Use | None) -> Picture | None:
    return picture(use.image, use.alt) if use else None


def xml_text(text: str) -> str:
    """`text` without the characters that no XML document may hold."""
    return _NOT_IN_XML.sub("", text)
