"""The reader and the writer: pure, so no database is needed."""

import dataclasses
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.documents import (
    ArticleDocument,
    DocumentError,
    ImageRef,
    ProviderDocument,
    ProviderRef,
    RelatedRef,
    TopicDocument,
    field_data,
    from_data,
    make_stem,
    read,
    to_data,
    topic_key,
    with_field,
    write,
)
from articles.documents.header import Text, load_exact, load_fast
from articles.documents.kinds import NestedKind, is_blank

FULL = """---
category: news
title: "Tram line reaches the harbour"
excerpt: "After nine years the last rail was laid. It&#8217;s \\"open\\"."
publishedDateTime: 2026-03-02T10:15:00Z
updatedDateTime: 2026-03-03T08:00:00Z
originalUrl: "https://harbour.example/tram"
webUrl: "https://harbour.example/tram?view=web"
ampWebUrl: "https://harbour.example/tram/amp"
cdnAmpWebUrl: "https://cdn.harbour.example/tram/amp"
type: video
quality: 63
heat: -1
published: true

featuredContent: "<iframe src=\\"https://video.example/1\\"></iframe>"

provider:
  name: Harbour Post
  domain: harbour.example
  images:
    - url: "https://cdn.example/logo-50x50.png"
      width: 50
      height: 50
  authors:
    - name: Ada

topics:
  - Transport
  - City life

images:
  - url: "https://cdn.example/tram.jpg"
    width: 1200
    height: 630
    isCached: true
    title: "The first tram"
    attribution: "Photo: J. Doe"
  - url: /assets/images/map.png

related:
  - title: "Tram opens"
    excerpt: "Another view."
    publishedDateTime: 2026-03-02T09:00:00Z
    webUrl: "https://other.example/tram"
    type: article
    provider:
      name: Other
      domain: other.example
    quality: 38
    images:
      - url: "https://other.example/1.jpg"
        width: 928
        height: 582
        isCached: false

secured: "c2VhbGVk;aXY="
mood: calm
---

"""


def header(lines: str = "", *, title: str = "A", date: str = "2026-03-02T10:00:00Z") -> bytes:
    return f"---\ntitle: {title}\npublishedDateTime: {date}\n{lines}\n---\n".encode()


def article(lines: str = "", **parts: str) -> ArticleDocument:
    document = read(header(lines, **parts))
    assert isinstance(document, ArticleDocument)
    return document


def test_every_known_key_is_read():
    document = read(FULL.encode())
    assert document == ArticleDocument(
        category="news",
        title="Tram line reaches the harbour",
        excerpt='After nine years the last rail was laid. It&#8217;s "open".',
        published_at=datetime(2026, 3, 2, 10, 15, tzinfo=UTC),
        updated_at=datetime(2026, 3, 3, 8, 0, tzinfo=UTC),
        original_url="https://harbour.example/tram",
        web_url="https://harbour.example/tram?view=web",
        amp_web_url="https://harbour.example/tram/amp",
        cdn_amp_web_url="https://cdn.harbour.example/tram/amp",
        type="video",
        quality=63,
        heat=-1,
        published=True,
        featured_content='<iframe src="https://video.example/1"></iframe>',
        provider=ProviderRef(
            name="Harbour Post",
            domain="harbour.example",
            images=(ImageRef(url="https://cdn.example/logo-50x50.png", width=50, height=50),),
            authors=[{"name": "Ada"}],
        ),
        topics=("Transport", "City life"),
        images=(
            ImageRef(
                url="https://cdn.example/tram.jpg",
                width=1200,
                height=630,
                is_cached=True,
                title="The first tram",
                attribution="Photo: J. Doe",
            ),
            ImageRef(url="/assets/images/map.png"),
        ),
        related=(
            RelatedRef(
                title="Tram opens",
                excerpt="Another view.",
                published_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
                web_url="https://other.example/tram",
                type="article",
                provider=ProviderRef(name="Other", domain="other.example"),
                quality=38,
                images=(ImageRef(url="https://other.example/1.jpg", width=928, height=582, is_cached=False),),
            ),
        ),
        secured="c2VhbGVk;aXY=",
        extra={"mood": "calm"},
    )


