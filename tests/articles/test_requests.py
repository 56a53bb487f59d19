"""Whatever is asked for, however oddly: an answer that fits, never a failure."""

import re
from html.parser import HTMLParser

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import reverse

from articles.models import Article
from tests.articles.test_visibility import ROWS
from tests.factories import NOON, add_picture, make_article, make_provider, make_related, make_topic

pytestmark = pytest.mark.django_db

OTHERS = ("q", "before", "after", "topic", "provider", "sort", "utm_source", "", "page[]", "q%00")
ODD = [
    *("", "0", "-1", "1", "999999999", "9" * 5000, "1e9", "１", "NaN", "null", "true"),
    *("%00", "%ff%fe", "%ED%A0%80", "%", "%zz", "%25%30%30", "..%2F..%2Fetc", "%0d%0aSet-Cookie:x=1"),
    *("'", '"', "\\", "*", "(", "a%20AND%20b", "NEAR(", "topic:", "before:2026-99-99", "after:", "provider:%22"),
    *("<script>", "{{7*7}}", "${x}", "x" * 7000),
]
PATHS = [
    *("/%ff/", "/%00/", "/news/%ff%fe/", "/news/%C0%AE%C0%AE/", "/news/../", "/topics/%2e%2e/", "/;/"),
    *("/archive/2026/02/30/", "/archive/0000/00/00/", "/feeds/topics/%ff.atom", "/feeds/.atom"),
    *("/sitemap--1.xml", "/api/news/page/-1/index.json", "/api/news/%ff/index.json", "/share/article/1/%ff.png"),
    *("/topics/" + "x" * 7000 + "/", "/news/" + "%F0%9F%9A%8B" * 300 + "/", "/providers/" + "a." * 2000 + "/"),
    *("/.git/config", "/index.php"),
]
HOSTS = ["evil.example", "testserver.evil.example", "a b", "testserver:99999x", "[::1", "é"]
ANYWHERE = ["/", "/nothing/", "/topics", "/news/nothing/", "/feeds/all.atom", "/api/news/index.json", "/admin/"]


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.out: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag in ("a", "area", "form") and re.match("(https?:)?//", given.get("href") or given.get("action") or ""):
            self.out.append(given)


@pytest.fixture
def story() -> Article:
    topic, provider = make_topic("Oceans", description="Of the sea."), make_provider(description="An outlet.")
    story = make_article(topics=[topic], provider=provider, body="Text.")
    add_picture(story)
    make_related(story, provider=make_provider())
    make_related(story, provider=None)
    return story


def address_of(name: str, story: Article) -> str:
    return reverse(name, args=ROWS[name].args(story))


@pytest.mark.parametrize("name", ROWS)
def test_no_parameter_breaks_a_page_or_comes_back_as_a_header(client, story, name):
    address = address_of(name, story)
    for value in ODD:
        for query in (f"page={value}", "&".join(f"{other}={value}" for other in OTHERS)):
            response = client.get(f"{address}?{query}")
            assert response.status_code in (200, 400, 404), (address, query[:80])
            assert not response.cookies
    repeated = client.get(f"{address}?page=1&page=x&q=a&q=b")
    assert repeated.status_code in (200, 404)


@pytest.mark.parametrize("name", ROWS)
def test_unknown_parameters_change_nothing(client, story, name):
    address = address_of(name, story)
    plain, asked = client.get(address), client.get(f"{address}?utm_source=zebrafish&fbclid=1")
    assert asked.content == plain.content


@pytest.mark.parametrize("path", PATHS)
def test_no_path_breaks_the_site(client, story, path):
    response = client.generic("GET", path)
    assert response.status_code in (301, 400, 404), path[:50]


@pytest.mark.parametrize("name", ROWS)
@time_machine.travel(NOON, tick=False)
def test_addresses_are_for_reading_and_say_so(story, name):
    client, address = Client(enforce_csrf_checks=True), address_of(name, story)
    shared = address.startswith(("/api/", "/feeds/"))
    for method in ("post", "put", "patch", "delete", "trace", "options"):
        response = getattr(client, method)(address)
        if method == "options" and shared:
            assert response.status_code == 204
        else:
            assert response.status_code == 405, (method, address)
        assert "GET" in response["Allow"]
    whole, head = client.get(address), client.head(address)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head["Content-Type"] == whole["Content-Type"]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("address", ANYWHERE)
def test_strange_host_is_refused_and_never_repeated(client, address, host):
    response = client.get(address, headers={"Host": host})
    assert response.status_code == 400
    assert "could not make sense" in response.text
    assert host not in response.text + str(response.headers)


@pytest.mark.parametrize("address", ANYWHERE)
def test_host_that_a_proxy_names_is_nobodys_business(client, address):
    response = client.get(address, headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"})
    assert b"evil.example" not in response.content
    assert "evil.example" not in str(response.headers)


def test_links_that_leave_the_site_take_no_opener_along(client, story):
    addresses = ["/", "/topics/", "/providers/", "/archive/", "/archive/2026/03/02/", "/search/?q=story", "/nothing/"]
    addresses += [each.get_absolute_url() for each in (story, story.provider, story.topics.first())]
    out = [link for address in addresses for link in Links(client.get(address).text).out]
    assert len(out) >= 3
    for link in out:
        assert "noopener" in (link.get("rel") or "").split(), link
        assert link.get("target") is None


@pytest.mark.parametrize("address", ["/", "/news/x/", "/feeds/all.atom", "/api/news/index.json", "/nothing/"])
def test_friendly_500_when_the_database_is_gone(monkeypatch, address):
    def refuse(*args, **kwargs):
        raise DatabaseError("gone")

    client = Client(raise_request_exception=False)
    monkeypatch.setattr(type(connection.ops), "compiler", refuse)
    response = client.get(address)
    assert response.status_code == 500
    assert "Something went wrong on our side." in response.text
    assert response["Cache-Control"] == "no-cache"
    assert "default-src 'none'" in response["Content-Security-Policy"]
