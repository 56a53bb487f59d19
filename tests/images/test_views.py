"""Pictures as readers' browsers and caches get them."""

import pytest
from django.core.files.storage import InMemoryStorage, default_storage
from django.test import Client

from images import caching, takedown
from images.models import RemoteImage, original_name, rendition_name
from tests.factories import make_image, make_user, png

pytestmark = pytest.mark.django_db

HASH = "ab" + "0" * 62


def address(image: RemoteImage, extension: str = "webp") -> str:
    return f"/media/{rendition_name(image.content_hash, 320, extension)}"


@pytest.fixture
def accelerated(settings):
    settings.MEDIA_ACCEL = "/protected/"


@pytest.mark.parametrize(("extension", "content_type"), [("webp", "image/webp"), ("jpg", "image/jpeg")])
def test_rendition_may_be_kept_for_ever(client, extension, content_type):
    response = client.get(address(make_image(), extension))
    assert response.status_code == 200
    assert response["Content-Type"] == content_type
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert response["Content-Disposition"].startswith("inline")
    assert response.getvalue()


def test_every_address_of_an_image_is_served(client):
    image = make_image()
    for width in image.rendition_widths():
        for kind in ("webp", "universal"):
            response = client.get(image.rendition_url(width, kind))
            assert response.status_code == 200
            response.close()


def test_answer_is_the_same_for_everybody(django_assert_num_queries):
    image, editor = make_image(), make_user()
    client = Client()
    client.force_login(editor)
    with django_assert_num_queries(0):
        response = client.get(address(image))
    response.close()
    assert "Vary" not in response
    assert not response.cookies


def test_head_tells_the_length_without_the_picture(client):
    image = make_image()
    whole, head = client.get(address(image)), client.head(address(image))
    assert head["Content-Length"] == str(len(whole.getvalue()))
    assert head.content == b""
    for name in ("ETag", "Content-Type", "Cache-Control"):
        assert head[name] == whole[name]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"another", {}', "*"])
@pytest.mark.parametrize("method", ["get", "head"])
def test_who_has_a_picture_is_told_so_and_no_file_is_opened(client, monkeypatch, method, form):
    image = make_image()
    tag = client.head(address(image))["ETag"]
    monkeypatch.setattr(type(default_storage), "open", lambda *args: pytest.fail("the file was opened"), raising=False)
    response = getattr(client, method)(address(image), headers={"If-None-Match": form.format(tag)})
    assert (response.status_code, response.content) == (304, b"")
    assert response["ETag"] == tag
    assert "immutable" in response["Cache-Control"]


def test_each_width_and_format_has_a_tag_of_its_own(client):
    image = make_image()
    addresses = [image.rendition_url(width, kind) for width in (160, 320) for kind in ("webp", "universal")]
    tags = {client.head(each)["ETag"] for each in addresses}
    assert len(tags) == 4
    assert client.head(addresses[0], headers={"If-None-Match": '"another"'}).status_code == 200


def test_refusal_is_not_kept_in_place_of_the_picture(client):
    response = client.get(address(make_image()), headers={"If-Match": '"another"'})
    assert response.status_code == 412
    assert response["Cache-Control"] == "no-cache"


def test_missing_picture_is_404_and_nobody_is_to_remember_that(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get(f"/media/renditions/ab/{HASH}-320.webp")
    assert response.status_code == 404
    assert response["Cache-Control"] == "no-store"
    assert not response.has_header("ETag")


@pytest.mark.parametrize("way", ["default", "accelerated"])
def test_picture_that_was_taken_down_is_not_unchanged(client, settings, django_capture_on_commit_callbacks, way):
    settings.MEDIA_ACCEL = "/protected/" if way == "accelerated" else ""
    image = make_image()
    tag = client.head(address(image))["ETag"]
    with django_capture_on_commit_callbacks(execute=True):
        takedown.take_down(RemoteImage.objects.filter(pk=image.pk), by=None, reason="Not ours")
    for method in (client.get, client.head):
        assert method(address(image)).status_code == 404
        assert method(address(image), headers={"If-None-Match": tag}).status_code == 404


@pytest.mark.parametrize("prefix", ["/protected/", "/protected"])
def test_nginx_is_told_which_file_to_send(client, settings, prefix):
    settings.MEDIA_ACCEL = prefix
    image = make_image()
    response = client.get(address(image))
    assert response["X-Accel-Redirect"] == f"/protected/{rendition_name(image.content_hash, 320, 'webp')}"
    assert response["Content-Type"] == "image/webp"
    assert "immutable" in response["Cache-Control"]
    assert response.content == b""


def test_nginx_is_not_told_of_what_is_missing(client, accelerated):
    response = client.get(f"/media/renditions/ab/{HASH}-320.webp")
    assert response.status_code == 404
    assert not response.has_header("X-Accel-Redirect")


def test_nginx_cannot_send_what_lies_in_another_storage(client, accelerated, monkeypatch):
    monkeypatch.setattr(default_storage, "_wrapped", InMemoryStorage())
    image = make_image(cached=False)
    caching.store(image, png())
    response = client.get(address(image))
    assert response.status_code == 200
    assert not response.has_header("X-Accel-Redirect")
    assert response.getvalue()
    assert int(client.head(address(image))["Content-Length"]) > 0


def test_original_is_never_served(client, accelerated):
    image = make_image()
    assert default_storage.exists(original_name(image.content_hash, "png"))
    assert client.get(f"/media/{original_name(image.content_hash, 'png')}").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        f"renditions/ab/{HASH}-320.webp",
        f"renditions/00/{HASH}-320.webp",
        f"renditions/ab/{HASH}-320.svg",
        f"renditions/ab/{HASH}-99999.webp",
        f"renditions/ab/{HASH}-0320.webp",
        f"renditions/ab/{HASH.upper()}-320.webp",
        f"renditions/ab/{HASH}-320.webp%0A",
        f"renditions/ab/../../originals/ab/{HASH}.png",
        f"renditions/ab/..%2f..%2foriginals%2fab%2f{HASH}.png",
        "renditions/",
        "../config/settings.py",
    ],
)
def test_anything_else_is_404(client, name):
    assert client.get(f"/media/{name}").status_code == 404


def test_only_reading_is_allowed(client):
    image = make_image()
    assert client.post(image.rendition_url(160, "webp")).status_code == 405
