"""The search page, and what is suggested."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from articles.documents import LATEST
from articles.search.asking import MAX_FILTERS
from tests.factories import NOON, make_article, make_provider, make_topic

pytestmark = pytest.mark.django_db
ONE_HOUR = timedelta(hours=1)
ARTICLES = reverse("admin:articles_article_changelist")
TOPICS = reverse("admin:articles_topic_changelist")


def page(client, query: str, **more) -> str:
    response = client.get("/search/", {"q": query, **more})
    assert response.status_code == 200
    return response.text


def titles(client, query: str, **more) -> list[str]:
    return [story.title for story in client.get("/search/", {"q": query, **more}).context["stories"]]


def links(text: str) -> dict[str, str]:
    """The queries that the page links to, by what the links say."""
    found = re.findall(r'<a(?: rel="nofollow")? href="(/search/[^"]*)">(.*?)</a>', text, re.DOTALL)
    return {" ".join(re.sub("<[^>]+>", " ", label).split()): query_of(unescape(href)) for href, label in found}


def query_of(href: str) -> str:
    return parse_qs(urlsplit(href).query).get("q", [""])[0]


def suggestions(client, query: str) -> list[tuple[str, str]]:
    answer = client.get("/search/suggest/", {"q": query}).json()
    return [(each["kind"], each["label"]) for each in answer["suggestions"]]


# --- What it shows ----------------------------------------------------------------------------------


def test_it_repeats_the_query_and_says_when_nothing_is_found(client):
    text = page(client, 'no "such" <thing>')
    assert "Nothing found for “<bdi>no &quot;such&quot; &lt;thing&gt;</bdi>”." in text
    assert 'value="no &quot;such&quot; &lt;thing&gt;"' in text


def test_without_a_query_it_explains_itself(client):
    make_article(title="Not listed")
    text = client.get("/search/").text
    assert "What are you looking for?" in text
    assert "How to search" in text
    assert "Not listed" not in text


@pytest.mark.parametrize("query", ["whale", "", "nothing has this", "topic:nowhere"])
def test_to_search_engines_all_results_are_one_page(client, query):
    make_article(title="Whale")
    assert '<link rel="canonical" href="http://testserver/search/">' in page(client, query)
    assert "noindex" not in page(client, query)


def test_words_that_were_found_are_marked_and_markup_is_text(client):
    make_article(title="<b>Whale</b> &amp; song")
    text = page(client, "whale")
    assert "&lt;b&gt;<mark>Whale</mark>&lt;/b&gt; &amp; song" in text
    assert "<b>Whale" not in text


def test_further_pages_keep_query_and_order_and_repeat_nothing(client):
    for number in range(25):
        make_article(title=f"Tide {number}", published_at=NOON - timedelta(days=number))
    text = page(client, "tide &", order="newest")
    assert 'href="/search/?q=tide&amp;order=newest&amp;page=2"' in text
    first, second = (titles(client, "tide", page=number) for number in (1, 2))
    assert len(first + second) == len({*first, *second}) == 25
    assert client.get("/search/?q=tide&page=3").status_code == 404


def test_order_is_best_first_until_newest_is_asked_for(client):
    make_article(title="Whale", published_at=NOON - timedelta(days=3))
    make_article(title="Another", excerpt="One whale among many other things.")
    assert titles(client, "whale") == ["Whale", "Another"]
    assert titles(client, "whale", order="newest") == ["Another", "Whale"]


def test_more_than_it_looks_at_is_said(client, monkeypatch):
    monkeypatch.setattr("articles.search.results.MOST", 1)
    make_article(title="Whale")
    make_article(title="Whale")
    assert "More than" in page(client, "whale")


# --- What it can be narrowed to ---------------------------------------------------------------------


@pytest.fixture
def whales():
    water, music = make_topic("Water"), make_topic("Music")
    sea = make_topic("Sea life", parent=water)
    harbour = make_provider(name="Harbour Post", domain="harbour.example")
    make_article(title="Whale one", topics=[sea], provider=harbour)
    make_article(title="Whale two", topics=[water, sea], published_at=NOON - timedelta(days=400))
    make_article(title="Whale three", topics=[music], provider=harbour)
    return water


def test_choices_say_what_they_lead_to(client, whales):
    expected = {
        "Water 2 stories": "whale topic:water",
        "Sea life 2 stories": "whale topic:sea-life",
        "Music 1 story": "whale topic:music",
        "Harbour Post 2 stories": "whale provider:harbour.example",
        "2026 2 stories": "whale after:2026 before:2027",
        "2025 1 story": "whale after:2025 before:2026",
    }
    assert expected.items() <= links(page(client, "whale")).items()


@pytest.mark.parametrize(
    "query",
    [
        "whale",
        "provider:harbour.example provider:other.example",
        'provider:"harbour post" provider:other.example after:2025',
        "whale before:2026-03-02",
        "whale after:2026-01-26",
        "whale after:2026-01-26 before:2026-03-02",
        "whale " + " ".join(f"-w{number}" for number in range(19)),
        f"whale -{'x' * 171}",
        f"whale -{'x' * 180}",
    ],
)
def test_choices_lead_to_as_many_stories_as_they_say(client, whales, query):
    other = make_provider(name="Other Post", domain="other.example")
    for day in (1, 25, 27, 40, 45, 400):
        make_article(title="Whale", provider=other, topics=[whales], published_at=NOON - timedelta(days=day))
    choices = {
        label: asked for label, asked in links(page(client, query)).items() if re.search(r" stor(y|ies)$", label)
    }
    said = {label: int(label.split()[-2]) for label in choices}
    assert {label: len(titles(client, asked)) for label, asked in choices.items()} == said
    assert choices or len(query) > 80  # to which nothing can be added


def test_within_a_year_there_are_months(client):
    make_article(title="Whale", published_at=NOON)
    make_article(title="Whale", published_at=NOON - timedelta(days=40))
    assert links(page(client, "whale after:2026"))["January 2026 1 story"] == "whale after:2026-01 before:2026-02"


def test_last_year_that_a_story_may_have_is_a_choice_too(client):
    make_article(title="Whale")
    make_article(title="Whale of the future", published_at=LATEST)
    query = links(page(client, "whale"))[f"{LATEST.year} 1 story"]
    assert titles(client, query) == ["Whale of the future"]


def test_filters_can_be_taken_away_one_by_one(client, whales):
    found = links(page(client, "whale topic:water provider:harbour.example"))
    assert found["topic: Water – leave it out"] == "whale provider:harbour.example"
    assert found["provider: Harbour Post – leave it out"] == "whale topic:water"


def test_filters_that_leave_out_are_told_and_kept_by_choices(client, whales):
    found = links(page(client, "whale -topic:music -provider:nobody.example"))
    assert found["without topic: Music – leave it out"] == "whale -provider:nobody.example"
    found = links(page(client, "whale -topic:music"))
    assert found["Harbour Post 1 story"] == "whale -topic:music provider:harbour.example"


def test_what_does_not_narrow_is_not_offered(client):
    make_article(title="Whale", topics=[make_topic("Sea")])
    assert "Narrow it down" not in page(client, "whale")


def test_stories_that_are_not_public_are_in_no_choice_and_no_count(client, whales):
    hidden = make_provider(name="Secret outlet")
    make_article(title="Whale", public=False, topics=[whales, make_topic("Secret topic")], provider=hidden)
    text = page(client, "whale")
    assert "3 stories" in text
    assert "Secret" not in text
    assert "Water 2 stories" in links(text)


# --- When nothing is found --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("whale topic:nowhere", "There is no topic “nowhere”."),
        ("whale provider:nobody.example", "There is no outlet “nobody.example”."),
        ("whale after:soon", "“soon” is no date such as 2026, 2026-11 or 2026-11-30."),
        ("whale -topic:nowhere", "There is no topic “nowhere”."),
        ("whale before:", "“before:” has nothing behind its colon."),
        ("whale -topic:", "“topic:” has nothing behind its colon."),
        ("whale before:2026-02-30", "“2026-02-30” is no date such as 2026, 2026-11 or 2026-11-30."),
    ],
)
def test_filter_that_means_nothing_is_explained_and_can_be_dropped(client, query, sentence):
    make_article(title="Whale")
    text = page(client, query)
    assert sentence in text
    assert links(text)["whale"] == "whale"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("whale", "Each word has to occur in the headline"),
        ("topic:sea before:2026", "No story fits all of these filters."),
        ("-sea topic:sea", "No story fits all of these filters."),
        ("?!", "Each word has to occur in the headline"),
    ],
)
def test_why_nothing_is_found_speaks_of_words_only_where_there_are_some(client, query, sentence):
    make_article(title="Tide", topics=[make_topic("Sea")])
    assert sentence in page(client, query)


def test_topic_known_from_drafts_alone_is_as_unknown_as_any(client):
    make_article(title="Whale", public=False, topics=[make_topic("Secret")])
    assert "There is no topic “secret”." in page(client, "topic:secret")


def test_word_less_that_does_find_something_is_offered(client):
    make_article(title="Whale song")
    assert links(page(client, "whale zebra"))["whale"] == "whale"


def test_beginning_of_the_only_word_is_offered(client):
    make_article(title="Whaling")
    assert links(page(client, "whaler"))["whal*"] == "whal*"


@pytest.fixture
def apart():
    """Topics and outlets of which no story has two."""
    for number in range(20):
        topic, provider = make_topic(f"t{number}"), make_provider(name=f"p{number}", domain=f"p{number}.example")
        make_article(title="Whale", topics=[topic], provider=provider)


@pytest.mark.parametrize("kind", ["topic:t", "provider:p", "topic:unknown", "provider:un", "after:2", "before:x", "w"])
@pytest.mark.parametrize("count", [2, 8, 20])
def test_however_much_is_asked_for_it_takes_few_queries(client, apart, kind, count):
    with CaptureQueriesContext(connection) as queries:
        page(client, " ".join(f"{kind}{number}" for number in range(count)))
    assert len(queries) <= 20


def test_more_filters_than_are_looked_up_are_said_and_can_be_dropped(client, apart):
    asked = [f"topic:t{number}" for number in range(MAX_FILTERS + 1)]
    text = page(client, " ".join(asked))
    assert f"More than {MAX_FILTERS} filters are too many at once." in text
    assert links(text)["topic: t0 – leave it out"] == " ".join(asked[1:])
    assert "too many" not in page(client, " ".join(asked[1:]))


def test_no_choice_asks_for_too_much(client):
    topics = [make_topic(f"t{number}") for number in range(MAX_FILTERS)]
    make_article(title="Whale", topics=[*topics, make_topic("Sea")])
    make_article(title="Whale", topics=topics)
    asked = [f"topic:{topic.slug}" for topic in topics]
    assert "Sea 1 story" in links(page(client, " ".join(asked[1:])))
    assert "Sea 1 story" not in links(page(client, " ".join(asked)))


def test_saved_search_and_its_feed_go_on_when_a_topic_has_another_address(client):
    sea = make_topic("Sea", slug="sea")
    make_article(title="Whale", topics=[sea])
    sea.slug, sea.name = "oceans", "Oceans"
    sea.save()
    text = page(client, "topic:sea")
    assert "Whale" in text
    assert "topic: Oceans – leave it out" in links(text)
    assert "Whale" in client.get("/feeds/search.atom", {"q": "topic:sea"}).text


# --- Suggestions ------------------------------------------------------------------------------------


def test_topics_outlets_and_headlines_are_suggested(client):
    make_article(
        title="Harbour &amp; whales",
        topics=[make_topic("Harbour life")],
        provider=make_provider(name="The Harbour Post"),
    )
    expected = [("topic", "Harbour life"), ("outlet", "The Harbour Post"), ("story", "Harbour & whales")]
    assert suggestions(client, "harb") == suggestions(client, "HÂRB") == expected
    assert suggestions(client, "arb") == []
    assert suggestions(client, "harbour li") == expected[:1]


def test_suggestions_without_javascript_are_links(client):
    sea = make_topic("Sea life")
    make_article(title="Whale", topics=[sea])
    for query in ("sea", "lif se", "topic:se"):
        assert (f'<a href="{sea.get_absolute_url()}"><bdi>Sea life</bdi>' in page(client, query)) is (
            query != "sea nothing"
        )


def test_outlet_is_suggested_by_its_domain(client):
    make_article(title="One", provider=make_provider(name="The Post", domain="harbour.example"))
    assert suggestions(client, "harbour.ex") == [("outlet", "The Post")]


@pytest.mark.parametrize(
    "state",
    [{"public": False}, {"publish_at": NOON + timedelta(days=9999)}, {"unpublish_at": NOON + timedelta(hours=1)}],
)
def test_nothing_is_suggested_of_stories_that_are_not_public(client, state):
    make_article(title="Whale", topics=[make_topic("Whales")], provider=make_provider(name="Whale Post"), **state)
    assert suggestions(client, "whale") == []
    assert "Whale Post" not in page(client, "whale")


def test_suggestions_are_few(client):
    for number in range(20):
        make_article(title="Whale", topics=[make_topic(f"Whale {number}")], provider=make_provider(name="Whale Post"))
    assert len(suggestions(client, "whale")) == 11


# --- The admin --------------------------------------------------------------------------------------


def listed(client, address: str, query: str) -> set[str]:
    response = client.get(address, {"q": query})
    assert response.status_code == 200
    return {str(record) for record in response.context["cl"].result_list}


@pytest.mark.usefixtures("logged_in")
def test_editors_find_drafts_with_the_same_language_and_addresses_too(client):
    make_article(
        title="Été",
        public=False,
        topics=[make_topic("Secret")],
        stem="2026-03-02-ete",
        web_url="https://a.example/été/x",
    )
    make_article(title="Other")
    for query in ("ete", "topic:secret", "été before:2027", "2026-03-02-ete", "a.example/", "https://a.example/été/x"):
        assert listed(client, ARTICLES, query) == {"Été"}, query


@pytest.mark.usefixtures("logged_in")
def test_editors_find_topics_and_providers_whatever_the_accents(client):
    make_topic("Écologie", shortname="Éco")
    make_topic("Other")
    make_provider(name="La Dépêche", domain="depeche.example", other_names=["The Wire"])
    providers = reverse("admin:providers_provider_changelist")
    assert listed(client, TOPICS, "ecolo") == listed(client, TOPICS, "eco") == {"Écologie"}
    for query in ("la depeche", "dépêche", "depeche.ex", "wire"):
        assert listed(client, providers, query) == {"La Dépêche"}, query


@pytest.mark.usefixtures("logged_in")
@pytest.mark.parametrize("query", ['"', "%", "a AND (", "\0", "topic:nowhere", "x" * 3000, "-", "/", "before:9"])
def test_nothing_typed_breaks_the_admin(client, query):
    make_article(title="One", topics=[make_topic()])
    for address in (ARTICLES, TOPICS, reverse("admin:providers_provider_changelist")):
        assert client.get(address, {"q": query}).status_code in (200, 302), address
    for model, field in (("article", "provider"), ("topic", "parent")):
        asked = {"app_label": "articles", "model_name": model, "field_name": field, "term": query}
        assert client.get(reverse("admin:autocomplete"), asked).status_code in (200, 400)
