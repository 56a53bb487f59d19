"""Two editors on one story, each in a browser of their own; and changes that are not live."""

import pytest
from playwright.sync_api import Page, expect

from articles.admin import presence
from articles.models import Article, Presence, WorkingCopy
from tests.browser.axe import violations
from tests.browser.test_editors import log_in
from tests.factories import add_picture, make_article, make_topic, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
PHONE = {"viewport": {"width": 320, "height": 640}}


@pytest.fixture
def story():
    story = make_article(title="The old lighthouse", excerpt="It stands.", topics=[make_topic("Coast")])
    add_picture(story, alt="A lighthouse", attribution="The harbour office")
    return story


def open_form(visitor, story, username: str, query: str = "") -> Page:
    page = visitor.open(f"/admin/articles/article/{story.pk}/change/{query}")
    log_in(page, make_user("Editors", username=username))
    return page


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def conflict(visit, story, **options) -> tuple[Page, Page]:
    """Ana's page, which shows both versions, and Ben's."""
    ana, ben = open_form(visit(**options), story, "ana"), open_form(visit(), story, "ben")
    ben.get_by_label("Title").first.fill("The new lighthouse")
    save(ben)
    expect(ben.locator(".messagelist")).to_contain_text("was changed successfully")
    ana.get_by_label("Title").first.fill("The lighthouse at last")
    ana.get_by_label("Excerpt").first.fill("It stands again.")
    save(ana)
    expect(ana.get_by_role("heading", name="The new lighthouse")).to_be_visible()
    return ana, ben


def test_editors_see_each_other_and_who_saved(visit, story):
    ana = open_form(visit(), story, "ana")
    ben = open_form(visit(), story, "ben")
    expect(ben.get_by_text("ana is editing this story too.")).to_be_visible()
    ana.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as if she came back to the tab
    expect(ana.get_by_text("ben is editing this story too.")).to_be_visible()
    assert presence.present([story.pk]) == {story.pk: ["ana", "ben"]}

    ben.get_by_label("Title").first.fill("The new lighthouse")
    save(ben)
    expect(ben.locator(".messagelist")).to_contain_text("was changed successfully")
    ana.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    moved = ana.locator(".presence-moved")
    expect(moved).to_contain_text("when you save you will be shown both")
    expect(ana.get_by_text("ben is editing this story too.")).to_have_count(0)
    assert [each.user.username for each in Presence.objects.all()] == ["ana"], "ben's page said that it is gone"
    with ana.expect_popup() as comparison:
        moved.get_by_role("link", name="Compare (opens in a new tab)").click()
    expect(comparison.value.get_by_text("The old lighthouse").first).to_be_visible()


def test_choice_is_made_by_keyboard(visit, story):
    ana, _ = conflict(visit, story)
    yours = ana.get_by_role("radio", name="Yours")
    expect(yours).not_to_be_checked()
    ana.get_by_role("button", name="Save what is chosen").focus()
    ana.keyboard.press("Enter")
    assert ana.evaluate("document.activeElement.type") == "radio", "the browser asks for a choice"
    assert Article.objects.get().title == "The new lighthouse"
    yours.focus()
    ana.keyboard.press("Space")
    expect(yours).to_be_checked()
    ana.keyboard.press("ArrowDown")
    expect(ana.get_by_role("radio", name="ben, at")).to_be_checked()
    ana.keyboard.press("ArrowUp")
    ana.keyboard.press("Enter")
    expect(ana.locator(".messagelist")).to_contain_text("of yours were added")
    saved = Article.objects.get()
    assert (saved.title, saved.excerpt) == ("The lighthouse at last", "It stands again.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_where_two_editors_meet(visit, story, scheme):
    options = {"color_scheme": scheme, "bypass_csp": True}  # the checker is no part of the page
    ana, ben = conflict(visit, story, **options)
    assert violations(ana) == {}
    ben.goto(ana.url.replace("settle", "change"))
    ana.goto(ana.url.replace("settle", "change"))
    expect(ana.get_by_text("ben is editing this story too.")).to_be_visible()
    ana.get_by_label("Title").first.fill("Later")
    ana.get_by_role("button", name="Keep as unpublished changes").click()
    expect(ana.get_by_role("heading", name="There are unpublished changes")).to_be_visible()
    assert violations(ana) == {}
    for name in ("Edit them", "Compare, put live or discard", "Discard…"):
        ana.get_by_role("link", name=name).click()
        assert violations(ana) == {}
        if name == "Edit them":
            ana.get_by_role("link", name="Edit the story itself").click()


def test_pages_of_two_editors_fit_a_phone(visit, story):
    visitor = visit(**PHONE)
    ana = open_form(visitor, story, "ana")
    Article.objects.update(version=2, title="A title with averyveryverylongwordthatnobodywouldeverbreak" * 3)
    ana.get_by_label("Title").first.fill("Averyveryverylongwordthatnobodywouldeverbreak" * 3)
    save(ana)
    expect(ana.get_by_role("radio", name="Yours")).to_be_visible()
    assert visitor.overflow() <= 0
    ana.get_by_role("button", name="Take all of yours").click()
    visitor.open(f"/admin/articles/article/{story.pk}/change/")
    ana.get_by_label("Title").first.fill("Later")
    ana.get_by_role("button", name="Keep as unpublished changes").click()
    expect(ana.get_by_role("heading", name="There are unpublished changes")).to_be_visible()
    assert visitor.overflow() <= 0
    for page in ("change/?changes=1", "changes/", "changes/discard/"):
        visitor.open(f"/admin/articles/article/{story.pk}/{page}")
        assert visitor.overflow() <= 0, page


def test_changes_are_kept_seen_and_put_live(visit, story):
    ana, reader = open_form(visit(), story, "ana"), visit()
    ana.get_by_label("Title").first.fill("The lighthouse of Monday")
    ana.get_by_role("button", name="Keep as unpublished changes").click()
    expect(ana.locator(".messagelist")).to_contain_text("Kept as unpublished changes: title.")
    heading = reader.open(story.get_absolute_url()).get_by_role("heading", level=1)
    expect(heading).to_contain_text("The old lighthouse")

    ana.get_by_role("link", name="Edit them").click()
    expect(ana.get_by_label("Title").first).to_have_value("The lighthouse of Monday")
    expect(ana.locator("#pictures-0 .field-preview img")).to_be_visible()
    ana.get_by_label("Title").first.fill("The lighthouse of Tuesday")
    ana.get_by_role("button", name="Keep as unpublished changes").click()
    ana.get_by_role("link", name="Compare, put live or discard").click()
    expect(ana.locator("ins", has_text="of Tuesday")).to_be_visible()
    ana.get_by_role("button", name="Put live").click()
    expect(ana.locator(".messagelist")).to_contain_text("The changes are live: title.")
    assert not WorkingCopy.objects.exists()
    expect(reader.open(story.get_absolute_url()).get_by_role("heading", level=1)).to_contain_text("Tuesday")


def test_page_says_when_the_story_was_deleted(visit, story):
    visitor = visit()
    ana = open_form(visitor, story, "ana")
    ana.wait_for_load_state("networkidle")  # the page asks when it is opened, too
    expect(ana.locator(".presence-moved")).to_be_empty()
    story.delete()
    ana.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(ana.get_by_text("This story has been deleted. Copy what you need before you leave.")).to_be_visible()
    assert visitor.complaints.pop().startswith("Failed to load resource")
