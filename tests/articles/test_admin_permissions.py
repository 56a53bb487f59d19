"""Who may do what to a story in the admin: by page, by button, by forged request and in bulk."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from articles.models import Article, Event
from tests.articles.pages import filled
from tests.factories import add_picture, make_article, make_related, make_topic, make_user

pytestmark = pytest.mark.django_db
LIST = reverse("admin:articles_article_changelist")
ADD = reverse("admin:articles_article_add")
ROLES = ["anonymous", "staff", "Contributors", "Editors"]


def address(article, page: str = "change") -> str:
    return reverse(f"admin:articles_article_{page}", args=[article.pk])


def log_in(client, role: str):
    """A user of this role, logged in; None for nobody."""
    if role == "anonymous":
        return None
    user = make_user(role if role in ("Contributors", "Editors") else "")
    client.force_login(user)
    return user


def outcome(response) -> str:
    if response.status_code == 302 and "/login/" in response["Location"]:
        return "login"
    return {200: "page", 302: "done", 403: "refused"}[response.status_code]


def as_it_is(article) -> dict:
    """The row of an article, to see that it is untouched."""
    return Article.objects.filter(pk=article.pk).values().get()


def a_form_for(article) -> dict[str, list[str]]:
    """The fields that an editor's form would send, whoever sends them."""
    client = Client()
    client.force_login(make_user("Editors"))
    return filled(client.get(address(article)))


@pytest.mark.parametrize(
    ("role", "expected"),
    [("anonymous", "login"), ("staff", "refused"), ("Contributors", "page"), ("Editors", "page")],
)
def test_who_sees_the_list_and_may_begin_a_story(client, role, expected):
    log_in(client, role)
    assert outcome(client.get(LIST)) == expected
    assert outcome(client.get(ADD)) == expected


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("whose", ["own", "other"])
@pytest.mark.parametrize("status", Article.Status.values)
def test_who_may_change_a_story(client, role, whose, status):
    user = log_in(client, role)
    article = make_article(public=status == "published", status=status, created_by=user if whose == "own" else None)
    data = a_form_for(article) | {"title": "Changed", "_save": "Save"}
    before = as_it_is(article)
    may = role == "Editors" or (role == "Contributors" and whose == "own" and status != "published")
    expected = {"anonymous": "login"}.get(role, "done" if may else "refused")
    assert outcome(client.post(address(article), data)) == expected
    assert (as_it_is(article)["title"] == "Changed") == may
    if not may:
        assert as_it_is(article) == before
        assert not Event.objects.exists()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", ["publish", "unpublish"])
def test_who_may_publish_with_a_forged_request(client, role, verb):
    """The story is the sender's own, so that only the verb stands in the way."""
    user = log_in(client, role)
    article = make_article(public=False, created_by=user)
    if verb == "unpublish":
        Article.objects.filter(pk=article.pk).update(status="published", publish_at="2026-03-02T12:00Z")
    data = a_form_for(article) | {"title": "Changed too", "_verb": verb}
    before = as_it_is(article)
    response = client.post(address(article), data)
    if role == "Editors":
        assert outcome(response) == "done"
        assert as_it_is(article)["status"] == {"publish": "published", "unpublish": "unpublished"}[verb]
    else:
        assert outcome(response) == ("login" if role == "anonymous" else "refused")
        assert as_it_is(article) == before
        assert not Event.objects.exists()


@pytest.mark.parametrize("role", ROLES)
def test_nobody_deletes_in_bulk_without_the_right(client, role):
    log_in(client, role)
    article = make_article(title="Not to be named")
    client.post(LIST, {"action": "delete_selected", "_selected_action": [article.pk], "post": "yes"})
    assert Article.objects.filter(pk=article.pk).exists()


@pytest.mark.parametrize("role", ROLES)
def test_nobody_deletes_without_the_right(client, role):
    log_in(client, role)
    article = make_article()
    response = client.post(address(article, "delete"), {"post": "yes"})
    assert outcome(response) == ("login" if role == "anonymous" else "refused")
    assert Article.objects.filter(pk=article.pk).exists()


def test_superuser_may_delete_a_story_with_its_events(client):
    client.force_login(make_user(is_superuser=True))
    article = make_article()
    Event.objects.create(article=article, verb="edit")
    client.post(address(article, "delete"), {"post": "yes"})
    assert not Article.objects.exists()


def test_verb_that_does_not_exist_is_refused(client):
    log_in(client, "Editors")
    article = make_article(public=False)
    before = as_it_is(article)
    response = client.post(address(article), a_form_for(article) | {"title": "Changed", "_verb": "_apply"})
    assert outcome(response) == "refused"
    assert as_it_is(article) == before


def test_request_without_a_token_is_refused():
    client = Client(enforce_csrf_checks=True)
    log_in(client, "Editors")
    article = make_article(public=False)
    data = a_form_for(article) | {"_verb": "publish", "csrfmiddlewaretoken": ""}
    assert client.post(address(article), data).status_code == 403
    assert not Article.objects.published().exists()


def test_contributor_is_shown_one_button_for_a_draft_and_no_action_that_publishes(client):
    user = log_in(client, "Contributors")
    article = make_article(public=False, created_by=user)
    assert re.findall(r'name="_verb" value="(\w+)"', client.get(address(article)).text) == ["submit"]
    article.status = Article.Status.IN_REVIEW
    article.save()
    for page in (address(article), ADD):
        assert 'name="_verb"' not in client.get(page).text
    assert "publish_selected" not in client.get(LIST).text


def test_story_of_another_is_shown_to_a_contributor_but_not_as_a_form(client):
    log_in(client, "Contributors")
    article = make_article(title="It&#8217;s theirs", topics=[make_topic("Zebras"), make_topic("Apes")])
    make_related(article)
    picture = add_picture(article)
    response = client.get(address(article))
    page = response.content.decode()
    assert response.status_code == 200
    assert "Zebras, Apes" in re.sub(r"<[^>]+>", "", page)
    assert '<div class="readonly">It’s theirs</div>' in page
    assert picture.image.source_url in page
    assert 'name="title"' not in page
    assert 'type="submit" value="Save"' not in page


def test_contributor_writes_drafts(client):
    user = log_in(client, "Contributors")
    data = filled(client.get(ADD)) | {"title": "Mine", "_save": "Save"}
    assert outcome(client.post(ADD, data)) == "done"
    article = Article.objects.get()
    assert (article.created_by, article.status) == (user, "draft")


@pytest.mark.parametrize(("role", "may"), [("Contributors", False), ("Editors", True)])
def test_only_who_may_make_topics_is_offered_to(client, role, may):
    log_in(client, role)
    assert ('id="add_id_topics"' in client.get(ADD).content.decode()) == may


@pytest.mark.parametrize(("role", "may"), [("staff", False), ("Contributors", True), ("Editors", True)])
def test_events_are_read_only_even_to_who_may_see_them(client, role, may):
    log_in(client, role)
    event = Event.objects.create(article=make_article(), verb="edit")
    assert outcome(client.get(reverse("admin:articles_event_changelist"))) == ("page" if may else "refused")
    assert client.post(reverse("admin:articles_event_change", args=[event.pk])).status_code == 403
    assert client.post(reverse("admin:articles_event_delete", args=[event.pk])).status_code == 403
    assert client.get(reverse("admin:articles_event_add")).status_code == 403
