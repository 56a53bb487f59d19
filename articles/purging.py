"""Telling a CDN in front that what it keeps of this site is of yesterday.

A worker looks at the site's version once a second, so whatever changed it, an edit here, an import there or the clock,
the CDN hears of it about a second later. It is told again somewhat later: a page that was being made when the change
came may reach it after the first time. A CDN that is told may be allowed to keep pages for long (CDN_SECONDS).
"""

from __future__ import annotations

import logging
import time
from threading import Event

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from articles.remembered import Version, version
from fetching.client import send
from fetching.errors import FetchError
from images.caching import fetch_policy, user_agent

PAUSE = 1.0  # seconds between two looks
AGAIN = (10.0, 60.0)  # seconds after a change: then even slow answers of before have arrived
AFTER_FAULT = 10.0  # seconds until a CDN that did not listen is told again

_log = logging.getLogger(__name__)


def watch(stopping: Event) -> None:
    """Purge at the beginning, since nobody knows what happened before, and with each new version, until `stopping`."""
    if not settings.PURGE_URL:
        return
    watcher, pause = Watcher(), 0.0
    try:
        while not stopping.wait(pause):
            pause = watcher.look(time.monotonic())
    finally:
        connections.close_all()


class Watcher:
    """What the CDN has been told, and when it is to be told again (by a clock in seconds)."""

    def __init__(self) -> None:
        self.told: Version | None = None
        self.due: list[float] = []

    def look(self, clock: float) -> float:
        """Tell it, if there is something to tell. Returns the seconds until the next look."""
        try:
            close_old_connections()
            now = version()
            if now is not None and now != self.told:
                purge()
                self.told, self.due = now, [clock + seconds for seconds in AGAIN]
            elif self.due and self.due[0] <= clock:
                purge()
                self.due.pop(0)
        except (DatabaseError, FetchError) as error:
            _log.warning("The CDN could not be told that the site has changed, and will be in a moment: %s", error)
            return AFTER_FAULT
        return PAUSE


def purge() -> None:
    """Tell the CDN to forget all it keeps of this site. Raises FetchError."""
    send(
        settings.PURGE_URL,
        settings.PURGE_BODY.encode(),
        policy=fetch_policy(),
        user_agent=user_agent(),
        headers=settings.PURGE_HEADERS,
    )
