"""Telling a CDN in front that what it keeps of this site is of yesterday.

A worker looks at the site's version once a second, so whatever changed it, an edit here, an import there or the clock,
the CDN hears of it about a second later. One that is told may be allowed to keep pages for long (CDN_SECONDS).
"""

from __future__ import annotations

import logging
from threading import Event
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from articles.remembered import version
from fetching.client import send
from fetching.errors import FetchError
from images.caching import fetch_policy, user_agent

if TYPE_CHECKING:
    from articles.remembered import Version

PAUSE = 1.0  # seconds between two looks
AFTER_FAULT = 10.0  # seconds until a CDN that did not listen is told again

_log = logging.getLogger(__name__)


def watch(stopping: Event) -> None:
    """Purge at the beginning, since nobody knows what happened before, and with each new version, until `stopping`."""
    if not settings.PURGE_URL:
        return
    told: Version | None = None
    pause = 0.0
    try:
        while not stopping.wait(pause):
            told, pause = _look(told)
    finally:
        connections.close_all()


def _look(told: Version | None) -> tuple[Version | None, float]:
    """The version that the CDN has been told of by now, and the seconds until the next look."""
    try:
        close_old_connections()
        now = version()
        if now is not None and now != told:
            purge()
    except (DatabaseError, FetchError) as error:
        _log.warning("The CDN could not be told that the site has changed, and will be in a moment: %s", error)
        return told, AFTER_FAULT
    return now, PAUSE


def purge() -> None:
    """Tell the CDN to forget all it keeps of this site. Raises FetchError."""
    send(
        settings.PURGE_URL,
        settings.PURGE_BODY.encode(),
        policy=fetch_policy(),
        user_agent=user_agent(),
        headers=settings.PURGE_HEADERS,
    )
