"""Two server processes, one database, no worker: what one of them changes, the other shows with its next answer."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import get_resolver, resolve

from tests import serving
from tests.articles.test_visibility import EXEMPT, routes

STEM = "2026-03-02-a-walrus"
STAYS = "2026-03-02-a-tram"
MARK = "walrus"  # in every word that only the withdrawn story carries

# What no page links to.
SEEDS = [
    *(
        "/healthz",
        "/search/?q=headline",
        "/search/suggest/?q=headline",
        "/api/topics/index.json",
        "/api/news/page/1/index.json",
    ),
    *("/sitemap-1.xml", "/preview/nobody-was-given-this/"),
    *("/api/news/index.json", "/api/news/walrus-studies/index.json", "/api/news/walrus-studies/page/1/index.json"),
]


def story(stem: str, title: str, when: datetime) -> str:
    return (
        f"---\ncategory: news\ntitle: {title}\nexcerpt: What the headline says.\n"
        f"publishedDateTime: {when:%Y-%m-%dT%H:%M:%SZ}\n"
        f"webUrl: https://outlet.example/{stem}\ntype: article\npublished: true\n"
        f"provider:\n  name: {title} Post\n  domain: {title.lower()}.example\n"
        f"topics:\n  - {title} studies\n---\n"
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Two stories that share a day and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    news = folder / "source" / "_news"
    news.mkdir(parents=True)
    now = datetime.now(UTC)
    (news / f"{STEM}.md").write_text(story(STEM, "Walrus", now))
    (news / f"{STAYS}.md").write_text(story(STAYS, "Tram", now))
    with serving.site(folder) as site:
        site.manage("import_frontmatter", str(folder / "source"))
        site.serve()
        site.serve()
        yield site


def routes_of_readers() -> set[str]:
    return {name for route, name in routes(get_resolver().url_patterns) if not route.startswith(EXEMPT)}


def test_what_one_server_withdraws_the_other_shows_no_more(site):
    here, there = site.servers
    known = there.crawl(*SEEDS)
    assert {resolve(address.partition("?")[0]).url_name for address in known} >= routes_of_readers()
    repeating = {address for address in known if MARK in address.partition("?")[2]}  # what was asked
    telling = [address for address in known.keys() - repeating if MARK in known[address].text.lower()]
    assert {"/", f"/news/{STEM}/", "/feeds/all.atom", "/api/news/index.json", "/news-sitemap.xml"} <= set(telling)
    [card] = set(re.findall(r"/share/article/\d+/\w+\.png", known[f"/news/{STEM}/"].text))  # no text tells whose it is
    assert there.as_reader(card).status == 200
    here.log_in()
    withdraw(here)
    assert there.as_reader(card).status == 404
    for address in telling:
        text = there.as_reader(address).text.lower()
        assert MARK not in text.replace(address, ""), address
    assert STAYS in there.as_reader("/").text


def withdraw(server: serving.Server) -> None:
    """As an editor does it who chose it in the list of stories."""
    changelist = "/admin/articles/article/?q=walrus"
    [key] = re.findall(r'name="_selected_action" value="(\d+)"', server.ask(changelist).text)
    answer = server.send(changelist, "/admin/desk/bulk/", verb="unpublish", stories=key, confirm="1")
    assert answer.status == 302, answer.text


def test_scheduled_story_is_on_the_front_page_at_its_second_and_not_before(site):
    here, there = site.servers
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=4)
    file = site.folder / "source" / "_news" / "2026-03-03-a-comet.md"
    file.write_text(story("2026-03-03-a-comet", "Comet", at))
    site.manage("import_frontmatter", str(file))
    seen = []
    while datetime.now(UTC) < at + timedelta(seconds=1):
        for server in (here, there):
            asked = datetime.now(UTC)
            has_it = "Comet" in server.as_reader("/").text
            seen.append((asked, datetime.now(UTC), has_it))
        time.sleep(0.02)
    before = [has_it for _, answered, has_it in seen if answered < at]
    after = [has_it for asked, _, has_it in seen if asked >= at]
    assert len(before) > 2
    assert not any(before)
    assert len(after) > 2
    assert all(after)
