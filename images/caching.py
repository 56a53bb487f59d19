"""From an address to files: fetch, verify, write, and say on the row what became of it.

Threads fetch, process and write files; only the calling thread touches the database. A row is updated
after its files are complete, so that a crash at any point leaves at worst files that no row names.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from fetching.client import Limits, fetch
from fetching.errors import FetchError
from fetching.policy import Policy
from images.models import RemoteImage, original_name, rendition_name
from images.processing import MAX_BYTES, BadImage, Facts, Processed, process

MAX_ATTEMPTS = 6
FIRST_RETRY = timedelta(minutes=5)  # then 20 minutes, 80 minutes, five hours, a day
BATCH = 200  # rows

State = RemoteImage.State
_log = logging.getLogger(__name__)
_REMOTE = ~Q(source_url__startswith="/")  # RemoteImage.is_remote, as a condition


@dataclass(frozen=True)
class Fault:
    """Why there is no picture. Only a `passing` one is tried again by itself."""

    code: str
    detail: str
    passing: bool = False


Job = tuple[RemoteImage, Callable[[], "Facts | Fault"]]


@dataclass
class CacheReport:
    """What one run did. `failed` holds the images themselves, with the reason on them."""

    cached: int = 0
    failed: list[RemoteImage] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.cached + len(self.failed)


def store(image: RemoteImage, data: bytes) -> None:
    """Make `data` the picture of this row, or mark the row failed when it is no picture we show."""
    _record(image, _stored(data))


def mark_failed(image: RemoteImage, code: str, detail: str) -> None:
    """For a picture that was looked for elsewhere than on the network, and not found."""
    _record(image, Fault(code, detail))


def mark_pending(images: QuerySet[RemoteImage]) -> list[int]:
    """Have these fetched again, past failures forgotten. Returns the keys of those that can be fetched."""
    remote = images.filter(_REMOTE)
    keys = list(remote.order_by("pk").values_list("pk", flat=True))
    remote.update(state=State.PENDING, reason="", detail="", attempts=0, next_attempt_at=None)
    return keys


def due(limit: int | None = None, *, retry_failed: bool = False) -> QuerySet[RemoteImage]:
    """The rows to fetch now, untried ones first. `retry_failed` takes all failed ones in, for good or not."""
    now = timezone.now()
    work = Q(state=State.PENDING, next_attempt_at=None) | Q(
        state__in=[State.PENDING, State.FAILED], next_attempt_at__lte=now
    )
    if retry_failed:
        work |= Q(state=State.FAILED)
    return RemoteImage.objects.filter(_REMOTE, work).order_by("attempts", "pk")[:limit]


def by_keys(keys: Sequence[int]) -> Iterator[RemoteImage]:
    """The rows with these keys in batches: no cursor stays open while the rows are being changed."""
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        rows = RemoteImage.objects.in_bulk(batch)
        yield from (rows[key] for key in batch if key in rows)


def cache_all(
    images: Iterable[RemoteImage],
    *,
    workers: int = 4,
    deadline_seconds: float | None = None,
    on_done: Callable[[RemoteImage], object] = lambda image: None,
) -> CacheReport:
    """Fetch and store each image, in threads. A RuntimeError inside a transaction: a fetch may take half a minute.

    With a deadline, images are left out when time runs short; they keep their state. No fetch starts in the
    second half of the time and none takes longer than half of it, so the deadline holds.
    """
    _refuse_transaction()
    limits, last_start = _time_plan(deadline_seconds)
    jobs = ((image, partial(_attempt, image.source_url, limits)) for image in images)
    return _work(jobs, workers, last_start, on_done)


def store_files(files: Iterable[tuple[RemoteImage, Path]], *, workers: int = 2) -> CacheReport:
    """Make each file the picture of its row, in threads, as `store` does."""
    return _work(((image, partial(_from_file, path)) for image, path in files), workers)


def _work(
    jobs: Iterator[Job],
    workers: int,
    last_start: float = float("inf"),
    on_done: Callable[[RemoteImage], object] = lambda image: None,
) -> CacheReport:
    report = CacheReport()
    for image, outcome in _outcomes(jobs, workers, last_start):
        _record(image, outcome)
        if isinstance(outcome, Fault):
            report.failed.append(image)
        else:
            report.cached += 1
        on_done(image)
    return report


def _time_plan(deadline_seconds: float | None) -> tuple[Limits, float]:
    limits = Limits(max_bytes=MAX_BYTES)
    if deadline_seconds is None:
        return limits, float("inf")
    half = deadline_seconds / 2
    return replace(limits, total_seconds=min(half, limits.total_seconds)), time.monotonic() + half


def _outcomes(jobs: Iterator[Job], workers: int, last_start: float) -> Iterator[tuple[RemoteImage, Facts | Fault]]:
    """Outcomes as they come; no more jobs are taken from the iterator than the workers are busy with."""
    with ThreadPoolExecutor(workers, thread_name_prefix="images") as pool:
        running: dict[Future[Facts | Fault], RemoteImage] = {}
        while True:
            if time.monotonic() < last_start:
                for image, job in islice(jobs, workers - len(running)):
                    running[pool.submit(job)] = image
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()


def _attempt(url: str, limits: Limits) -> Facts | Fault:
    """Fetch, verify and write files; no database, so that any thread may do it."""
    policy = Policy(allow_hosts=frozenset(settings.FETCH_ALLOW_HOSTS))
    try:
        fetched = fetch(url, policy=policy, user_agent=_user_agent(), limits=limits)
    except FetchError as error:
        return Fault(error.code, error.detail, error.passing)
    return _stored(fetched.body)


def _from_file(path: Path) -> Facts | Fault:
    try:
        if path.stat().st_size > MAX_BYTES:
            return Fault("too_large", f"The file is larger than {MAX_BYTES // 1024**2} MiB.")
        return _stored(path.read_bytes())
    except OSError as error:
        return Fault("unreadable", f"The file cannot be read: {error.strerror or error}.")


def _user_agent() -> str:
    """Says who asks and where to complain."""
    return f"{settings.SITE_NAME} (Copydesk; +{settings.SITE_URL})"


def _stored(data: bytes) -> Facts | Fault:
    try:
        processed = process(data)
    except BadImage as error:
        return Fault(error.code, error.detail)
    try:
        _write_files(processed, data)
    except Exception:  # noqa: BLE001  (storage backends raise their own; one picture must not end the run)
        _log.exception("The files of picture %s could not be written.", processed.facts.content_hash)
        return Fault("storage_failed", "The files could not be written. The log says why.", passing=True)
    return processed.facts


def _write_files(processed: Processed, data: bytes) -> None:
    content_hash = processed.facts.content_hash
    _write(original_name(content_hash, processed.facts.extension), data)
    for rendition in processed.renditions:
        _write(rendition_name(content_hash, rendition.width, rendition.extension), rendition.data)


def _write(name: str, content: bytes) -> None:
    """Write a file that is named after its content: whole or not at all, and once, whoever else is at it."""
    if not isinstance(default_storage, FileSystemStorage):  # an object store takes whole objects only
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile(content))
        return
    path = Path(default_storage.path(name))
    if path.exists() and path.stat().st_size == len(content):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _record(image: RemoteImage, outcome: Facts | Fault) -> None:
    changes = _after_fault(image, outcome) if isinstance(outcome, Fault) else _after_success(outcome)
    RemoteImage.objects.filter(pk=image.pk).update(**changes)
    for name, value in changes.items():
        setattr(image, name, value)


def _after_success(facts: Facts) -> dict[str, object]:
    changes = asdict(facts)
    del changes["extension"]
    return changes | {
        "state": State.CACHED,
        "reason": "",
        "detail": "",
        "attempts": 0,
        "next_attempt_at": None,
        "fetched_at": timezone.now(),
    }


def _after_fault(image: RemoteImage, fault: Fault) -> dict[str, object]:
    """A picture we already have stays, with the reason beside it: the source may be gone for good."""
    attempts = image.attempts + 1
    return {
        "state": State.CACHED if image.has_picture else State.FAILED,
        "reason": fault.code[:40],
        "detail": fault.detail[:300],
        "attempts": attempts,
        "next_attempt_at": None if image.has_picture else _next_attempt(fault, attempts),
    }


def _next_attempt(fault: Fault, attempts: int) -> datetime | None:
    if not fault.passing or attempts >= MAX_ATTEMPTS:
        return None
    return timezone.now() + FIRST_RETRY * 4 ** (attempts - 1)


def _refuse_transaction() -> None:
    """`durable` raises inside a transaction, and knows the one that TestCase wraps around a test."""
    with transaction.atomic(durable=True):
        pass
