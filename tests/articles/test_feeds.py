import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles import workflow
from articles.feeds.contents import SUMMARY_LENGTH
from articles.feeds.views import ENTRIES
from tests.articles.atom_rules import faults
from tests.factories import NOON, add_picture, make_article, make_provider, make_topic

pytestmark = pytest.mark.django_db

ATOM = {"a": "http://www.w3.org/2005/Atom", "m": "http://search.yahoo.com/mrss/"}
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
    add_picture(story, alt="A wet street")
    entry = read(client).find("a:entry", ATOM)
    address = "http://testserver/news/2026-03-02-rain/"
    assert texts(entry, "a:title") == ["Rain & wind"]
    assert texts(entry, "a:id") == [f"tag:testserver,{story.created_at:%Y-%m-%d}:article/{story.pk}"]
    assert texts(entry, "a:published") == ["2026-03-02T12:00:00+00:00"]
    assert texts(entry, "a:updated") == ["2026-03-02T14:00:00+00:00"]
    assert texts(entry, "a:author/a:name") == ["Weatherglass"]
    assert [category.get("term") for category in entry.findall("a:category", ATOM)] == ["Climate", "Oceans"]
    assert [link.get("href") for link in links(entry, "alternate")] == [address]
    assert [link.get("href") for link in links(entry, "via")] == ["https://weatherglass.example/rain"]
    [picture] = links(entry, "enclosure")
    assert picture.get("href").startswith("http://testserver/media/renditions/")
    assert picture.get("type") == "image/jpeg"
    media = entry.find("m:content", ATOM)
    assert media.attrib == {
        "url": picture.get("href"), "type": "image/jpeg", "medium": "image", "width": "400", "height": "300",
    }  # fmt: skip
    assert texts(media, "m:description") == ["A wet street"]


def test_summary_is_plain_text_whatever_it_looks_like(client):
    make_article(excerpt="1 < 2 & <script>x</script>")
    [summary] = read(client).findall("a:entry/a:summary", ATOM)
    assert summary.get("type", "text") == "text"
    assert summary.text == "1 < 2 & <script>x</script>"
    [item] = client.get("/feeds/all.json").json()["items"]
    assert item["content_text"] == summary.text


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
    for number in range(ENTRIES + 1):
        make_article(title=f"Story {number}", publish_at=NOON + timedelta(minutes=number))
    found = titles(client, ALL)
    assert len(found) == ENTRIES
    assert found[0] == f"Story {ENTRIES}"


def test_entries_that_went_live_together_have_an_order(client):
    stories = [make_article() for _ in range(5)]
    with CaptureQueriesContext(connection) as captured:
        assert titles(client, ALL) == [story.title for story in reversed(stories)]
    # SQLite happens to give that order anyway.
    assert '"articles_article"."publish_at" DESC, "articles_article"."id" DESC' in captured[0]["sql"]


def test_old_story_that_goes_live_today_reaches_subscribers_and_keeps_its_date(client):
    dated = datetime(2023, 9, 14, tzinfo=UTC)
    old = make_article(title="Old", published_at=dated, public=False, modified_at=dated)
    for number in range(ENTRIES + 6):
        make_article(published_at=NOON + timedelta(minutes=number))
    workflow.publish(old, by=None)
    entry = read(client).find("a:entry", ATOM)
    assert texts(entry, "a:title") == ["Old"]
    assert texts(entry, "a:published") == ["2023-09-14T00:00:00+00:00"]
    assert texts(entry, "a:updated") >= [old.publish_at.isoformat(timespec="seconds")]


def test_very_long_summary_is_cut(client):
    make_article(excerpt="x" * SUMMARY_LENGTH)
    make_article(excerpt="y" * (SUMMARY_LENGTH + 1))
    cut, whole = texts(read(client), "a:entry/a:summary")
    assert cut == "y" * (SUMMARY_LENGTH - 1) + "…"
    assert whole == "x" * SUMMARY_LENGTH


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
    announced = {"/": "all", topic.get_absolute_url(): "topics/science", "/providers/a.example/": "providers/a.example"}
    for page, feed in announced.items():
        text = client.get(page).text
        assert f'<link rel="alternate" type="application/atom+xml" href="/feeds/{feed}.atom"' in text
        assert f'<link rel="alternate" type="application/feed+json" href="/feeds/{feed}.json"' in text
    assert 'href="/feeds/search.atom?q=a%20%26%20b%2Fc"' in client.get("/search/", {"q": "a & b/c"}).text


# --- Ids ----------------------------------------------------------------------------------------


def ids(client, address: str = ALL) -> list[str | None]:
    return texts(read(client, address), "a:id") + texts(read(client, address), "a:entry/a:id")


def test_ids_stay_when_stem_slug_domain_and_scheme_change(client, settings):
    provider, topic = make_provider(domain="a.example"), make_topic("Science", slug="science")
    story = make_article(provider=provider, topics=[topic])
    addresses = [ALL, "/feeds/topics/science.atom", "/feeds/providers/a.example.atom"]
    before = [ids(client, address) for address in addresses]
    settings.SITE_URL = "https://testserver:8443"
    story.stem, provider.domain, topic.slug = "other", "b.example", "other"
    for record in (story, provider, topic):
        record.save()
    assert [
        ids(client, address) for address in (ALL, "/feeds/topics/other.atom", "/feeds/providers/b.example.atom")
    ] == before


