"""The founding example's way from a file to the readers and back out of their sight."""

from pathlib import Path

import pytest
from django.urls import reverse

from articles.importing import Options, import_paths
from articles.models import Article
from tests.articles.pages import filled
from tests.factories import make_user

pytestmark = pytest.mark.django_db

DEMO = Path(__file__).resolve().parents[2] / "fixtures/demo/_news"  # newer stories, more than a feed holds
STEM = "2023-09-14-dont-count-on-teslas-dojo-supercomputer-to-jump-start-an-ai-revolution"
FILE = "000_f8514dd95f7eddd0.txt"  # as the JSON API names it
ITS_OWN = f"/news/{STEM}/"
LISTS = [
    "/",
    "/topics/ai/",
    "/topics/ai-in-autos/",
    "/providers/wired.com/",
    "/archive/2023/09/14/",
    "/search/?q=Tesla’s+Dojo",
    "/feeds/all.atom",
    "/feeds/topics/ai.atom",
    "/feeds/providers/wired.com.atom",
    "/sitemap-1.xml",
    "/api/news/ai/index.json",
]


def press(client, article: Article, verb: str) -> None:
    form = reverse("admin:articles_article_change", args=[article.pk])
    response = client.post(form, filled(client.get(form)) | {"_verb": verb}, follow=True)
    assert response.status_code == 200


def shows(client, address: str) -> bool:
    response = client.get(address)
    text = response.content.decode()
    return response.status_code == 200 and (STEM in text or FILE in text)


def test_the_founding_seed_is_where_readers_look_once_an_editor_publishes_it_and_nowhere_after(client, corpus):
    assert import_paths([corpus / "seeds", DEMO], Options()).failed == []
    article = Article.objects.get(stem=STEM)
    assert client.get(ITS_OWN).status_code == 404
    assert not any(shows(client, address) for address in LISTS)

    client.force_login(make_user("Editors"))
    press(client, article, "publish")
    client.logout()
    assert client.get(ITS_OWN).status_code == 200
    assert [address for address in LISTS[1:] if not shows(client, address)] == []

    client.force_login(make_user("Editors"))
    press(client, article, "unpublish")
    client.logout()
    assert client.get(ITS_OWN).status_code == 410
    assert [address for address in LISTS if shows(client, address)] == []
