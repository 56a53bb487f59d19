"""Hostile input, kind by kind: a clear error, a warning or a defined value, and never a crash, a hang or much memory.

docs/frontmatter.md has the same decisions in words.
"""

import io
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command

from articles.documents import MAX_BYTES, DocumentError, oddities, read
from articles.documents.kinds import AnyKind, ListKind, NestedKind, TextKind
from articles.documents.shapes import (
    ArticleDocument,
    ImageRef,
    ProviderDocument,
    ProviderRef,
    RelatedRef,
    TopicDocument,
)
from articles.importing import ImportReport, Options, import_paths
from articles.models import Article, Topic
from providers.domains import normalise_domain
from providers.models import Provider
from tests.articles.test_documents import FULL, header

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1024 * 1024


class Refused(NamedTuple):
    """A file that is an error: what is in it, and where the error is (line None: the file as a whole)."""

    data: bytes
    line: int | None
    key: str
    words: str


class Kept(NamedTuple):
    """A file that is a document: what is in it, and what some of its fields hold."""

    data: bytes
    fields: dict[str, Any]


def utf16(text: bytes, encoding: str) -> bytes:
    return text.decode().encode(encoding)


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


DELIMITERS = {
    "no-delimiters": Refused(b"title: A\npublishedDateTime: 2026-03-02\n", 1, "", "no front matter"),
    "no-closing": Refused(b"---\ntitle: A\n", 1, "", "no closing ---"),
    "text-first": Refused(b"Hello\n" + header(), 1, "", "no front matter"),
    "two-dashes": Refused(header().replace(b"---", b"--"), 1, "", "no front matter"),
    "dashes-indented": Refused(header().replace(b"\n---\n", b"\n ---\n"), 1, "", "no closing"),
    "dashes-and-text": Refused(header().replace(b"\n---\n", b"\n--- x\n"), 1, "", "no closing"),
    "empty-file": Refused(b"", 1, "", "no front matter"),
    "only-spaces": Refused(b" \n\t\n", 1, "", "no front matter"),
    "empty-header": Refused(b"---\n---\n", 2, "", "not a mapping"),
    "header-of-comments": Refused(b"---\n# nothing\n---\n", 2, "", "not a mapping"),
    "a-list": Refused(b"---\n- a\n---\n", 2, "", "not a mapping"),
    "a-word": Refused(b"---\nword\n---\n", 2, "", "not a mapping"),
    "long-dashes": Kept(header().replace(b"---", b"-----  "), {"title": "A"}),
    "blank-lines-first": Kept(b"\n\n" + header(), {"title": "A"}),
    "dashes-in-the-body": Kept(header() + b"a\n---\nb\n", {"body": "a\n---\nb"}),
}

