"""Takedown: a picture gone everywhere at once, and never fetched again. With who did it, when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Case, Q, QuerySet, Value, When
from django.utils import timezone

from images import files
from images.locks import change_images, hold_images
from images.models import ImageEvent, RemoteImage
from images.tasks import wake

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PERMISSION = "images.take_down_remoteimage"
BY_ITSELF = "taken_down"  # the reasons that stand on the rows
WITH_PROVIDER = "provider_taken_down"
CHUNK = 5_000  # rows: databases bind only so many values
State = RemoteImage.State


def take_down(images: QuerySet[RemoteImage], *, by: User | None, reason: str, code: str = BY_ITSELF) -> int:
    """Take these down, and the same pictures at other addresses with them. Returns how many addresses that are.

    `by=None`: it follows from an earlier takedown. Their files are deleted when the transaction is over; should that
    fail, no page shows them any more and `sweep_images` deletes them.
    """
    _check(by)
    with transaction.atomic():
        hold_images()
        standing = dict(same_pictures(images).exclude(state=State.TAKEN_DOWN).values_list("pk", "content_hash"))
        changes: dict[str, object] = {
            "state": State.TAKEN_DOWN,
            "reason": code,
            "detail": reason[:300],
            "next_attempt_at": None,
            "urgent": False,
            "etag": "",
            "last_modified": "",
        }
        _change(list(standing), changes, ImageEvent.Verb.TAKEN_DOWN, by, reason)
        hashes = set(standing.values()) - {""}
        transaction.on_commit(lambda: files.delete(hashes), robust=True)
    return len(standing)


def allow_again(images: QuerySet[RemoteImage], *, by: User, reason: str, code: str | None = None) -> int:
    """Undo a takedown, if given one of this `code` only: what has an address is fetched again; what was uploaded has to
    be uploaded again."""
    _check(by)
    with transaction.atomic():
        change_images()
        down = same_pictures(images).filter(state=State.TAKEN_DOWN, **({"reason": code} if code else {}))
        keys = list(down.values_list("pk", flat=True))
        changes: dict[str, object] = {
            "state": State.PENDING,
            "reason": "",
            "detail": "",
            "attempts": 0,
            "content_hash": "",
            "by_hand": False,
            "next_attempt_at": Case(When(source_url__startswith="/", then=None), default=Value(timezone.now())),
        }
        _change(keys, changes, ImageEvent.Verb.ALLOWED, by, reason)
        wake()
    return len(keys)


def same_pictures(images: QuerySet[RemoteImage]) -> QuerySet[RemoteImage]:
    """These, and the same pictures at other addresses."""
    hashes = images.exclude(content_hash="").order_by().values("content_hash")
    return RemoteImage.objects.filter(Q(pk__in=images.order_by().values("pk")) | Q(content_hash__in=hashes))


def _check(by: User | None) -> None:
    if by is not None and not by.has_perm(PERMISSION):
        raise PermissionDenied("You may not take pictures down.")


def _change(keys: list[int], changes: dict[str, object], verb: str, by: User | None, reason: str) -> None:
    for start in range(0, len(keys), CHUNK):
        RemoteImage.objects.filter(pk__in=keys[start : start + CHUNK]).update(**changes)
    ImageEvent.objects.bulk_create(
        (ImageEvent(image_id=key, verb=verb, actor=by, note=reason[:300]) for key in keys), batch_size=500
    )
