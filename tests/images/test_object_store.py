"""Pictures in an S3-compatible store, by settings alone."""

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import default_storage

from config.settings import media_storage
from images import files
from images.caching import cache_due, store
from images.models import RemoteImage
from images.takedown import take_down
from tests.factories import make_image, make_user, png
from tests.fetching.hosts import answer
from tests.images.stores import playing_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def objects(settings, monkeypatch):
    """What lies in the store, by key."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with playing_store() as store:
        url = f"s3://pictures/site?endpoint_url={store.url}&region_name=eu-central-1&addressing_style=path"
        settings.STORAGES = settings.STORAGES | {"default": media_storage(url)}
        settings.MEDIA_URL = "https://cdn.example/media/"
        yield store
        default_storage.connection.meta.client.close()


def test_picture_is_stored_there_and_named_by_its_public_address(objects, hosting):
    host = hosting(answer(body=png((300, 200))))
    make_image(cached=False, source_url=host.url())
    assert cache_due().cached == 1
    image = RemoteImage.objects.get()
    assert sorted(objects.objects) == sorted(f"pictures/site/{name}" for name in files.names(image))
    assert image.rendition_url(160, "webp").startswith("https://cdn.example/media/renditions/")
    assert files.read_original(image) == png((300, 200))
    assert files.are_there(image)


def test_store_is_told_to_let_browsers_keep_pictures(objects):
    image = make_image(cached=False)
    store(image, png())
    assert {headers["Cache-Control"] for headers in objects.headers.values()} == {"public, max-age=31536000, immutable"}
    kinds = {headers["Content-Type"] for key, headers in objects.headers.items() if "/renditions/" in key}
    assert kinds == {"image/webp", "image/jpeg"}


def test_what_nobody_needs_is_swept_and_what_is_taken_down_is_deleted(
    objects, monkeypatch, django_capture_on_commit_callbacks
):
    kept, unused, down = make_image(), make_image(), make_image()
    RemoteImage.objects.filter(pk=unused.pk).delete()
    monkeypatch.setattr(files, "UNUSED_FOR", timedelta(days=-1))
    assert set(files.sweep()) == set(files.names(unused))
    with django_capture_on_commit_callbacks(execute=True):
        take_down(RemoteImage.objects.filter(pk=down.pk), by=make_user("Managers"), reason="Gone.")
    assert set(objects.objects) == {f"pictures/site/{name}" for name in files.names(kept)}


def test_site_serves_them_itself_where_readers_are_sent_to_it(objects, client, settings):
    settings.MEDIA_URL = "/media/"
    image = make_image()
    response = client.get(image.rendition_url(160, "webp"))
    assert response.status_code == 200
    assert b"".join(response.streaming_content)[8:12] == b"WEBP"
    assert client.get(image.rendition_url(160, "webp").replace("-160", "-161")).status_code == 404


@pytest.mark.parametrize("url", ["https://bucket/", "s3://", "bucket"])
def test_what_is_no_store_is_said_at_the_start(url):
    with pytest.raises(ImproperlyConfigured, match="MEDIA_STORAGE"):
        media_storage(url)
