"""An editor's morning at the desk: 200 drafts, by keyboard alone; and without a script, on a phone, by finger."""

import re
import time
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from articles import workflow
from articles.models import Article, Event, Topic
from tests.browser.axe import violations
from tests.browser.test_editors import log_in
from tests.factories import (
    NOON,
    add_picture,
    make_article,
    make_conflict,
    make_image,
    make_provider,
    make_topic,
    make_user,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
S = Article.Status
DRAFTS = 200
PATIENCE = 30_000  # milliseconds that a line of requests may take


@pytest.fixture(autouse=True)
def last_answers(live_server):
    """What a page asked for when it was closed is answered before the database is emptied."""
    yield
    time.sleep(0.5)


def make_drafts(number: int, **overrides) -> list[Article]:
    """The newest first, as the desk has them."""
    whales = Topic.objects.filter(name="Whales").first() or make_topic("Whales")
    values = {"public": False, "topics": [whales]} | overrides
    return [
        make_article(title=f"Draft {n}", published_at=NOON - timedelta(minutes=n), **values)
        for n in range(1, number + 1)
    ]


def at_desk(visitor, user=None, address: str = "/admin/desk/", ready: str = "#desk.is-live") -> Page:
    page = visitor.open(address)
    log_in(page, user or make_user("Editors", username="ana"))
    page.locator(ready).wait_for()
    return page


def focused(page: Page) -> Locator:
    return page.locator(".desk-card:focus h2")


def said(page: Page) -> Locator:
    return page.locator("#desk-status")


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Article.objects.values_list("status", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def topics_of(story: Article) -> list[str]:
    return [topic.name for topic in story.topics.all()]


def all_answered(page: Page) -> None:
    expect(page.locator(".is-busy")).to_have_count(0, timeout=PATIENCE)


def test_200_drafts_before_coffee_by_keyboard_alone(visit):
    stories = make_drafts(DRAFTS)
    make_topic("Deep Sea")
    visitor = visit()
    page = at_desk(visitor)
    loads = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    keys = page.keyboard
    keys.press("j")
    expect(focused(page)).to_have_text("Draft 1")
    number = 1  # of the story that has the focus
    published, rejected, retopicked = [], [], []
    for key, done, count in (("p", published, 40), ("x", rejected, 20)):
        for _ in range(count):
            keys.press(key)
            done.append(number)
            number += 1
            expect(focused(page)).to_have_text(f"Draft {number}")  # at once: not when the site has answered
    for _ in range(10):
        keys.press("t")
        expect(page.get_by_role("combobox", name="Add a topic")).to_be_focused()
        keys.type("deep")
        keys.press("Enter")
        expect(page.get_by_role("list", name="Chosen topics")).to_contain_text("Deep Sea")
        keys.press("ArrowLeft")
        keys.press("Shift+ArrowLeft")
        keys.press("Enter")
        retopicked.append(number)
        keys.press("j")
        number += 1
        expect(focused(page)).to_have_text(f"Draft {number}")
    all_answered(page)

    keys.press("u")  # the last topics
    expect(focused(page)).to_have_text(f"Draft {retopicked[-1]}")
    expect(said(page)).to_have_text(f"Undone: “Draft {retopicked.pop()}” is as it was before.")
    keys.press("x")
    all_answered(page)
    keys.press("u")
    expect(said(page)).to_contain_text("Undone: ")
    keys.press("k")
    keys.press("k")
    keys.press("p")
    all_answered(page)
    keys.press("u")
    expect(said(page)).to_contain_text("Undone: ")
    all_answered(page)

    assert loads == []
    assert states() == {S.PUBLISHED: 40, S.REJECTED: 20, S.DRAFT: DRAFTS - 60}
    for numbers, state in ((published, S.PUBLISHED), (rejected, S.REJECTED)):
        assert {story.title for story in Article.objects.filter(status=state)} == {f"Draft {n}" for n in numbers}
    with_new = {story.title for story in Article.objects.filter(topics__name="Deep Sea")}
    assert with_new == {f"Draft {n}" for n in retopicked}
    assert topics_of(stories[retopicked[0] - 1]) == ["Deep Sea", "Whales"]
    assert Event.objects.filter(verb="undo").count() == 3
    expect(page.locator("[data-queue=incoming] b")).to_have_text(str(DRAFTS - 60))
    expect(page.locator("[data-queue=today] b")).to_have_text("40")


def test_undo_again_and_again_takes_back_one_after_the_other(visit):
    make_drafts(4)
    page = at_desk(visit())
    for key in "jpxp":
        page.keyboard.press(key)
    all_answered(page)
    assert states() == {S.PUBLISHED: 2, S.REJECTED: 1, S.DRAFT: 1}
    for left in ({S.PUBLISHED: 1, S.REJECTED: 1, S.DRAFT: 2}, {S.PUBLISHED: 1, S.DRAFT: 3}, {S.DRAFT: 4}):
        page.keyboard.press("u")
        all_answered(page)
        expect(said(page)).to_contain_text("Undone: ")
        assert states() == left
    expect(focused(page)).to_have_text("Draft 1")
    page.keyboard.press("u")
    expect(said(page)).to_have_text("There is nothing to undo.")


def test_keys_wait_for_nothing_and_nothing_gets_lost(visit):
    """Faster than the site answers, the last as much as the first."""
    make_drafts(12)
    page = at_desk(visit())
    for key in "jppxpujp":
        page.keyboard.press(key)
    all_answered(page)
    assert {story.title: story.status for story in Article.objects.exclude(status=S.DRAFT)} == {
        "Draft 1": S.PUBLISHED,
        "Draft 2": S.PUBLISHED,
        "Draft 3": S.REJECTED,
        "Draft 5": S.PUBLISHED,
    }
    expect(page.get_by_role("heading", name="Draft 4")).to_be_visible()  # it was published, and that undone, at once


def test_all_that_was_done_to_one_story_is_taken_back_key_by_key(visit):
    story = make_drafts(2)[0]
    make_topic("Deep Sea")
    page = at_desk(visit())
    page.keyboard.press("j")
    page.keyboard.press("t")
    page.keyboard.type("deep")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Chosen topics")).to_contain_text("Deep Sea")
    page.keyboard.press("Enter")
    all_answered(page)
    page.keyboard.press("p")
    for left in ("published", "draft"):
        all_answered(page)
        story.refresh_from_db()
        assert (story.status, "Deep Sea" in topics_of(story)) == (left, True)
        page.keyboard.press("u")
    all_answered(page)
    expect(said(page)).to_contain_text("Undone: ")
    assert "Deep Sea" not in topics_of(story)


def test_story_is_scheduled_for_the_time_the_button_says(visit):
    make_drafts(2)
    page = at_desk(visit(timezone_id="Pacific/Auckland"))  # the clock is the site's, wherever the editor sits
    for key in "js":
        page.keyboard.press(key)
    field = page.locator(".desk-panel[open]").get_by_label("Public from")
    expect(field).to_be_focused()
    expect(page.locator(".desk-panel[open] .desk-zone")).to_have_text("UTC")
    now = timezone.localtime()
    field.fill(f"{now:%Y-%m-%d}T23:59")
    expect(page.get_by_role("button", name="Schedule for 23:59", exact=True)).to_be_visible()
    at = (now + timedelta(days=2)).replace(hour=14, minute=0, second=0, microsecond=0)
    field.fill(f"{at:%Y-%m-%dT%H:%M}")
    expect(page.get_by_role("button", name=f"Schedule for {at:%Y-%m-%d}, 14:00")).to_be_visible()
    field.press("Enter")
    expect(focused(page)).to_have_text("Draft 2")
    all_answered(page)
    assert Article.objects.get(title="Draft 1").publish_at == at
    expect(page.locator("[data-queue=scheduled] b")).to_have_text("1")


def test_refusal_brings_the_card_back_with_what_was_typed(visit):
    make_drafts(2)
    page = at_desk(visit())
    for key in "js":
        page.keyboard.press(key)
    page.locator(".desk-panel[open]").get_by_label("Public from").fill("2001-02-03T10:00")
    page.keyboard.press("Enter")
    card = page.locator(".desk-card").filter(has_text="Draft 1")
    expect(card.get_by_role("alert")).to_have_text("The time from which it is to be public has passed.")
    expect(card.get_by_label("Public from")).to_have_value("2001-02-03T10:00")
    expect(focused(page)).to_have_text("Draft 2")
    page.get_by_role("button", name="Show it").click()
    expect(focused(page)).to_have_text("Draft 1")


def test_escape_closes_a_panel_and_the_card_has_the_focus(visit):
    make_drafts(1)
    page = at_desk(visit())
    for key in ("j", "s", "Escape", "t", "Escape", "s", "Escape"):
        page.keyboard.press(key)
    expect(page.locator(".desk-panel[open]")).to_have_count(0)
    expect(focused(page)).to_have_text("Draft 1")


def test_story_that_somebody_else_changed_is_shown_anew(visit):
    story, _ = make_drafts(2)
    anna = make_user("Editors", username="anna")
    page = at_desk(visit())
    page.keyboard.press("j")
    workflow.submit(story, by=anna)
    workflow.send_back(story, by=anna, note="Shorter")
    page.keyboard.press("p")
    expect(focused(page)).to_have_text("Draft 2")
    card = page.locator(".desk-card").filter(has_text="Draft 1")
    expect(card.get_by_role("alert")).to_have_text(re.compile(r"anna changed it at \d\d:\d\d: look again\."))
    assert states() == {S.DRAFT: 2}
    page.keyboard.press("k")
    page.keyboard.press("p")  # having looked
    all_answered(page)
    assert states() == {S.DRAFT: 1, S.PUBLISHED: 1}


def test_without_a_connection_the_card_comes_back_and_says_so(visit):
    make_drafts(2)
    visitor = visit()
    page = at_desk(visitor)
    page.route("**/admin/desk/act/", lambda route: route.abort())
    for key in "jp":
        page.keyboard.press(key)
    card = page.locator(".desk-card").filter(has_text="Draft 1")
    expect(card.get_by_role("alert")).to_contain_text("The site did not answer.")
    assert states() == {S.DRAFT: 2}
    page.unroute("**/admin/desk/act/")
    page.keyboard.press("k")
    page.keyboard.press("p")
    all_answered(page)
    assert states() == {S.DRAFT: 1, S.PUBLISHED: 1}
    visitor.complaints.clear()  # the browser's own, of the request that failed


def test_keys_are_letters_while_one_types_and_the_browsers_with_ctrl(visit):
    make_drafts(1)
    page = at_desk(visit())
    page.keyboard.press("j")
    page.keyboard.press("Control+p")
    page.keyboard.press("Alt+x")
    page.keyboard.press("/")
    expect(page.get_by_placeholder("Search this queue")).to_be_focused()
    page.keyboard.type("px")
    expect(page.get_by_placeholder("Search this queue")).to_have_value("px")
    assert states() == {S.DRAFT: 1}


def test_keys_can_be_turned_off(visit):
    make_drafts(1)
    page = at_desk(visit())
    page.keyboard.press("?")
    page.get_by_label("Single keys do these things").uncheck()
    page.keyboard.press("Escape")
    for key in "jpx":
        page.keyboard.press(key)
    page.reload()
    for key in "jpx":
        page.keyboard.press(key)
    expect(page.locator(".is-busy")).to_have_count(0)
    assert states() == {S.DRAFT: 1}


def test_source_opens_in_a_tab_that_learns_nothing_of_the_desk(visit):
    make_drafts(1)
    visitor = visit()
    page = at_desk(visitor)
    page.context.route(
        "https://outlet.example/**", lambda route: route.fulfill(body=route.request.headers.get("referer", "none"))
    )
    page.keyboard.press("j")
    for key in ("Enter", "o"):
        with page.context.expect_page() as opened:
            page.keyboard.press(key)
        expect(opened.value.locator("body")).to_have_text("none")
        assert opened.value.evaluate("window.opener") is None


def test_editing_leads_back_to_the_card_and_undo_still_knows(visit):
    make_drafts(3)
    page = at_desk(visit())
    for key in "jpe":
        page.keyboard.press(key)
    page.get_by_label("Title").first.fill("A better title")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(focused(page)).to_have_text("A better title")
    expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
    page.keyboard.press("u")
    expect(said(page)).to_contain_text("Undone")
    assert states() == {S.DRAFT: 3}


def test_mouse_and_finger_do_the_same(visit):
    make_drafts(3)
    make_topic("Deep Sea")
    page = at_desk(visit(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800}))
    first = page.locator(".desk-card").filter(has_text="Draft 1")
    first.get_by_text("Topics", exact=True).tap()
    first.get_by_role("combobox").fill("deep")
    first.get_by_role("option", name="Deep Sea").tap()
    first.get_by_role("button", name="Move Deep Sea forward").tap()
    first.get_by_role("button", name="Remove Whales").tap()
    first.get_by_role("button", name="Save topics").tap()
    expect(first.get_by_role("list", name="Topics", exact=True)).to_have_text(re.compile(r"^\s*Deep Sea\s*$"))
    first.get_by_role("button", name="Publish").tap()
    expect(first).to_be_hidden()
    page.get_by_role("button", name="Undo").tap()
    expect(first).to_be_visible()
    all_answered(page)
    assert states() == {S.DRAFT: 3}
    small = page.evaluate(
        """() => [...document.querySelectorAll(".desk-cards :is(button, summary, .desk-edit, .desk-mark)")]
            .filter((each) => each.offsetHeight && (each.offsetHeight < 44 || each.offsetWidth < 44))
            .map((each) => each.outerHTML)"""
    )
    assert small == []


def test_marked_stories_go_on_to_bulk_together(visit):
    make_drafts(5)
    page = at_desk(visit())
    bar = page.locator("#bulk")
    expect(bar).to_be_hidden()
    for key in ("j", "m", "j", "j"):
        page.keyboard.press(key)
    page.keyboard.press("Shift+M")
    expect(bar).to_contain_text("3 marked:")
    page.get_by_role("button", name="Unmark").click()
    expect(bar).to_be_hidden()
    page.get_by_label("Mark “Draft 2”").check()
    expect(bar).to_contain_text("1 marked:")


def test_key_does_nothing_to_a_story_out_of_sight(visit):
    make_drafts(30)
    page = at_desk(visit())
    page.keyboard.press("j")
    page.evaluate("document.querySelectorAll('.desk-cards > li')[20].scrollIntoView({block: 'start'})")
    page.keyboard.press("x")
    expect(said(page)).to_have_text(re.compile(r"Now at “Draft (20|21)”\."))
    at = page.locator(".desk-card:focus h2").inner_text().strip(" ↗\xa0")
    page.wait_for_timeout(300)
    assert states() == {S.DRAFT: 30}
    page.keyboard.press("x")
    all_answered(page)
    assert [story.title for story in Article.objects.filter(status=S.REJECTED)] == [at]
    page.evaluate("scrollTo(0, 0)")
    page.keyboard.press("j")
    expect(focused(page)).to_have_text("Draft 1")


def test_page_that_is_loaded_again_is_at_the_same_card(visit):
    make_drafts(60)
    page = at_desk(visit())
    for _ in range(45):
        page.keyboard.press("j")
    expect(focused(page)).to_have_text("Draft 45")  # on the second page
    page.reload()
    expect(focused(page)).to_have_text("Draft 45")
    for _ in range(30):
        page.keyboard.press("k")
    expect(focused(page)).to_have_text("Draft 15")
    page.keyboard.press("e")
    page.get_by_label("Title").first.wait_for()
    page.go_back()
    expect(focused(page)).to_have_text("Draft 15")
    page.keyboard.press("x")
    all_answered(page)
    assert [story.title for story in Article.objects.filter(status=S.REJECTED)] == ["Draft 15"]


def test_after_a_new_login_in_another_tab_the_desk_goes_on(visit):
    make_drafts(2)
    visitor = visit()
    page = at_desk(visitor)
    page.context.clear_cookies()
    page.keyboard.press("j")
    page.keyboard.press("p")
    card = page.locator(".desk-card").filter(has_text="Draft 1")
    expect(card.get_by_role("alert")).to_have_text("This page is too old for the site. Load it again.")
    other = page.context.new_page()
    other.goto(page.url)
    log_in(other, get_user_model().objects.get(username="ana"))
    other.locator("#desk").wait_for()
    page.keyboard.press("k")
    page.keyboard.press("p")
    all_answered(page)
    expect(said(page)).to_contain_text("“Draft 1” was published.")
    assert states() == {S.PUBLISHED: 1, S.DRAFT: 1}
    visitor.complaints.clear()  # the browser's own, of the request that was refused


def test_marks_are_used_from_the_keyboard_and_kept_until_they_are(visit):
    make_drafts(3)
    page = at_desk(visit())
    bar = page.locator("#bulk")
    page.keyboard.press("a")
    expect(said(page)).to_have_text("No story is marked.")
    for key in "jmjma":
        page.keyboard.press(key)
    expect(bar.get_by_role("button").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(focused(page)).to_have_text("Draft 2")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Cancel").click()
    expect(bar).to_contain_text("2 marked:")
    expect(page.get_by_label("Mark “Draft 1”")).to_be_checked()
    page.keyboard.press("j")
    page.keyboard.press("p")  # what was done is not marked any more
    expect(bar).to_contain_text("1 marked:")
    all_answered(page)
    page.reload()
    expect(bar).to_contain_text("1 marked:")
    expect(page.get_by_label("Mark “Draft 2”")).to_be_checked()


def test_refused_story_is_found_by_a_key(visit):
    story, *_ = make_drafts(3)
    page = at_desk(visit())
    page.keyboard.press("v")
    expect(said(page)).to_have_text("Nothing here was refused.")
    page.keyboard.press("j")
    workflow.submit(story, by=make_user("Editors", username="anna"))
    page.keyboard.press("p")
    expect(said(page)).to_contain_text("“Draft 1”: ")
    page.keyboard.press("v")
    expect(focused(page)).to_have_text("Draft 1")


def test_search_leads_to_what_it_found_and_escape_back_to_the_card(visit):
    make_drafts(3)
    page = at_desk(visit())
    search = page.get_by_placeholder("Search this queue")
    for key in "jj/":
        page.keyboard.press(key)
    page.keyboard.type("noth")
    page.keyboard.press("Escape")
    expect(focused(page)).to_have_text("Draft 2")
    expect(search).to_have_value("")
    page.keyboard.press("/")
    page.keyboard.type("Draft 3")
    page.keyboard.press("Enter")
    expect(focused(page)).to_have_text("Draft 3")
    page.keyboard.press("/")
    page.keyboard.type("no such thing")
    page.keyboard.press("Enter")
    expect(page.locator("#desk-nothing")).to_be_focused()


def test_help_begins_at_close_and_tells_that_keys_are_off(visit):
    make_drafts(1)
    page = at_desk(visit())
    page.keyboard.press("?")
    expect(page.locator("#desk-help").get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#desk-help")).to_be_hidden()
    expect(page.locator("#desk-help-button")).to_have_text("Keys ?")
    page.keyboard.press("?")
    page.get_by_label("Single keys do these things").uncheck()
    page.keyboard.press("Escape")
    expect(page.locator("#desk-help-button")).to_have_text("Keys are off ?")
    page.keyboard.press("?")  # one of them: who dictates or leans on a key is to have none (WCAG 2.1.4)
    expect(page.locator("#desk-help")).to_be_hidden()
    page.locator("#desk-help-button").click()
    expect(page.locator("#desk-help")).to_be_visible()


def test_what_is_said_makes_room(visit):
    make_drafts(4)
    page = at_desk(visit())
    toast = page.locator("#desk-toast")
    quiet = re.compile("is-quiet")
    for key in "jp":
        page.keyboard.press(key)
    all_answered(page)
    expect(toast).not_to_have_class(quiet)
    page.keyboard.press("Escape")
    expect(toast).to_have_class(quiet)
    page.keyboard.press("p")
    all_answered(page)
    expect(toast).not_to_have_class(quiet)
    page.keyboard.press("s")
    expect(toast).to_have_class(quiet)
    page.keyboard.press("Escape")
    page.clock.install()
    page.keyboard.press("x")
    all_answered(page)
    page.clock.run_for(1_000)
    expect(toast).not_to_have_class(quiet)
    page.clock.run_for(12_000)
    expect(toast).to_have_class(quiet)


def test_undo_brings_back_a_story_that_the_page_does_not_have(visit):
    make_drafts(3)
    page = at_desk(visit())
    for key in "jjp":
        page.keyboard.press(key)
    all_answered(page)
    page.keyboard.press("x")
    all_answered(page)
    page.reload()
    expect(page.locator(".desk-card h2")).to_have_text(["Draft 1"])
    page.keyboard.press("u")
    expect(said(page)).to_have_text("Undone: “Draft 3” is as it was before.")
    expect(focused(page)).to_have_text("Draft 3")
    page.get_by_role("button", name="Undo also “Draft 2”").click()
    expect(focused(page)).to_have_text("Draft 2")
    assert states() == {S.DRAFT: 3}
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_next_page_is_there_before_it_is_needed(visit):
    make_drafts(85)
    page = at_desk(visit())
    page.keyboard.press("j")
    for number in range(2, 86):
        page.keyboard.press("j")
        expect(focused(page)).to_have_text(f"Draft {number}")
    expect(page.locator("#desk-rest")).to_have_count(0)


def test_next_page_is_fetched_by_the_key_that_wants_it(visit):
    make_drafts(45)
    page = at_desk(visit())
    page.get_by_label("Mark “Draft 40”", exact=True).check()  # far down without a key
    page.keyboard.press("j")
    expect(focused(page)).to_have_text("Draft 41")


def test_many_marks_outlive_a_page_load(visit):
    make_drafts(480)
    page = at_desk(visit())
    page.keyboard.press("j")
    page.keyboard.press("m")
    for loaded in range(80, 481, 40):
        page.locator(".desk-mark input").last.focus()
        page.keyboard.press("j")
        expect(page.locator(".desk-card")).to_have_count(loaded)
    page.locator(".desk-mark input").last.focus()
    page.keyboard.press("M")
    expect(page.locator("#desk-marked")).to_have_text("480 marked:")
    page.reload()
    expect(page.locator("#desk-marked")).to_have_text("480 marked:", timeout=PATIENCE)


def test_last_card_of_a_queue_leaves_it_empty(visit):
    make_drafts(1)
    page = at_desk(visit())
    for key in "jp":
        page.keyboard.press(key)
    nothing = page.locator("#desk-nothing")
    expect(nothing).to_be_visible()
    expect(nothing).to_be_focused()
    expect(said(page)).to_have_text("“Draft 1” was published. Undo: u. No drafts wait.")
    for key in "ps":
        page.keyboard.press(key)
        expect(said(page)).to_have_text("There is no story here.")
    page.keyboard.press("u")
    expect(focused(page)).to_have_text("Draft 1")
    expect(nothing).to_be_hidden()


def test_desk_works_without_a_script(visit):
    make_drafts(45, excerpt="", provider=make_provider(name="Outlet"))  # no other number than the title's
    make_topic("Deep Sea")
    page = at_desk(visit(java_script_enabled=False), ready="#desk")
    card = page.locator(".desk-card").first
    card.get_by_role("button", name="Publish").click()
    expect(page.locator(".messagelist")).to_contain_text("“Draft 1” was published.")
    expect(page).to_have_url(re.compile(r"#story-\d+$"))
    page.get_by_role("button", name="Undo").click()
    assert states() == {S.DRAFT: 45}

    page.locator(".desk-card").first.get_by_text("Topics", exact=True).click()
    page.get_by_label("Topics, one a line").first.fill("Deep Sea\nWhales")
    page.get_by_role("button", name="Save topics").first.click()
    assert topics_of(Article.objects.get(title="Draft 1")) == ["Deep Sea", "Whales"]

    page.locator(".desk-card").first.get_by_text("Schedule", exact=True).first.click()
    page.locator(".desk-card").first.get_by_role("button", name="Schedule").click()
    expect(page.locator(".messagelist")).to_contain_text("“Draft 1” was scheduled for")

    page.get_by_role("link", name="Next incoming stories").click()
    expect(page.locator(".desk-card h2")).to_have_text([f"Draft {n}" for n in range(42, 46)])
    page.get_by_placeholder("Search this queue").fill("45")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".desk-card h2")).to_have_text(["Draft 45"])
    page.get_by_text("Keep this view").click()
    page.get_by_label("Name").fill("Forty-five")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("link", name="Forty-five")).to_have_attribute("aria-current", "page")


