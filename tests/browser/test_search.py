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


# --- How it looks -----------------------------------------------------------------------------------

NARROW = {"width": 320, "height": 640}
CUT_OFF = """line => [...line.children].flatMap(child => {
  const text = document.createRange();
  text.selectNodeContents(child);
  const edge = line.getBoundingClientRect().left + 0.8 * parseFloat(getComputedStyle(line).fontSize);
  return [...text.getClientRects()].filter(each => each.left < edge).map(() => child.textContent);
})"""


@pytest.mark.parametrize("width", [320, 1280])
def test_every_line_of_a_long_outlets_name_can_be_read(visit, width):
    outlet = make_provider(name="Northwest Regional Transport Authority News and the Harbour Post of All the Islands")
    story = make_article(title="Tide", provider=outlet)
    page = visit(viewport={"width": width, "height": 640}).open("/search/?q=tide")
    assert page.locator(".byline").evaluate(CUT_OFF) == []
    page.goto(page.url.partition("/search/")[0] + story.get_absolute_url())
    assert page.locator(".source p").evaluate(CUT_OFF) == []


def test_what_a_suggestion_is_stays_in_one_piece_beside_a_long_name(visit):
    name = "Northwest Regional Transport Authority News and the Harbour Post of All the Islands"
    make_article(title=f"Tide of {name}", provider=make_provider(name=name))
    make_article(title="Tide without it")
    page = visit(viewport=NARROW).open("/search/?q=northwest")
    page.locator("summary", has_text="Narrow it down").click()
    page.locator("#query").fill("northwest regional")
    expect(page.get_by_role("option")).to_have_count(2)
    for count in page.locator(".count:visible").all():
        assert count.evaluate("count => count.getClientRects().length === 1 && count.offsetHeight < 20")


def test_text_of_a_chip_of_several_lines_keeps_away_from_its_border(visit):
    make_article(
        title="Tide", provider=make_provider(name="Northwest Regional Transport Authority", domain="n.example")
    )
    page = visit(viewport=NARROW).open("/search/?q=tide+provider:n.example")
    chip, text = (page.locator(selector).bounding_box() for selector in (".chips a", ".chips bdi"))
    assert text["height"] > 30
    assert text["y"] - chip["y"] > 4


def test_excerpt_that_says_why_a_story_was_found_is_shown_on_a_phone(visit):
    make_article(title="Elsewhere", excerpt="A whale was seen.")
    make_article(title="Whale", excerpt="Nothing of it here.")
    page = visit(viewport=NARROW).open("/search/?q=whale")
    expect(page.get_by_text("was seen")).to_be_visible()
    expect(page.get_by_text("Nothing of it here")).to_be_hidden()


def test_search_on_paper_is_what_was_found(visit, harbour):
    make_article(title="Harbour at night", topics=[harbour])
    page = visit(viewport={"width": 1280, "height": 640}).open("/search/?q=harbour+topic:harbour-life")
    page.emulate_media(media="print")
    for gone in (".narrow", ".how", ".chips", ".tally a"):
        expect(page.locator(gone)).to_be_hidden()
    expect(page.get_by_text("2 stories")).to_be_visible()
    found, all_of_it = (page.locator(selector).bounding_box() for selector in (".finds", ".finding"))
    assert found["width"] == all_of_it["width"]
