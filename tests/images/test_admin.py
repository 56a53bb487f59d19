import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.urls import reverse

from articles.models import RelatedImage
from images import admin as images_admin
from images.models import RemoteImage
from providers.models import ProviderImage
from tests.factories import add_picture, make_article, make_image, make_provider, make_related, make_user, png
from tests.fetching.hosts import answer, by_path, dripping

pytestmark = pytest.mark.django_db

LIST = "/admin/images/remoteimage/"


def form_of(image: RemoteImage) -> str:
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


def fetch_again(client, *images: RemoteImage):
    data = {"action": "fetch_again", "_selected_action": [image.pk for image in images]}
    return client.post(LIST, data)


def told(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def failed(url: str, **overrides) -> RemoteImage:
    return make_image(cached=False, source_url=url, state="failed", reason="http_404", attempts=1, **overrides)


# --- Fetch again ------------------------------------------------------------------------------------


def test_bulk_fetch_says_how_many_came_and_how_many_did_not(staff, hosting):
    host = hosting(by_path(good=answer(body=png()), gone=answer("410 Gone"), lost=answer("404 Not Found")))
    images = [failed(host.url(path)) for path in ("/good", "/gone", "/lost")]
    local = failed("/assets/logo.png")
    response = fetch_again(staff("view", "change"), *images, local)
    assert told(response) == (
        "1 picture fetched. 2 could not be fetched; the list says why. "
        "1 came with an imported tree and cannot be fetched."
    )
    assert list(RemoteImage.objects.order_by("pk").values_list("state", "reason")) == [
        ("cached", ""),
        ("failed", "http_410"),
        ("failed", "http_404"),
        ("failed", "http_404"),
    ]


def test_bulk_fetch_from_a_filtered_list_fetches_what_the_filter_showed(staff, hosting):
    host = hosting(answer(body=png()))
    image = failed(host.url())
    client = staff("view", "change")
    data = {"action": "fetch_again", "_selected_action": [image.pk]}
    response = client.post(LIST + "?state=failed", data)
    assert told(response) == "1 picture fetched."


def test_single_failure_is_told_with_its_reason(staff, hosting):
    host = hosting(answer("404 Not Found"))
    response = fetch_again(staff("view", "change"), failed(host.url()))
    assert told(response) == f"Could not fetch {host.url()}: The server answered with status 404."


def test_what_there_was_no_time_for_is_told_and_waits(staff, hosting, monkeypatch):
    monkeypatch.setattr(images_admin, "FETCH_AGAIN_SECONDS", 0.3)
    host = hosting(dripping(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n", b"x"))
    images = [failed(host.url(f"/{n}")) for n in range(6)]
    response = fetch_again(staff("view", "change"), *images)
    assert told(response) == (
        "4 could not be fetched; the list says why. "
        "2 left for the next run of cache_images: there was no time for more."
    )
    assert RemoteImage.objects.filter(state="pending").count() == 2


def test_fetching_again_needs_the_permission_to_change(staff, hosting):
    host = hosting(answer(body=png()))
    image = failed(host.url())
    client = staff("view")
    fetch_again(client, image)
    assert client.post(button_of(image)).status_code == 403
    assert b"Fetch again" not in client.get(form_of(image)).content
    assert host.requests == []


def test_button_on_the_form_fetches(staff, hosting):
    host = hosting(answer(body=png()))
    image = failed(host.url())
    client = staff("view", "change")
    assert button_of(image).encode() in client.get(form_of(image)).content
    response = client.post(button_of(image))
    assert response.url == form_of(image)
    assert told(response) == "1 picture fetched."
    image.refresh_from_db()
    assert image.state == "cached"


def test_button_works_by_post_only_and_for_staff_only(staff, client):
    image = failed("https://pictures.example/a.png")
    assert staff("view", "change").get(button_of(image)).status_code == 405
    client.logout()
    assert "/login/" in client.post(button_of(image)).url
    image.refresh_from_db()
    assert image.state == "failed"


def test_button_is_not_offered_for_pictures_of_a_tree(staff):
    image = failed("/assets/logo.png")
    assert button_of(image).encode() not in staff("view", "change").get(form_of(image)).content


def test_button_for_a_picture_that_is_gone_is_404(staff):
    assert staff("change").post("/admin/images/remoteimage/999/fetch-again/").status_code == 404


# --- List and form ----------------------------------------------------------------------------------


def test_list_shows_picture_state_and_reason_in_words(staff):
    image = make_image()
    make_image(cached=False, state="failed", reason="http_404", detail="The server answered with status 404.")
    html = staff("view").get(LIST).content.decode()
    assert image.rendition_url(160, "webp") in html
    assert '<span class="badge badge-cached">Cached</span>' in html
    assert '<span class="badge badge-failed">Failed</span>' in html
    assert "The server answered with status 404." in html
    assert "400 × 300" in html


def test_list_is_searched_by_address_and_filtered_by_reason(staff):
    make_image(cached=False, source_url="https://one.example/a.png", state="failed", reason="http_404")
    make_image(cached=False, source_url="https://two.example/b.png", state="failed", reason="timeout")
    client = staff("view")
    for query in ("?q=one.example", "?reason=http_404"):
        html = client.get(LIST + query).content.decode()
        assert "one.example" in html
        assert "two.example" not in html


@pytest.mark.parametrize("query", ["?state=%00", "?reason=%00", "?state=nonsense"])
def test_choice_that_was_not_offered_filters_nothing(staff, query):
    make_image(source_url="https://one.example/a.png")
    assert "one.example" in staff("view").get(LIST + query).content.decode()


def test_list_is_filtered_by_its_own_filters_only(staff):
    assert staff("view").get(f"{LIST}?articles__secured__startswith=Q").status_code == 400


def test_picture_that_is_not_there_has_no_empty_rows(staff):
    html = staff("view").get(form_of(failed("https://one.example/a.png"))).content.decode()
    assert "Picture:" not in html
    assert "Size:" not in html


def test_queries_of_the_list_do_not_grow_with_its_rows(staff, django_assert_num_queries):
    client = staff("view", "change")
    make_image()
    with django_assert_num_queries(7):
        client.get(LIST)
    for _ in range(9):
        make_image()
    with django_assert_num_queries(7):
        client.get(LIST)


def test_form_says_where_the_picture_is_used(staff):
    image = make_image()
    article, other, provider = make_article(title="Bridges"), make_article(title="Tunnels"), make_provider()
    add_picture(article, image)
    RelatedImage.objects.create(image=image, related_story=make_related(other))
    ProviderImage.objects.create(image=image, provider=provider)
    client = staff("view")
    client.force_login(make_user("Editors"))
    html = client.get(form_of(image)).content.decode()
    for model, owner in (
        ("articles_article", article),
        ("articles_article", other),
        ("providers_provider", provider),
    ):
        assert f'<a href="{reverse(f"admin:{model}_change", args=[owner.pk])}">{owner}</a>' in html


def test_form_names_no_article_to_who_may_not_view_articles(staff):
    image = make_image()
    add_picture(make_article(title="A secret draft", public=False), image)
    html = staff("view").get(form_of(image)).content.decode()
    assert "secret draft" not in html
    assert "<li>Article</li>" in html


def test_queries_of_the_form_do_not_grow_with_the_uses(staff, django_assert_num_queries):
    client = staff("view")
    image = make_image()
    add_picture(make_article(), image)
    client.get(form_of(image))  # the content types are warm from here on
    with django_assert_num_queries(9):
        client.get(form_of(image))
    for _ in range(9):
        add_picture(make_article(), image)
    with django_assert_num_queries(9):
        client.get(form_of(image))


def test_long_lists_of_uses_are_cut(staff, monkeypatch):
    monkeypatch.setattr(images_admin, "USES_SHOWN", 2)
    image = make_image()
    for _ in range(3):
        add_picture(make_article(), image)
    assert "… and more" in staff("view").get(form_of(image)).content.decode()


def test_script_address_is_no_link(staff):
    html = staff("view").get(form_of(failed("javascript:alert(1)"))).content.decode()
    assert 'href="javascript' not in html


def test_images_are_not_added_by_hand(staff):
    assert staff("view", "add", "change").get(f"{LIST}add/").status_code == 403


def test_image_in_use_is_not_deleted(staff):
    image = make_image()
    add_picture(make_article(), image)
    staff("view", "delete").post(f"{LIST}{image.pk}/delete/", {"post": "yes"})
    assert RemoteImage.objects.filter(pk=image.pk).exists()
