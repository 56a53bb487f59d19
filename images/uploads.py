"""Pictures put here by hand: new ones, and others in the place of what an address gave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from images import files
from images.caching import processed
from images.locks import hold_images
from images.models import ImageEvent, RemoteImage
from images.processing import BadImage, Facts, Processed

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FOLDER = "/assets/uploads/"  # a path of the site's own tree: there they go when everything leaves
State = RemoteImage.State


class RefusedUploadError(Exception):
    """The file is no picture to show here. The message is for the editor."""


def upload(data: bytes, *, by: User) -> RemoteImage:
    """A new picture with an address of its own, or the one there is of the same bytes. RefusedUploadError."""
    picture = _verified(data)
    facts = picture.facts
    with _stored(picture, data):
        address = f"{FOLDER}{facts.content_hash[:20]}.{facts.extension}"
        image, _ = RemoteImage.objects.get_or_create(source_url=address, defaults={"next_attempt_at": None})
        if image.content_hash != facts.content_hash:  # new, or replaced since it was uploaded
            _put(image, facts, by, ImageEvent.Verb.UPLOADED)
    return image


def replace(image: RemoteImage, data: bytes, *, by: User) -> None:
    """Show this file wherever the image is used, until somebody has the address fetched again. RefusedUploadError."""
    picture = _verified(data)
    with _stored(picture, data):
        current = RemoteImage.objects.get(pk=image.pk)
        if current.state == State.TAKEN_DOWN:
            raise RefusedUploadError("This picture was taken down. Allow it again first.")
        _put(current, picture.facts, by, ImageEvent.Verb.REPLACED)
    image.refresh_from_db()


def uploaded() -> QuerySet[RemoteImage]:
    """The pictures that were new when they were uploaded: nobody else has them."""
    return RemoteImage.objects.filter(source_url__startswith=FOLDER, state=State.CACHED).order_by("pk")


def _verified(data: bytes) -> Processed:
    try:
        return processed(data)
    except BadImage as error:
        raise RefusedUploadError(error.detail) from error


@contextmanager
def _stored(picture: Processed, data: bytes) -> Iterator[None]:
    """The files are there, and stay until a row names them: no takedown and no sweep comes between."""
    files.write(picture, data)  # which takes its time, and so before anybody has to wait
    with transaction.atomic():
        hold_images()
        same = RemoteImage.objects.filter(content_hash=picture.facts.content_hash, state=State.TAKEN_DOWN)
        if taken_down := same.first():
            files.delete([picture.facts.content_hash])
            raise RefusedUploadError(f"This picture was taken down: {taken_down.detail}")
        files.write(picture, data)
        yield


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
