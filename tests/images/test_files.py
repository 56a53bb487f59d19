import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from images import caching, files
from images.models import RemoteImage, rendition_name
from images.processing import process
from tests.factories import make_image, png

pytestmark = pytest.mark.django_db

State = RemoteImage.State


def aged(settings, days: float = 2) -> None:
    """Make all that is stored look as if it had been written some days ago."""
    then = (timezone.now() - timedelta(days=days)).timestamp()
    for path in Path(settings.MEDIA_ROOT).rglob("*"):
        os.utime(path, (then, then))


def orphans() -> None:
    """Files that no row names, as a worker leaves them that dies before it says so."""
    data = png(shade=200)
    files.write(process(data), data)


def test_the_names_are_those_of_the_files_that_are_written(stored):
    image = make_image(size=(700, 300))
    assert sorted(files.names(image)) == stored()
    assert files.are_there(image)
    default_storage.delete(rendition_name(image.content_hash, 640, "jpg"))
    assert not files.are_there(image)


def test_original_can_be_read_again():
    image = make_image(cached=False)
    caching.store(image, png(shade=3))
    assert files.read_original(image) == png(shade=3)


def test_files_that_a_row_names_are_kept_and_all_others_swept(stored, settings):
    image = make_image()
    kept = stored()
    orphans()
    assert len(stored()) > len(kept)
    aged(settings)
    files.sweep()
    assert stored() == kept
    assert files.are_there(image)


def test_files_of_work_under_way_are_left_alone(stored):
    orphans()
    before = stored()
    assert files.sweep() == []
    assert stored() == before


def test_half_written_files_of_the_dead_are_deleted(stored, settings):
    make_image()
    kept = stored()
    part = Path(settings.MEDIA_ROOT, files.PARTS, "0a1b")
    part.write_bytes(b"half")
    files.delete_dead_parts()
    assert len(stored()) == len(kept) + 1
    aged(settings, days=0.01)
    files.delete_dead_parts()
    assert stored() == kept


def test_files_of_a_takedown_that_was_not_finished_are_swept_at_once(stored):
    image = make_image()
    RemoteImage.objects.filter(pk=image.pk).update(state=State.TAKEN_DOWN, next_attempt_at=None)
    files.sweep()
    assert stored() == []


def test_picture_that_is_swept_while_it_is_taken_up_again_is_fetched_anew(monkeypatch):
    image = make_image(cached=False)
    monkeypatch.setattr(files, "write", lambda processed, original: None)
    caching.store(image, png())
    image.refresh_from_db()
    assert (image.state, image.next_attempt_at is not None) == (State.PENDING, True)


def test_object_stores_are_swept_too(settings, monkeypatch):
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    image = make_image()
    name = f"renditions/ab/{'ab' * 32}-160.webp"
    default_storage.save(name, ContentFile(b"x"))
    assert files.sweep() == []
    monkeypatch.setattr(files, "UNUSED_FOR", timedelta(0))
    assert files.sweep() == [name]
    assert files.are_there(image)


def test_command_names_what_it_would_delete_and_deletes_it(capsys, settings, stored):
    orphans()
    aged(settings)
    names = stored()
    call_command("sweep_images", dry_run=True)
    assert sorted(capsys.readouterr().out.split()) == sorted([*names, f"unused={len(names)}"])
    assert stored() == names
    call_command("sweep_images")
    assert capsys.readouterr().out == f"deleted={len(names)}\n"
    assert stored() == []
