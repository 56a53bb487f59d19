"""An editor's journeys, in a real browser."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from articles.models import RelatedImage
from images.caching import cache_due
from images.models import RemoteImage
from tests.browser.axe import violations
from tests.factories import (
    add_picture,
    make_article,
    make_conflict,
    make_image,
    make_related,
    make_topic,
    make_user,
    png,
)
from tests.fetching.hosts import answer, playing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

LIST = "/admin/articles/article/"
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
    assert reader.status(draft.get_absolute_url()) == 410
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


# --- Pictures -----------------------------------------------------------------------------------


@pytest.fixture
def picture_host(settings):
    """A host that has one picture at every address."""
    with playing(answer(body=png(), content_type="image/png")) as host:
        settings.FETCH_ALLOW_HOSTS = [host.name]
        yield host


def open_form(visitor, story) -> Page:
    page = visitor.open(f"/admin/articles/article/{story.pk}/change/")
    log_in(page, make_user("Editors"))
    return page


def row(page: Page, number: int) -> Locator:
    return page.locator(f"#pictures-{number}")


def add_row(page: Page, number: int) -> Locator:
    page.get_by_role("button", name="Add another Picture").click()
    return row(page, number)


def save(page: Page) -> Locator:
    """Press the button; what the site then says."""
    page.get_by_role("button", name="Save", exact=True).click()
    return page.locator(".messagelist")


def test_pasted_address_is_seen_to_arrive_and_may_become_the_lead(visit, draft, picture_host):
    first = draft.pictures.get().image.source_url
    page = open_form(visit(), draft)
    pasted = add_row(page, 1)
    pasted.get_by_label("Address").fill(picture_host.url("/harbour.png"))
    pasted.get_by_label("Alternative text").fill("The harbour at night")
    expect(pasted.locator(".arrival")).to_have_text("Waiting…")
    assert cache_due().cached == 1
    expect(pasted.locator(".arrival")).to_have_text("Cached")
    expect(pasted.locator(".field-preview img")).to_be_visible()

    expect(row(page, 0).get_by_text("Lead", exact=True)).to_be_visible()
    expect(row(page, 0).get_by_text("No credit.")).to_be_visible()
    pasted.get_by_role("button", name="Make lead").click()
    expect(pasted.get_by_text("Lead", exact=True)).to_be_visible()
    expect(pasted.get_by_text("No credit.")).to_be_visible()
    expect(row(page, 0).get_by_text("Lead", exact=True)).to_be_hidden()
    expect(row(page, 0).get_by_text("No credit.")).to_be_hidden()
    expect(save(page)).to_contain_text("Picture 2: No alternative text. Its lead picture has no credit.")
    stored = [(use.position, use.image.source_url) for use in draft.pictures.select_related("image")]
    assert stored == [(0, picture_host.url("/harbour.png")), (1, first)]


def test_picture_that_waited_when_the_page_was_opened_is_seen_to_arrive(visit, draft, picture_host):
    add_picture(draft, make_image(source_url=picture_host.url(), cached=False))
    page = open_form(visit(), draft)
    expect(row(page, 1).locator(".arrival")).to_have_text("Waiting")
    assert cache_due().cached == 1
    expect(row(page, 1).locator(".arrival")).to_have_text("Cached")


def test_address_that_is_none_is_told_under_it_at_once(visit, draft):
    editor = visit()
    page = open_form(editor, draft)
    added = add_row(page, 1)
    added.get_by_label("Address").fill("harbour")
    added.get_by_label("Credit").focus()
    expect(added.locator(".row-note")).to_have_text("Enter a valid URL.")
    assert not RemoteImage.objects.filter(source_url="harbour").exists()
    assert editor.complaints.pop().startswith("Failed to load resource: the server responded with a status of 400")


def test_uploaded_file_gives_the_row_its_address(visit, draft):
    page = open_form(visit(), draft)
    added = add_row(page, 1)
    file = {"name": "harbour.png", "mimeType": "image/png", "buffer": png((64, 48), shade=7)}
    added.get_by_label("Upload a file").set_input_files(file)
    expect(added.locator(".field-preview img")).to_be_visible()
    expect(added.get_by_label("Address")).to_have_value(re.compile(r"^/assets/uploads/\w+\.png$"))
    added.get_by_label("Alternative text").fill("The harbour")
    expect(added.get_by_text("No alternative text.")).to_be_hidden()
    save(page).wait_for()
    assert draft.pictures.last().image.by_hand


def test_picture_of_related_coverage_is_used_once(visit, draft):
    theirs = make_image()
    RelatedImage.objects.create(related_story=make_related(draft), image=theirs, attribution="Their photographer")
    page = open_form(visit(), draft)
    use = page.locator(".offered").get_by_role("button")
    use.click()
    expect(row(page, 1).get_by_label("Address")).to_have_value(theirs.source_url)
    expect(row(page, 1).get_by_label("Credit")).to_have_value("Their photographer")
    expect(use).to_be_disabled()
    save(page).wait_for()
    assert [use.image for use in draft.pictures.all()][1:] == [theirs]


def test_list_and_form_fit_a_phone(visit, draft):
    visitor = visit(viewport={"width": 320, "height": 640})
    log_in(visitor.open("/admin/"), make_user("Editors"))
    for path in ("/admin/", "/admin/articles/article/", f"/admin/articles/article/{draft.pk}/change/"):
        visitor.open(path)
        assert visitor.overflow() <= 0, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_on_list_and_form(visit, draft, scheme):
    make_conflict(make_article(title="Public", topics=[make_topic("Sea"), make_topic("Sky")]))
    visitor = visit(color_scheme=scheme, bypass_csp=True)
    log_in(visitor.open(LIST), make_user("Managers"))
    found = {}
    for path in (LIST, f"{LIST}?state=draft&q=light", f"{LIST}{draft.pk}/change/", f"{LIST}add/"):
        page = visitor.open(path)
        page.wait_for_timeout(300)  # jQuery makes the fields in its own time
        found |= {(path, rule): nodes for rule, nodes in violations(page).items()}
    assert found == {}
