"""The admin's own dress: no scripts or styles of ours in the pages, and the way around."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from tests.factories import add_picture, make_article, make_related, make_user

pytestmark = pytest.mark.django_db
TEMPLATES = sorted((settings.BASE_DIR / "templates" / "admin").rglob("*.html"))


@pytest.fixture
def client(client):
    client.force_login(make_user("Editors"))
    return client


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_no_inline_script_or_style(template: Path):
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=", template.read_text())


def test_pages_run_no_inline_script(client):
    article = make_article()
    add_picture(article)
    make_related(article)
    for url in (
        reverse("admin:index"),
        reverse("admin:articles_article_changelist"),
        reverse("admin:articles_article_change", args=[article.pk]),
        reverse("admin:articles_article_add"),
    ):
        page = client.get(url).content.decode()
        assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>\s*\S|\son(click|load|change)=", page), url
        assert "css/admin.css" in page


def test_list_and_form_of_stories_bring_the_scripts_they_need(client):
    for page in ("changelist", "add"):
        scripts = client.get(reverse(f"admin:articles_article_{page}")).content.decode()
        assert "js/admin.js" in scripts
        assert "js/autocomplete.js" in scripts


def test_header_leads_to_every_list_the_user_may_see(client):
    page = client.get(reverse("admin:index")).content.decode()
    sections = page.partition('id="sections"')[2].partition("</nav>")[0]
    for name in ("articles_article", "articles_topic", "articles_event", "providers_provider"):
        assert f'href="{reverse(f"admin:{name}_changelist")}"' in sections


def test_site_has_the_name_it_is_given(client, settings):
    settings.SITE_NAME = "The Harbour Post"
    page = client.get(reverse("admin:index")).content.decode()
    assert "The Harbour Post newsroom" in page
    assert "<h1>The newsroom</h1>" in page
