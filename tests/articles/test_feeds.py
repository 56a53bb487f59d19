import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles import feeds, workflow
from tests.factories import NOON, add_picture, make_article, make_provider, make_topic

pytestmark = pytest.mark.django_db

ATOM = {"a": "http://www.w3.org/2005/Atom"}
ALL = "/feeds/all.atom"


def read(client, address: str = ALL) -> ET.Element:
    response = client.get(address)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ET.fromstring(response.content)


def texts(element: ET.Element, path: str) -> list[str | None]:
    return [found.text for found in element.findall(path, ATOM)]


def titles(client, address: str) -> list[str | None]:
    return texts(read(client, address), "a:entry/a:title")


def links(entry: ET.Element, rel: str) -> list[ET.Element]:
    return [link for link in entry.findall("a:link", ATOM) if link.get("rel") == rel]


def test_entry_has_all_that_a_feed_reader_shows(client):
    story = make_article(
        stem="2026-03-02-rain",
        title="Rain &amp; wind",
        excerpt="Less &lt;b&gt; more",
        provider=make_provider(name="Weatherglass"),
        topics=[make_topic("Climate"), make_topic("Oceans")],
        web_url="https://weatherglass.example/rain",
        modified_at=NOON + timedelta(hours=2),
    )
    add_picture(story)
    entry = read(client).find("a:entry", ATOM)
    address = "http://testserver/news/2026-03-02-rain/"
    assert texts(entry, "a:title") == ["Rain & wind"]
    assert texts(entry, "a:id") == [address]
    assert texts(entry, "a:published") == ["2026-03-02T12:00:00+00:00"]
    assert texts(entry, "a:updated") == ["2026-03-02T14:00:00+00:00"]
    assert texts(entry, "a:author/a:name") == ["Weatherglass"]
    assert [category.get("term") for category in entry.findall("a:category", ATOM)] == ["Climate", "Oceans"]
    assert [link.get("href") for link in links(entry, "alternate")] == [address]
    assert [link.get("href") for link in links(entry, "via")] == ["https://weatherglass.example/rain"]
    [picture] = links(entry, "enclosure")
    assert picture.get("href").startswith("http://testserver/media/renditions/")
    assert picture.get("type") == "image/jpeg"


def test_summary_is_escaped_for_the_html_that_it_is_declared_as(client):
    make_article(excerpt="1 < 2 & <script>x</script>")
    [summary] = read(client).findall("a:entry/a:summary", ATOM)
    assert summary.get("type") == "html"
    assert summary.text == "1 &lt; 2 &amp; &lt;script&gt;x&lt;/script&gt;"


def test_characters_that_xml_forbids_do_not_break_the_feed(client):
    make_article(title="Bell\x07 and \ufffe and \x0b", provider=make_provider(name="Out\x08let"))
    assert titles(client, ALL) == ["Bell and  and "]


def test_address_that_is_not_http_is_no_link(client):
    make_article(web_url="javascript:alert(1)")
    assert links(read(client).find("a:entry", ATOM), "via") == []


def test_topic_feed_has_the_stories_of_its_subtopics(client):
    science = make_topic("Science", slug="science")
    make_article(title="Deep", topics=[make_topic("Oceans", parent=science)])
    make_article(title="Elsewhere")
    assert titles(client, "/feeds/topics/science.atom") == ["Deep"]


def test_provider_feed_has_its_stories_only(client):
    make_article(title="Ours", provider=make_provider(domain="a.b.example"))
    make_article(title="Theirs")
    assert titles(client, "/feeds/providers/a.b.example.atom") == ["Ours"]


def test_feed_of_something_unknown_is_404(client):
    assert client.get("/feeds/topics/nothing.atom").status_code == 404
    assert client.get("/feeds/providers/nobody.example.atom").status_code == 404


