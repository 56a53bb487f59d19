"""Many stories at once, in a browser: chosen in the list, shown, scheduled, and undone; with and without a script."""

import re

import pytest
from playwright.sync_api import Page, expect

from articles.models import Article
from tests.browser.axe import violations
from tests.browser.test_editors import log_in
from tests.factories import make_article, make_topic, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
LIST = "/admin/articles/article/"
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.fixture
def stories(settings) -> list[Article]:
    """One that is fine, one that lacks what is advised, one what is required, and one that is live already."""
    settings.CHECKS_REQUIRED = ["topic"]
    topic = make_topic("Whales")
    return [
        make_article(title="Fine", public=False, topics=[topic], no_picture=True),
        make_article(title=f"Advised {LONG_WORD}", public=False, topics=[topic]),
        make_article(title="Required", public=False, no_picture=True),
        make_article(title="Live"),
    ]


def chosen(visitor, action: str, user=None) -> Page:
    """The page before the action, for all stories of the list."""
    page = visitor.open(LIST)
    log_in(page, user or make_user("Editors", username="ana"))
    page.locator(".action-select").first.wait_for()
    for box in page.locator(".action-select").all():
        box.check()
    page.get_by_label("Action:").select_option(action)
    page.get_by_role("button", name="Go").click()
    expect(page.locator("#bulk_form")).to_be_visible()
    return page


def status(story: Article) -> str:
    return Article.objects.get(pk=story.pk).status


def test_button_says_how_many_and_when_and_undo_takes_it_back(visit, stories):
    page = chosen(visit(), "Schedule selected stories…")
    button = page.locator("[name=confirm]")
    expect(button).to_have_text("Schedule 3")
    expect(page.get_by_label("Required")).to_be_disabled()
    page.get_by_label("Live").uncheck()
    expect(button).to_have_text("Schedule 2")
    page.get_by_role("button", name="Only those that lack nothing").click()
    expect(page.get_by_label("Advised")).not_to_be_checked()
    page.get_by_label("Live").uncheck()
    page.get_by_label("Public from").fill("2000-07-01T14:00")
    button.click()
    expect(page.get_by_label("Public from")).to_be_focused()  # with what is wrong in it
    page.get_by_label("Public from").fill("2099-07-01T14:00")
    expect(button).to_have_text("Schedule 1 for 2099-07-01, 14:00")
    button.click()
    expect(page.locator(".messagelist")).to_contain_text("Scheduled: 1 story.")
    assert [status(story) for story in stories] == ["published", "draft", "draft", "published"]
    page.get_by_role("button", name="Undo: 1 story").click()
    expect(page.locator(".messagelist")).to_contain_text("Undone: 1 story.")
    assert status(stories[0]) == "draft"
    page.get_by_role("button", name="Do it again: 1 story").click()
    expect(page.get_by_role("button", name="Undo: 1 story")).to_be_visible()  # as it was left, once more
    assert status(stories[0]) == "published"


def test_topics_are_chosen_by_typing(visit, stories):
    page = chosen(visit(), "Change topics of selected stories…")
    page.get_by_role("searchbox", name="Find take away").click()
    page.get_by_role("option", name="Whales").click()
    page.get_by_role("button", name="Show what would change").click()
    expect(page.locator(".bulk-told")).to_contain_text("2 get other topics, 2 cannot be changed")
    page.get_by_role("button", name="Change topics of 2").click()
    expect(page.locator(".messagelist")).to_contain_text("Changed: 2 stories.")
    assert not stories[0].topics.exists()


def test_all_of_it_works_without_a_script(visit, stories):
    page = chosen(visit(java_script_enabled=False), "Publish selected stories…")
    expect(page.locator(".bulk-choose")).to_be_hidden()
    page.get_by_label("Advised").uncheck()
    page.get_by_role("button", name=re.compile("Publish 2")).click()
    expect(page.locator(".messagelist")).to_contain_text("Published: 1 story.")
    page.get_by_role("button", name="Undo: 1 story").click()
    assert [status(story) for story in stories] == ["draft", "draft", "draft", "published"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(visit, stories, scheme):
    page = chosen(visit(color_scheme=scheme, bypass_csp=True), "Publish selected stories…")
    page.locator(".bulk-refused summary").click()
    assert violations(page) == {}
    page.locator("[name=confirm]").click()
    expect(page.get_by_role("heading", name="What was done")).to_be_visible()
    assert violations(page) == {}
    page.get_by_role("link", name="In the log").click()
    assert violations(page) == {}
    page.goto(page.url.partition("/admin/")[0] + f"{LIST}{stories[2].pk}/change/")
    assert violations(page) == {}


@pytest.mark.parametrize("width", [320, 768])
def test_nothing_is_wider_than_the_screen(visit, stories, width):
    visitor = visit(viewport={"width": width, "height": 700})
    page = chosen(visitor, "Schedule selected stories…")
    assert visitor.overflow() <= 0
    page.get_by_label("Public from").fill("2099-07-01T14:00")
    page.locator("[name=confirm]").click()
    expect(page.get_by_role("heading", name="What was done")).to_be_visible()
    assert visitor.overflow() <= 0
