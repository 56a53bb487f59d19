"""From an address to files: fetch, verify, write, and say on the row what became of it.

Threads fetch, process and write files; only the calling thread touches the database. A row is updated
after its files are complete, so that a crash at any point leaves at worst files that no row names.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from functools import cache, partial
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from fetching.client import fetch
from fetching.errors import FetchError
from fetching.policy import Policy
from fetching.politeness import Hosts
from fetching.streams import Limits
from images import files, queue
from images.models import ImageEvent, RemoteImage
from images.processing import MAX_BYTES, BadImage, Facts, Processed, process

WORKERS = 8  # threads: most of their time they wait for others' servers
AT_ONCE_FROM_A_HOST = 2
SPACING_SECONDS = 0.5  # between two fetches from one host
PATIENCE = 10.0  # seconds that a claimed picture waits for its host; one that would wait longer goes back
CLAIMED_AT_MOST = 4  # pictures for each thread, while all of them wait for their hosts,
CLAIMED_OF_A_HOST = 4  # and of each host: others have theirs behind it
BATCH = 200  # rows

State = RemoteImage.State
_log = logging.getLogger(__name__)
# Decoding takes memory, up to 300 MB a picture, and a processor each.
_processors = threading.BoundedSemaphore(min(4, os.cpu_count() or 1))


@dataclass(frozen=True)
class Stored:
    """The files are there. The validators are what the host said, for the next time."""

    facts: Facts
    is_new: bool  # none of the files was there before
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True)
class Unchanged:
    """The host says that the picture is the one that we have."""


@dataclass(frozen=True)
class Fault:
    """Why there is no picture. Only a `passing` one is tried again by itself."""

    code: str
    detail: str
    passing: bool = False
    retry_after: float | None = None  # seconds, when the host says so
    is_ours: bool = False  # it says nothing of the picture, and is no attempt


Outcome = Stored | Unchanged | Fault


@dataclass
class CacheReport:
    """What one run did. `failed` holds the images themselves, with the reason on them."""

    cached: int = 0
    failed: list[RemoteImage] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.cached + len(self.failed)

    def count(self, image: RemoteImage, recorded: Outcome | None) -> None:
        if isinstance(recorded, Fault):
            self.failed.append(image)
        elif recorded:
            self.cached += 1


# --- One picture whose bytes are here already -----------------------------------------------------


def store(image: RemoteImage, data: bytes) -> None:
    """Make `data` the picture of this row, or mark the row failed when it is no picture we show."""
    _record(image, _stored(data))


def mark_failed(image: RemoteImage, code: str, detail: str) -> None:
    """For a picture that was looked for elsewhere than on the network, and not found."""
    _record(image, Fault(code, detail))


def store_files(found: Iterable[tuple[RemoteImage, Path]], *, workers: int = 2) -> CacheReport:
    """Make each file the picture of its row, in threads, as `store` does."""
    report = CacheReport()
    jobs = ((image, partial(_from_file, path)) for image, path in found)
    with ThreadPoolExecutor(workers, thread_name_prefix="images") as pool:
        running: dict[Future[Outcome], RemoteImage] = {}
        while True:  # no more are taken from the iterator than the workers are busy with
            for image, job in islice(jobs, workers - len(running)):
                running[pool.submit(job)] = image
            if not running:
                return report
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                image, outcome = running.pop(future), future.result()
                report.count(image, _record(image, outcome))


def by_keys(keys: Sequence[int]) -> Iterator[RemoteImage]:
    """The rows with these keys in batches: no cursor stays open while the rows are being changed."""
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        rows = RemoteImage.objects.in_bulk(batch)
        yield from (rows[key] for key in batch if key in rows)


# --- All that are due -----------------------------------------------------------------------------


def cache_due(
    *,
    workers: int = WORKERS,
    limit: float = math.inf,
    seconds: float = math.inf,
    wait_for_others: bool = False,
    stopping: threading.Event | None = None,
    on_done: Callable[[RemoteImage], object] = lambda image: None,
) -> CacheReport:
    """Fetch and store what is due, in threads, until nothing is. A RuntimeError inside a transaction: a fetch may take
    half a minute.

    No fetch begins after `limit` of them, after so many `seconds`, or when `stopping` is set. `wait_for_others` waits
    for those that another process has claimed, for it may be dead. Several processes may do this at once.
    """
    _refuse_transaction()
    report = CacheReport()
    round_ = _Round(workers, limit, time.monotonic() + seconds, wait_for_others, stopping or threading.Event())
    with round_.at_work():
        for image, outcome in round_.outcomes():
            report.count(image, _record(image, outcome))
            _leave_alone(image, outcome)
            on_done(image)
    return report


@cache
def hosts(exempt: frozenset[str]) -> Hosts:
    """Remembered from one round to the next: what a host asks for holds for this process."""
    return Hosts(at_once=AT_ONCE_FROM_A_HOST, spacing_seconds=SPACING_SECONDS, exempt=exempt)


def _leave_alone(image: RemoteImage, outcome: Outcome) -> None:
    """A long pause is of all that comes from that host, and each of the many rows need not be claimed to learn it."""
    pause = outcome.retry_after if isinstance(outcome, Fault) else None
    if pause and pause > PATIENCE:
        queue.postpone(_host(image), pause)


def _host(image: RemoteImage) -> str:
    """How the addresses of all its host's pictures begin."""
    return "/".join(image.source_url.split("/")[:3]) + "/"