# --- What it looks like -------------------------------------------------------------------------


@pytest.fixture
def of_all_kinds():
    """Cards with all that a card can have."""
    for story in make_drafts(3, provider=None, excerpt="", web_url="", heat=12, quality=101):
        make_conflict(story)
    for story in make_drafts(2, type="video", created_by=make_user()):
        add_picture(story, make_image())
    make_article(
        title="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft " * 2,
        public=False,
        topics=[make_topic(f"A topic with quite a long name, number {n}") for n in range(6)],
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(visit, of_all_kinds, scheme):
    page = at_desk(visit(color_scheme=scheme, bypass_csp=True))
    assert violations(page) == {}
    for key in "jms":
        page.keyboard.press(key)
    page.get_by_text("Filters", exact=True).click()
    page.get_by_text("Keep this view").click()
    assert violations(page) == {}
    page.locator(".is-current summary", has_text="Topics").click()
    page.get_by_role("combobox", name="Add a topic").fill("topic")
    page.locator(".desk-offers li").first.wait_for()
    assert violations(page) == {}
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    all_answered(page)
    page.keyboard.press("?")
    assert violations(page) == {}


@pytest.mark.parametrize("width", [320, 768, 1024])
def test_nothing_is_wider_than_the_screen(visit, of_all_kinds, width):
    visitor = visit(viewport={"width": width, "height": 700})
    page = at_desk(visitor)
    assert visitor.overflow() <= 0
    page.keyboard.press("j")
    for key in "st":
        page.keyboard.press(key)
        page.wait_for_timeout(100)
        assert visitor.overflow() <= 0
        page.keyboard.press("Escape")
    for key in ("m", "p"):
        page.keyboard.press(key)
    all_answered(page)
    page.keyboard.press("?")
    assert visitor.overflow() <= 0
