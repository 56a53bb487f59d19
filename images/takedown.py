"""Takedown: a picture gone everywhere at once, and never fetched again. With who did it, when and why."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from images import files
from images.models import ImageEvent, RemoteImage

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PERMISSION = "images.take_down_remoteimage"
State = RemoteImage.State


def take_down(images: QuerySet[RemoteImage], *, by: User | None, reason: str) -> int:
    """Take these down, and the same pictures at other addresses with them. Returns how many addresses that are.

    `by=None`: it follows from an earlier takedown. Their files are deleted when the transaction is over; should that
    fail, no page shows them any more and `sweep_images` deletes them.
    """
    _check(by)
    with transaction.atomic():
        files.hold_images()
        rows = same_pictures(images).exclude(state=State.TAKEN_DOWN)
        standing = dict(rows.values_list("pk", "content_hash"))
        RemoteImage.objects.filter(pk__in=standing).update(
            state=State.TAKEN_DOWN,
            reason="taken_down",
            detail=reason[:300],
            next_attempt_at=None,
            urgent=False,
            etag="",
            last_modified="",
        )
        _log(list(standing), ImageEvent.Verb.TAKEN_DOWN, by, reason)
        transaction.on_commit(partial(files.delete, sorted(set(standing.values()) - {""})), robust=True)
    return len(standing)


def allow_again(images: QuerySet[RemoteImage], *, by: User, reason: str) -> int:
    """Undo a takedown: what has an address is fetched again; what was uploaded has to be uploaded again."""
    _check(by)
    with transaction.atomic():
        keys = list(same_pictures(images).filter(state=State.TAKEN_DOWN).values_list("pk", flat=True))
        rows = RemoteImage.objects.filter(pk__in=keys)
        rows.update(state=State.PENDING, reason="", detail="", attempts=0, content_hash="", by_hand=False)
        rows.exclude(source_url__startswith="/").update(next_attempt_at=timezone.now())
        _log(keys, ImageEvent.Verb.ALLOWED, by, reason)
    return len(keys)


def same_pictures(images: QuerySet[RemoteImage]) -> QuerySet[RemoteImage]:
    """These, and the same pictures at other addresses."""
    hashes = images.exclude(content_hash="").order_by().values("content_hash")
    return RemoteImage.objects.filter(Q(pk__in=images.order_by().values("pk")) | Q(content_hash__in=hashes))


def _check(by: User | None) -> None:
    if by is not None and not by.has_perm(PERMISSION):
        raise PermissionDenied("You may not take pictures down.")


def _log(keys: list[int], verb: str, by: User | None, reason: str) -> None:
    ImageEvent.objects.bulk_create(
        (ImageEvent(image_id=key, verb=verb, actor=by, note=reason[:300]) for key in keys), batch_size=500
    )
