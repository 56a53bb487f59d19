"""Pictures that editors upload, take down and allow again."""

import io

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.test import Client
from django.urls import reverse

from articles.models import RelatedImage
from images import takedown
from images.models import ImageEvent, RemoteImage
from providers.models import ProviderImage
from tests.factories import add_picture, make_article, make_image, make_provider, make_related, make_user, png
from tests.images.pictures import png_claiming

pytestmark = pytest.mark.django_db

LIST = "/admin/images/remoteimage/"
ADD = f"{LIST}add/"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
REASON = "The agency asked us to."


@pytest.fixture
def editor(client):
    client.force_login(make_user("Managers", username="ada"))
    return client


@pytest.fixture
def contributor(client):
    client.force_login(make_user("Contributors"))
    return client


def file(data: bytes, name: str = "picture.png") -> io.BytesIO:
    upload = io.BytesIO(data)
    upload.name = name
    return upload


def page_of(image: RemoteImage) -> str:
    return reverse("admin:images_remoteimage_change", args=[image.pk])


def replacing(image: RemoteImage) -> str:
    return reverse("admin:images_remoteimage_replace", args=[image.pk])


def taking_down(*images: RemoteImage) -> str:
    return f"{LIST}take-down/?keys={','.join(str(image.pk) for image in images)}"


def allowing(*images: RemoteImage) -> str:
    return f"{LIST}allow/?keys={','.join(str(image.pk) for image in images)}"


def taken_down(image: RemoteImage) -> RemoteImage:
    takedown.take_down(RemoteImage.objects.filter(pk=image.pk), by=None, reason=REASON)
    image.refresh_from_db()
    return image


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def states() -> set[str]:
    return set(RemoteImage.objects.values_list("state", flat=True))


# --- A new picture ----------------------------------------------------------------------------------


def test_upload_leads_to_the_page_of_the_picture_and_names_its_address(contributor):
    assert ADD in contributor.get(LIST).content.decode()
    response = contributor.post(ADD, {"file": file(png())})
    image = RemoteImage.objects.get()
    assert (image.state, image.by_hand) == ("cached", True)
    assert response.url == page_of(image)
    assert image.source_url in said(response)
    assert image.source_url in contributor.get(page_of(image)).content.decode()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (SVG, "SVG"),
        (b"", "empty"),
        (b"no picture", "plain text"),
        (png_claiming(60_000, 60_000), "more pixels than it may"),
    ],
    ids=["drawing", "nothing", "text", "bomb"],
)
def test_file_that_is_no_picture_is_refused_with_the_reason(contributor, data, told):
    response = contributor.post(ADD, {"file": file(data)})
    assert response.status_code == 200
    assert told in " ".join(response.context["form"].errors["file"])
    assert not RemoteImage.objects.exists()


def test_file_that_is_too_large_is_refused_unread(contributor, monkeypatch):
    monkeypatch.setattr("images.admin.forms.MAX_BYTES", 100)
    monkeypatch.setattr(InMemoryUploadedFile, "read", lambda *args: pytest.fail("It was read."), raising=False)
    response = contributor.post(ADD, {"file": file(png())})
    assert response.context["form"].errors["file"] == ["The file is larger than 20 MiB."]


def test_upload_without_a_file_is_asked_for_one(contributor):
    assert contributor.post(ADD).context["form"].errors["file"] == ["This field is required."]


def test_uploading_needs_the_permission_to_add(client):
    user = make_user()
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_remoteimage", "change_remoteimage"]))
    client.force_login(user)
    assert client.get(ADD).status_code == 403
    assert client.post(ADD, {"file": file(png())}).status_code == 403
    assert ADD not in client.get(LIST).content.decode()
    assert not RemoteImage.objects.exists()