@dataclass
class _Round:
    """Which picture is fetched when, by which thread."""

    workers: int
    limit: float
    last_start: float  # of the monotonic clock
    wait_for_others: bool
    stopping: threading.Event

    def __post_init__(self) -> None:
        self.hosts = hosts(frozenset(settings.FETCH_ALLOW_HOSTS))
        self.claimed: list[RemoteImage] = []  # and not begun
        self.running: dict[Future[Outcome], RemoteImage] = {}
        self.finished: list[tuple[RemoteImage, Outcome]] = []  # and not recorded

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """What is claimed goes back when the round is cut short; what runs is waited for."""
        with ThreadPoolExecutor(self.workers, thread_name_prefix="images") as self.pool:
            try:
                yield
            finally:
                queue.give_back([*self.claimed, *self.running.values(), *(image for image, _ in self.finished)])

    def outcomes(self) -> Iterator[tuple[RemoteImage, Outcome]]:
        while True:
            pause = self._begin()
            if self.running:
                self._collect(timeout=pause)
                self._begin()  # threads need not wait until it is written down
                while self.finished:
                    yield self.finished.pop()
                continue
            if not self.claimed and self.wait_for_others:
                pause = self._until_others_are_due()
            if pause is None or self._is_over():
                return
            self.stopping.wait(pause)

    def _begin(self) -> float | None:
        """Begin what may begin; how long until the next may, None when that depends on those that run."""
        while len(self.running) < self.workers and not self._is_over():
            self._give_back_waiting()
            if image := self._ready():
                self._start(image)
            elif not self._claim_more():
                return min(self._pauses(), default=None)
        return None

    def _ready(self) -> RemoteImage | None:
        return next((image for image in self.claimed if not self.hosts.wait(image.source_url)), None)

    def _start(self, image: RemoteImage) -> None:
        self.claimed.remove(image)
        self.limit -= 1
        self.hosts.begin(image.source_url)
        self.running[self.pool.submit(_attempt, image)] = image

    def _claim_more(self) -> bool:
        """As long as all claimed ones wait for their hosts, others may be of other hosts."""
        room = min(self.workers, self.limit, CLAIMED_AT_MOST * self.workers - len(self.claimed))
        waiting = Counter(map(_host, self.claimed))
        crowded = [host for host, count in waiting.items() if count >= CLAIMED_OF_A_HOST]
        more = queue.claim(int(room), but=crowded) if room >= 1 else []
        self.claimed += more
        return bool(more)

    def _give_back_waiting(self) -> None:
        """Those whose host wants to be left alone for long make room for others; and no lease ends before its work."""
        for image in tuple(self.claimed):
            pause = self.hosts.wait(image.source_url)
            if PATIENCE < pause < math.inf:
                queue.give_back([image], after=timedelta(seconds=pause))
            elif queue.lease_left(image) < queue.LEASE / 2:
                queue.give_back([image])
            else:
                continue
            self.claimed.remove(image)

    def _pauses(self) -> Iterator[float]:
        """Of those that do not depend on the end of another."""
        pauses = (self.hosts.wait(image.source_url) for image in self.claimed)
        return (pause for pause in pauses if pause < math.inf)

    def _collect(self, timeout: float | None) -> None:
        for future in wait(self.running, timeout, FIRST_COMPLETED).done:
            image, outcome = self.running.pop(future), future.result()
            self.hosts.end(image.source_url, getattr(outcome, "retry_after", None))
            self.finished.append((image, outcome))

    def _is_over(self) -> bool:
        return self.limit < 1 or time.monotonic() >= self.last_start or self.stopping.is_set()

    def _until_others_are_due(self) -> float | None:
        """Seconds; None when nobody else has any."""
        soon = queue.soon()
        return min(1.0, max(0.05, (soon - timezone.now()).total_seconds())) if soon else None


