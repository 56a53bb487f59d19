import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.template.loader import get_template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from articles.documents import EARLIEST, LATEST
from articles.models import Article
from articles.views import front, health
from articles.views.pages import STORIES_A_PAGE, Cursor
from tests.factories import (
    NOON,
    add_picture,
    make_article,
    make_image,
    make_provider,
    make_related,
    make_topic,
)

pytestmark = pytest.mark.django_db

HOSTILE = """<script>alert('x')</script>&lt;b&gt; "quoted" \u202e"""


class Outline(HTMLParser):
    """The headings and links of a page, and what a strict content policy would refuse."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.links: list[dict[str, str | None]] = []
        self.refused: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "a":
            self.links.append(dict(attributes))
        names = {name for name, _ in attributes}
        if tag == "script" and dict(attributes).get("type") == "application/ld+json":
            return  # data, which nothing runs
        is_inline = tag == "script" and not (dict(attributes).get("src") or "").startswith("/static/")
        if is_inline or tag in ("style", "iframe") or "style" in names or any(n.startswith("on") for n in names):
            self.refused.append(tag)

    def hrefs(self) -> set[str | None]:
        return {link["href"] for link in self.links}


def page(client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.text


def queries(client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        page(client, address)
    return len(captured)


def keys(stories) -> list[int]:
    return [story.pk for story in stories]


def full_story(**overrides) -> Article:
    """A story with everything that pages show; all share a day, topics have a parent."""
    parent = make_topic()
    topic = make_topic(parent=parent)
    story = make_article(topics=[topic, parent], **overrides)
    add_picture(story, make_image(cached=False))
    related = make_related(story, provider=make_provider())
    related.pictures.create(image=make_image(cached=False))
    return story


# --- The front page -----------------------------------------------------------------------------


def test_front_page_without_stories_says_so(client):
    assert "Nothing has been published yet." in page(client, "/")


def test_lead_is_the_best_of_the_newest_that_has_a_picture(client):
    make_article(title="Better but bare", quality=90)
    illustrated = make_article(title="Good and illustrated", quality=60)
    add_picture(illustrated)
    add_picture(make_article(title="Illustrated but weak", quality=20))
    assert client.get("/").context["lead"].pk == illustrated.pk


def test_lead_with_a_picture_is_looked_for_further_down_when_the_best_have_none(client):
    stories = [make_article(quality=100 - number) for number in range(front.LEAD_HORIZON + 1)]
    add_picture(stories[front.LEAD_HORIZON])
    assert client.get("/").context["lead"].pk == stories[0].pk
    add_picture(stories[front.LEAD_HORIZON - 1])
    context = client.get("/").context
    assert context["lead"].pk == stories[front.LEAD_HORIZON - 1].pk
    assert keys(context["second"] + context["support"]) == keys(stories[:4])


@pytest.mark.parametrize(
    ("weights", "leads"),
    [
        ({}, "good"),
        ({"FRONT_HEAT_WEIGHT": 5.0}, "hot"),
        ({"FRONT_QUALITY_WEIGHT": 0.1}, "hot"),
        ({"FRONT_HALF_LIFE_HOURS": 2.0}, "new"),
    ],
)
def test_what_leads_is_weighed_as_the_settings_say(client, settings, weights, leads):
    for name, value in weights.items():
        setattr(settings, name, value)
    make_article(title="good", quality=90, heat=40)
    make_article(title="hot", quality=40, heat=90)
    make_article(title="new", quality=40, heat=40, published_at=NOON + timedelta(hours=10))
    assert client.get("/").context["lead"].headline == leads


def test_latest_stories_are_those_that_the_top_does_not_have_by_time(client):
    best = [make_article(quality=90) for _ in range(front.TOP_STORIES)]
    later = [make_article(quality=1, published_at=NOON + timedelta(minutes=number)) for number in range(9)]
    context = client.get("/").context
    assert {context["lead"].pk, *keys(context["second"] + context["support"])} == set(keys(best))
    assert keys(context["latest"]) == keys(later[::-1][: front.LATEST])


def test_top_of_the_front_page_has_no_placeholders_but_lists_have(client):
    story = make_article(topics=[make_topic()])
    assert "placeholder-letter" not in page(client, "/")
    assert "placeholder-letter" in page(client, story.topics.first().get_absolute_url())


def test_front_page_shows_no_story_twice(client):
    topics = [make_topic(), make_topic()]
    stories = [make_article(topics=topics) for _ in range(front.TOP_STORIES + front.LATEST + 10)]
    links = Outline(page(client, "/")).links
    for story in stories:
        assert [link["href"] for link in links].count(story.get_absolute_url()) <= 1


def test_front_page_has_a_section_for_each_main_topic_with_further_stories(client):
    science = make_topic("Science")
    oceans = make_topic("Oceans", parent=science)
    older = make_article(topics=[oceans], published_at=NOON - timedelta(days=9))
    for _ in range(front.TOP_STORIES + front.LATEST):
        make_article()
    [(section, stories)] = client.get("/").context["fronts"]
    assert (section.pk, keys(stories)) == (science.pk, [older.pk])


def test_navigation_names_main_topics_with_public_stories_only(client):
    science, idle = make_topic("Science"), make_topic("Idle")
    make_article(topics=[make_topic("Oceans", parent=science)])
    make_article(topics=[idle], public=False)
    hrefs = Outline(page(client, "/search/")).hrefs()
    assert science.get_absolute_url() in hrefs
    assert idle.get_absolute_url() not in hrefs


# --- The story ----------------------------------------------------------------------------------


def test_story_links_out_to_its_outlet(client):
    provider = make_provider(name="Wired", domain="wired.com")
    story = make_article(provider=provider, web_url="https://www.wired.com/story/dojo/")
    text = page(client, story.get_absolute_url())
    assert "Read the story at Wired" in text
    out = [link for link in Outline(text).links if link["href"] == "https://www.wired.com/story/dojo/"]
    assert [link["rel"] for link in out] == ["noopener"]


def test_video_is_marked_and_watched_not_read_and_never_embedded(client):
    embed = '<iframe src="https://video.example/1"></iframe>'
    story = make_article(type="video", featured_content=embed, provider=make_provider(name="Vid"))
    text = page(client, story.get_absolute_url())
    assert "Watch at Vid" in text
    assert "Video</span>" in text
    assert "video.example" not in text


def test_story_without_provider_names_the_host_it_links_to(client):
    story = make_article(provider=None, web_url="https://www.outlet.example/a")
    assert "Read the story at outlet.example" in page(client, story.get_absolute_url())


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.example/", "https://["])
def test_address_that_is_not_http_is_never_linked(client, address):
    story = make_article(web_url=address)
    make_related(story, web_url=address, title="Elsewhere")
    text = page(client, story.get_absolute_url())
    assert "Elsewhere" in text
    assert address not in Outline(text).hrefs()


def test_related_coverage_names_outlet_title_and_date(client):
    story = make_article()
    make_related(
        story, title="The other view", web_url="https://other.example/x", provider=make_provider(name="The Other")
    )
    text = page(client, story.get_absolute_url())
    assert {"rel": "noopener", "href": "https://other.example/x"} in Outline(text).links
    assert "The Other" in text
    assert "The other view" in text


def test_more_from_the_topic_leaves_out_the_story_itself(client):
    topic = make_topic()
    story, other = make_article(topics=[topic]), make_article(topics=[topic])
    assert keys(client.get(story.get_absolute_url()).context["more"]) == [other.pk]


def test_topics_are_linked_in_their_order(client):
    first, second = make_topic("Zinc"), make_topic("Amber")
    story = make_article(topics=[first, second])
    hrefs = [link["href"] for link in Outline(page(client, story.get_absolute_url())).links if link.get("rel") == "tag"]
    assert hrefs == [first.get_absolute_url(), second.get_absolute_url()]


def test_picture_has_its_caption_and_credit(client):
    story = make_article()
    add_picture(story, title="A tram at dusk", attribution="R. Moss", alt="A tram")
    text = page(client, story.get_absolute_url())
    assert "A tram at dusk" in text
    assert "R. Moss" in text
    assert 'alt="A tram"' in text
    assert re.search(r'<meta property="og:image" content="http://testserver/media/renditions/[^"]+-400\.jpg">', text)


def test_body_is_shown_as_plain_paragraphs(client):
    story = make_article(body="First.\n\n<b>Second</b>")
    text = page(client, story.get_absolute_url())
    assert "<p>First.</p>" in text
    assert "<p>&lt;b&gt;Second&lt;/b&gt;</p>" in text


@time_machine.travel(datetime(2026, 3, 2, 18, tzinfo=UTC), tick=False)
def test_todays_story_shows_the_hour_and_older_ones_the_date(client):
    today, older = make_article(published_at=NOON), make_article(published_at=NOON - timedelta(days=1))
    assert '<time datetime="2026-03-02T12:00:00+00:00">12:00 UTC</time>' in page(client, today.get_absolute_url())
    assert ">1 March 2026</time>" in page(client, older.get_absolute_url())


@pytest.mark.parametrize(
    "stem", ["a.b.c", "naïve-ß-日本", "2026-01-01-50%-off", "a<b>&\"c'", "with space", "semi;colon?x#y"]
)
def test_story_with_a_strange_stem_is_at_the_address_that_pages_link_to(client, stem):
    story = make_article(stem=stem)
    assert story.get_absolute_url() in Outline(page(client, "/")).hrefs()
    assert story.headline in page(client, story.get_absolute_url())


def test_endless_excerpt_makes_no_endless_lists(client):
    topic = make_topic()
    for _ in range(3):
        make_related(make_article(excerpt="&amp;" * 20_000, topics=[topic]), excerpt="word " * 20_000)
    for address in ("/", topic.get_absolute_url(), "/archive/2026/03/", "/this-week/"):
        assert len(page(client, address)) < 50_000
    assert "&amp;…</p>" in page(client, topic.get_absolute_url())


# --- Hostile text -------------------------------------------------------------------------------


def test_hostile_text_is_escaped_on_every_page(client):
    topic = make_topic(HOSTILE, description=HOSTILE)
    provider = make_provider(name=HOSTILE, description=HOSTILE, other_names=[HOSTILE])
    values = {"title": HOSTILE, "excerpt": HOSTILE, "body": HOSTILE, "provider": provider}
    story = make_article(topics=[topic], **values)
    make_article(topics=[topic], **values)
    add_picture(story, title=HOSTILE, attribution=HOSTILE, alt=HOSTILE)
    make_related(story, title=HOSTILE, excerpt=HOSTILE, provider=provider)
    addresses = [
        "/",
        "/topics/",
        "/providers/",
        "/archive/",
        "/archive/2026/03/02/",
        "/archive/2026/03/",
        "/search/?q=%3Cscript%3E",
    ]
    addresses += [record.get_absolute_url() for record in (story, topic, provider)]
    for address in addresses:
        text = page(client, address)
        assert Outline(text).refused == [], address
        assert "<b>" not in text, address


@pytest.mark.parametrize("query", ["%00", "%ED%A0%80", '"', "%25", "\\", "'", "x" * 5000, "+".join("abcdefghij" * 40)])
def test_no_search_breaks_the_page(client, query):
    assert client.get(f"/search/?q={query}").status_code == 200


# --- Lists --------------------------------------------------------------------------------------


def test_parent_topic_has_the_stories_of_its_subtopics_each_once(client):
    science = make_topic("Science")
    oceans = make_topic("Oceans", parent=science)
    story = make_article(topics=[oceans, science])
    context = client.get(science.get_absolute_url()).context
    assert keys(context["page"]) == [story.pk]
    assert list(context["children"]) == [oceans]
    assert client.get(oceans.get_absolute_url()).context["parent"] == science


def test_topic_is_led_by_the_best_story_of_its_newest_day_illustrated_if_there_is_one(client):
    topic = make_topic()
    address = topic.get_absolute_url()
    add_picture(
        make_article(
            title="Best, but of another day", topics=[topic], quality=100, published_at=NOON - timedelta(days=1)
        )
    )
    weak = make_article(title="Weak", topics=[topic], quality=10, published_at=NOON + timedelta(hours=1))
    good = make_article(title="Good", topics=[topic], quality=80)
    assert client.get(address).context["lead"].pk == good.pk
    add_picture(weak)
    response = client.get(address)
    assert response.context["lead"].pk == weak.pk
    assert re.search(r'class="card lead">.*?</article>', response.text, re.DOTALL)[0].count("Weak") == 1
    assert response.text.count('class="card lead"') == 1


def test_no_story_leads_a_topic_of_one_or_its_further_pages(client):
    topic = make_topic()
    make_article(topics=[topic])
    assert client.get(topic.get_absolute_url()).context["lead"] is None
    for _ in range(STORIES_A_PAGE + 2):
        make_article(topics=[topic])
    first = client.get(topic.get_absolute_url()).context
    assert first["lead"] is not None
    assert client.get(topic.get_absolute_url() + first["page"].older).context["lead"] is None


def test_described_topic_without_stories_is_a_friendly_page_for_no_index(client):
    text = page(client, make_topic(description="All about it.").get_absolute_url())
    assert "No stories yet." in text
    assert '<meta name="robots" content="noindex">' in text


def test_topic_index_has_two_levels_and_counts_a_story_once(client):
    science = make_topic("Science")
    oceans = make_topic("Oceans", parent=science)
    deep = make_topic("Trenches", parent=oceans)
    make_article(topics=[oceans, science])
    make_article(topics=[deep, oceans])
    entries = client.get("/topics/").context["entries"]
    assert entries == [(science, 2, [(oceans, 2), (deep, 1)])]


def test_topic_index_leaves_out_parents_that_have_no_page(client):
    lost = make_topic("Lost")
    make_article(topics=[make_topic("Found", parent=make_topic("Between", parent=lost))])
    text = page(client, "/topics/")
    assert "Found" in text
    assert "Lost" not in text


def test_topics_that_are_each_others_parents_do_not_hang_the_index(client):
    one, two = make_topic("One"), make_topic("Two")
    for topic, parent in ((one, two), (two, one)):
        topic.parent = parent
        topic.save()
        make_article(topics=[topic])
    assert "Topics" in page(client, "/topics/")


def test_topic_with_a_unicode_slug_has_a_page(client):
    topic = make_topic("Šport & Größe 東京")
    make_article(topics=[topic])
    assert "Šport &amp; Größe 東京" in page(client, topic.get_absolute_url())


def test_provider_index_is_in_alphabetical_order_whatever_the_case(client):
    for name in ("zeta", "Beta", "alpha"):
        make_article(provider=make_provider(name=name))
    assert [provider.name for provider, _ in client.get("/providers/").context["entries"]] == ["alpha", "Beta", "zeta"]


def test_days_lead_to_the_nearest_days_that_have_stories(client):
    for days in (0, 3, 7):
        make_article(published_at=NOON - timedelta(days=days))
    make_article(published_at=NOON - timedelta(days=2), public=False)
    context = client.get("/archive/2026/02/27/").context
    assert str(context["previous"]) == "2026-02-23"
    assert str(context["next"]) == "2026-03-02"


def test_day_runs_from_midnight_to_midnight(client):
    make_article(title="First", published_at=datetime(2026, 3, 2, 0, 0, tzinfo=UTC))
    make_article(title="Last", published_at=datetime(2026, 3, 2, 23, 59, 59, 999999, tzinfo=UTC))
    make_article(title="Next", published_at=datetime(2026, 3, 3, 0, 0, tzinfo=UTC))
    assert [story.title for story in client.get("/archive/2026/03/02/").context["page"]] == ["Last", "First"]


@pytest.mark.parametrize("day", ["2026/3/2", "2026/02/30", "2026/13/01", "0000/01/01", "9999/12/31", "2026/03/03"])
def test_day_that_does_not_exist_or_has_no_stories_is_404(client, day):
    make_article()
    assert client.get(f"/archive/{day}/").status_code == 404


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Honolulu"])
def test_archive_reaches_from_the_earliest_date_to_the_latest_wherever_the_site_is(client, zone):
    for moment in (EARLIEST, LATEST):
        make_article(published_at=moment, publish_at=NOON)
    with timezone.override(zone):
        months = [href for href in Outline(page(client, "/archive/")).hrefs() if re.search(r"archive/\d", href or "")]
        assert len(months) == 2
        for month in months:
            context = client.get(month).context
            [day] = [day for day, _ in context["by_day"]]
            assert (context["calendar"].stories, len(context["page"])) == (1, 1)
            assert len(client.get(f"{month}{day.day:02}/").context["page"]) == 1


def test_stories_of_one_moment_have_an_order(client):
    stories = [make_article(published_at=NOON) for _ in range(5)]
    assert keys(client.get("/archive/2026/03/02/").context["page"]) == keys(stories[::-1])
    assert Article.objects.newest_first().query.order_by == ("-published_at", "-pk")


@pytest.mark.parametrize("number", ["0", "2", "-1", "01", "1.0", "last", "", "１", "9" * 5000])
def test_numbered_page_that_does_not_exist_is_404(client, number):
    make_article()
    assert client.get("/search/", {"q": "story", "page": number}).status_code == 404


# --- Every page ---------------------------------------------------------------------------------


def public_addresses(story: Article) -> list[str]:
    return [
        "/",
        "/topics/",
        "/providers/",
        "/archive/",
        "/archive/2026/03/",
        "/archive/2026/03/02/",
        "/today/",
        "/this-week/",
        "/search/",
        "/search/?q=story",
        story.get_absolute_url(),
        story.provider.get_absolute_url(),
        story.topics.first().get_absolute_url(),
    ]


def test_every_page_has_one_h1_no_skipped_heading_and_nothing_inline(client):
    story = full_story()
    for address in [*public_addresses(story), "/nothing-here/"]:
        outline = Outline(client.get(address).text)
        assert outline.levels.count(1) == 1, address
        assert all(after - before <= 1 for before, after in zip(outline.levels, outline.levels[1:], strict=False)), (
            address
        )
        assert outline.refused == [], address


def test_pages_need_no_cookie_and_set_none(client):
    for address in public_addresses(full_story()):
        response = client.get(address)
        assert not response.cookies, address
        assert "Cookie" not in response.get("Vary", ""), address


def test_headlines_and_excerpts_run_as_their_own_language_does(client):
    story = full_story()
    make_article(topics=story.topics.all())
    addresses = ["/", "/search/?q=story", *(r.get_absolute_url() for r in (story, story.topics.first()))]
    for address in addresses:
        tags = re.findall(r'<\w+ class="(?:headline|excerpt)"[^>]*>', page(client, address))
        assert len(tags) >= 2, address
        assert all('dir="auto"' in tag for tag in tags), address
    for record in (story, story.provider, story.topics.first()):
        assert '<h1 dir="auto">' in page(client, record.get_absolute_url())


@pytest.mark.parametrize("method, status", [("head", 200), ("post", 405), ("put", 405), ("delete", 405)])
def test_pages_are_for_reading_only(method, status):
    story = full_story()
    for address in [*public_addresses(story), "/healthz", "/robots.txt", "/sitemap.xml", "/feeds/all.atom"]:
        assert getattr(Client(), method)(address).status_code == status, address


def test_canonical_address_is_ours_whatever_the_host_header_says(client, settings):
    settings.SITE_URL = "https://news.example"
    settings.ALLOWED_HOSTS = ["*"]
    story = full_story()
    for address in ("/", story.get_absolute_url(), story.provider.get_absolute_url()):
        text = client.get(f"{address}?utm_source=x", HTTP_HOST="evil.example").text
        assert f'<link rel="canonical" href="https://news.example{address}">' in text
        assert "evil.example" not in text


def test_missing_page_is_a_404_in_our_own_dress(client):
    response = client.get("/nothing-here/")
    assert response.status_code == 404
    assert "There is no such page." in response.text


def test_unknown_host_gets_our_own_400(client):
    response = client.get("/", HTTP_HOST="elsewhere.example")
    assert response.status_code == 400
    assert "could not make sense" in response.text


def test_500_page_needs_neither_database_nor_request(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert "Something went wrong" in get_template("500.html").render()


def test_healthz_says_ok_and_is_never_stored(client):
    response = client.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok\n")
    assert "no-store" in response["Cache-Control"]


def test_healthz_is_503_when_the_database_does_not_answer(client, monkeypatch):
    def refuse(patience):
        raise DatabaseError("gone")

    monkeypatch.setattr(health, "standstill", refuse)
    assert client.get("/healthz").status_code == 503


@time_machine.travel(NOON, tick=False)
def test_healthz_says_when_the_background_work_stands_still_and_stays_healthy(client):
    make_image(cached=False, next_attempt_at=NOON - timedelta(minutes=11))
    response = client.get("/healthz")
    told = "queue stands still: 1 pictures wait, the first since 2026-03-02 11:49 UTC"
    assert (response.status_code, response.text) == (200, f"ok\n{told}\n")
    with time_machine.travel(NOON - timedelta(minutes=2), tick=False):
        assert client.get("/healthz").text == "ok\n"


# --- Query counts -------------------------------------------------------------------------------

PINNED = {
    "/": 4,
    "/topics/": 6,
    "/search/?q=story": 15,
    "/search/?q=story+topic:shared&order=newest": 16,
    "/search/?q=nothing+like+it": 10,
    "/search/suggest/?q=story": 3,
    "/providers/": 9,
    "/archive/": 5,
    "/archive/2026/03/": 8,
    "/archive/2026/03/02/": 10,
    "/today/": 5,
    "/this-week/": 5,
    "story": 7,
    "provider": 10,
    "topic": 9,
    "topic, further on": 10,
    "topic's feed": 8,
    "provider's feed": 9,
    "topic's stories for programs": 11,
    "/api/topics/index.json": 2,
    "/feeds/all.atom": 6,
    "/feeds/all.json": 6,
    "/feeds/search.atom?q=story": 7,
    "/sitemap.xml": 1,
    "/sitemap-0.xml": 2,
    "/news-sitemap.xml": 1,
}


@pytest.mark.parametrize("name", PINNED)
@time_machine.travel(NOON + timedelta(hours=6), tick=False)
def test_query_counts_do_not_grow_with_the_rows(client, name):
    provider, parent = make_provider(), make_topic("Parent")
    shared = make_topic("Shared", parent=parent)

    def grow() -> Article:
        story = full_story(provider=provider)
        story.set_topics([shared, make_topic(parent=parent), *story.topics.all()])
        for owner in (provider, make_article().provider):
            owner.logos.create(image=make_image(cached=False))
        return story

    oldest = grow()
    for _ in range(front.TOP_STORIES + front.LATEST):  # from here on the front page has all its parts
        grow()
    newest = Article.objects.latest("published_at", "pk")
    named = {
        "story": oldest.get_absolute_url(),
        "provider": provider.get_absolute_url(),
        "topic": shared.get_absolute_url(),
        "topic, further on": f"{shared.get_absolute_url()}?before={Cursor(newest.published_at, newest.pk)}",
        "topic's feed": reverse("topic_feed", args=[shared.slug]),
        "provider's feed": reverse("provider_feed", args=[provider.domain]),
        "topic's stories for programs": reverse("api_topic_news", args=[shared.slug]),
    }
    address = named.get(name, name)
    few = queries(client, address)
    for _ in range(9):
        make_related(oldest, provider=make_provider()).pictures.create(image=make_image(cached=False))
        grow()
    assert queries(client, address) <= few
    assert few == PINNED[name]


def test_reversing_every_name_gives_the_address_of_the_design():
    assert reverse("article", args=["2023-09-14-a-story"]) == "/news/2023-09-14-a-story/"
    assert reverse("provider", args=["wired.com"]) == "/providers/wired.com/"
    assert reverse("archive_day", args=[datetime(2023, 9, 4, tzinfo=UTC).date()]) == "/archive/2023/09/04/"
    assert reverse("topic_feed", args=["ai"]) == "/feeds/topics/ai.atom"
    assert reverse("provider_feed", args=["wired.com"]) == "/feeds/providers/wired.com.atom"
