"""The rows of pictures in forms: of a story, with warnings and a lead, and of a provider, without."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from providers.models import ProviderImage
from tests.factories import add_picture, make_article, make_image, make_provider, make_user

pytestmark = pytest.mark.django_db
HIDDEN, SHOWN = " hidden", ""


@pytest.fixture
def page(client):
    """A function that returns the form of a record, as an editor sees it."""
    client.force_login(make_user("Editors"))

    def read(record) -> str:
        meta = record._meta
        url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[record.pk])
        return client.get(url).content.decode()

    return read


def row(page: str, number: int | str) -> str:
    """The HTML of a row; "empty" is what new ones are made from."""
    return re.search(rf'<tr class="form-row[^>]*id="\w+-{number}".*?</tr>', page, re.DOTALL)[0]


def warnings(row: str) -> list[tuple[str, str]]:
    return re.findall(r'<p class="row-warning" data-when-empty="[^"]*"( hidden|)>([^<]*)</p>', row)


def test_row_warns_of_the_text_that_is_missing(page):
    article = make_article()
    add_picture(article, attribution="The harbour office")
    assert warnings(row(page(article), 0)) == [(SHOWN, "No alternative text."), (HIDDEN, "")]


def test_row_warns_of_a_text_that_is_the_name_of_the_file(page):
    article = make_article()
    add_picture(article, make_image(source_url="https://pictures.example/ebb.jpg"), alt="<b>ebb.jpg")
    add_picture(article, make_image(source_url="https://pictures.example/tide.jpg"), alt="tide")
    html = page(article)
    [alt, _] = warnings(row(html, 0))
    assert alt == (SHOWN, "“&lt;b&gt;ebb.jpg” is the name of a file, not what the picture shows.")
    [alt, _] = warnings(row(html, 1))
    assert alt == (SHOWN, "“tide” is the name of a file, not what the picture shows.")


def test_only_the_lead_is_to_have_a_credit(page):
    article = make_article()
    for _ in range(2):
        add_picture(article, alt="A cat on a wall")
    html = page(article)
    assert warnings(row(html, 0)) == [(HIDDEN, ""), (SHOWN, "No credit.")]
    assert warnings(row(html, 1)) == [(HIDDEN, ""), (HIDDEN, "")]


def test_first_by_position_has_the_badge(page):
    article = make_article()
    second, first = add_picture(article), add_picture(article)
    type(second).objects.filter(pk=second.pk).update(position=5)
    html = page(article)
    assert first.image.source_url in row(html, 0)
    assert ['badge-lead">Lead' in row(html, number) for number in (0, 1)] == [True, False]


def test_row_that_is_not_filled_in_is_not_warned_of(page):
    empty = row(page(make_article()), "empty")
    assert warnings(empty) == [(HIDDEN, ""), (HIDDEN, "")]
    assert 'badge-lead" hidden' in empty


def test_row_tells_the_script_which_picture_it_waits_for(page):
    article = make_article()
    image = make_image(cached=False)
    add_picture(article, image)
    told = f'data-key="{image.pk}" data-state="pending" data-address="{image.source_url}"'
    assert told in row(page(article), 0)


def test_picture_that_was_taken_down_is_not_shown(page):
    article = make_article()
    image = make_image()
    add_picture(article, image)
    assert "<img" in row(page(article), 0)
    type(image).objects.filter(pk=image.pk).update(state="taken_down", detail="Not ours.", next_attempt_at=None)
    html = row(page(article), 0)
    assert "<img" not in html
    assert "Taken down</a>: Not ours." in html


def test_logos_arrive_as_pictures_do_and_need_no_words(page):
    provider = make_provider()
    ProviderImage.objects.create(provider=provider, image=make_image())
    html = page(provider)
    assert f'data-states="{reverse("admin:images_remoteimage_states")}"' in html
    assert "js/pictures.js" in html
    assert warnings(html) == []
    assert "badge-lead" not in html


def test_who_may_not_add_pictures_is_not_offered_to(client):
    reader = make_user()
    names = ["change_article", "view_article", "publish_article", "view_articleimage", "change_articleimage"]
    reader.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(reader)
    html = client.get(reverse("admin:articles_article_change", args=[make_article().pk])).content.decode()
    assert "data-states=" in html
    assert "data-arrive=" not in html
