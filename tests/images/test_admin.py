"""The list of pictures, the page of one, and its focus."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.urls import reverse
from django_tasks import default_task_backend

from articles.models import RelatedImage
from images import queue, takedown, tasks, uploads
from images.admin import uses
from images.admin.words import told as told_of
from images.models import ImageEvent, RemoteImage
from providers.models import ProviderImage
from tests.factories import NOON, add_picture, make_article, make_image, make_provider, make_related, make_user, png

pytestmark = pytest.mark.django_db

LIST = "/admin/images/remoteimage/"


def page_of(image: RemoteImage) -> str:
    return reverse("admin:images_remoteimage_change", args=[image.pk])


def button_of(image: RemoteImage) -> str:
    return reverse("admin:images_remoteimage_fetch_again", args=[image.pk])


@pytest.fixture
def staff(client):
    """A function that signs in a staff user with these permissions on images."""

    def sign_in(*verbs: str):
        user = make_user()
        codenames = [f"{verb}_remoteimage" for verb in verbs]
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def calls():
    """What workers were called for."""
    default_task_backend.clear()
    return default_task_backend.results


def fetch_again(client, *images: RemoteImage, query: str = ""):
    data = {"action": "fetch_again", "_selected_action": [image.pk for image in images]}
    return client.post(LIST + query, data)


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def failed(url: str = "https://pictures.example/lost.png", **overrides) -> RemoteImage:
    values = {"state": "failed", "reason": "http_404", "attempts": 1, "next_attempt_at": None}
    return make_image(cached=False, source_url=url, **values | overrides)


def taken_down(image: RemoteImage, reason: str = "The agency asked us to.") -> RemoteImage:
    takedown.take_down(RemoteImage.objects.filter(pk=image.pk), by=None, reason=reason)
    image.refresh_from_db()
    return image


# --- Fetch again ------------------------------------------------------------------------------------


def test_pictures_to_fetch_again_wait_before_all_others_and_a_worker_is_called(
    staff, calls, django_capture_on_commit_callbacks
):
    images = [failed(f"https://pictures.example/{number}.png") for number in range(2)]
    with django_capture_on_commit_callbacks(execute=True):
        response = fetch_again(staff("view", "change"), *images)
    assert said(response) == "2 pictures will be fetched again."
    assert set(RemoteImage.objects.values_list("state", "urgent", "attempts")) == {("pending", True, 0)}
    assert [call.task for call in calls] == [tasks.fetch_pictures]


def test_message_says_what_cannot_be_fetched_and_why(staff):
    there = make_image()
    tree = failed("/assets/logo.png")
    own = uploads.upload(png(shade=9), by=make_user())
    down = taken_down(make_image())
    response = fetch_again(staff("view", "change"), there, tree, own, down)
    assert said(response) == (
        "1 picture will be fetched again. 1 came with an imported tree and cannot be. "
        "1 was uploaded here and cannot be. 1 was taken down."
    )
    states = {image.pk: image.state for image in RemoteImage.objects.all()}
    assert states == {there.pk: "pending", tree.pk: "failed", own.pk: "cached", down.pk: "taken_down"}


def test_very_many_at_once_stand_behind_what_editors_wait_for(staff, monkeypatch):
    monkeypatch.setattr("images.admin.pictures.MANY", 1)
    fetch_again(staff("view", "change"), failed("https://a.example/1.png"), failed("https://a.example/2.png"))
    assert not RemoteImage.objects.filter(urgent=True).exists()


@pytest.mark.parametrize("query", ["?state=failed", "?use=none", "?origin=web", "?reason=http_404", "?q=lost"])
def test_bulk_fetch_works_from_filtered_lists(staff, query):
    assert said(fetch_again(staff("view", "change"), failed(), query=query)) == "1 picture will be fetched again."


def test_fetching_again_needs_the_permission_to_change(staff):
    image = failed()
    client = staff("view", "add", "take_down")
    fetch_again(client, image)
    assert client.post(button_of(image)).status_code == 403
    assert b"Fetch again" not in client.get(page_of(image)).content
    image.refresh_from_db()
    assert image.state == "failed"


def test_button_on_the_page_has_the_picture_fetched_again(staff):
    image = failed()
    client = staff("view", "change")
    assert button_of(image).encode() in client.get(page_of(image)).content
    response = client.post(button_of(image))
    assert response.url == page_of(image)
    assert said(response) == "1 picture will be fetched again."
    image.refresh_from_db()
    assert image.state == "pending"


def test_button_works_by_post_only_and_for_staff_only(staff, client):
    image = failed()
    assert staff("view", "change").get(button_of(image)).status_code == 405
    client.logout()
    assert "/login/" in client.post(button_of(image)).url
    image.refresh_from_db()
    assert image.state == "failed"


@pytest.mark.parametrize("kind", ["tree", "down"])
def test_button_is_not_offered_for_what_cannot_be_fetched(staff, kind):
    image = failed("/assets/logo.png") if kind == "tree" else taken_down(make_image())
    assert button_of(image).encode() not in staff("view", "change").get(page_of(image)).content


def test_button_for_a_picture_that_is_gone_is_404(staff):
    assert staff("change").post(f"{LIST}999/fetch-again/").status_code == 404


# --- The list ---------------------------------------------------------------------------------------


def test_list_shows_picture_state_reason_in_words_and_how_often_it_is_used(staff):
    image = make_image()
    for _ in range(2):
        add_picture(make_article(), image)
    RelatedImage.objects.create(image=image, related_story=make_related(make_article()))
    failed(detail="The server answered with status 404.")
    html = staff("view").get(LIST).content.decode()
    assert image.rendition_url(160, "webp") in html
    assert '<span class="badge badge-cached">Cached</span>' in html
    assert '<span class="badge badge-failed">Failed</span>' in html
    assert "The server answered with status 404." in html
    assert "400 × 300" in html
    assert '<td class="field-used">3</td>' in html
    assert '<td class="field-used">0</td>' in html


def test_picture_that_was_taken_down_is_shown_nowhere(staff):
    image = make_image()
    content_hash = image.content_hash
    taken_down(image, reason="<script>alert(1)</script>")
    client = staff("view", "change", "take_down")
    for url in (LIST, page_of(image)):
        html = client.get(url).content.decode()
        assert content_hash not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
        assert "<script>alert" not in html


def test_markup_in_an_address_stays_text(staff):
    image = failed("""https://one.example/"><script>alert('1')</script>""")
    client = staff("view", "change", "take_down")
    for url in (LIST, page_of(image), f"{LIST}take-down/?keys={image.pk}", f"{LIST}{image.pk}/replace/"):
        html = client.get(url).content.decode()
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(" in html


def test_list_is_searched_by_address(staff):
    failed("https://one.example/a.png")
    failed("https://two.example/b.png")
    html = staff("view").get(f"{LIST}?q=one.example").content.decode()
    assert "one.example" in html
    assert "two.example" not in html


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=failed", {"web"}),
        ("reason=http_404", {"web"}),
        ("origin=web", {"web"}),
        ("origin=tree", {"tree"}),
        ("origin=hand", {"hand"}),
        ("use=some", {"tree"}),
        ("use=none", {"web", "hand"}),
    ],
)
def test_list_is_filtered(staff, query, found):
    images = {
        "web": failed("https://one.example/a.png"),
        "tree": make_image(source_url="/assets/b.png"),
        "hand": uploads.upload(png(shade=9), by=make_user()),
    }
    add_picture(make_article(), images["tree"])
    shown = staff("view").get(f"{LIST}?{query}").context["cl"].result_list
    assert {image.pk for image in shown} == {images[name].pk for name in found}