def test_each_feed_and_each_entry_has_an_id_of_its_own(client):
    topic = make_topic("Science")
    make_article(topics=[topic], title="Science", provider=make_provider(domain="a.example"))
    make_article()
    addresses = [ALL, "/feeds/topics/science.atom", "/feeds/providers/a.example.atom", "/feeds/search.atom?q=science"]
    feeds = [texts(read(client, address), "a:id")[0] for address in [*addresses, "/feeds/search.atom?q=a%20b"]]
    assert len(set(feeds)) == len(feeds)
    assert len(set(ids(client))) == 3


def test_heat_and_seal_are_no_update_but_a_title_is(client):
    story = make_article(modified_at=NOON)
    before = texts(read(client), "a:updated")
    story.heat, story.secured = 99, "another;seal"
    story.save()
    assert texts(read(client), "a:updated") == before
    story.modified_at = NOON + timedelta(hours=1)
    story.save()
    assert texts(read(client), "a:updated") > before


# --- Other forms --------------------------------------------------------------------------------


def test_json_feed_says_the_same_as_the_atom_feed(client):
    story = make_article(
        title="Rain &amp; wind",
        provider=make_provider(name="Weatherglass"),
        topics=[make_topic("Climate")],
        web_url="https://weatherglass.example/rain",
    )
    add_picture(story)
    entry = read(client).find("a:entry", ATOM)
    response = client.get("/feeds/all.json")
    assert response["Content-Type"] == "application/feed+json; charset=utf-8"
    feed = response.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert (feed["home_page_url"], feed["feed_url"]) == ("http://testserver/", "http://testserver/feeds/all.json")
    [item] = feed["items"]
    assert item == {
        "id": entry.findtext("a:id", namespaces=ATOM),
        "url": f"http://testserver{story.get_absolute_url()}",
        "external_url": "https://weatherglass.example/rain",
        "title": "Rain & wind",
        "content_text": story.summary,
        "image": links(entry, "enclosure")[0].get("href"),
        "date_published": entry.findtext("a:published", namespaces=ATOM),
        "date_modified": entry.findtext("a:updated", namespaces=ATOM),
        "authors": [{"name": "Weatherglass"}],
        "tags": ["Climate"],
    }


def test_json_feed_without_stories_still_has_its_items(client):
    assert client.get("/feeds/all.json").json()["items"] == []


def test_story_without_excerpt_has_its_title_for_content(client):
    make_article(title="Bare", excerpt="", web_url="", provider=None)
    [item] = client.get("/feeds/all.json").json()["items"]
    assert item["content_text"] == "Bare"
    assert not {"external_url", "authors", "tags", "image"} & set(item)


def test_search_feed_has_what_is_found_newest_first(client):
    make_article(title="Old tide", publish_at=NOON - timedelta(days=1))
    make_article(title="New tide")
    make_article(title="Elsewhere")
    assert titles(client, "/feeds/search.atom?q=tide") == ["New tide", "Old tide"]
    assert [item["title"] for item in client.get("/feeds/search.json?q=tide").json()["items"]] == [
        "New tide",
        "Old tide",
    ]
    assert links(read(client, "/feeds/search.atom?q=a+%26+b&utm=x"), "self")[0].get("href") == (
        "http://testserver/feeds/search.atom?q=a%20%26%20b"
    )


def test_search_feed_for_nothing_is_empty(client):
    make_article()
    for address in ("/feeds/search.atom", "/feeds/search.atom?q=", "/feeds/search.atom?q=%00"):
        assert titles(client, address) == []


def test_characters_that_no_address_may_have_are_encoded(client):
    make_article(web_url='https://outlet.example/?a=<b>|"c"{d}')
    [via] = links(read(client).find("a:entry", ATOM), "via")
    assert via.get("href") == "https://outlet.example/?a=%3Cb%3E%7C%22c%22%7Bd%7D"


# --- RFC 4287 -----------------------------------------------------------------------------------


def test_every_feed_is_as_the_standard_wants_it(client):
    """The rules of atom_rules, which were checked against the standard's own schema."""
    hostile = "<script>\x07 &amp; &lt; ]]> \ufffe \U0001f68b"
    topic = make_topic(hostile[:50], slug="science", description=hostile)
    provider = make_provider(name=hostile, domain="a.example", description=hostile)
    for number in range(3):
        story = make_article(title=hostile, excerpt=hostile, stem=f"ß {number}%", provider=provider, topics=[topic])
        add_picture(story, alt=hostile)
    make_article(provider=None, excerpt="", web_url="", topics=[])
    for name in ("all", "topics/science", "providers/a.example", "search"):
        for query in ("", "?q=script"):
            assert faults(read(client, f"/feeds/{name}.atom{query}")) == [], name
