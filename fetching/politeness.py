"""How often, and how many at once, we ask of one host. Kept by each process for itself, and gone with it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from fetching.errors import FetchError
from fetching.policy import Policy, Target, read_target


@dataclass
class _Host:
    """`free_at` is when the next fetch may begin, by the clock, if none of the running ones has to end first."""

    free_at: float
    running: int = 0


class Hosts:
    """Asked before each fetch whether its host may be bothered now, and told of its begin and its end.

    Any thread may ask. Those that begin must be of one mind, though: between `wait` and `begin`, another thread may
    have begun. A URL that cannot be read never waits: its fetch will be refused at once. `exempt` holds hosts as
    `Policy.allow_hosts` does: they are the operator's own, and need no spacing.
    """

    def __init__(
        self,
        at_once: int = 2,
        spacing_seconds: float = 0.5,
        exempt: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_once = at_once
        self._spacing_seconds = spacing_seconds
        self._exempt = Policy(allow_hosts=exempt)
        self._clock = clock
        self._lock = threading.Lock()
        self._hosts: dict[tuple[str, int], _Host] = {}

    def __len__(self) -> int:
        """How many hosts are remembered: those that are being asked, or are still to be left alone."""
        return len(self._hosts)

    def wait(self, url: str) -> float:
        """Seconds until a fetch may begin; infinite while that depends on another's end."""
        target = _target(url)
        with self._lock:
            host = self._hosts.get((target.host, target.port)) if target else None
            if host is None:
                return 0.0
            return math.inf if host.running >= self._at_once else max(0.0, host.free_at - self._clock())

    def begin(self, url: str) -> None:
        if target := _target(url):
            with self._lock:
                now = self._clock()
                self._forget_idle(now)
                host = self._hosts.setdefault((target.host, target.port), _Host(free_at=now))
                host.running += 1
                host.free_at = max(host.free_at, now + self._spacing(target))

    def end(self, url: str, retry_after: float | None = None) -> None:
        """The fetch is over. The pause its host asked for, in seconds, holds for all that is to come from there."""
        if target := _target(url):
            with self._lock:
                host = self._hosts[target.host, target.port]
                host.running -= 1
                host.free_at = max(host.free_at, self._clock() + (retry_after or 0.0))

    def _spacing(self, target: Target) -> float:
        return 0.0 if self._exempt.allows(target.host, target.port) else self._spacing_seconds

    def _forget_idle(self, now: float) -> None:
        idle = [key for key, host in self._hosts.items() if not host.running and host.free_at <= now]
        for key in idle:
            del self._hosts[key]


def _target(url: str) -> Target | None:
    try:
        return read_target(url)
    except FetchError:
        return None
