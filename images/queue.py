"""The rows as the queue of what is to be fetched. A row says itself when it is due and who has it; what a queue of
tasks holds are wake-up calls, so losing one loses nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, CharField, Count, F, Min, Q, QuerySet, Value, When
from django.utils import timezone

from images.locks import change_images
from images.models import RemoteImage

MAX_ATTEMPTS = 6
FIRST_RETRY = timedelta(minutes=5)  # then 20 minutes, 80 minutes, five hours, a day
LEASE = timedelta(seconds=90)  # a fetch ends after 30; whoever takes longer is taken for dead

State = RemoteImage.State
_REMOTE = ~Q(source_url__startswith="/")  # RemoteImage.is_remote, as a condition
#: What a row is when no new picture comes: the one that it has stays.
_WITHOUT_NEWS = Case(
    When(content_hash="", then=Value(State.FAILED.value)), default=Value(State.CACHED.value), output_field=CharField()
)


def due() -> QuerySet[RemoteImage]:
    """The rows to fetch now: first those that an editor waits for, then the untried ones."""
    return _due(timezone.now()).order_by("-urgent", "attempts", "pk")


def _due(at: datetime) -> QuerySet[RemoteImage]:
    return RemoteImage.objects.filter(_REMOTE, next_attempt_at__lte=at)


def claim(count: int, but: Iterable[str] = ()) -> list[RemoteImage]:
    """Take up to so many rows that are due; nobody else gets them before the lease is over. `but` none whose address
    begins so.

    A row that was taken and not brought back that often kills whoever works on it, and is taken no more.
    """
    now = timezone.now()
    fit = due()
    for beginning in but:
        fit = fit.exclude(source_url__startswith=beginning)
    with transaction.atomic():
        change_images()
        rows = list(fit.select_for_update(skip_locked=True)[:count])
        worn = [row.pk for row in rows if row.attempts >= MAX_ATTEMPTS]
        _give_up(worn)
        taken = RemoteImage.objects.filter(pk__in=[row.pk for row in rows if row.pk not in worn])
        taken.update(attempts=F("attempts") + 1, attempted_at=now, next_attempt_at=now + LEASE)
        claimed = list(taken)
    places = {row.pk: place for place, row in enumerate(rows)}
    return sorted(claimed, key=lambda row: places[row.pk])


def _give_up(keys: list[int]) -> None:
    RemoteImage.objects.filter(pk__in=keys).update(
        state=_WITHOUT_NEWS,
        reason="never_ended",
        detail=f"The work on it was begun {MAX_ATTEMPTS} times and never ended.",
        next_attempt_at=None,
        urgent=False,
    )


def lease_left(row: RemoteImage) -> timedelta:
    """For how long a claimed row is nobody else's."""
    return row.next_attempt_at - timezone.now() if row.next_attempt_at else timedelta()


def give_back(rows: Iterable[RemoteImage], *, after: timedelta = timedelta()) -> None:
    """These were claimed and not tried: they are due again, at once or `after` a while."""
    for row in rows:
        still_ours = RemoteImage.objects.filter(pk=row.pk, next_attempt_at=row.next_attempt_at)
        still_ours.update(attempts=F("attempts") - 1, next_attempt_at=timezone.now() + after)


def postpone(beginning: str, seconds: float) -> None:
    """What has an address that begins so is not due for so long: its host wants to be left alone."""
    then = timezone.now() + timedelta(seconds=seconds)
    waiting = RemoteImage.objects.filter(next_attempt_at__lt=timezone.now(), source_url__startswith=beginning)
    waiting.update(next_attempt_at=then)


def mark_pending(images: QuerySet[RemoteImage], *, urgent: bool = False) -> int:
    """Have these fetched again, past failures forgotten. Returns how many of them can be fetched."""
    return (
        images.filter(_REMOTE)
        .exclude(state=State.TAKEN_DOWN)
        .order_by()
        .update(state=State.PENDING, reason="", detail="", attempts=0, next_attempt_at=timezone.now(), urgent=urgent)
    )


def next_try(attempts: int, retry_after: float | None = None) -> datetime | None:
    """When to try again after so many attempts, no sooner than the host asks for; None: never by itself."""
    if attempts >= MAX_ATTEMPTS:
        return None
    pause = FIRST_RETRY * 4 ** max(0, attempts - 1)
    return timezone.now() + max(pause, timedelta(seconds=retry_after or 0))


def soon() -> datetime | None:
    """When the next of those is due that somebody else has, dead or alive."""
    now = timezone.now()
    leased = RemoteImage.objects.filter(
        attempted_at__gt=now - LEASE, next_attempt_at__gt=now, next_attempt_at__lte=now + LEASE
    )
    return leased.aggregate(soonest=Min("next_attempt_at"))["soonest"]


@dataclass(frozen=True)
class Standstill:
    """So many pictures wait, the first of them since then, and nobody tries any."""

    waiting: int
    since: datetime

    def __str__(self) -> str:
        return f"{self.waiting} pictures wait, the first since {self.since:%Y-%m-%d %H:%M} UTC"


def standstill(patience: timedelta) -> Standstill | None:
    """Whether pictures have been due for that long while none was tried."""
    now = timezone.now()
    then = now - patience
    if RemoteImage.objects.filter(attempted_at__gt=then, attempted_at__lte=now).exists():
        return None
    found = _due(then).aggregate(waiting=Count("pk"), since=Min("next_attempt_at"))
    return Standstill(**found) if found["waiting"] else None
