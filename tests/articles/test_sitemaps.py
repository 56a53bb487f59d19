import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings

from articles import sitemaps
from articles.models import Article
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


def all_locations(client) -> list[str | None]:
    parts = [str(part).removeprefix(settings.SITE_URL) for part in locations(client)]
    return [address for part in parts for address in locations(client, part)]


def test_sitemap_lists_front_page_lists_topics_providers_and_stories(client):
    provider, topic = make_provider(domain="a.example"), make_topic("Space & time", slug="space")
    make_topic("Idle", description="Described, but without a story.")
    make_article(stem="ünter-1", provider=provider, topics=[topic])
    assert all_locations(client) == [
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
    for address in all_locations(client):
        assert client.get(address.removeprefix("http://testserver")).status_code == 200


def story_at(pk: int, **overrides) -> Article:
    return make_article(pk=pk, stem=f"story-{pk}", **overrides)


def stories_of(client, part: int) -> list[str]:
    return [str(address).rpartition("/news/")[2].strip("/") for address in locations(client, f"/sitemap-{part}.xml")]


def test_parts_are_ranges_of_keys_and_those_without_a_public_story_are_left_out(client):
    first = sitemaps.KEYS_A_PART * 1_000  # beyond what other tests have used
    for pk in (first, first + 2, first + sitemaps.KEYS_A_PART - 1, first + 3 * sitemaps.KEYS_A_PART):
        story_at(pk)
    story_at(first + 1, public=False)
    story_at(first + sitemaps.KEYS_A_PART, public=False)
    story_at(first + 2 * sitemaps.KEYS_A_PART, unpublish_at=NOON + timedelta(minutes=1))
    assert locations(client) == [f"http://testserver/sitemap-{part}.xml" for part in (0, 1001, 1004)]
    assert stories_of(client, 1001) == [f"story-{first + number}" for number in (0, 2, sitemaps.KEYS_A_PART - 1)]
    assert stories_of(client, 1004) == [f"story-{first + 3 * sitemaps.KEYS_A_PART}"]
    for part in (1002, 1003, 1005):
        assert client.get(f"/sitemap-{part}.xml").status_code == 404


def test_index_asks_once_however_many_parts_there_are(client, django_assert_num_queries):
    for part in range(5):
        story_at(1 + part * sitemaps.KEYS_A_PART)
    with django_assert_num_queries(1):
        assert len(locations(client)) == 6


def test_story_was_last_changed_when_it_went_live_or_later(client):
    story = make_article(modified_at=NOON - timedelta(hours=2), publish_at=NOON)
    address = f"/sitemap-{story.pk // sitemaps.KEYS_A_PART + 1}.xml"
    assert [found.text for found in read(client, address).findall("*/s:lastmod", NAMES)] == [
        "2026-03-02T12:00:00+00:00"
    ]
    Article.objects.update(modified_at=NOON + timedelta(minutes=1))
    assert [found.text for found in read(client, address).findall("*/s:lastmod", NAMES)] == [
        "2026-03-02T12:01:00+00:00"
    ]


def test_part_that_does_not_exist_is_404(client):
    for part in ("999999", "9" * 30, "9" * 5000):
        assert client.get(f"/sitemap-{part}.xml").status_code == 404


def test_addresses_come_from_the_setting_not_from_the_host_header(client, settings):
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://news.example", ["*"]
    make_article()
    for address in ("/sitemap.xml", "/news-sitemap.xml", "/robots.txt"):
        assert "evil.example" not in client.get(address, HTTP_HOST="evil.example").text
    assert all(address.startswith("https://news.example/") for address in all_locations(client))


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


def test_robots_are_shown_the_sitemaps_and_kept_from_admin_suggestions_and_previews(client):
    assert client.get("/robots.txt").text.splitlines() == [
        "User-agent: *",
        "Disallow: /admin/",
        "Disallow: /search/suggest/",
        "Disallow: /preview/",
        "",
        "Sitemap: http://testserver/sitemap.xml",
        "Sitemap: http://testserver/news-sitemap.xml",
    ]
