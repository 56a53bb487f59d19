import pytest

from images.models import original_name, rendition_name
from tests.factories import make_image

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("extension", "content_type"), [("webp", "image/webp"), ("jpg", "image/jpeg")])
def test_rendition_may_be_kept_for_ever(client, extension, content_type):
    image = make_image()
    response = client.get(f"/media/{rendition_name(image.content_hash, 320, extension)}")
    assert response.status_code == 200
    assert response["Content-Type"] == content_type
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "Vary" not in response
    assert response.getvalue()


def test_every_address_of_an_image_is_served(client):
    image = make_image()
    for width in image.rendition_widths():
        for kind in ("webp", "universal"):
            response = client.get(image.rendition_url(width, kind))
            assert response.status_code == 200
            response.close()


def test_original_is_never_served(client):
    image = make_image()
    assert client.get(f"/media/{original_name(image.content_hash, 'png')}").status_code == 404


HASH = "ab" + "0" * 62


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
