"""Pages that are kept: what they are served for, to whom, and until when."""

import gzip
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import caches
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from articles import workflow
from articles.models import Article
from articles.sharing import address_of
from config import page_cache
from tests.factories import NOON, make_article, make_topic, make_user

pytestmark = pytest.mark.django_db(transaction=True)

EVENING = datetime(2026, 3, 2, 18, 0, 0, 250_000, tzinfo=UTC)
PACKED = {"Accept-Encoding": "gzip, br"}


@pytest.fixture(autouse=True)
def kept(settings):
    settings.PAGE_CACHE_SECONDS = 600
    caches["pages"].clear()
    yield
    caches["pages"].clear()


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(EVENING, tick=False) as clock:
        yield clock


def queries(client, address: str, **headers: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address, headers=headers).status_code == 200
    return len(captured)


def seconds(response) -> tuple[int, int]:
    """What a CDN may do, in seconds: keep an answer, and give it away while it asks for a new one."""
    told = dict(part.partition("=")[::2] for part in response["Cache-Control"].split(", "))
    return int(told["s-maxage"]), int(told["stale-while-revalidate"])


# --- For whom -----------------------------------------------------------------------------------


def test_second_reader_costs_one_query_and_gets_the_same(client):
    story = make_article()
    first = client.get(story.get_absolute_url())
    with CaptureQueriesContext(connection) as captured:
        second = client.get(story.get_absolute_url())
    assert len(captured) == 1
    assert (second.content, second.headers) == (first.content, first.headers)


def test_reader_with_a_session_is_neither_served_from_what_is_kept_nor_adds_to_it(client):
    address = make_article().get_absolute_url()
    assert queries(client, address) > 1
    client.force_login(make_user())
    response = client.get(address)
    assert response["Cache-Control"] == "private, no-cache"
    assert queries(client, address) > 1
    caches["pages"].clear()
    client.get(address)
    client.logout()
    assert queries(client, address) > 1


def test_reader_who_names_himself_is_served_by_himself(client):
    address = make_article().get_absolute_url()
    client.get(address)
    assert queries(client, address, Authorization="Basic eDp5") > 1


def test_other_cookies_are_nobodys_business(client):
    make_article()
    client.get("/")
    client.cookies["theme"] = "dark"
    assert queries(client, "/") == 1


def test_answer_that_sets_a_cookie_or_varies_with_one_is_not_kept(client, monkeypatch):
    address = make_article().get_absolute_url()
    original = page_cache._is_page

    def asked(response):
        response.set_cookie("who", "me")
        return original(response)

    monkeypatch.setattr(page_cache, "_is_page", asked)
    client.get(address)
    assert queries(client, address) > 1


def test_missing_page_is_asked_for_each_time(client):
    response = client.get("/news/not-yet/")
    assert response.status_code == 404
    assert response["Cache-Control"] == "no-cache"
    make_article(stem="not-yet")
    assert client.get("/news/not-yet/").status_code == 200


def test_admin_and_health_are_never_kept(client):
    assert "no-cache" in client.get("/admin/login/")["Cache-Control"]
    assert "no-cache" in client.get("/healthz")["Cache-Control"]


def test_host_that_is_not_ours_gets_no_page_though_it_is_kept(client):
    make_article()
    client.get("/")
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_without_the_database_there_is_no_page_but_an_answer(client, monkeypatch):
    def refuse():
        raise DatabaseError("gone")

    monkeypatch.setattr(page_cache, "version", refuse)
    assert client.get("/robots.txt").status_code == 200


# --- What is asked for --------------------------------------------------------------------------


def test_parameters_that_no_page_knows_make_no_other_page_and_no_other_links(client):
    topic = make_topic("Oceans")
    for _ in range(30):
        make_article(topics=[topic])
    address = topic.get_absolute_url()
    plain = client.get(address)
    with CaptureQueriesContext(connection) as captured:
        tracked = client.get(f"{address}?utm_source=mail&fbclid=%00&utm_source=again")
    assert len(captured) == 1
    assert tracked.content == plain.content


def test_where_a_request_says_that_the_site_begins_changes_no_page(client):
    make_article(topics=[make_topic("Whales")])
    for _ in range(2):  # made, and kept
        assert b"/evil/" not in client.get("/", SCRIPT_NAME="/evil").content
    assert b"/evil/" not in client.get("/archive/").content


def test_parameters_that_pages_know_make_another_page(client):
    make_article(title="Whales"), make_article(title="Trams")
    assert "Trams" not in client.get("/search/?q=whales").text
    assert "Trams" in client.get("/search/?q=trams").text


