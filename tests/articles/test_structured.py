"""What pages say of themselves to search engines and to sites that show links."""

import json
import re
from html.parser import HTMLParser

import pytest

from articles.templatetags.discovery import script
from tests.factories import NOON, add_picture, make_article, make_image, make_provider, make_topic

pytestmark = pytest.mark.django_db

HOSTILE = "</script><!--<script>alert(1)</script>]]> & \u2028 \u2029 \"'\\"


class Head(HTMLParser):
    """The data and the `<meta>` of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.data: list[dict] = []
        self.scripts: list[dict[str, str | None]] = []
        self.meta: dict[str, list[str | None]] = {}
        self.canonical: list[str | None] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "script":
            self.scripts.append(given)
        if tag == "meta" and (name := given.get("property") or given.get("name")):
            self.meta.setdefault(name, []).append(given["content"])
        if tag == "link" and given.get("rel") == "canonical":
            self.canonical.append(given["href"])

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and data.strip().startswith("{"):
            self.data += json.loads(data)["@graph"]

    def thing(self, kind: str) -> dict:
        [found] = [thing for thing in self.data if thing["@type"] == kind]
        return found


def head(client, address: str) -> Head:
    response = client.get(address)
    assert response.status_code == 200, address
    return Head(response.text)


def trail(head: Head) -> list[tuple[int, str, str]]:
    steps = head.thing("BreadcrumbList")["itemListElement"]
    return [(step["position"], step["name"], step["item"].removeprefix("http://testserver")) for step in steps]


def test_story_is_ours_to_show_and_the_outlets_to_have_written(client):
    provider = make_provider(name="Weatherglass", domain="weatherglass.example")
    provider.logos.create(image=make_image(size=(200, 200)))
    story = make_article(
        title="Rain &amp; wind",
        provider=provider,
        web_url="https://weatherglass.example/rain",
        topics=[make_topic("Climate"), make_topic("Oceans")],
        modified_at=NOON,
    )
    add_picture(story)
    data = head(client, story.get_absolute_url()).thing("NewsArticle")
    address = f"http://testserver{story.get_absolute_url()}"
    assert (data["headline"], data["description"]) == ("Rain & wind", story.summary)
    assert (data["url"], data["mainEntityOfPage"]) == (address, address)
    assert (data["datePublished"], data["dateModified"]) == ("2026-03-02T12:00:00+00:00", "2026-03-02T12:00:00+00:00")
    assert (data["image"]["width"], data["image"]["height"]) == (400, 300)
    assert (data["articleSection"], data["keywords"]) == ("Climate", ["Climate", "Oceans"])
    outlet = data["isBasedOn"]["publisher"]
    assert data["isBasedOn"]["url"] == "https://weatherglass.example/rain"
    assert (outlet["name"], outlet["url"]) == ("Weatherglass", "https://weatherglass.example/")
    assert outlet["logo"]["url"].startswith("http://testserver/media/renditions/")
    assert data["author"] == outlet
    assert (data["publisher"]["name"], data["publisher"]["url"]) == ("Copydesk", "http://testserver/")


def test_story_without_outlet_or_address_leaves_them_out(client):
    data = head(client, make_article(provider=None, web_url="", excerpt="").get_absolute_url()).thing("NewsArticle")
    assert not {"isBasedOn", "author", "description", "articleSection"} & set(data)
    assert data["image"]["url"].startswith("http://testserver/share/article/")


def test_pages_tell_the_way_to_them(client):
    science = make_topic("Science")
    oceans = make_topic("Oceans", parent=science)
    story = make_article(
        title="Tide", stem="tide", topics=[oceans], provider=make_provider(name="A", domain="a.example")
    )
    above = [(1, "Front page", "/"), (2, "Topics", "/topics/"), (3, "Science", "/topics/science/")]
    assert trail(head(client, oceans.get_absolute_url())) == [*above, (4, "Oceans", "/topics/oceans/")]
    to_story = [*above, (4, "Oceans", "/topics/oceans/"), (5, "Tide", "/news/tide/")]
    assert trail(head(client, story.get_absolute_url())) == to_story
    assert trail(head(client, "/providers/a.example/"))[1:] == [
        (2, "Providers", "/providers/"),
        (3, "A", "/providers/a.example/"),
    ]
    assert trail(head(client, "/archive/2026/03/02/"))[1:] == [
        (2, "Archive", "/archive/"),
        (3, "2 March 2026", "/archive/2026/03/02/"),
    ]
    for address in ("/topics/", "/providers/", "/archive/", "/today/", "/this-week/"):
        assert trail(head(client, address))[1][2] == address


def test_front_page_tells_how_to_search(client):
    site = head(client, "/").thing("WebSite")
    assert site["potentialAction"]["target"]["urlTemplate"] == "http://testserver/search/?q={search_term_string}"
    assert site["potentialAction"]["query-input"] == "required name=search_term_string"


def test_no_text_ends_the_script_that_it_stands_in(client):
    topic = make_topic(HOSTILE, slug="hostile", description=HOSTILE)
    provider = make_provider(name=HOSTILE, domain="a.example", description=HOSTILE)
    story = make_article(title=HOSTILE, excerpt=HOSTILE, provider=provider, topics=[topic])
    for address in (story.get_absolute_url(), "/topics/hostile/", "/providers/a.example/"):
        page = head(client, address)
        assert all(script.get("type") == "application/ld+json" or script.get("src") for script in page.scripts)
        assert HOSTILE in {page.data[0].get("headline"), page.data[0].get("name")}


def test_script_holds_nothing_that_html_would_read():
    text = script({"name": HOSTILE})
    inside = re.fullmatch(r'<script type="application/ld\+json">(.*)</script>', text, re.DOTALL)[1]
    assert not set("<>&\u2028\u2029") & set(inside)
    assert json.loads(inside) == {"name": HOSTILE}


def test_story_is_shared_with_its_picture_its_dates_and_its_topics(client):
    story = make_article(title="Rain", topics=[make_topic("Climate"), make_topic("Oceans")], modified_at=NOON)
    add_picture(story, make_image(size=(1600, 900)), alt="A wet street")
    meta = head(client, story.get_absolute_url()).meta
    assert (meta["og:type"], meta["og:title"]) == (["article"], ["Rain"])
    assert meta["og:description"] == [story.summary]
    assert meta["og:url"] == [f"http://testserver{story.get_absolute_url()}"]
    assert meta["og:image"][0].endswith("-1280.jpg")
    assert (meta["og:image:width"], meta["og:image:height"]) == (["1280"], ["720"])
    assert (meta["og:image:alt"], meta["og:image:type"]) == (["A wet street"], ["image/jpeg"])
    assert meta["twitter:card"] == ["summary_large_image"]
    assert meta["article:published_time"] == meta["article:modified_time"] == ["2026-03-02T12:00:00+00:00"]
    assert (meta["article:section"], meta["article:tag"]) == (["Climate"], ["Climate", "Oceans"])


def test_every_page_has_all_that_a_shared_link_needs_once(client):
    topic, provider = make_topic("Oceans"), make_provider()
    story = make_article(topics=[topic], provider=provider)
    records = [record.get_absolute_url() for record in (story, topic, provider)]
    titles = set()
    for address in [
        "/",
        "/topics/",
        "/providers/",
        "/archive/",
        "/archive/2026/03/",
        "/archive/2026/03/02/",
        "/today/",
        *records,
    ]:
        page = head(client, address)
        for name in (
            "og:type",
            "og:title",
            "og:url",
            "og:image",
            "og:image:alt",
            "og:site_name",
            "twitter:card",
            "description",
        ):
            assert len(page.meta[name]) == 1, (address, name)
        assert page.canonical == page.meta["og:url"] == [f"http://testserver{address}"]
        titles.add(page.meta["og:title"][0])
    assert len(titles) == 10
