"""Readers' journeys, in a real browser."""

import io
import json
import re
from datetime import timedelta

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.factories import NOON, add_picture, make_article, make_provider, make_related, make_topic

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
FILM = '<iframe src="https://player.vimeo.com/video/1?h=x"></iframe>'
PHONE = {"width": 320, "height": 640}
PAGES = {
    "front": "/",
    "story": "/news/2026-03-02-tide/",
    "topics": "/topics/",
    "topic": "/topics/oceans/",
    "providers": "/providers/",
    "provider": "/providers/harbour.example/",
    "archive": "/archive/",
    "month": "/archive/2026/03/",
    "day": "/archive/2026/03/02/",
    "today": "/today/",
    "this week": "/this-week/",
    "film": "/news/2026-03-02-film/",
    "search": "/search/?q=tide",
    "empty search": "/search/?q=nothing+has+this",
    "not found": "/nowhere/",
    "log-in": "/admin/login/",
}


@pytest.fixture
def story():
    """One story with all that a page can show, words and addresses too long for a phone included."""
    oceans = make_topic("Oceans", slug="oceans")
    harbour = make_provider(domain="harbour.example", name=f"Harbour {LONG_WORD}")
    story = make_article(
        stem="2026-03-02-tide",
        title=f"The tide turns for {LONG_WORD}",
        excerpt=f"Why it matters: https://harbour.example/{LONG_WORD.lower() * 2}",
        provider=harbour,
        topics=[oceans, make_topic(LONG_WORD)],
    )
    add_picture(story, attribution=f"Photograph: {LONG_WORD}")
    make_related(story, title=f"Another view of {LONG_WORD}", provider=make_provider())
    make_related(story, title="Before all others", published_at=NOON - timedelta(days=40), provider=harbour)
    make_article(title="A second tide, without a picture", topics=[oceans])
    film = make_article(stem="2026-03-02-film", title="The tide, filmed", type="video", featured_content=FILM)
    add_picture(film)
    return story


def test_reader_goes_from_front_page_to_story_to_topic_and_searches(visit, story):
    page = visit().open("/")
    page.get_by_role("main").get_by_role("link", name=story.headline).first.click()
    expect(page).to_have_url(re.compile(r"/news/2026-03-02-tide/$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(story.headline)
    outbound = page.get_by_role("main").locator(f'a[href="{story.outbound_url}"]')
    expect(outbound.first).to_be_visible()

    page.get_by_role("main").get_by_role("link", name="Oceans").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Oceans")
    expect(page.get_by_role("link", name="A second tide, without a picture").first).to_be_visible()

    find(page, "second tide")
    expect(page.get_by_role("link", name="A second tide, without a picture").first).to_be_visible()


def test_site_works_without_javascript(visit, story):
    page = visit(java_script_enabled=False).open("/")
    page.get_by_role("main").get_by_role("link", name=story.headline).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(story.headline)
    expect(page.get_by_role("main").locator("picture img").first).to_be_visible()
    find(page, "second tide")
    expect(page.get_by_role("link", name="A second tide, without a picture").first).to_be_visible()


@pytest.mark.parametrize("kind", PAGES)
def test_nothing_scrolls_sideways_on_the_smallest_phone(visit, story, kind):
    visitor = visit(viewport=PHONE)
    visitor.open(PAGES[kind])
    assert visitor.overflow() <= 0


def test_pictures_come_from_the_site_and_have_loaded(visit, story):
    page = visit().open(story.get_absolute_url())
    sizes = page.locator("main img").evaluate_all(
        "images => images.map(i => { i.loading = 'eager'; return i.decode().then(() => i.naturalWidth) })"
        ".reduce((all, one) => all.then(a => one.then(b => [...a, b])), Promise.resolve([]))"
    )
    assert sizes
    assert min(sizes) > 0


@pytest.mark.parametrize(("scheme", "dark"), [("dark", True), ("light", False)])
@pytest.mark.parametrize("path", ["/", "/news/2026-03-02-tide/", "/admin/login/"])
def test_background_follows_the_readers_scheme(visit, story, path, scheme, dark):
    page = visit(color_scheme=scheme).open(path)
    screenshot = Image.open(io.BytesIO(page.screenshot())).convert("L")
    corner = screenshot.getpixel((3, screenshot.height - 4))
    assert corner < 60 if dark else corner > 200


def test_film_is_played_on_a_click_and_its_host_hears_nothing_before(visit, story):
    visitor = visit()
    asked = []

    def answer(route):
        asked.append(route.request.url)
        route.fulfill(content_type="text/html", body="<title>The film</title>")

    visitor.page.route("https://player.vimeo.com/**", answer)
    page = visitor.open(PAGES["film"])
    page.wait_for_load_state("networkidle")
    assert asked == []
    expect(page.get_by_text("The video is played from player.vimeo.com")).to_be_visible()
    page.get_by_role("button", name="Play the video").focus()
    page.keyboard.press("Enter")
    player = page.locator("iframe")
    expect(player).to_have_attribute("title", "The tide, filmed")
    expect(player).to_be_focused()
    page.wait_for_load_state("networkidle")
    assert asked == ["https://player.vimeo.com/video/1?h=x&autoplay=1"]
    assert "allow-scripts" in player.get_attribute("sandbox")
    visitor.strays = [stray for stray in visitor.strays if stray not in asked]  # that was what the reader asked for


def test_film_without_javascript_is_a_link_to_its_outlet(visit, story):
    page = visit(java_script_enabled=False).open(PAGES["film"])
    expect(page.get_by_role("link", name=re.compile("^Watch at"))).to_be_visible()
    expect(page.get_by_role("button", name="Play the video")).to_be_hidden()


@pytest.mark.parametrize("kind", ["front", "story", "topic", "month", "film"])
def test_keyboard_comes_to_the_content_first_and_sees_where_it_is(visit, story, kind):
    page = visit().open(PAGES[kind])
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the stories")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.closest('main') !== null")
    assert focused
    assert (
        page.evaluate(
            "getComputedStyle(document.activeElement.closest('.card') ?? document.activeElement).outlineStyle"
        )
        == "solid"
    )


def test_paper_has_the_stories_and_none_of_the_buttons(visit, story):
    page = visit().open(PAGES["month"])
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name=re.compile("The tide turns")).first).to_be_visible()
    for gone in (page.get_by_role("searchbox").first, page.locator(".calendar"), page.locator(".sections")):
        expect(gone).to_be_hidden()


def find(page, words: str) -> None:
    """Search by the box that the page has; some layouts keep it on the search page."""
    box = page.locator("input[type=search]").first
    if not box.count():
        page.get_by_role("link", name="Search").first.click()
    box.fill(words)
    box.press("Enter")
    expect(page).to_have_url(re.compile(r"/search/\?q="))


def test_picture_that_is_drawn_for_links_is_shown_by_the_browser(visit, story):
    bare = make_article(title="A story without a picture")
    page = visit().open(bare.get_absolute_url())
    address = page.locator('meta[property="og:image"]').get_attribute("content")
    page.goto(page.url + "../.." + re.sub("^https?://[^/]+", "", address))
    assert page.evaluate("document.images[0].naturalWidth") == 1200


def test_data_for_search_engines_makes_no_complaint(visit, story):
    page = visit().open(story.get_absolute_url())
    [data] = page.locator('script[type="application/ld+json"]').all_text_contents()
    assert {thing["@type"] for thing in json.loads(data)["@graph"]} == {"NewsArticle", "BreadcrumbList"}