def test_reasons_to_filter_by_are_in_words(staff):
    failed(reason="http_404")
    failed("https://two.example/b.png", reason="too_many_pixels")
    html = staff("view").get(LIST).content.decode()
    assert ">HTTP 404</a>" in html
    assert ">Too many pixels</a>" in html


@pytest.mark.parametrize("query", ["?state=%00", "?reason=%00", "?state=nonsense", "?origin=x", "?use=%27"])
def test_choice_that_was_not_offered_filters_nothing(staff, query):
    make_image(source_url="https://one.example/a.png")
    assert "one.example" in staff("view").get(LIST + query).content.decode()


def test_list_is_filtered_by_its_own_filters_only(staff):
    assert staff("view").get(f"{LIST}?articles__secured__startswith=Q").status_code == 400


def test_queries_of_the_list_do_not_grow_with_its_rows(staff, django_assert_num_queries):
    client = staff("view", "change", "take_down")
    add_picture(make_article())
    with django_assert_num_queries(11):
        client.get(LIST)
    for _ in range(9):
        add_picture(make_article())
    with django_assert_num_queries(11):
        client.get(LIST)


def test_pictures_are_never_deleted_in_the_admin(staff):
    image = make_image()
    client = staff("view", "change", "delete")
    assert "delete_selected" not in client.get(LIST).content.decode()
    assert client.post(f"{LIST}{image.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": [image.pk], "post": "yes"})
    assert RemoteImage.objects.filter(pk=image.pk).exists()