# --- Another file in its place ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cached", "failed", "pending", "local"])
def test_file_takes_the_place_of_what_an_address_gave(editor, kind):
    values = {
        "cached": {},
        "failed": {"cached": False, "state": "failed"},
        "pending": {"cached": False},
        "local": {"source_url": "/assets/logo.png"},
    }
    image = make_image(**values[kind])
    response = editor.post(replacing(image), {"file": file(png((640, 480), shade=3))})
    assert response.url == page_of(image)
    image.refresh_from_db()
    assert (image.state, image.width, image.by_hand) == ("cached", 640, True)
    assert image.events.get().actor.username == "ada"


def test_what_was_taken_down_is_not_replaced(editor):
    image = taken_down(make_image())
    assert replacing(image) not in editor.get(page_of(image)).content.decode()
    response = editor.post(replacing(image), {"file": file(png((640, 480), shade=3))})
    assert response.context["form"].errors["file"] == ["This picture was taken down. Allow it again first."]
    assert states() == {"taken_down"}


def test_picture_that_was_taken_down_does_not_come_back_as_an_upload(contributor):
    contributor.post(ADD, {"file": file(png())})
    taken_down(RemoteImage.objects.get())
    response = contributor.post(ADD, {"file": file(png())})
    assert response.context["form"].errors["file"] == [f"This picture was taken down: {REASON}"]


def test_bad_file_in_its_place_leaves_the_picture_as_it_is(editor):
    image = make_image()
    before = RemoteImage.objects.values().get()
    assert "SVG" in str(editor.post(replacing(image), {"file": file(SVG)}).context["form"].errors)
    assert RemoteImage.objects.values().get() == before
    assert image.rendition_url(400, "webp") in editor.get(page_of(image)).content.decode()


def test_replacing_needs_the_permission_to_change(contributor):
    image = make_image()
    assert replacing(image) not in contributor.get(page_of(image)).content.decode()
    assert contributor.get(replacing(image)).status_code == 403
    assert contributor.post(replacing(image), {"file": file(png())}).status_code == 403
    assert not image.events.exists()


def test_nothing_is_put_in_the_place_of_a_picture_that_is_gone(editor):
    assert editor.post(f"{LIST}999/replace/", {"file": file(png())}).status_code == 404


# --- Takedown ---------------------------------------------------------------------------------------


def test_takedown_asks_for_a_reason_and_says_how_much_it_concerns(editor):
    image = make_image()
    twin = make_image(cached=False)
    RemoteImage.objects.filter(pk=twin.pk).update(state="cached", content_hash=image.content_hash, width=9, height=9)
    article = make_article()
    add_picture(article, image)
    RelatedImage.objects.create(image=image, related_story=make_related(article))
    add_picture(make_article(), twin)
    ProviderImage.objects.create(image=image, provider=make_provider())
    html = editor.get(taking_down(image)).content.decode()
    for words in ("2 addresses", "2 articles", "1 provider", image.source_url, twin.source_url):
        assert words in html


def test_bulk_takedown_goes_by_way_of_the_reason(editor):
    images = [make_image(), make_image()]
    data = {"action": "take_down", "_selected_action": [image.pk for image in images]}
    response = editor.post(f"{LIST}?state=cached", data)
    assert response.url == taking_down(*images)
    assert states() == {"cached"}

    response = editor.post(response.url, {"reason": REASON})
    assert response.url == LIST
    assert said(response) == "2 addresses were taken down."
    assert states() == {"taken_down"}
    events = ImageEvent.objects.values_list("verb", "actor__username", "note")
    assert list(events) == [("taken_down", "ada", REASON)] * 2


def test_takedown_of_one_leads_back_to_its_page(editor):
    image = make_image()
    assert taking_down(image) in editor.get(page_of(image)).content.decode()
    response = editor.post(taking_down(image), {"reason": REASON})
    assert response.url == page_of(image)
    assert said(response) == "1 address was taken down."


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301, "nul\0"])
def test_nothing_is_taken_down_without_a_reason(editor, reason):
    image = make_image()
    assert "reason" in editor.post(taking_down(image), {"reason": reason}).context["form"].errors
    assert states() == {"cached"}