ENCODINGS = {
    "bom": Kept(b"\xef\xbb\xbf" + header(), {"title": "A"}),
    "bom-within": Kept(header("excerpt: a\ufeffb"), {"excerpt": "a\ufeffb"}),
    "crlf": Kept(header("excerpt: |\n  a\n  b").replace(b"\n", b"\r\n"), {"excerpt": "a\nb\n"}),
    "old-mac": Kept(header("quality: 5").replace(b"\n", b"\r"), {"quality": 5}),
    "mixed-line-ends": Kept(header("quality: 5\r\nheat: 6"), {"quality": 5, "heat": 6}),
    "utf-16": Refused(utf16(header(), "utf-16"), 1, "", "UTF-16"),
    "utf-16-be-bom": Refused(b"\xfe\xff" + utf16(header(), "utf-16-be"), 1, "", "UTF-16"),
    "utf-16-le-without-bom": Refused(utf16(header(), "utf-16-le"), 1, "", "UTF-16"),
    "utf-16-be-without-bom": Refused(utf16(header(), "utf-16-be"), 1, "", "UTF-16"),
    "utf-32": Refused(utf16(header(), "utf-32"), 1, "", "UTF-32"),
    "latin-1": Refused(header("excerpt: é").decode().encode("latin-1"), 4, "", "byte 0xe9 is not UTF-8"),
    "surrogate": Refused(header("excerpt: x").replace(b"x", b"\xed\xa0\x80"), 4, "", "not UTF-8"),
    "overlong": Refused(header("excerpt: x").replace(b": x", b": \xc0\xaf"), 4, "", "not UTF-8"),
    "nul": Refused(header("excerpt: a\0b"), 4, "", "control character U+0000"),
    "nul-in-the-body": Refused(header() + b"a\0b", 6, "", "control character U+0000"),
    "escape-sequence": Refused(header("excerpt: \x1b[31mred"), 4, "", "control character U+001B"),
    "c1": Refused(header("excerpt: It\x92s"), 4, "", "control character U+0092"),
    "noncharacter": Refused(header("excerpt: a\uffffb"), 4, "", "control character U+FFFF"),
    "bom-of-other-bytes": Refused(header("excerpt: a\ufffeb"), 4, "", "control character U+FFFE"),
    "escaped-nul": Refused(header('excerpt: "a\\0b"'), 4, "excerpt", "control character U+0000"),
    "escaped-control": Refused(header('topics: ["a\\x07"]'), 4, "topics[0]", "control character U+0007"),
    "escaped-noncharacter": Refused(header('excerpt: "\\uFFFE"'), 4, "excerpt", "control character U+FFFE"),
    "escaped-surrogate": Refused(header('excerpt: "\\uD800"'), 4, "", "invalid Unicode character escape"),
    "escape-beyond-unicode": Refused(header('excerpt: "\\U00110000"'), 4, "", "invalid Unicode character escape"),
    "control-in-a-key": Refused(header('"a\\x01": 1'), 4, "", "control character U+0001 in a key"),
    "control-deep-within": Refused(header('x: {y: ["a\\x01"]}'), 4, "x", "control character U+0001"),
    "tab-for-indentation": Refused(header("provider:\n\tname: A"), 5, "", "cannot start any token"),
    "tab-in-text": Kept(header('excerpt: "a\tb"'), {"excerpt": "a\tb"}),
    "emoji": Kept(header(title="👩‍👩‍👧 🏳️‍🌈"), {"title": "👩‍👩‍👧 🏳️‍🌈"}),
    "line-separator": Kept(header('excerpt: "a\u2028b"'), {"excerpt": "a\u2028b"}),
    "zero-width": Kept(header(title="a\u200bb\u200d"), {"title": "a\u200bb\u200d"}),
    "right-to-left": Kept(header(title="שלום \u2066ABC\u2069 \u202bx\u202c"), {}),
}

