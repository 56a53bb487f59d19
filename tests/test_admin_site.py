"""The admin's own dress: no scripts or styles of ours in the pages, and the way around."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
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


def test_header_has_the_order_of_the_work(client):
    sections = client.get(reverse("admin:index")).content.decode().partition('id="sections"')[2].partition("</nav>")[0]
    names = ["Desk", "Articles", "Topics", "Providers", "Images", "Events", "Source files", "Import runs"]
    assert re.findall(r">([^<]+)</a>", sections) == names


@pytest.mark.parametrize("app", ["articles", "providers", "images"])
def test_pages_of_an_app_still_work(client, app):
    assert client.get(reverse("admin:app_list", args=[app])).status_code == 200


def test_staff_without_rights_see_an_empty_index(client):
    client.force_login(make_user())
    assert client.get(reverse("admin:index")).status_code == 200


def test_nobody_is_led_to_the_address_of_a_draft(client):
    client.force_login(make_user(is_superuser=True))
    draft = make_article(public=False)
    content_type = ContentType.objects.get_for_model(draft)
    response = client.get(f"/admin/r/{content_type.pk}/{draft.pk}/", follow=True)
    assert response.status_code == 404
    assert draft.stem not in response.content.decode()


def test_autocomplete_refuses_what_no_text_can_hold(client):
    field = {"app_label": "articles", "model_name": "article", "field_name": "provider"}
    assert client.get(reverse("admin:autocomplete"), field | {"term": "a\0"}).status_code == 400


@pytest.mark.parametrize("page", ["articles_article", "articles_topic", "providers_provider", "images_remoteimage"])
def test_breadcrumbs_name_each_place_once(client, page):
    html = client.get(reverse(f"admin:{page}_changelist")).content.decode()
    crumbs = re.sub(r"<[^>]+>", "", html.partition('class="breadcrumbs">')[2].partition("</div>")[0]).split("&rsaquo;")
    assert len(crumbs) == len({crumb.strip() for crumb in crumbs}) == 2


def test_search_boxes_have_a_label_and_filters_a_way_to_them(client):
    html = client.get(reverse("admin:articles_article_changelist")).content.decode()
    assert '<label for="searchbar" class="visually-hidden">Search articles</label>' in html
    assert 'href="#changelist-filter"' in html


def test_log_in_page_has_a_heading(client):
    client.logout()
    assert "<h1>Log in</h1>" in client.get(reverse("admin:login")).content.decode()


def test_site_has_the_name_it_is_given(client, settings):
    settings.SITE_NAME = "The Harbour Post"
    page = client.get(reverse("admin:index")).content.decode()
    assert "The Harbour Post newsroom" in page
    assert "<h1>The newsroom</h1>" in page
