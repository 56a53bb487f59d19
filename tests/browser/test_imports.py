"""An editor imports files by way of a dry run, in a real browser."""

from zipfile import ZipFile

import pytest
from playwright.sync_api import expect

from tests.browser.test_editors import log_in
from tests.factories import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

STORY = """---
title: A story that came by zip
publishedDateTime: 2026-03-02T10:15:00Z
webUrl: https://harbour.example/tram
published: true
provider: {name: Harbour Post, domain: harbour.example}
---
"""


@pytest.fixture
def site(tmp_path):
    with ZipFile(tmp_path / "site.zip", "w") as target:
        target.writestr("site/_news/2026-03-02-zip.md", STORY)
        target.writestr("site/_news/broken.md", "broken")
    return tmp_path / "site.zip"


def test_manager_uploads_a_zip_sees_what_would_happen_and_confirms_it(visit, site):
    manager, reader = visit(), visit()
    page = manager.open("/admin/articles/importrun/")
    log_in(page, make_user("Managers"))
    page.get_by_role("link", name="Import files").click()
    page.get_by_label("Files").set_input_files(site)
    page.get_by_role("button", name="Show what would happen").click()

    expect(page.get_by_role("heading", name="Nothing has been changed yet")).to_be_visible()
    expect(page.get_by_role("row", name="_news/broken.md Failed")).to_be_visible()
    expect(page.get_by_role("row", name="_news/2026-03-02-zip.md Created")).to_be_visible()
    assert reader.status("/news/2026-03-02-zip/") == 404

    page.get_by_role("button", name="Import this file").click()
    expect(page.locator(".messagelist")).to_contain_text("1 created, 1 failed")
    page.get_by_role("link", name="_news/2026-03-02-zip.md").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("A story that came by zip")
    reader.open("/news/2026-03-02-zip/")
    expect(reader.page.get_by_role("heading", level=1)).to_contain_text("A story that came by zip")


def test_pages_of_imports_fit_a_phone(visit, site):
    visitor = visit(viewport={"width": 320, "height": 640})
    page = visitor.open("/admin/articles/importrun/upload/")
    log_in(page, make_user("Managers"))
    assert visitor.overflow() <= 0
    page.get_by_label("Files").set_input_files(site)
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.get_by_role("button", name="Import this file")).to_be_visible()
    assert visitor.overflow() <= 0
    visitor.open("/admin/articles/importrun/")
    assert visitor.overflow() <= 0
