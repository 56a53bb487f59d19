"""How far a command has come: a bar on a terminal, a line every few seconds in a pipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import IO

from tqdm import tqdm

EVERY = 5  # seconds


class Progress:
    """`with Progress(sys.stderr, "files", count) as progress: progress.update(500)`. `count` says how many there are in
    all; it is asked only when something is shown, which in a pipe is not before some seconds have passed."""

    def __init__(
        self, stream: IO[str], unit: str, count: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._unit = unit
        self._count = count
        self._clock = clock
        self._done = 0
        self._began = self._told = clock()
        self._bar = tqdm(total=count(), unit=f" {unit}", file=stream) if stream.isatty() else None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def update(self, done: int) -> None:
        """So many more are done."""
        self._done += done
        if self._bar is not None:
            self._bar.update(done)
        elif (now := self._clock()) >= self._told + EVERY:
            self._told = now
            self._stream.write(f"{self._line(now - self._began)}\n")
            self._stream.flush()

    @cached_property
    def _total(self) -> int:
        return self._count()

    def _line(self, seconds: float) -> str:
        rate = self._done / seconds
        left = max(0, self._total - self._done) / rate if rate else 0
        return f"{self._done:,} of {self._total:,} {self._unit}, {rate:,.0f} a second, {_duration(left)} left"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0)
    return " ".join(parts) or f"{rest} s"