YAML = {
    "unclosed-quote": Refused(header('excerpt: "a'), 4, "", "not YAML"),
    "unclosed-list": Refused(header("topics: [a"), 4, "", "not YAML"),
    "colon-in-text": Refused(header("excerpt: a: b"), 4, "", "not YAML"),
    "at-sign": Refused(header("excerpt: @a"), 4, "", "not YAML"),
    "two-documents": Refused(header("...\n--- # x\na: b"), 5, "", "not YAML"),
    "key-twice": Refused(header("title: B"), 4, "title", "twice"),
    "key-twice-in-other-quotes": Refused(header("'title': B"), 4, "title", "twice"),
    "key-twice-within": Refused(header("x:\n  a: 1\n  a: 2"), 6, "a", "twice"),
    "merge-key": Refused(header("a: &a {b: 1}\nc:\n  <<: *a"), 6, "", "merge keys"),
    "tag-of-python": Refused(header("a: !!python/object/apply:os.system [ls]"), 4, "", "python/object/apply"),
    "tag-of-its-own": Refused(header("a: !x y"), 4, "", "the tag !x is not supported"),
    "list-as-a-key": Refused(header("? [a]\n: b"), 4, "", "a key has to be a word"),
    "mapping-as-a-key": Refused(header("{a: 1}: b"), 4, "", "a key has to be a word"),
    "dashes-as-a-key": Refused(header('"---": b'), 4, "", "a key cannot be ---"),
    "no-such-anchor": Refused(header("a: *b"), 4, "", "undefined alias"),
    "anchor-within-itself": Refused(header("a: &a [*a]"), 4, "", "levels deep"),
    "101-aliases": Refused(header("a: &a b\nc: [" + "*a," * 101 + "]"), 5, "", "more than 100 aliases"),
    "billion-laughs": Refused(
        header("a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]\n" for n in range(1, 10))),
        4,
        "",
        "more than",
    ),
    "compact-nesting": Refused(header("x: " + "- " * 100_000), 4, "", "not YAML"),
    "compact-nesting-in-its-place": Refused(header("x:\n  " + "- " * 100_000), 5, "", "levels deep"),
    "brackets": Refused(header("x: " + "[" * 100_000), 4, "", "levels deep"),
    "braces": Refused(header("x: " + "{" * 100_000), 4, "", "levels deep"),
    "braces-with-keys": Refused(header("x: " + "{a: " * 50_000), 4, "", "levels deep"),
    "indentation": Refused(header("x:\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 500))), 34, "", "levels deep"),
    "21-levels": Refused(header("x: " + nested(21)), 4, "x", "more than 20 levels deep"),
    "too-many-values": Refused(header("x: [" + "1," * 50_001 + "]"), 4, "", "more than 50,000 keys and values"),
    "too-many-items": Refused(header("topics: [" + "a," * 1001 + "]"), 4, "topics", "at most 1,000"),
    "too-long": Refused(header(f"excerpt: {'x' * MAX_BYTES}"), None, "", "at most 1,048,576 bytes"),
    "binary": Kept(header("a: !!binary aGk="), {"extra": {"a": "aGk="}}),
    "question-mark": Kept(header("? a\n: b"), {"extra": {"a": "b"}}),
    "100-aliases": Kept(header("a: &a b\nc: [" + "*a," * 100 + "]"), {"extra": {"a": "b", "c": ["b"] * 100}}),
    "numbers-as-keys": Kept(
        header("1: a\n2.5: b\ntrue: c\n~: d"), {"extra": {"1": "a", "2.5": "b", "true": "c", "~": "d"}}
    ),
    "empty-block": Kept(header("excerpt: |\nquality: 5"), {"excerpt": "", "quality": 5}),
    "nothing": Kept(header("quality: ~\nexcerpt:\ntopics: null"), {"quality": None, "excerpt": "", "topics": ()}),
}

VALUES = {
    "title-of-nothing": Refused(header(title="''"), 2, "title", "missing or empty"),
    "title-of-spaces": Refused(header(title='" \\t "'), 2, "title", "missing or empty"),
    "title-that-nobody-sees": Refused(header(title="\u200b\u2060\u3164"), 2, "title", "missing or empty"),
    "title-too-long": Refused(header(title="x" * 1001), 2, "title", "at most 1,000"),
    "no-title": Refused(b"---\npublishedDateTime: 2026-03-02\n---\n", 2, "title", "missing or empty"),
    "no-date": Refused(b"---\ntitle: A\n---\n", 2, "publishedDateTime", "missing or empty"),
    "topic-that-nobody-sees": Refused(header("topics: [a, \u200b]"), 4, "topics[1]", "is empty"),
    "topic-of-nothing": Refused(header("topics: [a, '']"), 4, "topics[1]", "is empty"),
    "topic-too-long": Refused(header(f"topics: [{'x' * 101}]"), 4, "topics[0]", "at most 100"),
    "topic-that-grows": Refused(header(f"topics: [{'ﷺ' * 20}]"), 4, "topics[0]", "longer than 100"),
    "category-too-long": Refused(header(f"category: {'x' * 51}"), 4, "category", "at most 50"),
    "date-that-is-none": Refused(header(date="soon"), 3, "publishedDateTime", "'soon' is not a date and time"),
    "date-of-february-30": Refused(header(date="2026-02-30"), 3, "publishedDateTime", "that exists"),
    "date-at-25": Refused(header(date="2026-03-02T25:00:00Z"), 3, "publishedDateTime", "that exists"),
    "date-at-a-leap-second": Refused(header(date="2016-12-31T23:59:60Z"), 3, "publishedDateTime", "that exists"),
    "date-with-an-endless-offset": Refused(
        header(date="2026-03-02T10:00:00+99:99"), 3, "publishedDateTime", "that exists"
    ),
    "date-of-year-0": Refused(header(date="0000-01-01"), 3, "publishedDateTime", "that exists"),
    "date-of-year-1": Refused(header(date="0001-01-01T00:00:00+12:00"), 3, "publishedDateTime", "that exists"),
    "date-of-1899": Refused(header(date="1899-12-31"), 3, "publishedDateTime", "between 1900 and 2200"),
    "date-of-year-9999": Refused(header(date="9999-12-31"), 3, "publishedDateTime", "between 1900 and 2200"),
    "date-of-year-99999": Refused(header(date="99999-01-01"), 3, "publishedDateTime", "not a date"),
    "date-in-seconds": Refused(header(date="1694707200"), 3, "publishedDateTime", "not a date"),
    "date-in-other-digits": Refused(header(date="２０２６-03-02"), 3, "publishedDateTime", "not a date"),
    "number-infinite": Refused(header("quality: .inf"), 4, "quality", "whole number"),
    "number-none": Refused(header("quality: .nan"), 4, "quality", "whole number"),
    "number-huge": Refused(header("heat: 1" + "0" * 30), 4, "heat", "out of range"),
    "number-endless": Refused(header("heat: " + "9" * 5000), 4, "heat", "whole number"),
    "number-endless-as-text": Kept(header("excerpt: " + "9" * 5000), {"excerpt": "9" * 5000}),
    "number-negative": Refused(header("images: [{url: /a.png, width: -1}]"), 4, "images[0].width", "out of range"),
    "number-broken": Refused(header("quality: 63.5"), 4, "quality", "whole number"),
    "number-in-quotes": Refused(header('quality: "63"'), 4, "quality", "whole number"),
    "flag-in-quotes": Refused(header('published: "false"'), 4, "published", "without quotes"),
    "flag-as-a-number": Refused(header("published: 1"), 4, "published", "true or false"),
    "taxonomy-unknown": Refused(header("taxonomy: person"), 4, "taxonomy", "organization or topic"),
    "taxonomy-of-a-list": Refused(header("taxonomy: [topic]"), 4, "taxonomy", "organization or topic"),
    "titles-of-numbers": Kept(header(title="007"), {"title": "007"}),
    "title-of-no": Kept(header(title="No"), {"title": "No"}),
    "numbers-elsewhere": Kept(
        header(f"a: .inf\nb: -.INF\nc: .NaN\nd: 1e999\ne: {'9' * 5000}\nf: 1_0\ng: 0x_1\nh: -0"),
        {
            "extra": {
                "a": ".inf",
                "b": "-.INF",
                "c": ".NaN",
                "d": "1e999",
                "e": "9" * 5000,
                "f": 10,
                "g": "0x_1",
                "h": 0,
            }
        },
    ),
    "mojibake": Kept(header("excerpt: itâ€™s"), {"excerpt": "itâ€™s"}),
    "markup": Kept(header(title="<script>alert(1)</script>"), {"title": "<script>alert(1)</script>"}),
}

_ADDRESSES = {
    "javascript": "javascript:alert(1)",
    "data": "data:text/html,x",
    "ftp": "ftp://files.example/x",
    "file": "file:///etc/passwd",
    "scheme-relative": "//host.example/x",
    "path": "/x",
    "relative": "x.html",
    "no-host": "https:///x",
    "only-scheme": "https://",
    "backslashes": "https:\\\\host.example",
    "backslash-in-the-host": "https://evil.example\\@good.example/",
    "space": "https://host.example/a b",
    "no-break-space": "https://host.example/a\xa0b",
    "port-99999": "https://host.example:99999/",
    "port-of-letters": "https://host.example:http/",
    "broken-ipv6": "https://[::1",
    "of-10000-characters": "https://host.example/" + "x" * 9979,
    "of-1000-characters-that-take-two": "https://host.example/" + "é" * 1000,
}
ADDRESSES = {
    f"address-{name}": Refused(
        header(f"webUrl: {json.dumps(url)}"), 4, "webUrl", "longer than" if "0-ch" in name else "http or https"
    )
    for name, url in _ADDRESSES.items()
} | {
    "picture-of-another-host": Refused(
        header("images: [{url: //host.example/x}]"), 4, "images[0].url", "http or https"
    ),
    "picture-behind-a-backslash": Refused(
        header("images: [{url: /\\host.example}]"), 4, "images[0].url", "http or https"
    ),
    "picture-as-data": Refused(header('images: [{url: "data:image/png,x"}]'), 4, "images[0].url", "http or https"),
    "address-with-spaces-around": Kept(header('webUrl: " https://a.example/ "'), {"web_url": "https://a.example/"}),
    "address-of-2000-bytes": Kept(
        header("webUrl: https://a.example/" + "x" * 1982), {"web_url": "https://a.example/" + "x" * 1982}
    ),
    "address-in-capitals": Kept(header("webUrl: HTTPS://A.example/X"), {"web_url": "HTTPS://A.example/X"}),
    "address-of-a-number": Kept(header("webUrl: https://127.0.0.1:8000/"), {"web_url": "https://127.0.0.1:8000/"}),
}

DOMAINS = {
    "harbour.example": "harbour.example",
    "HARBOUR.Example": "harbour.example",
    "https://harbour.example": "harbour.example",
    "http://www.harbour.example:8080/path?query#part": "www.harbour.example",
    "//harbour.example/": "harbour.example",
    "user:secret@harbour.example": "harbour.example",
    "harbour.example.": "harbour.example",
    "harbour.example:443": "harbour.example",
    " harbour.example ": "harbour.example",
    "hafen-köln.example": "xn--hafen-kln-67a.example",
    "HAFEN-KÖLN.example": "xn--hafen-kln-67a.example",
    "XN--Hafen-Kln-67A.example": "xn--hafen-kln-67a.example",
    "港。example。": "xn--j6w.example",
    "straße.example": "strasse.example",
    "harb\u200bour.example": "harbour.example",
    "": None,
    "harbour": None,
    "harbour..example": None,
    "harbour example.example": None,
    "-harbour.example": None,
    f"{'x' * 64}.example": None,
    "x." * 127 + "example": None,
    "ü" * 2000 + ".example": None,
    "127.0.0.1": None,
    "[::1]": None,
    "javascript:alert(1)": None,
    "harbour.example\u202e": None,
}

LARGEST = {
    "largest-text": Kept(header(f"excerpt: {'x' * (MAX_BYTES - 70)}"), {"quality": None}),
    "largest-emoji": Kept(header(f"excerpt: {'🚋' * (MAX_BYTES // 4 - 20)}"), {"quality": None}),
    "largest-body": Kept(header() + b"x\n" * (MAX_BYTES // 2 - 30), {"quality": None}),
    "longest-number": Kept(header(f"x: {'1_' * 500_000}1"), {"quality": None}),
    "most-values": Kept(header("x: [" + "1," * 49_980 + "]"), {"quality": None}),
    "most-keys": Kept(header("\n".join(f"k{n}: {n}" for n in range(24_000))), {"quality": None}),
    "most-lists": Kept(header("x: [" + "[]," * 24_000 + "]"), {"quality": None}),
    "most-pictures": Kept(
        header("images:\n" + "".join(f"  - url: https://a.example/{n}.png\n" for n in range(1000))), {"quality": None}
    ),
    "most-related-stories": Kept(
        header(
            "related:\n"
            + "".join(
                f"  - title: T{n}\n    webUrl: https://a.example/{n}\n    provider: {{name: N, domain: d{n}.example}}\n"
                for n in range(1000)
            )
        ),
        {"quality": None},
    ),
}

FILES: dict[str, Refused | Kept] = {**DELIMITERS, **ENCODINGS, **YAML, **VALUES, **ADDRESSES}
REFUSED = {name: file for name, file in (FILES | LARGEST).items() if isinstance(file, Refused)}
KEPT = {name: file for name, file in (FILES | LARGEST).items() if isinstance(file, Kept)}


def of(table: dict[str, Any]) -> Any:
    return pytest.mark.parametrize("file", table.values(), ids=list(table))


# --- The reader ---------------------------------------------------------------------------------


@of(REFUSED)
def test_what_is_refused_is_named_with_line_key_and_reason(file):
    with pytest.raises(DocumentError) as caught:
        read(file.data)
    assert (caught.value.line, caught.value.key) == (file.line, file.key)
    assert file.words in caught.value.reason
    assert len(caught.value.reason) < 200


@of(KEPT)
def test_what_is_odd_but_no_error_is_read_as_decided(file):
    document = read(file.data)
    assert {name: getattr(document, name) for name in file.fields} == file.fields
    assert oddities(document, file.data.decode()) == []


@pytest.mark.parametrize(
    ("lines", "warnings"),
    [
        ('excerpt: "\u202eabc"', ["excerpt: the direction mark U+202E is not ended; it may garble what follows"]),
        ('excerpt: "\\u2067abc"', ["excerpt: the direction mark U+2067 is not ended; it may garble what follows"]),
        ("provider: {name: a\u202db, domain: a.example}", ["provider.name: the direction mark U+202D is not ended; "]),
        ("topics: [a, \u202ab]", ["topics[1]: the direction mark U+202A"]),
        ("images: [{url: /a.png, alt: \u2066\u202ea\u202c}]", ["images[0].alt: the direction mark U+2066"]),
        (
            "related: [{title: \u202ba\u2069, webUrl: https://a.example}]",
            ["related[0].title: the direction mark U+202B"],
        ),
        ("excerpt: \u202ea\u202c \u2067b\u2069 \u2068\u202ec\u2069\u202c \u200f\u061c", []),
        ("x: \u202e", []),  # nobody reads it
    ],
)
def test_a_direction_that_is_not_ended_is_kept_with_a_warning(lines, warnings):
    data = header(lines)
    found = oddities(read(data), data.decode())
    assert len(found) == len(warnings)
    for one, start in zip(found, warnings, strict=True):
        assert one.startswith(start)


PARTS = {
    ArticleDocument: ("{}", ""),
    ImageRef: ("images:\n  - {}", "images[0]."),
    ProviderRef: ("provider:\n  {}", "provider."),
    RelatedRef: ("related:\n  - {}", "related[0]."),
    ProviderDocument: ("taxonomy: organization\n{}", ""),
    TopicDocument: ("taxonomy: topic\n{}", ""),
}


def wrong_types() -> list[Any]:
    """Every key of every shape, each with a list or a mapping where something else is due, and with a word."""
    cases = []
    for shape in PARTS:
        for member in NestedKind(shape).keys:
            wrong = [] if isinstance(member.kind, AnyKind) else ["{a: 1}"]
            wrong += [] if isinstance(member.kind, (AnyKind, TextKind)) else ["word"]
            wrong += [] if isinstance(member.kind, (AnyKind, ListKind)) else ["[1]"]
            cases += [
                pytest.param(shape, member.key, value, id=f"{shape.__name__}-{member.key}-{value}") for value in wrong
            ]
    return cases


@pytest.mark.parametrize(("shape", "key", "value"), wrong_types())
def test_every_key_refuses_a_value_of_another_type(shape, key, value):
    lines, where = PARTS[shape]
    with pytest.raises(DocumentError) as caught:
        read(f"---\n{lines.format(f'{key}: {value}')}\n---\n".encode())
    assert caught.value.key.startswith(where + key)
    assert caught.value.line == lines.count("\n") + 2
    assert caught.value.reason


@pytest.mark.parametrize(("written", "meant"), DOMAINS.items())
def test_a_domain_has_one_spelling_or_is_refused(written, meant):
    if meant:
        assert normalise_domain(written) == meant
        return
    with pytest.raises(ValueError, match="is not a domain") as caught:
        normalise_domain(written)
    assert len(str(caught.value)) < 100


def test_yaml_that_is_no_document_need_not_even_be_yaml_that_we_read():
    for data in (b"", b"# nothing\n", b"- a\n- b\n", b"a: &a {b: 1}\nc:\n  <<: *a\n", b"{% raw %}\n"):
        assert read(data, bare=True) is None


# --- The importer -------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path) -> Path:
    site = tmp_path / "site"
    (site / "_news").mkdir(parents=True)
    (site / "_news/2026-03-02-good.md").write_text(FULL.replace("/assets/", "https://a.example/"))
    return site


def put(site: Path, name: str, data: bytes | None = None) -> Path:
    file = site / "_news" / name
    file.write_bytes(header() if data is None else data)
    return file


def run(site: Path, **options: Any) -> ImportReport:
    return import_paths([site], Options(**options))


def reasons(report: ImportReport) -> dict[str, str]:
    """Why each file failed, by its own name."""
    return {Path(problem.path).name: problem.reason for problem in report.failed}


@pytest.mark.django_db
def test_all_of_it_at_once_harms_nothing_else(site, tmp_path):
    for name, file in FILES.items():
        put(site, f"2026-03-02-{name}.md", file.data)
    report = tmp_path / "report.json"
    with pytest.raises(CommandError) as caught:
        call_command("import_frontmatter", str(site), report=report, stdout=io.StringIO(), stderr=io.StringIO())
    assert caught.value.returncode == 1
    told = json.loads(report.read_text())
    found = {Path(problem["path"]).stem.removeprefix("2026-03-02-"): problem for problem in told["failed"]}
    refused = {name: file for name, file in FILES.items() if isinstance(file, Refused)}
    assert set(found) == set(refused)
    for name, file in refused.items():
        assert (found[name]["line"], found[name]["key"]) == (file.line, file.key), name
        assert file.words in found[name]["reason"]
    assert told["created"] == len(FILES) - len(refused) + 1
    for name, file in KEPT.items():
        if name in FILES:
            article = Article.objects.get(stem=f"2026-03-02-{name}")
            columns = {field: value for field, value in file.fields.items() if field != "topics"}
            assert {field: getattr(article, field) for field in columns} == columns, name


@pytest.mark.django_db
def test_topics_that_differ_in_nothing_that_is_seen_are_one(site):
    names = [
        "City life",
        "CITY LIFE",
        " city  life ",
        "city\u00a0life",
        "City\u200b life",
        "Ｃity life",
        "\u202aCity life\u202c",
    ]
    for number, name in enumerate(names):
        put(site, f"2026-03-02-{number}.md", header(f"topics: [{json.dumps(name)}]"))
    report = run(site)
    assert report.failed == []
    assert Topic.objects.filter(key="city life").count() == 1
    assert Article.objects.filter(topics__key="city life").count() == len(names) + 1


@pytest.mark.django_db
def test_domains_that_are_one_are_one_provider(site):
    same = [written for written, meant in DOMAINS.items() if meant == "harbour.example"]
    for number, domain in enumerate(same):
        put(site, f"2026-03-02-{number}.md", header(f"provider: {{name: H, domain: {json.dumps(domain)}}}"))
    assert run(site).failed == []
    assert Provider.objects.get(domain="harbour.example").articles.count() == len(same) + 1


ODD_NAMES = [
    "2026-03-02-\u202egnp.md",
    "2026-03-02-🚋.md",
    "2026-03-02-dots...md",
    "2026-03-02-space .md",
    " 2026-03-02-space.md",
    "2026-03-02-a?b#c%2fd&e=f.md",
    "2026-03-02-\\back.md",
    "2026-03-02-'\"<b>.md",
    "2026-03-02-" + "x" * 240 + ".md",
    "2026-03-02-" + "é" * 116 + ".md",
    "-rf.md",
    "~.md",
    "con.md",
    "2026-03-02-.md",
    "2026-03-02-é.md",
    "2026-03-02-e\u0301.md",
    "2026-03-02-capitals.MD",
]


@pytest.mark.django_db
def test_odd_names_are_stories_that_readers_reach(site, client):
    for name in ODD_NAMES:
        put(site, name, header("published: true"))
    report = run(site)
    assert report.failed == []
    assert report.totals()["created"] == len(ODD_NAMES) + 1
    for article in Article.objects.all():
        assert client.get(article.get_absolute_url()).status_code == 200, article.stem
        assert len(article.stem) <= 200


@pytest.mark.django_db
def test_a_name_that_is_not_text_or_too_long_is_named(site):
    (site / os.fsdecode(b"_news/caf\xe9.md")).write_bytes(header())
    deep = site / "_news" / ("d" * 200) / ("d" * 200) / ("d" * 200)
    deep.mkdir(parents=True)
    (deep / "deep.md").write_bytes(header())
    report = run(site)
    assert reasons(report) == {
        "caf?.md": "the file's name is not UTF-8",
        "deep.md": "the path is longer than 500 characters",
    }
    assert report.totals()["created"] == 1


@pytest.mark.django_db
def test_what_is_no_file_is_named_and_never_waited_for(site, tmp_path, monkeypatch):
    put(site, "empty.md", b"")
    (site / "_news/folder.md").mkdir()
    (site / "_news/folder.md/2026-03-02-within.md").write_bytes(header())
    os.mkfifo(site / "_news/pipe.md")
    monkeypatch.chdir(site / "_news")  # as the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.md")
    with put(site, "sparse.md").open("wb") as file:
        file.truncate(10**9)
    report = run(site)
    assert report.totals()["created"] == 2  # the good one, and the one in a folder named like a file
    assert reasons(report) == {
        "empty.md": "no front matter: the first line has to be ---",
        "pipe.md": "not a regular file",
        "socket.md": "not a regular file",
        "sparse.md": "the file is too long: at most 1,048,576 bytes are read",
    }


@pytest.mark.django_db
def test_links_lead_no_import_astray(site, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "2026-03-02-outside.md").write_bytes(header())
    news = site / "_news"
    (news / "circle").symlink_to(news)
    (news / "parent").symlink_to(tmp_path)
    (news / "elsewhere").symlink_to(outside)
    for name, target in {
        "outside": outside / "2026-03-02-outside.md",
        "device": Path("/dev/zero"),
        "itself": news / "itself.md",
        "one": news / "two.md",
        "two": news / "one.md",
        "nowhere": news / "nothing.md",
    }.items():
        (news / f"{name}.md").symlink_to(target)
    (news / "2026-03-02-link.md").symlink_to(news / "2026-03-02-good.md")
    report = run(site)
    assert set(reasons(report)) >= {f"{name}.md" for name in ("outside", "device", "itself", "one", "two", "nowhere")}
    assert set(Article.objects.values_list("stem", flat=True)) == {"2026-03-02-good", "2026-03-02-link"}


@pytest.mark.django_db
def test_hard_links_are_files_of_their_own(site):
    os.link(site / "_news/2026-03-02-good.md", site / "_news/2026-03-02-hard.md")
    assert run(site).totals()["created"] == 2


@pytest.mark.django_db
def test_the_same_stem_twice_gives_two_addresses(site):
    for folder in ("a", "b"):
        (site / "_news" / folder).mkdir()
        put(site, f"{folder}/2026-03-02-good.txt")
    report = run(site)
    assert report.failed == []
    assert len(report.warnings) == 2
    assert set(Article.objects.values_list("stem", flat=True)) == {
        "2026-03-02-good",
        "2026-03-02-good-2",
        "2026-03-02-good-3",
    }


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the right to read everything, which root has."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.django_db
def test_what_may_not_be_read_is_named():
    with tempfile.TemporaryDirectory() as folder:  # not below pytest's own, which only its owner may enter
        os.chmod(folder, 0o755)
        site = Path(folder)
        (site / "_news").mkdir()
        put(site, "2026-03-02-good.md")
        put(site, "file.md").chmod(0)
        (site / "_news/folder").mkdir(mode=0)
        with as_nobody():
            report = run(site)
        (site / "_news/folder").chmod(0o700)
    assert reasons(report) == {"file.md": "cannot be read: Permission denied", "folder": "the folder cannot be read"}
    assert report.totals()["created"] == 1


def one_by_one(site: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> ImportReport:
    """Import file by file; when the first is done, something happens."""
    monkeypatch.setattr("articles.importing.BATCH_FILES", 1)
    monkeypatch.setattr("articles.importing.AHEAD", 1)
    calls = iter([meanwhile])
    return import_paths([site], Options(workers=1), progress=lambda done: next(calls, lambda: None)())


@pytest.mark.django_db
def test_a_file_that_vanishes_before_it_is_read_is_named(site, monkeypatch):
    last = put(site, "2026-03-03-last.md")
    report = one_by_one(site, monkeypatch, last.unlink)
    assert reasons(report) == {last.name: "cannot be read: No such file or directory"}
    assert report.totals()["created"] == 1


@pytest.mark.django_db
def test_a_file_that_becomes_a_pipe_is_not_waited_for(site, monkeypatch):
    last = put(site, "2026-03-03-last.md")

    def replace() -> None:
        last.unlink()
        os.mkfifo(last)

    assert set(reasons(one_by_one(site, monkeypatch, replace))) == {last.name}


@pytest.mark.django_db
def test_a_file_that_grows_while_it_is_read_is_read_again_next_time(site, monkeypatch):
    last = put(site, "2026-03-03-last.md", header(title="Short"))
    os.utime(last, (1, 1))
    longer = header(title="Longer than before")

    def grow() -> None:
        last.write_bytes(longer)
        os.utime(last, (1, 1))

    assert one_by_one(site, monkeypatch, grow).failed == []
    assert Article.objects.get(stem="2026-03-03-last").title == "Longer than before"
    last.write_bytes(longer.replace(b"Longer than", b"Quieter now"))
    os.utime(last, (1, 1))
    assert run(site).totals()["updated"] == 1


MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_none_of_it_takes_a_minute_or_200_megabytes(site, tmp_path):
    for name, file in (FILES | LARGEST).items():
        put(site, f"2026-03-02-{name}.md", file.data)
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "x" * 60,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
    }
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True)
    measured = [sys.executable, "-c", MEASURED, *manage, "import_frontmatter", str(site)]
    # Started by a small process: what a child is born with counts as its own memory.
    done = subprocess.run(measured, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, timeout=60)
    status, peak = map(int, done.stdout.split())
    assert status == 1
    assert peak * (1 if sys.platform == "darwin" else 1024) < 200 * MEGABYTE