def test_a_file_in_the_house_style_is_written_as_it_was():
    assert write(read(FULL.encode())) == FULL


def test_both_readers_agree_on_every_key():
    text = Text(FULL.encode())
    fast = load_fast(text)
    assert fast is not None
    assert from_data(fast) == from_data(load_exact(text)) == read(FULL.encode())


@pytest.mark.parametrize(
    "title",
    [
        "No",
        "yes",
        "on",
        "2023",
        "12:30",
        "0123",
        "1e3",
        "true",
        "0x1F",
        ".inf",
        "2023-09-14",
        "!!str 7",
        "&a b",
        "1_000",
    ],
)
def test_a_title_stays_the_text_that_was_written(title):
    assert article(title=title).title == title.removeprefix("!!str ").removeprefix("&a ")


def test_topics_stay_text_and_in_order():
    assert article("topics:\n  - 2023\n  - No\n  - Zebra\n  - ant").topics == ("2023", "No", "Zebra", "ant")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-02T10:15:00Z", datetime(2026, 3, 2, 10, 15, tzinfo=UTC)),
        ("2026-03-02T10:15:00", datetime(2026, 3, 2, 10, 15, tzinfo=UTC)),
        ("2026-03-02T10:15:00+02:00", datetime(2026, 3, 2, 8, 15, tzinfo=UTC)),
        ("2026-03-02 10:15:00 -0700", datetime(2026, 3, 2, 17, 15, tzinfo=UTC)),
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=UTC)),
        ('"2026-03-02T9:15"', datetime(2026, 3, 2, 9, 15, tzinfo=UTC)),
        ("2026-03-02T10:15:00.250Z", datetime(2026, 3, 2, 10, 15, 0, 250000, tzinfo=UTC)),
    ],
)
def test_dates_are_aware_and_utc_unless_they_say_otherwise(written, meant):
    assert article(date=written).published_at == meant


@pytest.mark.parametrize("word", ["true", "True", "yes", "on"])
def test_published_in_words_that_yaml_knows(word):
    assert article(f"published: {word}").published is True


def test_published_absent_is_false():
    assert article().published is False


