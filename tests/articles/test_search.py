"""What a query finds: the same on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies
from hypothesis.extra.django import TestCase

from articles.models import Article, Topic
from articles.retopic import merge_topics
from articles.search import clean, marking, search
from articles.search.asking import MAX_LENGTH, MAX_TERMS, Filter, Query, read
from articles.search.engines import Sought, engine
from articles.search.marking import LONGEST, excerpt, marked
from articles.search.meaning import Known, understand
from articles.search.results import find
from articles.search.suggesting import instead, suggest
from providers.words import LONGEST_TEXT, searchable, words
from tests.factories import NOON, make_article, make_provider, make_topic, make_user


def found(query: str, stories=None) -> set[str]:
    return {story.title for story in search(Article.objects.all() if stories is None else stories, query)}


# --- The archive that the table below is about ------------------------------------------------------

STORIES = {
    "whales": {
        "title": "Whales changed their song",
        "excerpt": "Silence in the strait, and 100% of it.",
        "provider": ("saltmarsh.example", "Saltmarsh Journal", ["The Marsh"]),
        "topics": ["Oceans"],
        "published_at": datetime(2025, 12, 31, 23, 59, tzinfo=UTC),
    },
    "tesla": {
        "title": "Don&#8217;t wait for Tesla’s van",
        "excerpt": "“Now”,&nbsp;says R&amp;D about e-mail, AT&T and C++.",
        "provider": ("tom.example", "Tom’s Hardware", []),
        "topics": ["Dogs’ life"],
        "published_at": datetime(2026, 1, 1, 0, 0, tzinfo=UTC),
    },
    "café": {
        "title": "L’Été au Café: Øresund, Straße, İzmir und Łódź",
        "excerpt": "Naïve cafe\u0301 coöperation. Ёлка и Афины, Αθήνα.",
        "provider": ("depeche.example", "La Dépêche", []),
        "topics": ["Écologie"],
        "published_at": datetime(2026, 11, 1, 12, tzinfo=UTC),
    },
    "tokyo": {
        "title": "東京タワーの夜",
        "excerpt": "新しい展望台。 กรุงเทพ",
        "provider": ("asahi.example", "朝の新聞", []),
        "topics": ["日本"],
        "published_at": datetime(2026, 11, 2, tzinfo=UTC),
    },
    "night": {
        "title": "Night trains are full again",
        "excerpt": "A train at night is no night train.",
        "provider": ("saltmarsh.example", "Saltmarsh Journal", ["The Marsh"]),
        "topics": ["Railways", "Sea life"],
        "published_at": datetime(2026, 11, 30, 23, 59, tzinfo=UTC),
    },
}

FINDS = {
    # words, wherever they stand
    "whales": "whales",
    "WHALES": "whales",
    "strait": "whales",
    "saltmarsh strait": "whales",
    "saltmarsh": "whales night",
    "marsh": "whales night",
    "oceans whales": "whales",
    "oceans trams": "",
    "  whales\tstrait ": "whales",
    # beginnings
    "wha": "whales",
    "wh": "",
    "hales": "",
    "str son": "whales",
    "trai*": "night",
    "tr*": "",
    # accents, signs and how they are typed
    "cafe": "café",
    "CAFÉ": "café",
    "cafe\u0301": "café",
    "ete": "café",
    "l'été": "café",
    "oresund": "café",
    "Øresund": "café",
    "strasse": "café",
    "izmir": "café",
    "lodz": "café",
    "naive": "café",
    "cooperation": "café",
    "ecologie": "café",
    "depeche": "café",
    "елка": "café",
    "ёлка": "café",
    "αθηνα": "café",
    "АФИНЫ": "café",
    "don't": "tesla",
    "don’t": "tesla",
    "don&#8217;t": "tesla",
    "Tesla's": "tesla",
    "tesla": "tesla",
    "“now”": "tesla",
    "R&D": "tesla",
    "r&amp;d": "tesla",
    "e-mail": "tesla",
    "AT&T": "tesla",
    "c++": "tesla",
    "tom’s": "tesla",
    "dogs’": "tesla",
    "8217": "",
    "nbsp": "",
    "amp": "",
    "100%": "whales",
    # scripts without spaces
    "東京": "tokyo",
    "タワー": "tokyo",
    "京東": "",
    "日本": "tokyo",
    "新聞": "tokyo",
    "展望": "tokyo",
    "กรุงเทพ": "tokyo",
    # phrases
    '"night trains"': "night",
    '"night train"': "night",
    '"train night"': "",
    '"changed their song"': "whales",
    '"song silence"': "",
    '"their song': "whales",
    "„night train”": "night",
    # without
    "saltmarsh -whales": "night",
    "-saltmarsh": "tesla café tokyo",
    'saltmarsh -"night trains"': "whales",
    "-whales": "tesla café tokyo night",
    # topics and providers
    "topic:oceans": "whales",
    "topic:Oceans": "whales",
    "TOPIC:OCEANS": "whales",
    "topic:water": "whales night",
    'topic:"sea life"': "night",
    "topic:sea-life": "night",
    "topic:“Sea life”": "night",
    "topic:ecologie": "café",
    "topic:日本": "tokyo",
    "topic:water topic:railways": "night",
    "topic:oceans saltmarsh": "whales",
    "topic:nowhere": "",
    "topic:ocean": "",
    "provider:saltmarsh.example": "whales night",
    "provider:www.Saltmarsh.example": "whales night",
    'provider:"saltmarsh journal"': "whales night",
    'provider:"the marsh"': "whales night",
    'provider:"la depeche"': "café",
    "provider:saltmarsh.example provider:tom.example": "whales night tesla",
    "provider:nobody.example": "",
    "-topic:oceans": "tesla café tokyo night",
    "-topic:water": "tesla café tokyo",
    "-TOPIC:“sea life” saltmarsh": "whales",
    "-topic:oceans -topic:日本 -provider:tom.example": "café night",
    "topic:water -topic:oceans": "night",
    "topic:water -provider:saltmarsh.example": "",
    "saltmarsh -train -topic:railways": "whales",
    "-provider:saltmarsh.example -provider:tom.example": "café tokyo",
    "provider:saltmarsh.example provider:tom.example -provider:saltmarsh.example": "tesla",
    "-topic:nowhere": "",
    # days
    "after:2026": "tesla café tokyo night",
    "before:2026": "whales",
    "after:2026-11": "café tokyo night",
    "after:2026-11-02": "tokyo night",
    "before:2026-11-02": "whales tesla café",
    "before:2026-12-01 after:2026-11-30": "night",
    "after:2026-1 before:2026-2": "tesla",
    "-after:2026": "whales",
    "-before:2026-11-02": "tokyo night",
    "after:2026-02-30": "",
    "after:soon": "",
    "before:99999": "",
    # what looks like more than it is
    "topic: oceans": "whales",
    'topic:  "sea life"': "night",
    "-topic: oceans before: 2026-11-01": "tesla",
    "topic:": "",
    'topic:""': "",
    "saltmarsh before:": "",
    "saltmarsh -topic:": "",
    "whales AND strait": "whales",  # which has the word too
    "whales OR tesla": "",
    "NEAR(whales song)": "",
    "title:whales": "",
    "{title}:whales": "",
    "^whales": "whales",
    "whales; DROP TABLE articles_article": "",
    "'whales'": "whales",
    "whales & strait": "whales",
    "(whales": "whales",
    "_": "",
    "%": "",
    "?!": "",
}


@pytest.fixture
def archive(db):
    water = make_topic("Water")
    for name in ("Oceans", "Sea life"):
        make_topic(name, parent=water)
    for name, story in STORIES.items():
        domain, outlet, others = story["provider"]
        make_article(
            **story
            | {
                "stem": name,
                "provider": make_provider_once(domain, outlet, others),
                "topics": [make_topic_once(topic) for topic in story["topics"]],
            }
        )


def make_provider_once(domain: str, name: str, others: list[str]):
    from providers.models import Provider

    known = Provider.objects.filter(domain=domain).first()
    return known or make_provider(domain=domain, name=name, other_names=others)


def make_topic_once(name: str) -> Topic:
    return Topic.objects.filter(name=name).first() or make_topic(name)


def test_each_query_finds_what_the_table_says(archive):
    stems = {query: set(search(Article.objects.all(), query).values_list("stem", flat=True)) for query in FINDS}
    assert stems == {query: set(expected.split()) for query, expected in FINDS.items()}


def test_ranked_pages_find_the_same(archive):
    def ranked(text: str) -> set[str]:
        query = read(text)
        sought = understand(query, Known.all()).sought
        keys = find(Article.objects.all(), query, sought).stories if query and sought else []
        return set(Article.objects.filter(pk__in=keys).values_list("stem", flat=True))

    assert {query: ranked(query) for query in FINDS} == {query: set(names.split()) for query, names in FINDS.items()}


@pytest.mark.django_db
def test_days_are_those_of_the_sites_clock(settings):
    settings.TIME_ZONE = "Pacific/Auckland"  # twelve or thirteen hours ahead
    make_article(title="Already December", published_at=datetime(2026, 11, 30, 12, tzinfo=UTC))
    assert found("after:2026-12") == {"Already December"}
    assert found("before:2026-12") == set()


@pytest.mark.django_db
def test_story_older_than_1970_is_found_by_its_days():
    make_article(title="Old news", published_at=datetime(1931, 5, 1, tzinfo=UTC))
    make_article(title="Newer news")
    assert found("news before:1932 after:1931") == {"Old news"}
    assert found("news after:1932") == {"Newer news"}


@pytest.mark.django_db
def test_it_narrows_the_stories_it_is_given():
    make_article(title="Public whale")
    make_article(title="Secret whale", public=False)
    assert found("whale", Article.objects.published()) == {"Public whale"}


@pytest.mark.django_db
def test_story_with_several_fitting_topics_is_found_once():
    make_article(title="One", topics=[make_topic("Sea life"), make_topic("Sea ports")])
    assert len(search(Article.objects.all(), "sea")) == 1


@pytest.mark.django_db
def test_when_nothing_is_typed_nothing_is_filtered_out():
    make_article(title="One")
    assert found(" \0 ") == {"One"}


# --- Names that changed -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_topic_is_found_by_the_addresses_and_names_that_it_once_had():
    sea = make_topic("Sea life", slug="sea-life")
    make_article(title="Whale", topics=[sea])
    make_article(title="Tram", topics=[make_topic("Trams")])
    sea.slug = "marine-life"
    sea.name = "Marine life"
    sea.save()
    manager = make_user("Managers")
    merge_topics([sea], make_topic("Oceans"), by=manager)
    for query in ("sea-life", "SEA-LIFE", "marine-life", '"Marine life"', "oceans"):
        assert found(f"topic:{query}") == {"Whale"}, query
        assert found(f"-topic:{query}") == {"Tram"}, query


@pytest.mark.django_db
def test_outlet_is_found_by_the_domains_that_it_once_had():
    outlet = make_provider(name="Harbour Post", domain="old.example")
    make_article(title="Whale", provider=outlet)
    outlet.domain = "new.example"
    outlet.save()
    for query in ("old.example", "www.OLD.example", "new.example"):
        assert found(f"provider:{query}") == {"Whale"}, query


@pytest.mark.django_db
def test_address_goes_before_a_name_and_who_has_it_now_before_who_once_had_it():
    first = make_topic("Sea", slug="sea")
    first.slug = "ocean"
    first.save()
    make_article(title="Whale", topics=[first])
    make_article(title="Ferry", topics=[make_topic("Sea ports", shortname="Seaports", slug="sea")])
    make_article(title="Tram", topics=[make_topic("Trams", shortname="Sea")])
    assert found("topic:sea") == {"Ferry"}
    assert found("topic:ocean") == {"Whale"}


# --- Ranking ----------------------------------------------------------------------------------------


def ranked(text: str, **options) -> list[str]:
    query = read(text)
    keys = find(Article.objects.all(), query, understand(query, Known.all()).sought, **options).stories
    titles = dict(Article.objects.values_list("pk", "title"))
    return [titles[key] for key in keys]


@pytest.mark.django_db
def test_headline_counts_more_than_topic_than_excerpt():
    make_article(title="Elsewhere", excerpt="A whale was seen, they say, by nobody in particular.")
    make_article(title="Another", topics=[make_topic("Whale")])
    make_article(title="Whale ashore")
    assert ranked("whale") == ["Whale ashore", "Another", "Elsewhere"]


@pytest.mark.django_db
def test_the_word_itself_counts_more_than_a_longer_one():
    make_article(title="Whaleboats sail")
    make_article(title="Whale sails")
    assert ranked("whale") == ["Whale sails", "Whaleboats sail"]


@pytest.mark.django_db
def test_newer_counts_more_but_not_more_than_everything():
    make_article(title="Whale of long ago", excerpt="", published_at=NOON - timedelta(days=400))
    make_article(title="Whale of today now", excerpt="")
    make_article(title="Short", excerpt=f"A whale {'and more ' * 30}", published_at=NOON - timedelta(days=20))
    assert ranked("whale")[0] == "Whale of today now"
    assert ranked("whale", newest_first=True) == ["Whale of today now", "Short", "Whale of long ago"]


@pytest.mark.django_db
def test_of_equals_the_newer_comes_first_and_then_the_later_key():
    for hour in (1, 3, 2):
        make_article(title=f"Whale {hour}", excerpt="", published_at=NOON.replace(hour=hour), provider=None)
    make_article(title="Whale 4", excerpt="", published_at=NOON.replace(hour=3), provider=None)
    assert ranked("whale") == ["Whale 4", "Whale 3", "Whale 2", "Whale 1"]


@pytest.mark.django_db
def test_of_very_many_the_newest_are_looked_at(monkeypatch):
    monkeypatch.setattr("articles.search.results.MOST", 2)
    for day in (1, 3, 2):
        make_article(title=f"Whale {day}", excerpt="", published_at=NOON.replace(day=day))
    query = read("whale")
    results = find(Article.objects.all(), query, Sought(tuple(query.wanted)))
    assert results.has_more
    assert [Article.objects.get(pk=key).title for key in results.stories] == ["Whale 3", "Whale 2"]


# --- Typing ------------------------------------------------------------------------------------------


def test_query_is_capped_and_cleaned():
    assert clean("a\0b \ud800c\n d") == "a b c d"
    assert len(clean("x" * 5000)) == MAX_LENGTH
    assert len(read(" ".join(f"w{number}" for number in range(100))).terms) == MAX_TERMS


def test_query_without_one_of_its_terms_is_still_what_was_typed():
    query = read('whale topic:oceans "night train" provider:“Harbour Post” -ferry')
    assert query.without(Filter("topic", "oceans")).text == 'whale "night train" provider:"Harbour Post" -ferry'


def test_what_narrows_twice_is_said_once():
    assert read("topic:sea").plus(Filter("topic", "sea")).text == "topic:sea"


@given(strategies.text())
@example('"')
@example('-"')
@example('topic:"')
@example("-topic: a -before:")
@example("a" * 300)
def test_what_is_read_reads_the_same_again(text):
    query = read(text)
    assert read(query.text).terms == query.terms or len(query.text) > MAX_LENGTH


@given(strategies.text(), strategies.text())
def test_words_have_nothing_that_means_something_to_a_database(title, excerpt_):
    *lines, fingerprint = searchable(title, excerpt_).split("\n")
    assert len(lines) == 2
    assert all(letter == " " or letter.isalnum() or not letter.isascii() for line in lines for letter in line)
    assert len(fingerprint) == 9


HOSTILE = [
    "a=" * 5000,
    "NEAR(a b, 5)",
    '"unclosed',
    "a AND OR NOT",
    "title : x",
    "{a b}: c",
    "^a + b*",
    "a* *b **",
    "\0\0",
    "\ud800\udfff",
    "'; DROP TABLE articles_article; --",
    "a & | ! <-> :* ()",
    "a:*A & b:D",
    "\\' \\\\ \\0",
    "before:0000-00-00 after:9999-99-99",
    "before:٢٠٢٦ after:²⁰²⁶",
    "topic:% provider:_ topic:\\",
    "provider:http://[::1]/ provider:..",
    "x" * 5000,
    '"' * 5000,
    "- -- --- -a- -",
    "％＊”“‘’",
    "é" * 200,
    "\u0301\u0301\u0301",
    "½ ﷺ ŉ ǰ",
]


class NothingTypedBreaksIt(TestCase):
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        strategies.one_of(
            strategies.text(),
            strategies.text(alphabet="ab\"'*:-+^(){}[]&|!<>~\\/%_. \0"),
            strategies.lists(
                strategies.sampled_from(["topic:", "before:", '"', "-", "*", "NOT", "OR", "NEAR", "whale", "2026", " "])
            ).map("".join),
        )
    )
    def test_hostile(self, text):
        try_all(text)

    def test_known(self):
        make_article(title="A whale", topics=[make_topic()])
        for text in HOSTILE:
            try_all(text)


def try_all(text: str) -> None:
    stories = Article.objects.all()
    list(search(stories, text))
    query = read(text)
    if query and (sought := understand(query, Known.all()).sought):
        find(stories, query, sought)
    instead(stories, Known.all(), query)
    suggest(stories, Known.all(), text)


@pytest.mark.django_db
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_article_is_stored_and_indexed(text):
    text = clean(text) or "nothing"
    article = make_article(title=text, topics=[make_topic(text[:90])], provider=make_provider(name=text))
    assert list(search(Article.objects.all(), "-nowhere")) == [article]


@pytest.mark.django_db
def test_enormous_excerpt_is_stored_and_found_by_its_beginning():
    make_article(title="Long", excerpt="begins " + "word " * LONGEST_TEXT + "ends")
    assert found("begins") == {"Long"}
    assert found("ends") == set()


# --- Marking -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("whale", "Whales & a whale", "<mark>Whales</mark> &amp; a <mark>whale</mark>"),
        ("cafe", "Un café", "Un <mark>café</mark>"),
        ("cafe", "Un cafe\u0301.", "Un <mark>cafe\u0301</mark>."),
        ("don't", "I don’t", "I <mark>don’t</mark>"),
        ('"night train"', "night trains, night train", "night trains, <mark>night train</mark>"),
        ("東京", "東京タワー", "<mark>東京</mark>タワー"),
        ("b script", "<b>x</b><script>", "&lt;<mark>b</mark>&gt;x&lt;/<mark>b</mark>&gt;&lt;<mark>script</mark>&gt;"),
        ("amp", "R&D", "R&amp;D"),
        ("strasse", "Die Straße", "Die <mark>Straße</mark>"),
    ],
)
def test_words_found_are_marked_and_the_rest_is_text(query, text, expected):
    assert marked(text, read(query).wanted) == expected


def test_long_excerpt_is_cut_to_where_the_word_stands():
    shown = excerpt("filler " * 100 + "<whale> " + "filler " * 100, read("whale").wanted)
    assert "&lt;<mark>whale</mark>&gt;" in shown
    assert shown.startswith("… filler")
    assert len(shown) < LONGEST + 60
    assert excerpt("word " * 200, read("nowhere").wanted).endswith("word …")


def test_of_an_enormous_text_the_beginning_is_looked_at(monkeypatch):
    looked_at = []
    spans = marking.spans
    monkeypatch.setattr(marking, "spans", lambda text: looked_at.append(len(text)) or spans(text))
    text, wanted = "word " * 20_000 + "whale", read("whale song night train word").wanted
    assert len(excerpt(text, wanted)) < LONGEST * len("<mark></mark>word")
    assert marked(text, wanted).endswith(" word whale")
    assert max(looked_at) <= marking.LOOKED_AT


def test_words_fold_as_the_index_does():
    assert words("L’Été, R&amp;D – 東京3") == ["l", "ete", "r", "d", "東", "京", "3"]


@pytest.mark.django_db
def test_empty_query_has_no_terms_and_finds_everything():
    assert not Query()
    make_article(title="One")
    assert engine().joined(Article.objects.all(), Sought()).count() == 1


@pytest.mark.django_db
def test_of_very_many_the_newest_of_those_asked_about_are_found(monkeypatch):
    monkeypatch.setattr("articles.search.MOST", 2)
    for number in range(4):
        make_article(title=f"Whale {number}", published_at=NOON + timedelta(days=number), public=number < 3)
    assert found("whale") == {"Whale 2", "Whale 3"}
    assert found("whale", Article.objects.filter(status="published")) == {"Whale 1", "Whale 2"}
