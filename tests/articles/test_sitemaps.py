import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest
import time_machine

from articles import sitemaps
from tests.factories import NOON, make_article, make_provider, make_topic

pytestmark = pytest.mark.django_db

NAMES = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "n": "http://www.google.com/schemas/sitemap-news/0.9",
}


def read(client, address: str) -> ET.Element:
    response = client.get(address)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    return ET.fromstring(response.content)


def locations(client, address: str = "/sitemap.xml") -> list[str | None]:
    return [found.text for found in read(client, address).findall("*/s:loc", NAMES)]


def test_sitemap_lists_front_page_lists_topics_providers_and_stories(client):
    provider, topic = make_provider(domain="a.example"), make_topic("Space & time", slug="space")
    make_topic("Idle", description="Described, but without a story.")
    make_article(stem="ünter-1", provider=provider, topics=[topic])
    assert locations(client) == [
        "http://testserver/",
        "http://testserver/topics/",
        "http://testserver/providers/",
        "http://testserver/archive/",
        "http://testserver/topics/space/",
        "http://testserver/providers/a.example/",
        "http://testserver/news/%C3%BCnter-1/",
    ]


def test_every_address_of_the_sitemap_answers(client):
    make_article(topics=[make_topic()])
    for address in locations(client):
        assert client.get(address.removeprefix("http://testserver")).status_code == 200


def test_many_stories_make_an_index_of_several_sitemaps(client, monkeypatch):
    monkeypatch.setattr(sitemaps, "ADDRESSES_A_SITEMAP", 2)
    stories = [make_article() for _ in range(5)]
    parts = locations(client)
    assert parts == [f"http://testserver/sitemap-{part}.xml" for part in range(4)]
    found = [address for part in parts for address in locations(client, part.removeprefix("http://testserver"))]
    assert {f"http://testserver{story.get_absolute_url()}" for story in stories} < set(found)
    assert len(found) == len(set(found))


def test_part_that_does_not_exist_is_404(client):
    assert client.get("/sitemap-2.xml").status_code == 404


def test_addresses_come_from_the_setting_not_from_the_host_header(client, settings):
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://news.example", ["*"]
    make_article()
    for address in ("/sitemap.xml", "/news-sitemap.xml", "/robots.txt"):
        assert "evil.example" not in client.get(address, HTTP_HOST="evil.example").text
    assert all(address.startswith("https://news.example/") for address in locations(client))


@time_machine.travel(NOON, tick=False)
def test_news_sitemap_has_the_stories_of_the_last_two_days(client):
    make_article(title="Fresh &amp; &lt;new&gt;\x07", published_at=NOON - timedelta(hours=48))
    make_article(title="Old", published_at=NOON - timedelta(hours=48, seconds=1))
    [url] = read(client, "/news-sitemap.xml")
    news = url.find("n:news", NAMES)
    assert news.find("n:title", NAMES).text == "Fresh & <new>"
    assert news.find("n:publication_date", NAMES).text == "2026-02-28T12:00:00+00:00"
    assert news.find("n:publication/n:name", NAMES).text == "Copydesk"
    assert news.find("n:publication/n:language", NAMES).text == "en"


def test_robots_are_shown_the_sitemaps_and_kept_from_admin_and_search(client):
    assert client.get("/robots.txt").text.splitlines() == [
        "User-agent: *",
        "Disallow: /admin/",
        "Disallow: /search/",
        "",
        "Sitemap: http://testserver/sitemap.xml",
        "Sitemap: http://testserver/news-sitemap.xml",
    ]