# --- The page of one --------------------------------------------------------------------------------


def test_page_shows_both_addresses_size_and_format(staff):
    image = make_image(size=(1000, 500))
    html = staff("view").get(page_of(image)).content.decode()
    assert f'<a href="{image.source_url}" rel="noopener noreferrer">' in html
    assert f'<a href="{image.rendition_url(1000, "universal")}">1000 pixels wide</a>' in html
    assert "1000 × 500" in html
    assert "PNG" in html


def test_page_says_where_the_picture_is_used(client):
    image = make_image()
    article, other, provider = make_article(title="Bridges"), make_article(title="Tunnels"), make_provider()
    add_picture(article, image)
    RelatedImage.objects.create(image=image, related_story=make_related(other))
    ProviderImage.objects.create(image=image, provider=provider)
    client.force_login(make_user("Editors"))
    html = client.get(page_of(image)).content.decode()
    for model, owner in (
        ("articles_article", article),
        ("articles_article", other),
        ("providers_provider", provider),
    ):
        assert f'<a href="{reverse(f"admin:{model}_change", args=[owner.pk])}">{owner}</a>' in html


def test_page_names_no_article_to_who_may_not_view_articles(staff):
    image = make_image()
    add_picture(make_article(title="A secret draft", public=False), image)
    html = staff("view").get(page_of(image)).content.decode()
    assert "secret draft" not in html
    assert "<li>Article</li>" in html


def test_queries_of_the_page_do_not_grow_with_uses_and_events(staff, django_assert_num_queries):
    client = staff("view", "change")
    image = make_image()

    def use_and_note():
        add_picture(make_article(), image)
        ImageEvent.objects.create(image=image, verb="replaced", actor=make_user())

    use_and_note()
    client.get(page_of(image))  # the content types are warm from here on
    with django_assert_num_queries(10):
        client.get(page_of(image))
    for _ in range(9):
        use_and_note()
    with django_assert_num_queries(10):
        client.get(page_of(image))


def test_long_lists_of_uses_are_cut(staff, monkeypatch):
    monkeypatch.setattr(uses, "USES_SHOWN", 2)
    image = make_image()
    for _ in range(3):
        add_picture(make_article(), image)
    assert "… and more" in staff("view").get(page_of(image)).content.decode()


def test_page_tells_who_did_what_when_and_why(staff):
    image = make_image()
    ImageEvent.objects.create(
        image=image, verb="taken_down", actor=make_user(username="ada"), note="The agency asked us to.", at=NOON
    )
    html = " ".join(staff("view").get(page_of(image)).content.decode().split())
    assert "2 Mar 2026, 12:00</time> Taken down by ada: “The agency asked us to.”" in html


def test_script_address_is_no_link(staff):
    html = staff("view").get(page_of(failed("javascript:alert(1)"))).content.decode()
    assert 'href="javascript' not in html


def test_page_of_a_picture_that_waits_says_where_to_look_for_it(staff):
    waiting = make_image(cached=False)
    address = f'data-arriving="{LIST}states/?keys={waiting.pk}"'
    client = staff("view")
    assert address in client.get(page_of(waiting)).content.decode()
    for settled in (make_image(), failed(), make_image(cached=False, source_url="/assets/a.png", next_attempt_at=None)):
        assert "data-arriving" not in client.get(page_of(settled)).content.decode()


