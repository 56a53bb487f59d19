"""Who has a story's form open."""

import sqlite3
import time
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from articles.admin.presence import mark, present
from articles.models import Event, Presence
from tests.articles.test_two_editors import Editor
from tests.factories import make_article, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> Editor:
    return Editor("ana")


@pytest.fixture
def ben() -> Editor:
    return Editor("ben")


def address(article) -> str:
    return reverse("admin:articles_article_presence", args=[article.pk])


def change(article) -> str:
    return reverse("admin:articles_article_change", args=[article.pk])


def say(editor: Editor, article, **values):
    return editor.client.post(address(article), {"version": article.version} | values)


def ago(article, **time) -> None:
    Presence.objects.filter(article=article).update(seen_at=timezone.now() - timedelta(**time))


def test_page_says_who_is_there_and_hears_who_else_is(ana, ben):
    article = make_article()
    assert say(ana, article).json() == {"others": [], "version": 1, "moved": False}
    assert say(ben, article).json()["others"] == ["ana"]
    assert say(ana, article).json()["others"] == ["ben"]
    assert Presence.objects.count() == 2


def test_who_leaves_is_gone_at_once_and_who_says_nothing_soon(ana, ben):
    article = make_article()
    say(ana, article)
    answer = ana.client.post(address(article), {"gone": "1"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert say(ben, article).json()["others"] == []
    say(ana, article)
    ago(article, seconds=44)
    assert say(ben, article).json()["others"] == ["ana"]
    ago(article, seconds=46)
    assert say(ben, article).json()["others"] == []


def test_page_hears_who_saved_meanwhile(ana, ben):
    article = make_article(title="Old")
    ben.save(article, title="Ben’s")
    told = say(ana, article).json()
    assert (told["moved"], told["version"], told["by"]) == (True, 2, "ben")
    assert told["at"].startswith("at ")
    assert say(ben, article).json()["by"] == "", "their own other window"


def test_page_hears_of_an_import(ana):
    article = make_article(version=2)
    assert say(ana, article, version="1").json()["by"] == "Somebody"
    Event.objects.create(article=article, verb="import")
    assert say(ana, article, version="1").json()["by"] == "An import"


def test_form_without_a_script_shows_who_opened_it_in_the_last_two_minutes(ana, ben):
    article = make_article()
    ben.client.get(change(article))
    ago(article, seconds=110)
    assert "ben is editing this story too." in ana.client.get(change(article)).text
    ago(article, seconds=130)
    assert "ben is editing" not in ana.client.get(change(article)).text


def test_names_are_escaped(ana):
    article = make_article()
    other = make_user("Editors", first_name="<b>Bo")
    Presence.objects.create(article=article, user=other)
    page = ana.client.get(change(article)).text
    assert "&lt;b&gt;Bo is editing" in page
    assert "<b>Bo" not in page


def test_who_only_looks_is_not_there(ana):
    article = make_article()
    carl = Editor("carl", "Contributors")
    page = carl.client.get(change(article))
    assert page.status_code == 200
    assert "presence.js" not in page.text
    assert not Presence.objects.exists()


@pytest.mark.parametrize("group", ["", "Contributors"])
def test_who_may_not_change_the_story_hears_nothing(ana, group):
    article = make_article()
    say(ana, article)
    assert say(Editor("eve", group), article).status_code == 403
    assert Presence.objects.get().user == ana.user


def test_answer_is_for_editors_who_post_about_a_story_that_is_there(ana):
    article = make_article()
    assert "/login/" in Client().post(address(article)).headers["Location"]
    assert "/login/" in Client().get(address(article)).headers["Location"]
    assert ana.client.put(address(article)).status_code == 405
    for key in ("99", "x", "9" * 30):
        assert ana.client.post(reverse("admin:articles_article_presence", args=[key])).status_code == 404
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(ana.user)
    assert guarded.post(address(article)).status_code == 403
    assert not Presence.objects.exists()


def test_rows_of_yesterday_go_when_a_form_is_opened(ana, ben):
    old, new = make_article(), make_article()
    say(ben, old)
    ago(old, hours=25)
    ana.client.get(change(new))
    assert [presence.user for presence in Presence.objects.all()] == [ana.user]


def test_presence_of_many_stories_is_one_query(ana, ben, django_assert_num_queries):
    articles = [make_article() for _ in range(4)]
    for article in articles[:3]:
        say(ana, article)
    say(ben, articles[0])
    ago(articles[2], seconds=50)
    with django_assert_num_queries(1):
        there = present(article.pk for article in articles)
    assert there == {articles[0].pk: ["ana", "ben"], articles[1].pk: ["ana"]}


def test_query_count_of_an_answer_is_flat(ana, django_assert_num_queries):
    article = make_article()
    say(ana, article)
    with django_assert_num_queries(9):
        say(ana, article)
    for number in range(5):
        say(Editor(f"editor{number}"), article)
    with django_assert_num_queries(9):
        assert len(say(ana, article).json()["others"]) == 5


# --- While the database is busy -----------------------------------------------------------------


@contextmanager
def long_import(article, folder):
    """Somebody else holds what a presence wants, as an import does: on SQLite all that is written, in a file as sites
    have it, as in memory nobody waits."""
    other, ours = connections.create_connection("default"), connections["default"]
    if connection.vendor == "sqlite":
        other.settings_dict = other.settings_dict | {"NAME": str(folder / "site.sqlite3")}
        with closing(sqlite3.connect(folder / "site.sqlite3")) as file:
            ours.connection.backup(file)
        connections["default"] = connections.create_connection("default")
        connection.settings_dict = other.settings_dict
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN" if other.vendor == "postgresql" else "BEGIN IMMEDIATE")
            if other.vendor == "postgresql":
                cursor.execute("SELECT 1 FROM articles_article WHERE id = %s FOR UPDATE", [article.pk])
                cursor.execute("SELECT 1 FROM articles_presence FOR UPDATE")
            yield
    finally:
        other.close()
        if connections["default"] is not ours:
            connections["default"].close()
            connections["default"] = ours


def waits_for() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout" if connection.vendor == "postgresql" else "PRAGMA busy_timeout")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_an_import_to_open_or_leave_a_form(tmp_path):
    ana, ben = (Editor(name, "", is_superuser=True) for name in ("ana", "ben"))  # the groups may be gone by now
    article = make_article()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET lock_timeout = '20s'")  # as SQLite waits
    say(ben, article)
    with long_import(article, tmp_path):
        ready, begun = waits_for(), time.monotonic()
        page = ana.client.get(change(article))
        assert page.status_code == 200
        assert "ben is editing this story too." in page.text
        assert say(ana, article).json()["others"] == ["ben"]
        assert ben.client.post(address(article), {"gone": "1"}).status_code == 204
        assert time.monotonic() - begun < 5
        assert waits_for() == ready in ("20s", "20000"), "for what really has to be written"


@pytest.mark.django_db(transaction=True)
def test_story_may_be_deleted_while_somebody_says_to_be_there():
    article, user = make_article(), make_user()
    key = article.pk
    article.delete()
    mark(key, user)
    assert not Presence.objects.exists()


def test_page_whose_editor_logged_in_again_gets_what_its_forms_send(ben):
    article, browser = make_article(public=False), Client(enforce_csrf_checks=True)
    assert browser.get(address(article)).status_code == 302
    browser.force_login(ben.user)
    assert browser.post(address(article), {"version": 1}).status_code == 403
    token = browser.get(address(article)).json()["token"]
    answer = browser.post(address(article), {"version": 1, "csrfmiddlewaretoken": token})
    assert answer.json() == {"others": [], "version": 1, "moved": False}
    browser.force_login(make_user("Contributors"))
    assert browser.get(address(article)).status_code == 403
    assert not Presence.objects.exclude(user=ben.user).exists()
