"""An editor looks at a story's history, compares two versions and brings an old one back, in a real browser."""

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from articles import editing
from tests.browser.axe import violations
from tests.browser.test_editors import log_in
from tests.factories import add_picture, make_article, make_image, make_related, make_source, make_topic, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture
def editor():
    return make_user("Editors")


@pytest.fixture
def story(editor):
    """A story with something in every field that can differ, and four versions."""
    story = make_article(title="The old tram opens", topics=[make_topic("Coast"), make_topic("Trams")])
    make_source(story, path="_news/2026-03-02-a-rather-long-name-that-has-to-be-broken-somewhere-on-a-phone.md")
    for number in (1, 2):
        make_related(story, title=f"Others on it {number}")
        add_picture(story, make_image(source_url=f"https://pictures.example/{'long/' * 30}{number}.png"))

    def say(note="", **changes):
        editing.edit(story.pk, lambda now: replace(now, **changes), by=editor, seen=None, note=note)

    say(title="The tram opens late", excerpt="Nobody was there.", note="As the harbour says")
    say(topics=("Trams", "Coast", "Whales"), original_url="https://tram.example/" + "x" * 300)
    say(images=(), related=(), quality=7, body="A paragraph.\n" * 300, extra={"mood": {"today": ["calm"]}})
    return story


def address(story, page: str) -> str:
    return f"/admin/articles/article/{story.pk}/{page}"


def test_editor_compares_two_versions_restores_a_field_and_undoes_it(visit, story, editor):
    page = visit().open(address(story, "history/"))
    log_in(page, editor)
    expect(page.get_by_role("listitem")).to_have_count(4)
    expect(page.get_by_text("“As the harbour says”")).to_be_visible()
    page.get_by_label("From version 1", exact=True).check()
    page.get_by_label("To version 2", exact=True).check()
    page.get_by_role("button", name="Compare the chosen versions").click()
    title = page.get_by_role("region", name="Title")
    expect(title.locator("del")).to_have_text(["old"])
    expect(title.locator("ins")).to_have_text(["late"])
    expect(page.get_by_role("button", name="Restore")).to_have_count(0)

    page.get_by_role("link", name="Version 1 and the story as it is now").click()
    page.get_by_role("button", name="Restore title of version 1, public at once").click()
    expect(page.locator(".messagelist")).to_contain_text("Restored from version 1: title. Readers see it now.")
    expect(page.get_by_role("heading", level=1)).to_have_text("The old tram opens")

    page.locator(".messagelist").get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".messagelist")).to_contain_text("Undone: 1 story.")
    expect(page.get_by_role("heading", level=1)).to_have_text("The tram opens late")


def test_note_is_kept_with_what_was_saved(visit, story, editor):
    page = visit().open(address(story, "change/"))
    log_in(page, editor)
    page.get_by_label("Title").first.fill("Another title")
    page.get_by_text("Why, and when").click()
    page.get_by_label("Note").fill("They called")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
    page.goto(page.url.split("/admin/")[0] + address(story, "history/"))
    expect(page.get_by_role("listitem").first).to_contain_text("“They called”")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_history_and_comparison(visit, story, editor, scheme):
    page = visit(color_scheme=scheme, bypass_csp=True).open(address(story, "history/"))
    log_in(page, editor)
    expect(page.get_by_role("listitem")).to_have_count(4)
    assert violations(page) == {}
    page.get_by_role("link", name="Restore version 1", exact=True).click()
    expect(page.locator("ins")).not_to_have_count(0)
    assert violations(page) == {}


def test_history_and_comparison_fit_a_phone(visit, story, editor):
    visitor = visit(viewport={"width": 320, "height": 640})
    page = visitor.open(address(story, "history/"))
    log_in(page, editor)
    expect(page.get_by_role("listitem")).to_have_count(4)
    assert visitor.overflow() <= 0
    visitor.open(address(story, "compare/?from=1&to=live"))
    assert visitor.overflow() <= 0
    before, after = (page.locator(f"[aria-labelledby={side}-title]").bounding_box() for side in ("before", "after"))
    assert before["y"] + before["height"] <= after["y"]  # one below the other
    page.set_viewport_size({"width": 1280, "height": 800})
    before, after = (page.locator(f"[aria-labelledby={side}-title]").bounding_box() for side in ("before", "after"))
    assert before["x"] + before["width"] <= after["x"] + 1  # side by side