def test_queries_of_the_question_do_not_grow_with_what_it_concerns(editor, django_assert_num_queries):
    images = [make_image() for _ in range(10)]
    for image in images:
        add_picture(make_article(), image)
    with django_assert_num_queries(9):
        editor.get(taking_down(images[0]))
    with django_assert_num_queries(9):
        editor.get(taking_down(*images))


def test_long_lists_of_addresses_are_cut(editor, monkeypatch):
    monkeypatch.setattr("images.admin.pictures.ADDRESSES_SHOWN", 2)
    html = editor.get(taking_down(*[make_image() for _ in range(5)])).content.decode()
    assert "5 addresses" in html
    assert "… and 3 more" in html


def test_no_more_are_taken_down_at_once_than_one_can_look_at(editor, monkeypatch):
    monkeypatch.setattr("images.admin.pictures.DECIDED_AT_ONCE", 1)
    keys = [make_image().pk, make_image().pk]
    response = editor.post(LIST, {"action": "take_down", "_selected_action": keys})
    assert said(response) == "Choose at most 1 pictures at once."
    assert states() == {"cached"}


@pytest.mark.parametrize("query", ["", "?keys=", "?keys=999", "?keys=x,%00,-1", f"?keys={'9' * 30}"])
def test_takedown_of_nothing_is_404(editor, query):
    make_image()
    assert editor.get(f"{LIST}take-down/{query}").status_code == 404


def test_takedown_needs_its_own_permission(client):
    image = make_image()
    user = make_user()
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_remoteimage", "change_remoteimage"]))
    client.force_login(user)
    assert taking_down(image) not in client.get(page_of(image)).content.decode()
    assert "Take down" not in client.get(LIST).content.decode()
    for address in (taking_down(image), allowing(image)):
        assert client.get(address).status_code == 403
        assert client.post(address, {"reason": REASON}).status_code == 403
    client.post(LIST, {"action": "take_down", "_selected_action": [image.pk]})
    assert states() == {"cached"}


def test_picture_is_allowed_again_for_a_reason(editor):
    image = taken_down(make_image())
    html = editor.get(page_of(image)).content.decode()
    assert allowing(image) in html
    assert taking_down(image) not in html
    assert "reason" in editor.post(allowing(image), {"reason": ""}).context["form"].errors
    assert states() == {"taken_down"}

    response = editor.post(allowing(image), {"reason": "They agreed after all."})
    assert said(response) == "1 address was allowed again."
    assert states() == {"pending"}
    assert image.events.first().note == "They agreed after all."


def test_what_was_decided_already_is_not_asked_again(editor):
    standing, down = make_image(), taken_down(make_image())
    assert editor.get(taking_down(down)).status_code == 404
    assert editor.get(allowing(standing)).status_code == 404


# --- All of them ------------------------------------------------------------------------------------


def test_no_page_changes_anything_without_its_token():
    image = make_image()
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("Managers"))
    fetching = reverse("admin:images_remoteimage_fetch_again", args=[image.pk])
    for address, data in (
        (ADD, {"file": file(png(shade=3))}),
        (replacing(image), {"file": file(png(shade=3))}),
        (taking_down(image), {"reason": REASON}),
        (allowing(image), {"reason": REASON}),
        (fetching, {}),
        (f"{LIST}arrive/", {"address": "https://new.example/a.png"}),
        (f"{LIST}upload/json/", {"file": file(png(shade=3))}),
    ):
        assert client.post(address, data).status_code == 403, address
    assert states() == {"cached"}
    assert RemoteImage.objects.count() == 1


def test_readers_are_sent_to_the_login(client):
    image = make_image()
    client.force_login(make_user("Managers", is_staff=False))
    for address in (ADD, replacing(image), taking_down(image), allowing(image), f"{LIST}states/?keys={image.pk}"):
        assert "/login/" in client.get(address).url