@pytest.mark.parametrize(
    ("lines", "line", "key"),
    [
        ('published: "false"', 4, "published"),
        ("published: 0", 4, "published"),
        ("published: maybe", 4, "published"),
        ("quality: lots", 4, "quality"),
        ('quality: "63"', 4, "quality"),
        ("quality: 63.5", 4, "quality"),
        ("heat: 99999999999", 4, "heat"),
        ("webUrl: ftp://files.example/x", 4, "webUrl"),
        ("webUrl: javascript:alert(1)", 4, "webUrl"),
        ("webUrl: //host.example/x", 4, "webUrl"),
        ("webUrl: http://[::1", 4, "webUrl"),
        ("webUrl: https://a.example/" + "x" * 2000, 4, "webUrl"),
        ("updatedDateTime: yesterday", 4, "updatedDateTime"),
        ("updatedDateTime: 2026-02-30", 4, "updatedDateTime"),
        ("updatedDateTime: 9999-12-31T23:59:59-12:00", 4, "updatedDateTime"),
        ("updatedDateTime: 0001-01-01", 4, "updatedDateTime"),
        ("topics: AI", 4, "topics"),
        ("topics:\n  - AI\n  -", 6, "topics[1]"),
        ("topics:\n  - a: b", 5, "topics[0]"),
        ("topics:\n  - " + "x" * 101, 5, "topics[0]"),
        ("provider: Wired", 4, "provider"),
        ("provider:\n  name: Wired", 5, "provider.domain"),
        ("provider:\n  name: Wired\n  domain: not a domain", 6, "provider.domain"),
        ("images:\n  - url: picture.jpg", 5, "images[0].url"),
        ("images:\n  - url: http://a.example/1\n    width: wide", 6, "images[0].width"),
        ("images:\n  - url: http://a.example/1\n    height: -5", 6, "images[0].height"),
        ("related:\n  - title: x\n    webUrl: http://a.example/\n  - title: y", 7, "related[1].webUrl"),
        ("title: again", 4, "title"),
        ("taxonomy: person", 4, "taxonomy"),
        ('excerpt: "bell \\x07"', 4, "excerpt"),
        ("excerpt: [a, b]", 4, "excerpt"),
    ],
)
def test_a_wrong_value_is_named_with_line_and_key(lines, line, key):
    with pytest.raises(DocumentError) as caught:
        read(header(lines))
    assert (caught.value.line, caught.value.key) == (line, key)
    assert caught.value.reason


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"Just text.\n", 1, "no front matter"),
        (b"", 1, "no front matter"),
        (b"---\ntitle: A\n", 1, "no closing"),
        (b"---\n---\n", 2, "not a mapping"),
        (b"---\n- a\n- b\n---\n", 2, "not a mapping"),
        (header('a: "unclosed\nb: 1'), 4, "unexpected end"),
        (header("a:\n\tb: 1"), 5, "not YAML"),
        (header("a: b: c"), 4, "not YAML"),
        (header("a: *nowhere"), 4, "alias"),
        (header("a: &x {p: 1}\nb:\n  <<: *x"), 6, "merge keys"),
        (header("a: !!python/object/apply:os.system [x]"), 4, "tag"),
        (header("? [a]\n: b"), 4, "key has to be a word"),
        (header("a: x\0y"), 4, r"control character U\+0000"),
        (header().decode().encode("utf-16"), 1, "UTF-16"),
        (header("excerpt: café").decode().encode("latin-1"), 4, "not UTF-8"),
        (b"---\ntitle: A\n" + b"x" * 1_100_000, None, "bytes"),
        (header("quality: x").replace(b"\n", b"\r\n"), 4, "whole number"),
        (b"\n\n" + header("quality: x"), 6, "whole number"),
        (b"---\npublishedDateTime: 2026-03-02\n---\n", 2, "missing or empty"),
        (header(title='""'), 2, "missing or empty"),
        (header(title="~"), 2, "missing or empty"),
    ],
)
def test_a_broken_file_is_refused_with_line_and_reason(data, line, words):
    with pytest.raises(DocumentError, match=words) as caught:
        read(data)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "lines",
    [
        "x: " + "- " * 100_000,
        "x: " + "[" * 100_000,
        "x: " + "{" * 50_000,
        "x:\n" + "".join(" " * depth + "a:\n" for depth in range(1, 1000)),
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 5)}]\n" for n in range(1, 25)),
    ],
    ids=["compact lists", "flow lists", "flow mappings", "indentation", "alias bomb"],
)
def test_nesting_and_alias_bombs_are_refused(lines):
    with pytest.raises(DocumentError):
        read(header(lines))


def test_twenty_thousand_blank_lines_are_no_trouble():
    assert article("\n" * 20_000 + "quality: 5").quality == 5


def test_line_endings_and_a_bom_do_not_matter():
    plain = article("quality: 5")
    for data in (
        header("quality: 5").replace(b"\n", b"\r\n"),
        header("quality: 5").replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + header("quality: 5"),
    ):
        assert read(data) == plain


def test_unknown_keys_are_kept_with_their_types():
    document = article("tags: [a, 1, 2.5, true, ~]\nlayout: post\nodd: .inf\nbig: " + "9" * 50)
    assert document.extra == {
        "tags": ["a", 1, 2.5, True, None],
        "layout": "post",
        "odd": ".inf",
        "big": "9" * 50,
    }


def test_aliases_are_followed():
    assert article("a: &x [1, 2]\nb: *x").extra == {"a": [1, 2], "b": [1, 2]}


