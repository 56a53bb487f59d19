"""A form in which somebody has written: leaving it, and a session that ends meanwhile."""

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from articles.models import Article
from tests.browser.test_editors import log_in
from tests.factories import make_article, make_topic, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture
def story() -> Article:
    return make_article(title="The old lighthouse", topics=[make_topic("Coast")], public=False)


def open_form(visitor, story) -> Page:
    page = visitor.open(f"/admin/articles/article/{story.pk}/change/")
    log_in(page, make_user("Editors"))
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_visible()
    page.wait_for_load_state("load")
    return page


def questions(page: Page) -> list[str]:
    """What the browser asks from now on; always answered with yes."""
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    return asked


def come_back(page: Page) -> None:
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_leaving_what_is_not_saved_asks_and_saving_does_not(visit, story):
    page = open_form(visit(), story)
    asked = questions(page)
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", name="The old lighthouse").first).to_be_visible()
    assert asked == []
    page.go_back()
    page.wait_for_load_state("load")
    page.get_by_label("Title").first.fill("The new lighthouse")
    page.get_by_role("link", name="History").click()
    expect(page).to_have_url(re.compile("history"))
    assert asked == ["beforeunload"]
    page.go_back()
    page.wait_for_load_state("load")
    page.get_by_label("Title").first.fill("A newer lighthouse")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
    assert asked == ["beforeunload"]


def test_leaving_what_was_refused_asks(visit, story):
    page = open_form(visit(), story)
    asked = questions(page)
    page.get_by_label("Title").first.fill("")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".errornote")).to_be_visible()
    assert asked == []
    page.get_by_role("heading", level=1).click()
    page.get_by_role("link", name="History").click()
    expect(page).to_have_url(re.compile("history"))
    assert asked == ["beforeunload"]


def test_save_at_once_after_the_end_of_the_session_keeps_the_text(visit, story):
    page = open_form(visit(), story)
    page.get_by_label("Title").first.fill("The new lighthouse")
    Session.objects.all().delete()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".presence-moved")).to_be_focused()
    expect(page.get_by_label("Title").first).to_have_value("The new lighthouse")


@pytest.mark.parametrize("is_silent", [False, True])
def test_button_is_the_one_that_was_pressed_whether_the_site_answers_in_time_or_not(visit, story, is_silent):
    page = open_form(visit(), story)
    if is_silent:
        page.route("**/presence/", lambda route: None)
    page.get_by_label("Title").first.fill("The new lighthouse")
    page.get_by_role("button", name="Save and submit", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("saved and submitted for review")
    story.refresh_from_db()
    assert (story.title, story.status) == ("The new lighthouse", Article.Status.IN_REVIEW)


def test_end_of_the_session_is_told_and_after_a_new_login_the_text_is_saved(visit, story):
    visitor = visit()
    page = open_form(visitor, story)
    page.get_by_label("Title").first.fill("The new lighthouse")
    Session.objects.all().delete()
    come_back(page)
    told = page.locator(".presence-moved")
    expect(told).to_contain_text("You are not logged in any more: log in in another tab before you save.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(told).to_be_focused()
    with page.expect_popup() as other:
        told.get_by_role("link", name="Log in").click()
    other.value.get_by_label("Username").wait_for()
    log_in(other.value, make_user("Editors", username="again"))
    expect(other.value.get_by_role("heading", name="Who did what")).to_be_visible()
    come_back(page)
    expect(told).to_have_text("")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
    assert Article.objects.get().title == "The new lighthouse"
