"""The newsroom's first page, previews and what is shared of them, in a real browser."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from articles.documents import to_data
from articles.models import Event, PreviewLink, WorkingCopy
from articles.records import article_document
from tests.browser.axe import violations
from tests.browser.test_editors import log_in
from tests.factories import (
    add_picture,
    make_article,
    make_conflict,
    make_image,
    make_related,
    make_run,
    make_topic,
    make_user,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture
def newsroom():
    """A day on which there is something of everything."""
    now, topic = timezone.now(), make_topic("Coast")
    draft = make_article(title="A draft about lighthouses", topics=[topic], public=False)
    add_picture(draft)
    make_related(draft)
    for hours in (-1, 0, 1):
        make_article(topics=[topic], publish_at=now + timedelta(hours=hours))
    make_conflict(make_article())
    make_image(cached=False, state="failed", next_attempt_at=None)
    make_run(failed=1, began_at=now)
    Event.objects.create(article=draft, actor=make_user("Editors"), verb="edit", data={"fields": ["title"]})
    document = to_data(article_document(draft))
    changed = document | {"title": "A title to come"}
    WorkingCopy.objects.create(article=draft, base=document, base_version=draft.version, document=changed)
    PreviewLink.objects.create(article=draft, expires_at=now + timedelta(hours=1))
    return draft


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_and_nothing_is_wider_than_a_phone(visit, newsroom, scheme):
    visitor = visit(color_scheme=scheme, bypass_csp=True, viewport={"width": 320, "height": 640})
    log_in(visitor.open("/admin/"), make_user("Managers"))
    topic = newsroom.topics.get()
    link = PreviewLink.objects.get()
    found = {}
    for path, part in (
        ("/admin/", "body"),
        (f"/admin/articles/article/{newsroom.pk}/preview/", "body"),
        (f"/admin/articles/article/{newsroom.pk}/preview/?changes=1", "body"),
        (f"/admin/articles/article/{newsroom.pk}/change/", "#previews"),
        (f"/preview/{link.token}/", "body"),
        (f"/admin/articles/topic/merge/?keys={topic.pk}&q=zzz", "body"),
        (f"/admin/articles/topic/merge/?keys={topic.pk}&into={make_topic(f'Sea {scheme}').pk}", "body"),
    ):
        assert visitor.status(path) == 200, path
        page = visitor.open(path)
        assert visitor.overflow() <= 0, path
        found |= {(path, name): nodes for name, nodes in violations(page, part).items()}
    assert found == {}


def test_each_number_leads_to_its_list(visit, newsroom):
    page = visit().open("/admin/")
    log_in(page, make_user("Managers"))
    expect(page.get_by_role("link", name="1 Incoming")).to_be_visible()
    page.get_by_role("link", name="Pictures that could not be fetched: 1").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def test_editor_shares_a_draft_and_an_outsider_sees_it_until_it_is_revoked(visit, newsroom):
    editor, outsider = visit(), visit()
    page = editor.open(f"/admin/articles/article/{newsroom.pk}/change/")
    log_in(page, make_user("Editors"))
    page.get_by_label("With the unpublished changes").uncheck()
    page.get_by_label("Excerpt").first.fill("Written and not saved yet.")
    page.get_by_role("button", name="Make a link").click()
    expect(page.locator(".previews-told")).to_contain_text("The link is made")
    expect(page.locator(".previews-told")).to_be_focused()
    token = page.get_by_label("Link 1", exact=True).input_value().rstrip("/").rpartition("/")[2]
    expect(page.get_by_role("button", name="Copy link 1")).to_be_visible()
    path = f"/preview/{token}/"
    expect(outsider.open(path).get_by_role("heading", level=1)).to_have_text("A draft about lighthouses")
    expect(outsider.page.get_by_text("Preview, not published.")).to_be_visible()
    assert outsider.page.locator("article img").first.evaluate("image => image.naturalWidth") > 0
    page.get_by_role("button", name="Revoke link 1").click()
    expect(page.locator(".previews-told")).to_contain_text("The link is revoked.")
    assert outsider.status(path) == 410
    expect(page.get_by_label("Excerpt").first).to_have_value("Written and not saved yet.")
    with page.expect_popup() as preview:
        page.locator("#previews").get_by_role("link", name="Preview (opens in a new tab)").click()
    expect(preview.value.get_by_role("heading", level=1)).to_have_text("A draft about lighthouses")


def test_links_are_made_and_revoked_without_scripts(visit, newsroom):
    page = visit(java_script_enabled=False).open(f"/admin/articles/article/{newsroom.pk}/change/")
    log_in(page, make_user("Editors"))
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_label("Link 2", exact=True)).to_be_visible()
    page.get_by_role("button", name="Revoke all").click()
    expect(page.locator(".messagelist")).to_contain_text("2 links are revoked.")
