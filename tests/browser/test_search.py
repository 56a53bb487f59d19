"""Suggestions while one types, by keyboard and without a mouse."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories import make_article, make_provider, make_topic

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture
def harbour():
    topic = make_topic("Harbour life")
    make_article(title="<b>Harbour</b> song", topics=[topic], provider=make_provider(name="The Harbour Post"))
    return topic


def test_suggestions_are_chosen_by_arrows_and_opened_by_enter(visit, harbour):
    page = visit().open("/search/")
    box = page.locator("#query")
    box.press_sequentially("harb")
    options = page.get_by_role("option")
    expect(options).to_have_text(
        [re.compile(label) for label in ("Harbour life", "The Harbour Post", "<b>Harbour</b>")]
    )
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator("[role=status]").filter(has_text="3 suggestions")).to_have_count(1)
    for key, chosen in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0)):
        box.press(key)
        expect(options.nth(chosen)).to_have_attribute("aria-selected", "true")
        expect(box).to_have_attribute("aria-activedescendant", options.nth(chosen).get_attribute("id"))
    box.press("Enter")
    expect(page).to_have_url(re.compile(r"/topics/harbour-life/$"))


def test_escape_closes_them_and_enter_searches_for_what_is_typed(visit, harbour):
    page = visit().open("/search/")
    box = page.locator("#query")
    box.press_sequentially("harb")
    expect(page.get_by_role("option")).to_have_count(3)
    box.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_have_value("harb")
    box.press("Enter")
    expect(page).to_have_url(re.compile(r"/search/\?q=harb$"))


def test_search_is_narrowed_and_widened_without_javascript(visit, harbour):
    make_article(title="Harbour at night")
    page = visit(java_script_enabled=False, viewport={"width": 320, "height": 640}).open("/search/?q=harb")
    page.get_by_text("Narrow it down").click()
    page.get_by_role("link", name="Harbour life 1 story").click()
    expect(page).to_have_url(re.compile("topic"))
    page.get_by_role("link", name=re.compile("topic: Harbour life")).click()
    expect(page.get_by_text("2 stories")).to_be_visible()