def test_feed_ends_after_the_newest_entries(client):
    for number in range(feeds.ENTRIES + 1):
        make_article(title=f"Story {number}", publish_at=NOON + timedelta(minutes=number))
    found = titles(client, ALL)
    assert len(found) == feeds.ENTRIES
    assert found[0] == f"Story {feeds.ENTRIES}"


def test_entries_that_went_live_together_have_an_order(client):
    stories = [make_article() for _ in range(5)]
    with CaptureQueriesContext(connection) as captured:
        assert titles(client, ALL) == [story.title for story in reversed(stories)]
    # SQLite happens to give that order anyway.
    assert '"articles_article"."publish_at" DESC, "articles_article"."id" DESC' in captured[0]["sql"]


def test_old_story_that_goes_live_today_reaches_subscribers_and_keeps_its_date(client):
    dated = datetime(2023, 9, 14, tzinfo=UTC)
    old = make_article(title="Old", published_at=dated, public=False, modified_at=dated)
    for number in range(feeds.ENTRIES + 6):
        make_article(published_at=NOON + timedelta(minutes=number))
    workflow.publish(old, by=None)
    entry = read(client).find("a:entry", ATOM)
    assert texts(entry, "a:title") == ["Old"]
    assert texts(entry, "a:published") == ["2023-09-14T00:00:00+00:00"]
    assert texts(entry, "a:updated") >= [old.publish_at.isoformat(timespec="seconds")]


def test_very_long_summary_is_cut(client):
    make_article(excerpt="x" * feeds.SUMMARY_LENGTH)
    make_article(excerpt="y" * (feeds.SUMMARY_LENGTH + 1))
    cut, whole = texts(read(client), "a:entry/a:summary")
    assert cut == "y" * (feeds.SUMMARY_LENGTH - 1) + "…"
    assert whole == "x" * feeds.SUMMARY_LENGTH


@pytest.mark.parametrize("address", [ALL, "/api/news/index.json", "/api/topics/index.json"])
def test_feeds_and_lists_may_be_kept_by_anyone_who_asks_each_time(client, address):
    assert client.get(address)["Cache-Control"] == "public, max-age=0, must-revalidate"


def test_unchanged_feed_is_304(client):
    make_article()
    tag = client.get(ALL)["ETag"]
    assert client.get(ALL, headers={"If-None-Match": tag}).status_code == 304


def test_empty_feed_does_not_change_by_the_second(client):
    tag = client.get(ALL)["ETag"]
    assert client.get(ALL, headers={"If-None-Match": tag}).status_code == 304


def test_story_that_is_taken_down_leaves_the_feed_for_those_who_have_its_date_too(client):
    make_article(title="Stays", modified_at=NOON)
    story = make_article(title="Goes", modified_at=NOON - timedelta(hours=1))
    before = client.get(ALL)
    workflow.unpublish(story, by=None)
    dated = client.get(ALL, headers={"If-Modified-Since": timezone.now().strftime("%a, %d %b %Y %H:%M:%S GMT")})
    assert (dated.status_code, "Goes" in dated.text) == (200, False)
    assert client.get(ALL, headers={"If-None-Match": before["ETag"]}).status_code == 200


def test_addresses_come_from_the_setting_not_from_the_host_header(client, settings):
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://news.example", ["*"]
    add_picture(make_article())
    response = client.get(ALL, HTTP_HOST="evil.example")
    feed = ET.fromstring(response.content)
    assert [link.get("href") for link in links(feed, "self")] == ["https://news.example/feeds/all.atom"]
    assert "evil.example" not in response.text


def test_pages_announce_their_feeds(client):
    topic, provider = make_topic("Science"), make_provider(domain="a.example")
    make_article(topics=[topic], provider=provider)
    assert 'type="application/atom+xml" href="/feeds/all.atom"' in client.get("/").text
    assert 'href="/feeds/topics/science.atom"' in client.get(topic.get_absolute_url()).text
    assert 'href="/feeds/providers/a.example.atom"' in client.get(provider.get_absolute_url()).text