def _attempt(image: RemoteImage) -> Outcome:
    """Fetch, verify and write files; no database, so that any thread may do it."""
    try:
        # What is not whole any more is fetched whole.
        known = (image.etag, image.last_modified) if image.has_picture and files.are_there(image) else ("", "")
        fetched = fetch(
            image.source_url,
            policy=fetch_policy(),
            user_agent=user_agent(),
            limits=Limits(max_bytes=MAX_BYTES),
            etag=known[0],
            last_modified=known[1],
        )
    except FetchError as error:
        return Fault(error.code, error.detail, error.passing, error.retry_after)
    except Exception:  # noqa: BLE001  (one address must not end the run)
        _log.exception("The fetch of %s ended in a way that was not foreseen.", image.source_url)
        return Fault("internal", "Something went wrong here, not there. The log says what.", passing=True)
    if fetched.body is None:
        return Unchanged()
    outcome = _stored(fetched.body)
    if isinstance(outcome, Stored):
        return replace(outcome, etag=fetched.etag, last_modified=fetched.last_modified)
    return outcome


def _from_file(path: Path) -> Outcome:
    try:
        if path.stat().st_size > MAX_BYTES:
            return Fault("too_large", f"The file is larger than {MAX_BYTES // 1024**2} MiB.")
        return _stored(path.read_bytes())
    except OSError as error:
        return Fault("unreadable", f"The file cannot be read: {error.strerror or error}.")


def fetch_policy() -> Policy:
    """Where this site may fetch from, or send to."""
    return Policy(allow_hosts=frozenset(settings.FETCH_ALLOW_HOSTS))


def user_agent() -> str:
    """Says who asks and where to complain."""
    return f"{settings.SITE_NAME} (Copydesk; +{settings.SITE_URL})"


def processed(data: bytes) -> Processed:
    """The picture and its renditions, when it is this one's turn. BadImage."""
    with _processors:
        return process(data)


def _stored(data: bytes) -> Stored | Fault:
    try:
        return _written(processed(data), data)
    except BadImage as error:
        return Fault(error.code, error.detail)


def _written(picture: Processed, data: bytes) -> Stored | Fault:
    try:
        is_new = files.write(picture, data)
    except Exception:  # noqa: BLE001  (storage backends raise their own; one picture must not end the run)
        _log.exception("The files of picture %s could not be written.", picture.facts.content_hash)
        return Fault("storage_failed", "The files could not be written. The log says why.", passing=True, is_ours=True)
    return Stored(picture.facts, is_new)


# --- What the row says ----------------------------------------------------------------------------