def test_the_body_is_kept():
    assert read(header() + b"\nFirst.\n\n---\n\nSecond.\n").body == "First.\n\n---\n\nSecond."


def test_domains_have_one_spelling():
    assert article('provider:\n  name: W\n  domain: "HTTPS://WIRED.com.:443/x"').provider.domain == "wired.com"


def test_organizations_and_topics_are_told_by_their_taxonomy():
    organization = read(
        b"---\ntaxonomy: organization\n_id: uw.example\nname: UW\n"
        b"otherNames:\n  - University\ndomain: uw.example\n---\n"
    )
    assert organization == ProviderDocument(
        id="uw.example", name="UW", domain="uw.example", other_names=("University",)
    )
    topic = read(b"taxonomy: topic\n_id: ai\nname: AI\nparent: Technology\nhashtags:\n  - '#AI'\n", bare=True)
    assert topic == TopicDocument(id="ai", name="AI", parent="Technology", hashtags=("#AI",))


def test_a_bare_file_without_taxonomy_is_no_document():
    assert read(b"title: My site\nurl: https://example.org\n", bare=True) is None


def test_topics_are_written_without_dashes():
    topic = TopicDocument(id="ai", name="AI", parent="Technology", hashtags=("#AI",), services={"news": "https://a.b/"})
    assert write(topic) == (
        'taxonomy: topic\n_id: ai\nname: AI\nparent: Technology\nhashtags:\n  - "#AI"\n'
        "services:\n  news: https://a.b/\n"
    )


@pytest.mark.parametrize(
    ("name", "title", "stem"),
    [
        ("2026-03-02-my-own-name", "Other", "2026-03-02-my-own-name"),
        ("000_f85", "Don't Count on Tesla’s Dojo – Now!", "2026-03-02-dont-count-on-teslas-dojo-now"),
        ("", "Ünïcode Café", "2026-03-02-unicode-cafe"),
        ("", "日本語の見出し", "2026-03-02-日本語の見出し"),
        ("", "a/b ../c", "2026-03-02-ab-c"),
    ],
)
def test_stems_are_the_files_own_name_or_made_from_date_and_title(name, title, stem):
    assert make_stem(datetime(2026, 3, 2, 23, 0, tzinfo=UTC), title, name) == stem


def test_stems_of_wordless_or_endless_titles_are_still_distinct():
    day = datetime(2026, 3, 2, tzinfo=UTC)
    assert make_stem(day, "!!!") != make_stem(day, "???")
    long, longer = make_stem(day, "word " * 100), make_stem(day, "word " * 101)
    assert long != longer
    assert max(len(long), len(longer)) <= 190


def test_topic_keys_ignore_case_and_spaces():
    assert topic_key(" Power  apps ") == topic_key("POWER APPS")


@pytest.mark.parametrize(
    "lines",
    [
        "excerpt: |\n  text",
        "excerpt: >\n  folded\n  text",
        'a: {"k":&a [x],"l":*a}',
        "a: [?b]",
        "a: !",
        "a: [0b11, -0b1, -0o7, -0x1F]",
        "a: [1_0, 1__0, _7, 7_, 0x_1, 1.1_01e3, ._5]",
        'a: "x\x85y\u2028z"',
        "a: x\x85  y",
        "a: x\ry: z",
        "excerpt: |",
        "a: >\nb: 1",
        "a:\n  - |+\n\n  - b",
        "a:\n  - \t",
        "a:\n  \tb",
        "\ufeffa: b",
        "a: word &b c",
        "a: word *b !c ? d",
        "a: " + "[" * 20 + "b" + "]" * 20,
        "images: [{url: /a, b: " + "[" * 20 + "]" * 20 + "}]",
    ],
)
def test_both_readers_say_the_same_where_both_are_asked(lines):
    text = Text(header(lines))
    try:
        exact = from_data(load_exact(text))
    except DocumentError:
        assert load_fast(text) is None
        return
    fast = load_fast(text)
    assert fast is None or from_data(fast) == exact