# --- In words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "It waits to be fetched. It is tried as soon as it is its turn."),
        ({"urgent": True}, "It waits to be fetched. It is its turn before all others."),
        (
            {"attempts": 1, "attempted_at": NOON, "next_attempt_at": NOON + queue.LEASE},
            "It waits to be fetched. Tried once. It is being fetched now.",
        ),
        (
            {
                "state": "failed",
                "detail": "The server took too long.",
                "attempts": 2,
                "attempted_at": NOON,
                "next_attempt_at": NOON + timedelta(minutes=20),
            },
            "The server took too long. Tried 2 times. The next try is on 2 Mar 2026, 12:20.",
        ),
        (
            {"state": "failed", "detail": "Gone", "attempts": 6, "next_attempt_at": None},
            "Gone. Tried 6 times. It is not tried again by itself.",
        ),
        (
            {"source_url": "/assets/a.png", "next_attempt_at": None},
            "Its file is missing: upload it here, or import its tree again.",
        ),
        (
            {"state": "taken_down", "detail": "Not ours", "next_attempt_at": None},
            "Taken down: Not ours. It is shown nowhere and never fetched.",
        ),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_state_without_a_picture_is_told_in_sentences(values, words):
    assert told_of(make_image(cached=False, **values)) == words


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "Fetched on 2 Mar 2026, 12:00."),
        ({"source_url": "/assets/a.png"}, "Came with an imported tree on 2 Mar 2026, 12:00."),
        (
            {"by_hand": True},
            "Uploaded here on 2 Mar 2026, 12:00. If it is fetched again, what comes takes the place of this file.",
        ),
        ({"by_hand": True, "source_url": "/assets/a.png"}, "Uploaded here on 2 Mar 2026, 12:00."),
        (
            {"reason": "http_404", "detail": "The server answered with status 404.", "attempts": 1},
            "It could not be fetched again: The server answered with status 404. "
            "The picture of 2 Mar 2026, 12:00 is still shown. Tried once. It is not tried again by itself.",
        ),
        (
            {"state": "pending", "next_attempt_at": NOON},
            "It waits to be fetched again. The picture of 2 Mar 2026, 12:00 is shown meanwhile. "
            "It is tried as soon as it is its turn.",
        ),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_state_with_a_picture_is_told_in_sentences(values, words):
    image = make_image()
    for name, value in values.items():
        setattr(image, name, value)
    assert told_of(image) == words


# --- The focus --------------------------------------------------------------------------------------


def set_focus(client, image: RemoteImage, x: object, y: object, shown: str | None = None):
    data = {"focus_x": x, "focus_y": y, "shown": image.content_hash if shown is None else shown}
    return client.post(page_of(image), data)


def focus_of(image: RemoteImage) -> tuple[int, int]:
    return RemoteImage.objects.values_list("focus_x", "focus_y").get(pk=image.pk)


def test_focus_is_set_and_nothing_else_changes(staff):
    image = make_image()
    before = RemoteImage.objects.filter(pk=image.pk).values().get()
    assert set_focus(staff("view", "change"), image, 20, 80).status_code == 302
    after = RemoteImage.objects.filter(pk=image.pk).values().get()
    assert after == before | {"focus_x": 20, "focus_y": 80}


def test_save_of_the_focus_writes_no_other_column(staff, django_assert_max_num_queries):
    image = make_image()
    client = staff("view", "change")
    with django_assert_max_num_queries(30) as queries:
        set_focus(client, image, 20, 50)
    updates = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "images_remoteimage"')]
    assert len(updates) == 1
    assert updates[0].count(" = ") == 2  # the column and the key


@pytest.mark.parametrize(("x", "y"), [(101, 50), (-1, 50), ("", 50), ("left", 50)])
def test_focus_outside_of_the_picture_is_refused(staff, x, y):
    image = make_image()
    assert set_focus(staff("view", "change"), image, x, y).status_code == 200
    assert focus_of(image) == (50, 50)


def test_focus_of_a_picture_that_has_become_another_is_refused(staff):
    image = make_image()
    response = set_focus(staff("view", "change"), image, 20, 20, shown="0" * 64)
    assert "There is another picture here since you opened this page." in response.content.decode()
    assert focus_of(image) == (50, 50)


def test_focus_needs_the_permission_to_change(staff):
    image = make_image()
    client = staff("view", "add", "take_down")
    assert set_focus(client, image, 20, 20).status_code == 403
    html = client.get(page_of(image)).content.decode()
    assert 'name="focus_x"' not in html
    assert "focus-frame" not in html
    assert focus_of(image) == (50, 50)


def test_only_a_picture_that_is_there_has_a_focus(staff):
    image = failed()
    client = staff("view", "change")
    html = client.get(page_of(image)).content.decode()
    assert 'name="focus_x"' not in html
    assert 'value="Save"' not in html
    set_focus(client, image, 20, 20)
    assert focus_of(image) == (50, 50)