def _record(image: RemoteImage, outcome: Outcome) -> Outcome | None:
    """Say on the row what became of it. None when somebody else changed the row meanwhile: an editor's upload, a
    takedown. That stays."""
    changes = _changes(image, outcome)
    with transaction.atomic():
        # First written, then looked: a takedown of the same picture by now sees this row, or is seen.
        if written := _as_it_was(image).update(**changes):
            changes, outcome = _unless_taken_down(image, changes, outcome)
    if not written:
        _forget_files(outcome)
        return None
    for name, value in changes.items():
        setattr(image, name, value)
    if isinstance(outcome, Stored) and not (outcome.is_new or files.are_there(outcome.facts)):
        queue.mark_pending(RemoteImage.objects.filter(pk=image.pk))  # swept just when they were taken up again
    return outcome


def _as_it_was(image: RemoteImage) -> QuerySet[RemoteImage]:
    """The row, if nobody changed it since it was read. What was taken down is for nobody here to change."""
    same = {"next_attempt_at": image.next_attempt_at, "content_hash": image.content_hash, "state": image.state}
    return RemoteImage.objects.filter(pk=image.pk, **same).exclude(state=State.TAKEN_DOWN)


def _forget_files(outcome: Outcome) -> None:
    """The picture was taken down while its files were being written again."""
    if isinstance(outcome, Stored):
        content_hash = outcome.facts.content_hash
        if RemoteImage.objects.filter(content_hash=content_hash, state=State.TAKEN_DOWN).exists():
            files.delete([content_hash])


def _changes(image: RemoteImage, outcome: Outcome) -> dict[str, object]:
    if isinstance(outcome, Fault):
        return _after_fault(image, outcome)
    changes: dict[str, object] = {
        "state": State.CACHED,
        "reason": "",
        "detail": "",
        "attempts": 0,
        "next_attempt_at": None,
        "urgent": False,
        "fetched_at": timezone.now(),
    }
    if isinstance(outcome, Unchanged):
        return changes
    facts = asdict(outcome.facts)
    del facts["extension"]
    same = facts["content_hash"] == image.content_hash
    focus = {} if same else {"focus_x": 50, "focus_y": 50}  # of another picture, the old one says nothing
    validators = {"etag": outcome.etag, "last_modified": outcome.last_modified}
    return changes | facts | focus | validators | {"by_hand": False}


def _after_fault(image: RemoteImage, fault: Fault) -> dict[str, object]:
    """A picture we already have stays, with the reason beside it: the source may be gone for good."""
    attempts = max(0, image.attempts - 1) if fault.is_ours else image.attempts
    return {
        "attempts": attempts,
        "state": State.CACHED if image.has_picture else State.FAILED,
        "reason": fault.code[:40],
        "detail": fault.detail[:300],
        "next_attempt_at": queue.next_try(attempts, fault.retry_after) if fault.passing else None,
        "urgent": False,
    }


def _unless_taken_down(
    image: RemoteImage, changes: dict[str, object], outcome: Outcome
) -> tuple[dict[str, object], Outcome]:
    """What becomes of the row: if the same picture was taken down at another address, it stays down at this one too."""
    if not isinstance(outcome, Stored):
        return changes, outcome
    content_hash = outcome.facts.content_hash
    same = RemoteImage.objects.filter(content_hash=content_hash, state=State.TAKEN_DOWN).exclude(pk=image.pk)
    if not (example := same.first()):
        return changes, outcome
    down: dict[str, object] = {"state": State.TAKEN_DOWN, "reason": example.reason, "detail": example.detail}
    RemoteImage.objects.filter(pk=image.pk).update(**down)
    ImageEvent.objects.create(image=image, verb=ImageEvent.Verb.TAKEN_DOWN, note=example.detail)
    transaction.on_commit(lambda: files.delete([content_hash]), robust=True)
    return changes | down, Fault(example.reason, example.detail)


def _refuse_transaction() -> None:
    """`durable` raises inside a transaction, and knows the one that TestCase wraps around a test."""
    with transaction.atomic(durable=True):
        pass