@pytest.mark.parametrize("query", ["q=x", "order=newest", "page=9", "before=nonsense"])
def test_parameters_of_other_pages_make_no_other_page(client, query):
    story = make_article()
    for address in ("/", story.get_absolute_url(), "/feeds/all.atom"):
        client.get(address)
        assert queries(client, f"{address}?{query}") == 1


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "nonsense"])
def test_addresses_are_in_utf_8_whatever_encoding_is_claimed(client, charset):
    make_article(title="Größe")
    headers = {"content-type": f"text/html; charset={charset}"}
    assert "Größe" in client.get("/search/?q=Gr%C3%B6%C3%9Fe", headers=headers).text
    assert "Größe" in client.get("/search/?q=Größe", headers=headers).text  # as some programs send it
    assert client.get("/nowhere/?x=1", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("page", "same"),
    [
        ("/search/?q=whales", "/search/?order=hottest&page=1&q=++whales%00"),
        ("/search/?q=whales&order=newest", "/search/?q=whales&order=newest&before=x"),
        ("/search/suggest/?q=wha", "/search/suggest/?q=wha&page=2"),
        ("/topics/", "/topics/?before=x&page=1"),
        ("/providers/", "/providers/?after=x"),
        ("/topics/whales/", "/topics/whales/?page=2&q=x"),
        ("/archive/", "/archive/?before=x&page=2"),
        ("/today/", "/today/?page=3"),
    ],
)
def test_page_has_one_spelling(client, page, same):
    make_article(title="Whales", topics=[make_topic("Whales", slug="whales")])
    client.get(page)
    assert queries(client, same) == 1


def test_zeros_before_a_number_make_no_other_page(client):
    make_article()
    for address in ("/api/news/page/01/index.json", "/sitemap-00.xml"):
        assert client.get(address).status_code == 404


def test_search_for_the_same_is_the_same_page_whatever_surrounds_it(client):
    make_article(title="Whales")
    client.get("/search/?q=whales")
    assert queries(client, "/search/?x=1&q=whales&y=2") == 1


@pytest.mark.parametrize("encoding", ["gzip", "br, gzip;q=0.5", "deflate, gzip, br", "GZIP", "*"])
def test_page_is_kept_packed_for_those_who_unpack(client, encoding):
    make_article()
    plain = client.get("/")
    packed = client.get("/", headers={"Accept-Encoding": encoding})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert int(packed["Content-Length"]) == len(packed.content)
    for response in (plain, packed):
        assert response["Vary"] == "Accept-Encoding"
        assert response["ETag"] == plain["ETag"]


@pytest.mark.parametrize("encoding", ["", "identity", "br", "gzip;q=0", "xgzipped", "*;q=0", "gzip;q=0, *"])
def test_page_is_unpacked_for_those_who_do_not(client, encoding):
    make_article()
    client.get("/", headers=PACKED)
    response = client.get("/", headers={"Accept-Encoding": encoding})
    assert "Content-Encoding" not in response
    assert response.content.startswith(b"\n<!doctype html>") or response.content.startswith(b"<!doctype html>")


@pytest.mark.parametrize("warm", [False, True])
def test_unchanged_page_is_304_though_the_site_has_changed_elsewhere(client, warm):
    story = make_article(provider=None)
    tag = client.get(story.get_absolute_url())["ETag"]
    make_topic("Elsewhere")  # another version
    if warm:
        client.get(story.get_absolute_url())
    again = client.get(story.get_absolute_url(), headers={"If-None-Match": tag, **PACKED})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert "s-maxage" in again["Cache-Control"]


def test_what_was_withdrawn_is_not_unchanged(client):
    story = make_article(topics=[make_topic()], title="Whale song")
    addresses = [story.get_absolute_url(), "/", "/feeds/all.atom", "/api/news/index.json", "/sitemap-0.xml"]
    tags = {address: client.get(address)["ETag"] for address in addresses}
    Article.objects.update(status="unpublished")
    for address, tag in tags.items():
        again = client.get(address, headers={"If-None-Match": tag})
        assert again.status_code in (200, 404, 410), address
        assert "Whale song" not in again.text
    gone = client.get(story.get_absolute_url())
    assert (gone.status_code, gone["Cache-Control"]) == (410, "private, no-cache")


def test_card_may_be_kept_no_longer_than_the_page_it_is_of(client, settings):
    settings.CDN_SECONDS = 10
    story = make_article(topics=[make_topic()])
    for record in (story, story.topics.first(), story.provider):
        kept = client.get(address_of(record))
        assert kept["Cache-Control"] == "public, max-age=0, must-revalidate, s-maxage=5, stale-while-revalidate=5"
        same = client.get(address_of(record), headers={"If-None-Match": kept["ETag"]})
        assert (same.status_code, same.content) == (304, b"")
    address, tag = address_of(story), client.get(address_of(story))["ETag"]
    Article.objects.update(status="unpublished")
    for headers in ({}, {"If-None-Match": tag}):
        assert client.get(address, headers=headers).status_code == 404
    assert client.get(address_of(None))["Cache-Control"] == "public, max-age=31536000, immutable"


def test_cards_take_no_room_from_pages(client, monkeypatch):
    stored = []
    monkeypatch.setattr(type(caches["pages"]), "set", lambda self, *args: stored.append(self is caches["pages"]))
    assert client.get(address_of(make_article())).status_code == 200
    assert True not in stored
    client.get("/")
    assert True in stored


