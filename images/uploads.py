"""Pictures put here by hand: new ones, and others in the place of what an address gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from images import files
from images.caching import processed
from images.models import ImageEvent, RemoteImage
from images.processing import BadImage, Facts

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FOLDER = "/assets/uploads/"  # a path of the site's own tree: there they go when everything leaves
State = RemoteImage.State


class RefusedUploadError(Exception):
    """The file is no picture to show here. The message is for the editor."""


def upload(data: bytes, *, by: User) -> RemoteImage:
    """A new picture with an address of its own, or the one there is of the same bytes. RefusedUploadError."""
    facts = _written(data)
    with transaction.atomic():
        address = f"{FOLDER}{facts.content_hash[:20]}.{facts.extension}"
        image, is_new = RemoteImage.objects.get_or_create(source_url=address, defaults={"next_attempt_at": None})
        if is_new or not image.has_picture:
            _put(image, facts, by, ImageEvent.Verb.UPLOADED)
    return image


def replace(image: RemoteImage, data: bytes, *, by: User) -> None:
    """Show this file wherever the image is used, until somebody has the address fetched again. RefusedUploadError."""
    facts = _written(data)
    with transaction.atomic():
        current = RemoteImage.objects.select_for_update().get(pk=image.pk)
        if current.state == State.TAKEN_DOWN:
            raise RefusedUploadError("This picture was taken down. Allow it again first.")
        _put(current, facts, by, ImageEvent.Verb.REPLACED)
    image.refresh_from_db()


def uploaded() -> QuerySet[RemoteImage]:
    """The pictures that were new when they were uploaded: nobody else has them."""
    return RemoteImage.objects.filter(source_url__startswith=FOLDER, state=State.CACHED).order_by("pk")


def _written(data: bytes) -> Facts:
    """What is true of the file, which is verified and written: before any transaction, and before any row names it."""
    try:
        picture = processed(data)
    except BadImage as error:
        raise RefusedUploadError(error.detail) from error
    same = RemoteImage.objects.filter(content_hash=picture.facts.content_hash)
    if taken_down := same.filter(state=State.TAKEN_DOWN).first():
        raise RefusedUploadError(f"This picture was taken down: {taken_down.detail}")
    files.write(picture, data)
    return picture.facts


def _put(image: RemoteImage, facts: Facts, by: User, verb: str) -> None:
    image.state, image.reason, image.detail = State.CACHED, "", ""
    image.content_hash, image.format, image.has_alpha = facts.content_hash, facts.format, facts.has_alpha
    image.width, image.height, image.byte_size, image.color = facts.width, facts.height, facts.byte_size, facts.color
    image.focus_x = image.focus_y = 50
    image.attempts, image.next_attempt_at, image.urgent = 0, None, False
    image.etag = image.last_modified = ""
    image.by_hand, image.fetched_at = True, timezone.now()
    image.save()
    ImageEvent.objects.create(image=image, verb=verb, actor=by)
