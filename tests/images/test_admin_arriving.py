"""What the scripts of forms with pictures ask for; and the warning that nobody fetches any."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django_tasks import default_task_backend

from images import takedown, tasks
from images.models import RemoteImage
from images.thumbnails import NOTHING
from tests.factories import NOON, make_image, make_user, png

pytestmark = pytest.mark.django_db

STATES, ARRIVE, UPLOAD = (reverse(f"admin:images_remoteimage_{name}") for name in ("states", "arrive", "upload_json"))
NEW = "https://pictures.example/new.png"


@pytest.fixture
def contributor(client):
    client.force_login(make_user("Contributors"))
    return client


def file(data: bytes) -> io.BytesIO:
    upload = io.BytesIO(data)
    upload.name = "picture.png"
    return upload


def states_of(client, keys: str) -> list[dict]:
    return client.get(STATES, {"keys": keys}).json()["images"]


# --- How they stand ---------------------------------------------------------------------------------


def test_states_are_told_in_the_order_of_the_keys(contributor):
    there = make_image()
    waiting = make_image(cached=False)
    lost = make_image(cached=False, state="failed", detail="The server answered with status 404.")
    assert states_of(contributor, f"{waiting.pk},{lost.pk},{there.pk}") == [
        {
            "key": waiting.pk,
            "address": waiting.source_url,
            "state": "pending",
            "label": "Waiting",
            "detail": "",
            "thumbnail": NOTHING,
            "page": f"/admin/images/remoteimage/{waiting.pk}/change/",
        },
        {
            "key": lost.pk,
            "address": lost.source_url,
            "state": "failed",
            "label": "Failed",
            "detail": "The server answered with status 404.",
            "thumbnail": NOTHING,
            "page": f"/admin/images/remoteimage/{lost.pk}/change/",
        },
        {
            "key": there.pk,
            "address": there.source_url,
            "state": "cached",
            "label": "Cached",
            "detail": "",
            "thumbnail": states_of(contributor, str(there.pk))[0]["thumbnail"],
            "page": f"/admin/images/remoteimage/{there.pk}/change/",
        },
    ]
    assert there.rendition_url(160, "webp") in states_of(contributor, str(there.pk))[0]["thumbnail"]


@pytest.mark.parametrize("keys", ["", "x", "1;2", "-1", "\0", "٣", "9" * 40, ",,,"])
def test_junk_among_the_keys_is_passed_over(contributor, keys):
    image = make_image(cached=False)
    found = states_of(contributor, f"{keys},{image.pk},{image.pk}")
    assert [each["key"] for each in found] == [image.pk]


def test_states_are_one_query_and_no_more_than_a_hundred(contributor, django_assert_num_queries):
    first = make_image(cached=False).pk
    RemoteImage.objects.bulk_create(RemoteImage(source_url=f"https://a.example/{n}.png") for n in range(120))
    for count in (1, 121):
        keys = ",".join(str(first + n) for n in range(count))
        with django_assert_num_queries(5):  # session, user, two for permissions
            assert len(states_of(contributor, keys)) == min(count, 100)


def test_picture_that_was_taken_down_has_no_thumbnail(contributor):
    image = make_image()
    takedown.take_down(RemoteImage.objects.all(), by=None, reason="Not ours.")
    [told] = states_of(contributor, str(image.pk))
    assert (told["state"], told["detail"], told["thumbnail"]) == ("taken_down", "Not ours.", NOTHING)


def test_states_are_remembered_by_nobody(contributor):
    assert "no-store" in contributor.get(STATES)["Cache-Control"]


# --- A picture by its address -----------------------------------------------------------------------


def test_address_becomes_a_picture_that_is_waited_for(contributor, django_capture_on_commit_callbacks):
    default_task_backend.clear()
    with django_capture_on_commit_callbacks(execute=True):
        told = contributor.post(ARRIVE, {"address": f" {NEW} "}).json()
    image = RemoteImage.objects.get()
    assert (image.source_url, image.urgent) == (NEW, True)
    assert (told["key"], told["address"], told["state"]) == (image.pk, NEW, "pending")
    assert [call.task for call in default_task_backend.results] == [tasks.fetch_pictures]


@pytest.mark.parametrize("address", [NEW, "/assets/logo.png"])
def test_address_that_is_known_is_the_same_picture(contributor, address):
    image = make_image(source_url=address)
    assert contributor.post(ARRIVE, {"address": address}).json()["key"] == image.pk
    assert RemoteImage.objects.count() == 1


@pytest.mark.parametrize(
    "address",
    [
        *("", " ", "javascript:alert(1)", "ftp://a.example/b.png", "a.example/b.png", "//a.example/b.png"),
        *("/assets/unknown.png", "https://", "https://a.example/\0.png", "https://a.example/" + "x" * 2000),
        "https://a.example/" + "漢" * 700,
    ],
)
def test_what_is_no_address_of_a_picture_is_refused(contributor, address):
    response = contributor.post(ARRIVE, {"address": address})
    assert response.status_code == 400
    assert list(response.json()) == ["error"]
    assert response.json()["error"]
    assert not RemoteImage.objects.exists()


def test_address_that_was_taken_down_is_refused_with_the_reason(contributor):
    make_image(source_url=NEW)
    takedown.take_down(RemoteImage.objects.all(), by=None, reason="Not ours.")
    response = contributor.post(ARRIVE, {"address": NEW})
    assert response.status_code == 400
    assert response.json() == {"error": "This picture was taken down: Not ours."}


# --- A picture by its file --------------------------------------------------------------------------


def test_file_becomes_a_picture_that_is_there(contributor):
    told = contributor.post(UPLOAD, {"file": file(png())}).json()
    image = RemoteImage.objects.get()
    assert (told["key"], told["address"], told["state"]) == (image.pk, image.source_url, "cached")
    assert image.rendition_url(160, "webp") in told["thumbnail"]


@pytest.mark.parametrize("data", [b"", b"no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"x" * 101])
def test_file_that_is_no_picture_or_too_large_is_refused(contributor, data, monkeypatch):
    monkeypatch.setattr("images.admin.forms.MAX_BYTES", 100)
    response = contributor.post(UPLOAD, {"file": file(data)})
    assert response.status_code == 400
    assert response.json()["error"]
    assert not RemoteImage.objects.exists()


def test_no_file_is_refused(contributor):
    assert contributor.post(UPLOAD).json() == {"error": "This field is required."}


# --- Who may, and how -------------------------------------------------------------------------------


def test_each_needs_its_permission(client):
    client.force_login(make_user())
    assert client.get(STATES).status_code == 403
    assert client.post(ARRIVE, {"address": NEW}).status_code == 403
    assert client.post(UPLOAD, {"file": file(png())}).status_code == 403
    assert not RemoteImage.objects.exists()


def test_each_has_one_method(contributor):
    assert contributor.post(STATES).status_code == 405
    assert contributor.get(ARRIVE).status_code == 405
    assert contributor.get(UPLOAD).status_code == 405


# --- Nobody fetches ---------------------------------------------------------------------------------


def waiting_since(at) -> None:
    make_image(cached=False, next_attempt_at=at)


@time_machine.travel(NOON, tick=False)
def test_index_warns_when_pictures_wait_and_none_is_fetched(contributor):
    waiting_since(NOON - timedelta(hours=2))
    waiting_since(NOON - timedelta(hours=1))
    html = " ".join(contributor.get("/admin/").content.decode().split())
    assert (
        "2 pictures have been waiting since 2 Mar 2026, 10:00 and none is being fetched. Is the worker running?" in html
    )


@time_machine.travel(NOON, tick=False)
def test_index_is_silent_as_long_as_pictures_come(contributor):
    waiting_since(NOON - timedelta(hours=1))
    make_image(attempted_at=NOON - timedelta(minutes=1))
    assert "Is the worker running?" not in contributor.get("/admin/").content.decode()


@time_machine.travel(NOON, tick=False)
def test_who_may_not_see_pictures_is_not_warned(client):
    client.force_login(make_user())
    waiting_since(NOON - timedelta(hours=1))
    assert "Is the worker running?" not in client.get("/admin/").content.decode()