def test_what_news_is_full_of_is_read_fast():
    for lines in (
        'excerpt: "Q &amp; A &#8217;s \\"best\\" ! Why ? And. *So* <b>"',
        "secured: a+0b1/_x==",
        "x_y: 2026_1.png",
    ):
        assert load_fast(Text(header(lines))) is not None


def test_an_alias_bomb_behind_quoted_keys_does_not_reach_the_fast_reader():
    pairs = ",".join(f'"k{number}":*a' for number in range(20_000))
    with pytest.raises(DocumentError, match="aliases"):
        read(header('a: {"a":&a [' + "x," * 1000 + "]," + pairs + "}"))


def test_nesting_within_a_line_does_not_reach_the_fast_reader():
    for lines in ("x:\n  " + "- " * 9 + "a", "x:\n  " + "- ? : " * 3 + "a", "x:\n  " + "-   " * 9 + "a"):
        assert load_fast(Text(header(lines))) is None


def test_a_key_called_body_is_not_the_body():
    document = read(header("body: [1]") + b"Text.\n")
    assert (document.extra, document.body) == ({"body": [1]}, "Text.")
    assert from_data(to_data(document)) == document


# Texts that one YAML or another takes for something else, or that make it difficult to write them.
WORDS = (
    "No y NULL ~ null true 1e3 0o7 -0o7 0x1F 0b1 1_000 _1 1:30 .inf .NaN +.5 1. 007 2026-03-02 2026-03-02T10:00:00Z 🚋 "
    "= << - ? : # % @ ` ! & * | |- > --- ... a: [a {a ' \" \\ \\n 'a' &#8217; <b> \u200b \u202e \xad e\u0301 \ue000 ﷺ"
)
SPACED = "/ /- a/a: b/a #b/ a/a /a\tb/a\nb/\na/a\n\n/a\rb/\u2028/\ufeff/\ufeffa/\xa0"
letters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
difficult = st.sampled_from([*WORDS.split(), *SPACED.split("/")])
texts = st.text(letters, max_size=50) | difficult | st.tuples(difficult, difficult, difficult).map("".join)
words = texts.filter(lambda text: not is_blank(text))
lines = st.lists(words, max_size=3).map(tuple)
moments = st.integers(-(2**31), 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
urls = st.integers(0, 10**6).map(lambda number: f"https://a{number}.example/x?y={number}&z=#f")
addresses = urls | st.just("")
wholes = st.integers(-(2**31), 2**31 - 1)
sizes = st.none() | st.integers(0, 2**31 - 1)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(-1e30, 1e30) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
KNOWN = {
    member.key
    for shape in (ArticleDocument, ProviderDocument, TopicDocument, ImageRef, ProviderRef, RelatedRef)
    for member in NestedKind(shape).keys
}
extras = st.dictionaries(texts.filter(lambda text: text not in KNOWN and text != "---"), plain, max_size=3)
bodies = st.lists(texts, max_size=3).map(lambda parts: "\n".join(parts).replace("\r", "").strip())
images = st.builds(
    ImageRef,
    url=urls | st.just("/assets/a b.png"),
    width=sizes,
    height=sizes,
    is_cached=st.none() | st.booleans(),
    title=texts,
    attribution=texts,
    alt=texts,
    extra=extras,
)
pictures = st.lists(images, max_size=2).map(tuple)
domains = st.sampled_from(["a.example", "xn--j6w.example"])
providers = st.builds(ProviderRef, name=words, domain=domains, images=pictures, authors=plain, extra=extras)
related = st.builds(
    RelatedRef,
    title=words,
    excerpt=texts,
    published_at=st.none() | moments,
    web_url=urls,
    type=texts,
    provider=st.none() | providers,
    quality=st.none() | wholes,
    images=pictures,
    extra=extras,
)
topic_names = words.filter(lambda text: len(topic_key(text)) <= 100)
articles = st.builds(
    ArticleDocument,
    category=texts,
    title=words,
    excerpt=texts,
    published_at=moments,
    updated_at=st.none() | moments,
    original_url=addresses,
    web_url=addresses,
    amp_web_url=addresses,
    cdn_amp_web_url=addresses,
    type=texts,
    quality=st.none() | wholes,
    heat=st.none() | wholes,
    published=st.booleans(),
    featured_content=texts,
    provider=st.none() | providers,
    topics=st.lists(topic_names, max_size=3).map(tuple),
    images=pictures,
    related=st.lists(related, max_size=2).map(tuple),
    secured=texts,
    extra=extras,
    body=bodies,
)
organizations = st.builds(
    ProviderDocument,
    id=texts,
    name=words,
    other_names=lines,
    domain=domains,
    description=texts,
    images=pictures,
    extra=extras,
    body=bodies,
)
topics = st.builds(
    TopicDocument,
    id=texts,
    name=topic_names,
    shortname=texts,
    parent=topic_names | st.just(""),
    description=texts,
    keywords=lines,
    hashtags=lines,
    images=pictures,
    services=plain,
    extra=extras,
    body=bodies,
)
documents = articles | organizations | topics


@settings(max_examples=200, deadline=None)
@given(documents)
def test_what_is_written_is_read_as_it_was(document):
    assert read(write(document).encode(), bare=isinstance(document, TopicDocument)) == document


def test_blanks_that_end_a_file_are_kept():
    topic = TopicDocument(name="AI", services="\xa0")
    assert read(write(topic).encode(), bare=True) == topic


@settings(max_examples=200, deadline=None)
@given(documents)
def test_both_readers_agree_on_whatever_is_written(document):
    text = Text(write(document).encode(), bare=True)
    fast = load_fast(text)
    exact = dataclasses.replace(from_data(load_exact(text)), body=text.body)
    assert exact == document
    with suppress(DocumentError):  # what the fast reader cannot know is left to the exact one
        assert fast is None or dataclasses.replace(from_data(fast), body=text.body) == document


@settings(max_examples=100, deadline=None)
@given(documents)
def test_data_survives_both_ways(document):
    assert from_data(json.loads(json.dumps(to_data(document)))) == document


@settings(max_examples=100, deadline=None)
@given(articles, articles)
def test_each_field_survives_both_ways_by_itself(document, other):
    for field in dataclasses.fields(document):
        other = with_field(other, field.name, json.loads(json.dumps(field_data(document, field.name))))
    assert other == document


def test_a_field_that_says_nothing_is_none_and_none_is_the_default():
    document = ArticleDocument(title="T", published_at=datetime(2026, 3, 2, tzinfo=UTC))
    for name in ("excerpt", "quality", "provider", "topics", "images", "extra", "body"):
        assert field_data(document, name) is None
    told = with_field(document, "topics", ["AI"])
    assert with_field(told, "topics", None) == document


@pytest.mark.parametrize(
    ("name", "data", "key"),
    [("title", None, "title"), ("web_url", "ftp://x", "webUrl"), ("images", [{}], "images[0].url")],
)
def test_a_field_cannot_be_made_of_what_no_file_could_say(name, data, key):
    document = ArticleDocument(title="T", published_at=datetime(2026, 3, 2, tzinfo=UTC))
    with pytest.raises(DocumentError) as raised:
        with_field(document, name, data)
    assert raised.value.key == key


yaml_like = st.lists(difficult | st.sampled_from(["\n", "\n  ", ": ", "- ", "x: ", " ", ", ", "]", "}", "title: a\n"]))
any_bytes = st.binary(max_size=200) | (st.text(max_size=200) | yaml_like.map("".join)).map(
    lambda text: f"---\n{text}\n---\n".encode("utf-8", "replace")
)


@settings(max_examples=200, deadline=None)
@given(any_bytes)
def test_whatever_the_bytes_only_document_errors_come_out(data):
    try:
        read(data)
    except DocumentError as error:
        assert error.reason
