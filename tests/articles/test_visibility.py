"""Stories that are not public are reachable nowhere. A public route without a row here fails."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
import time_machine
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve, reverse

from articles.days import Month
from articles.models import Article
from articles.sharing import card_for
from articles.sitemaps import KEYS_A_PART
from tests.factories import add_picture, make_article, make_image, make_provider, make_related, make_topic

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
S = Article.Status

HIDDEN = {
    "draft": {"status": S.DRAFT, "publish_at": None},
    "in-review": {"status": S.IN_REVIEW, "publish_at": None},
    "rejected": {"status": S.REJECTED, "publish_at": None},
    "withdrawn": {"status": S.REJECTED, "publish_at": NOW - timedelta(hours=5)},
    "called-off": {"status": S.UNPUBLISHED, "publish_at": None},
    "unpublished": {"status": S.UNPUBLISHED, "publish_at": NOW - timedelta(hours=5)},
    "future": {"status": S.PUBLISHED, "publish_at": NOW + timedelta(seconds=1)},
    "expired": {"status": S.PUBLISHED, "publish_at": NOW - timedelta(hours=5), "unpublish_at": NOW},
}
BEEN_PUBLIC = ("unpublished", "withdrawn", "expired")
MARK = "zebrafish"  # in every word that only hidden stories carry

EXEMPT = ("admin/", "media/")  # the admin asks for a login; pictures are named by their content


@dataclass(frozen=True)
class Row:
    """How to reach a route for a story, and what of the public story is to be found there, in lower case."""

    args: Callable[[Article], tuple] = lambda story: ()
    query: str = ""
    shows: str = "open-story"


ROWS = {
    "home": Row(),
    "article": Row(lambda story: (story.stem,)),
    "preview": Row(lambda story: ("nobody-was-given-this",), shows=""),  # tests/articles/test_previews.py has the rest
    "topics": Row(shows="open subject"),
    "topic": Row(lambda story: (story.topics.first().slug,)),
    "providers": Row(shows="open outlet"),
    "provider": Row(lambda story: (story.provider.domain,)),
    "archive": Row(shows="/archive/2026/03/"),
    "archive_month": Row(lambda story: (Month.of(story.published_at.date()),)),
    "archive_day": Row(lambda story: (story.published_at.date(),)),
    "today": Row(),
    "this_week": Row(),
    "search": Row(query="?q=headline"),
    "search_suggest": Row(query="?q=headline"),
    "feed": Row(),
    "feed_json": Row(),
    "topic_feed": Row(lambda story: (story.topics.first().slug,)),
    "topic_feed_json": Row(lambda story: (story.topics.first().slug,)),
    "provider_feed": Row(lambda story: (story.provider.domain,)),
    "provider_feed_json": Row(lambda story: (story.provider.domain,)),
    "search_feed": Row(query="?q=headline"),
    "search_feed_json": Row(query="?q=headline"),
    "card": Row(lambda story: ("article", story.pk, card_for(story).digest), shows=""),
    "site_card": Row(lambda story: (card_for(None).digest,), shows=""),
    "api_news": Row(),
    "api_news_page": Row(lambda story: (1,)),
    "api_topic_news": Row(lambda story: (story.topics.first().slug,)),
    "api_topic_news_page": Row(lambda story: (story.topics.first().slug, 1)),
    "api_topics": Row(shows="open subject"),
    "sitemap": Row(shows="/sitemap-0.xml"),
    "sitemap_part": Row(lambda story: (story.pk // KEYS_A_PART + 1,)),
    "news_sitemap": Row(),
    "robots": Row(shows=""),
    "healthz": Row(shows=""),
}


def addresses(name: str, *stories: Article) -> list[str]:
    row = ROWS[name]
    return list(dict.fromkeys(reverse(name, args=row.args(story)) + row.query for story in stories))


def routes(patterns, prefix=""):
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.name


def addresses_with_nul() -> list[str]:
    public_routes = {route for route, _ in routes(get_resolver().url_patterns) if not route.startswith(EXEMPT)}
    named = {re.sub(r"<(?:name|path|slug|str):\w+>|<\w+>", "%00", route) for route in public_routes}
    return sorted("/" + re.sub(r"<number:\w+>", "1", route) for route in named if "%00" in route)


def hidden_story(name: str, **overrides) -> Article:
    """One that shares its day and one topic with the public story, and has a topic of its own too."""
    story = make_article(
        title=f"Zebrafish headline {name}",
        stem=f"zebrafish-{name}",
        excerpt="Zebrafish excerpt",
        published_at=NOW - timedelta(hours=4),
        **HIDDEN[name.removesuffix("-shared")] | overrides,
    )
    add_picture(story, make_image(cached=False), title="Zebrafish picture")
    make_related(story, title="Zebrafish elsewhere")
    return story


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def public(clock) -> Article:
    topic = make_topic("Open subject")
    provider = make_provider(name="Open outlet")
    values = {"published_at": NOW - timedelta(hours=4), "publish_at": NOW, "topics": [topic]}
    sealed = "zebrafish;sealed"  # served to nobody, be the story ever so public
    return make_article(title="Open headline", stem="open-story", provider=provider, secured=sealed, **values)


@pytest.fixture
def hidden(public) -> list[Article]:
    parent = make_topic("Zebrafish parent")
    stories = []
    for name in HIDDEN:
        own = make_topic(f"Zebrafish subject {name}", parent=parent)
        outlet = make_provider(name=f"Zebrafish outlet {name}", domain=f"zebrafish-{name}.example")
        stories.append(hidden_story(name, topics=[own], provider=outlet))
        below = make_topic(f"Zebrafish below {name}", parent=public.topics.first())
        shared = {"topics": [*public.topics.all(), below], "provider": public.provider}
        stories.append(hidden_story(f"{name}-shared", **shared))
    return stories


def test_every_public_route_has_a_row():
    public_routes = {name for route, name in routes(get_resolver().url_patterns) if not route.startswith(EXEMPT)}
    assert public_routes == set(ROWS)


def test_there_are_addresses_to_try_a_nul_in():
    assert {"/news/%00/", "/feeds/topics/%00.atom", "/api/news/%00/page/1/index.json"} <= set(addresses_with_nul())


@pytest.mark.parametrize("address", addresses_with_nul())
def test_nul_in_an_address_is_404_and_no_databases_business(client, public, address):
    assert client.get(address).status_code == 404
    assert client.get(address.rstrip("/")).status_code == 404
    with pytest.raises(Resolver404):
        resolve(unquote(address))


@pytest.mark.parametrize("name", ROWS)
def test_hidden_stories_are_nowhere(client, public, hidden, name):
    for address in addresses(name, public, *hidden):
        response = client.get(address)
        assert response.status_code in ((404, 410) if name == "article" and MARK in address else (200, 404)), address
        assert MARK.encode() not in response.content.lower(), address


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.shows])
def test_public_story_is_there(client, public, hidden, name):
    [address] = addresses(name, public)
    response = client.get(address)
    assert response.status_code == 200
    assert ROWS[name].shows in response.text.casefold()


ONE_RECORD = ["provider", "topic", "provider_feed", "provider_feed_json", "topic_feed", "topic_feed_json", "card"]


@pytest.mark.parametrize("name", ONE_RECORD)
def test_address_of_what_only_hidden_stories_have_is_404(client, hidden, name):
    own = [story for story in hidden if not story.stem.endswith("-shared")]
    for address in addresses(name, *own):
        assert client.get(address).status_code == 404, address


def test_hidden_story_is_gone_if_it_was_public_and_else_was_never_there(client, hidden):
    found = {story.stem: client.get(story.get_absolute_url()).status_code for story in hidden}
    expected = {name: 410 if name in BEEN_PUBLIC else 404 for name in HIDDEN}
    assert found == {f"zebrafish-{name}{end}": expected[name] for name in HIDDEN for end in ("", "-shared")}


def test_picture_of_a_hidden_storys_words_is_not_drawn(client, hidden):
    for story in hidden:
        for digest in (card_for(story).digest, "0" * 20):
            assert client.get(reverse("card", args=["article", story.pk, digest])).status_code == 404


def test_counts_are_of_public_stories(client, public, hidden):
    for address in (
        public.topics.first().get_absolute_url(),
        public.provider.get_absolute_url(),
        "/search/?q=headline",
    ):
        assert "1 story" in client.get(address).text, address
    for address in ("/topics/", "/providers/", "/archive/2026/03/", "/archive/2026/03/02/"):
        assert '<span class="count">1<span class="hidden"> story</span></span>' in client.get(address).text, address


def test_scheduled_story_appears_at_its_second(client, clock):
    story = hidden_story("future")
    assert client.get(story.get_absolute_url()).status_code == 404
    with time_machine.travel(NOW + timedelta(seconds=1), tick=False):
        assert client.get(story.get_absolute_url()).status_code == 200


def test_expiring_story_is_gone_at_its_second(client, clock):
    story = hidden_story("expired")
    assert client.get(story.get_absolute_url()).status_code == 410
    with time_machine.travel(NOW - timedelta(seconds=1), tick=False):
        assert client.get(story.get_absolute_url()).status_code == 200
