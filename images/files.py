"""The files of pictures in the storage: named after their content, so each is whole or not there, and there once."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Protocol

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction
from django.utils import timezone

from images.locks import hold_images
from images.models import RemoteImage, original_name, rendition_name
from images.processing import FORMATS, Processed, universal_extension, widths_for

FOLDERS = ("originals", "renditions")
PARTS = "parts"  # files while they are written, under names that nobody asks for
DEAD_AFTER = timedelta(minutes=1)  # of a part: it takes milliseconds to write one
UNUSED_FOR = timedelta(days=1)  # a worker writes its files before any row names them

_log = logging.getLogger(__name__)


class Picture(Protocol):
    """What names the files: a `RemoteImage` that has a picture, or the `Facts` of one."""

    @property
    def content_hash(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def width(self) -> int | None: ...
    @property
    def height(self) -> int | None: ...
    @property
    def has_alpha(self) -> bool: ...


def names(picture: Picture) -> Iterator[str]:
    """The storage names of its original and of its renditions."""
    yield original_name(picture.content_hash, FORMATS[picture.format])
    for width in widths_for(picture.width or 1, picture.height or 1):
        for extension in ("webp", universal_extension(picture.has_alpha)):
            yield rendition_name(picture.content_hash, width, extension)


def are_there(picture: Picture) -> bool:
    return all(default_storage.exists(name) for name in names(picture))


def write(processed: Processed, original: bytes) -> bool:
    """Returns whether all of them are new. Others were there, and may be swept before a row names them."""
    facts = processed.facts
    contents = {original_name(facts.content_hash, facts.extension): original}
    for rendition in processed.renditions:
        contents[rendition_name(facts.content_hash, rendition.width, rendition.extension)] = rendition.data
    are_new = [_write(name, content) for name, content in contents.items()]
    return all(are_new)


def read_original(image: RemoteImage) -> bytes:
    """The bytes as they were fetched or uploaded."""
    with default_storage.open(original_name(image.content_hash, FORMATS[image.format])) as file:
        return bytes(file.read())


def _write(name: str, content: bytes) -> bool:
    """Whole or not at all, and once, whoever else is at it. Returns whether it was not there."""
    if not isinstance(default_storage, FileSystemStorage):  # an object store takes whole objects only
        if is_new := not default_storage.exists(name):
            default_storage.save(name, ContentFile(content))
        return is_new
    path = Path(default_storage.path(name))
    if path.exists() and path.stat().st_size == len(content):
        return False
    part = Path(default_storage.path(f"{PARTS}/{uuid.uuid4().hex}"))
    for folder in (path.parent, part.parent):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return True


def delete_dead_parts() -> None:
    """What a writer left that was killed. An object store has none."""
    if isinstance(default_storage, FileSystemStorage):
        for name in _listed(PARTS):
            if _is_older(f"{PARTS}/{name}", DEAD_AFTER):
                _delete(f"{PARTS}/{name}")


def delete(content_hashes: Iterable[str]) -> None:
    """Delete all files of these contents, of whatever width they were made in. What cannot be deleted is logged."""
    for prefix, hashes in groupby(sorted(set(content_hashes)), key=lambda content_hash: content_hash[:2]):
        unwanted = set(hashes)
        for folder in (f"{top}/{prefix}" for top in FOLDERS):
            for name in _listed(folder):
                if name[:64] in unwanted:
                    _delete(f"{folder}/{name}")


def _delete(name: str) -> bool:
    try:
        default_storage.delete(name)
    except Exception:  # noqa: BLE001  (storage backends raise their own; the others are still to go)
        _log.exception("%s could not be deleted.", name)
        return False
    return True


def sweep(*, dry_run: bool = False) -> list[str]:
    """Delete the files that no row needs and that are no longer being made. Returns the names of those that are gone.

    Rows cannot change while a folder is looked through: nobody takes a file up that is about to go.
    """
    swept: list[str] = []
    for folder in sorted(_folders()):
        with transaction.atomic():
            hold_images()
            swept += [name for name in _unused(folder) if dry_run or _delete(name)]
    return swept


def _unused(folder: str) -> Iterator[str]:
    listed = list(_listed(folder))
    prefix = folder[-2:]
    rows = RemoteImage.objects.filter(content_hash__gte=prefix, content_hash__lt=prefix + "g")
    kept = set(rows.exclude(state=RemoteImage.State.TAKEN_DOWN).values_list("content_hash", flat=True))
    taken_down = set(rows.filter(state=RemoteImage.State.TAKEN_DOWN).values_list("content_hash", flat=True))
    for name in listed:
        content_hash = name[:64]
        if content_hash in taken_down or (content_hash not in kept and _is_older(f"{folder}/{name}", UNUSED_FOR)):
            yield f"{folder}/{name}"


def _is_older(name: str, than: timedelta) -> bool:
    try:
        return default_storage.get_modified_time(name) < timezone.now() - than
    except FileNotFoundError:
        return False  # deleted by another


def _folders() -> Iterator[str]:
    for top in FOLDERS:
        with suppress(FileNotFoundError):
            yield from (f"{top}/{folder}" for folder in default_storage.listdir(top)[0])


def _listed(folder: str) -> list[str]:
    try:
        return default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return []