def test_changed_page_is_sent_whole(client):
    story = make_article()
    tag = client.get(story.get_absolute_url())["ETag"]
    Article.objects.update(title="Another")
    assert client.get(story.get_absolute_url(), headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("warm", [False, True])
def test_head_has_everything_but_the_body(client, warm):
    make_article()
    if warm:
        client.get("/")
    head = client.head("/")
    get = client.get("/")
    assert head.content == b""
    assert head.headers == get.headers
    assert get.content


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_pages_are_only_read(client, method):
    make_article()
    client.get("/")
    assert getattr(client, method)("/").status_code == 405


# --- Until when ---------------------------------------------------------------------------------


def test_withdrawn_story_is_gone_with_the_commit(client):
    story = make_article(title="Withdrawn soon")
    for address in ("/", "/feeds/all.atom", "/sitemap-1.xml", "/search/?q=withdrawn"):
        assert story.get_absolute_url() in client.get(address).text
        assert queries(client, address) == 1
    client.get(story.get_absolute_url())
    workflow.unpublish(story, by=None)
    for address in ("/", "/feeds/all.atom", "/sitemap-1.xml", "/search/?q=withdrawn"):
        assert story.get_absolute_url() not in client.get(address).text
    assert client.get(story.get_absolute_url()).status_code in (404, 410)


def test_scheduled_story_is_there_at_its_time_and_not_before(client, clock):
    make_article()
    story = make_article(publish_at=EVENING + timedelta(seconds=60))
    assert story.get_absolute_url() not in client.get("/").text
    clock.shift(timedelta(seconds=59.999))
    assert story.get_absolute_url() not in client.get("/").text
    assert queries(client, "/") == 1
    clock.shift(timedelta(seconds=0.001))
    assert story.get_absolute_url() in client.get("/").text


def test_expired_story_is_gone_at_its_time_and_not_before(client, clock):
    story = make_article(unpublish_at=EVENING + timedelta(seconds=60))
    assert story.get_absolute_url() in client.get("/").text
    clock.shift(timedelta(seconds=59.999))
    assert story.get_absolute_url() in client.get("/").text
    clock.shift(timedelta(seconds=0.001))
    assert story.get_absolute_url() not in client.get("/").text


def test_page_ends_at_the_sites_midnight(client, clock, settings):
    settings.PAGE_CACHE_SECONDS = 10**6
    make_article(published_at=NOON)
    assert "12:00 UTC" in client.get("/").text
    clock.move_to(datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC))
    assert queries(client, "/") == 1
    clock.move_to(datetime(2026, 3, 3, tzinfo=UTC))
    assert "12:00 UTC" not in client.get("/").text


def test_page_ends_after_the_time_that_is_set(client, clock):
    address = make_article().get_absolute_url()
    client.get("/robots.txt")
    client.get(address)
    clock.shift(timedelta(seconds=599))
    assert queries(client, address) == 1
    clock.shift(timedelta(seconds=1))
    assert queries(client, address) > 1


def test_story_that_goes_live_while_a_page_is_made_leaves_no_page_of_before(client, clock, monkeypatch):
    make_article()
    story = make_article(publish_at=EVENING + timedelta(seconds=1))
    original = page_cache._is_page

    def late(response):
        clock.shift(timedelta(seconds=2))
        return original(response)

    monkeypatch.setattr(page_cache, "_is_page", late)
    client.get("/")
    monkeypatch.undo()
    assert story.get_absolute_url() in client.get("/").text


def test_cdn_is_late_by_the_seconds_that_are_set_and_browsers_never(client, settings):
    make_article()
    response = client.get("/")
    assert response["Cache-Control"].startswith("public, max-age=0, must-revalidate, ")
    assert sum(seconds(response)) == settings.CDN_SECONDS == 10
    settings.CDN_SECONDS = 0
    assert seconds(client.get("/")) == (0, 0)


def test_cdn_may_keep_pages_for_longer_than_we_do(client, settings):
    settings.CDN_SECONDS = 86400
    make_article()
    assert sum(seconds(client.get("/"))) == 6 * 3600 - 1  # until midnight


def test_cdn_keeps_nothing_past_the_next_scheduled_moment(client, clock):
    make_article()
    make_article(publish_at=EVENING + timedelta(seconds=7))
    assert sum(seconds(client.get("/"))) == 7
    clock.shift(timedelta(seconds=5.5))
    assert sum(seconds(client.get("/"))) == 1


def test_switched_off_nothing_is_kept_by_anyone_and_all_ask_each_time(client, settings):
    settings.PAGE_CACHE_SECONDS = 0
    make_article()
    response = client.get("/")
    assert response["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert queries(client, "/") > 1
    assert client.get("/", headers={"If-None-Match": response["ETag"]}).status_code == 304


def test_every_page_that_readers_share_is_kept(client):
    """All that `public.kept` marks; what is not marked is named here."""
    story = make_article(topics=[make_topic("Oceans", slug="oceans")])
    for address in ("/topics/", "/topics/oceans/", "/archive/", reverse("providers"), "/api/news/index.json"):
        client.get(address)
        assert queries(client, address) == 1, address
    assert story.is_public
