"""An editor's journeys, in a real browser."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.factories import add_picture, make_article, make_topic, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

PUBLISH = re.compile(r"\bpublish$", re.IGNORECASE)
UNPUBLISH = re.compile(r"\bunpublish$", re.IGNORECASE)


@pytest.fixture
def draft():
    draft = make_article(title="A draft about lighthouses", topics=[make_topic("Coast")], public=False)
    add_picture(draft)
    return draft


def log_in(page: Page, user: User) -> None:
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()


def test_editor_publishes_a_draft_sees_it_on_the_site_and_takes_it_down_again(visit, draft):
    editor, reader = visit(), visit()
    assert reader.status(draft.get_absolute_url()) == 404

    page = editor.open("/admin/articles/article/")
    log_in(page, make_user("Editors"))
    page.get_by_role("link", name=draft.title).first.click()
    page.get_by_role("button", name=PUBLISH).click()
    expect(page.locator(".messagelist")).to_contain_text("published")

    reader.open(draft.get_absolute_url())
    expect(reader.page.get_by_role("heading", level=1)).to_contain_text(draft.title)
    expect(reader.open("/").get_by_role("link", name=draft.title).first).to_be_visible()

    editor.open(f"/admin/articles/article/{draft.pk}/change/")
    page.get_by_role("button", name=UNPUBLISH).click()
    expect(page.locator(".messagelist")).to_contain_text("unpublished")
    assert reader.status(draft.get_absolute_url()) == 404
    expect(reader.open("/").get_by_role("link", name=draft.title)).to_have_count(0)


def test_contributor_may_save_a_draft_of_their_own_but_is_offered_no_publish_button(visit):
    contributor = make_user("Contributors")
    own = make_article(public=False, created_by=contributor)
    page = visit().open(f"/admin/articles/article/{own.pk}/change/")
    log_in(page, contributor)
    page.get_by_label("Title").first.fill("A better title")
    expect(page.get_by_role("button", name=PUBLISH)).to_have_count(0)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="A better title").first).to_be_visible()


def test_what_autocomplete_makes_has_a_name(visit, draft):
    page = visit().open("/admin/articles/article/")
    log_in(page, make_user("Editors"))
    expect(page.get_by_role("combobox", name="Find a topic: none")).to_be_visible()

    page.goto(f"{page.url}{draft.pk}/change/")
    expect(page.get_by_role("combobox", name=f"Provider: {draft.provider}", exact=True)).to_be_visible()
    expect(page.get_by_role("combobox", name="Topics: Coast", exact=True)).to_be_visible()
    page.get_by_role("button", name="Add another Related story").click()
    expect(page.get_by_role("combobox", name="Provider: none", exact=True)).to_be_visible()


def test_focus_stays_above_the_bar_of_buttons(visit, draft):
    page = visit(viewport={"width": 1280, "height": 500}).open(f"/admin/articles/article/{draft.pk}/change/")
    log_in(page, make_user("Editors"))
    bar = page.locator(".submit-row")
    for _ in range(25):
        page.keyboard.press("Tab")
        focus = page.locator(":focus")
        if not focus.is_visible() or focus.evaluate("element => Boolean(element.closest('.submit-row'))"):
            continue
        box = focus.bounding_box()
        assert box["y"] + box["height"] <= bar.bounding_box()["y"], focus.evaluate("element => element.outerHTML")


def test_list_and_form_fit_a_phone(visit, draft):
    visitor = visit(viewport={"width": 320, "height": 640})
    log_in(visitor.open("/admin/"), make_user("Editors"))
    for path in ("/admin/", "/admin/articles/article/", f"/admin/articles/article/{draft.pk}/change/"):
        visitor.open(path)
        assert visitor.overflow() <= 0, path
