"""Whole pages, kept for readers who carry no session, under the version of the site that they were made of.

Each request asks the database for the version's token (`articles.triggers.version`): a public change that is committed,
by whatever process on whatever machine, makes all pages of before unfindable. A page ends besides at the next moment
at which a story goes live or expires, at midnight (pages tell today's stories from others), and after
PAGE_CACHE_SECONDS. What others may keep is said in the same breath: browsers ask each time, a CDN after CDN_SECONDS at
most and never past that moment. docs/decisions/page-cache.md has the reasons.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache import caches
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import urlencode

from articles import public
from articles.remembered import Version, answering, version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEVEL = 4  # of compression: pages are 3 % larger than at 6, and packed in half the time
WORTH_PACKING = 200  # bytes
CODE = ("articles", "config", "images", "providers", "static", "templates")

# What a kept page answers by itself, so that its view gets to see none of it.
_ASKED = (
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_MATCH",
    "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_ACCEPT_ENCODING",
)
_REFUSED = re.compile(r";\s*q=0(?:\.0*)?\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Page:
    """An answer as it is kept: its text packed, if that is worth it."""

    headers: dict[str, str]
    body: bytes
    is_packed: bool
    until: datetime | None  # from then on it is none
    true_until: datetime | None  # from then on it tells of another time; the former is no later

    def is_over(self) -> bool:
        return self.until is None or self.until <= timezone.now()

    def answer(self, request: HttpRequest) -> HttpResponse:
        headers = {**self.headers, "Cache-Control": _for_others(self.true_until)}
        body = self.body
        if self.is_packed:
            headers["Vary"] = "Accept-Encoding"
            if _takes_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
                headers["Content-Encoding"] = "gzip"
            else:
                body = gzip.decompress(body)
        headers["Content-Length"] = str(len(body))
        response = HttpResponse(b"" if request.method == "HEAD" else body, headers=headers)
        return get_conditional_response(request, etag=headers["ETag"], response=response) or response


class PageCacheMiddleware:
    """Outside of sessions, compression and conditional answers, all of which a kept page has done with."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.elsewhere = tuple(
            address for address in (reverse("admin:index"), settings.MEDIA_URL) if address.startswith("/")
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(self.elsewhere):
            return self.get_response(request)
        _forget_unknown_parameters(request)
        if _is_somebodys(request) or request.method not in ("GET", "HEAD"):
            return _kept_by_nobody(self.get_response(request))
        return self._from_cache(request)

    def _from_cache(self, request: HttpRequest) -> HttpResponse:
        request.get_host()  # a host that is not ours gets no page of ours
        current = _version()
        key = _key(request, current) if current else ""
        page: Page | None = caches["pages"].get(key) if key else None
        if page is None or page.is_over():
            true_until = _true_until(current)  # of what is there now: it may take long to make
            with answering(current):
                response = self._plain_answer(request)
            if not _is_page(response):
                return _kept_by_nobody(response)
            page = _page(response, true_until)
            if key and not page.is_over() and getattr(response, "is_stored", True):
                caches["pages"].set(key, page, settings.PAGE_CACHE_SECONDS)
        return page.answer(request)

    def _plain_answer(self, request: HttpRequest) -> HttpResponse:
        """The view's answer to one who has nothing yet and unpacks nothing."""
        request.is_for_keeping = True  # type: ignore[attr-defined]
        asked = {name: request.META.pop(name) for name in _ASKED if name in request.META}
        response = self.get_response(request)
        request.META |= asked
        return response


def _takes_gzip(encodings: str) -> bool:
    """What is said of gzip counts, or else what is said of all the others."""
    said = {each.partition(";")[0].strip().lower(): each for each in encodings.split(",")}
    told = said.get("gzip", said.get("*"))
    return told is not None and not _REFUSED.search(told)


def _version() -> Version | None:
    try:
        return version()
    except DatabaseError:  # the view will find out, and knows what to answer
        return None


def _is_somebodys(request: HttpRequest) -> bool:
    """Whether the answer might be meant for one reader alone: it is neither kept nor taken from what is kept."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES or "HTTP_AUTHORIZATION" in request.META


def _is_page(response: HttpResponse) -> bool:
    is_kept = getattr(response, "is_kept", False) and response.status_code == 200
    return is_kept and not response.streaming and not response.cookies and "Cookie" not in response.get("Vary", "")


def _page(response: HttpResponse, true_until: datetime | None) -> Page:
    body = response.content
    packed = gzip.compress(body, LEVEL, mtime=0) if len(body) >= WORTH_PACKING else body
    is_packed = len(packed) < len(body)
    digest = hashlib.sha256(body).hexdigest()[:32]
    headers = {name: value for name, value in response.items() if name not in ("Content-Length", "Vary")}
    headers["ETag"] = f'W/"{digest}"'  # weak: the same for the text whether packed or not
    longest = timezone.now() + timedelta(seconds=settings.PAGE_CACHE_SECONDS)
    until = min(true_until, longest) if true_until else None
    return Page(headers, packed if is_packed else body, is_packed, until, true_until)


def _kept_by_nobody(response: HttpResponse) -> HttpResponse:
    """What is for one reader, and what may be another thing in a second: a story that is not there yet."""
    if getattr(response, "is_kept", False):
        response["Cache-Control"] = "private, no-cache"
    else:
        response.headers.setdefault("Cache-Control", "no-cache")
    return response


def _for_others(until: datetime | None) -> str:
    """Browsers ask each time. A CDN may go on for CDN_SECONDS in all: in the second half it asks while it answers."""
    browsers = "public, max-age=0, must-revalidate"
    if until is None:
        return browsers
    left = int((until - timezone.now()).total_seconds())
    seconds = max(0, min(settings.CDN_SECONDS, left))
    asking = seconds // 2
    return f"{browsers}, s-maxage={seconds - asking}, stale-while-revalidate={asking}"


def _true_until(version: Version | None) -> datetime | None:
    """Until when a page that is made now is right, if nobody changes anything. None: nobody knows."""
    if version is None:
        return None
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return min(version.until, midnight) if version.until else midnight


def _key(request: HttpRequest, version: Version) -> str:
    address = f"{request.path_info}?{request.GET.urlencode()}"
    return f"{_fingerprint()}:{version.token}:{hashlib.sha256(address.encode()).hexdigest()}"


def _forget_unknown_parameters(request: HttpRequest) -> None:
    """Pages know few parameters. The others, such as those that trackers append, make no difference and no new page.
    Whatever encoding a request claims for them, addresses are in UTF-8."""
    given = QueryDict(request.META.get("QUERY_STRING", "").encode("latin-1", "ignore"), encoding="utf-8")  # PEP 3333
    request.META["QUERY_STRING"] = urlencode(public.asked(request.path_info, given.dict()))
    request.GET = QueryDict(request.META["QUERY_STRING"], encoding="utf-8")


@cache
def _fingerprint() -> str:
    """Of what else pages are made: code, templates, styles, settings. A shared cache outlives them."""
    digest = hashlib.sha256(repr(sorted(_plain_settings())).encode())
    for folder in CODE:
        for path in sorted((settings.BASE_DIR / folder).rglob("*")):
            if path.suffix in (".py", ".html", ".xml", ".css", ".js"):
                digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _plain_settings() -> Iterator[tuple[str, Any]]:
    for name in dir(settings):
        value = getattr(settings, name) if name.isupper() else None
        if isinstance(value, str | int | float | list):
            yield name, repr(value)
