"""Changing a document in its own text."""

import dataclasses
import difflib

import pytest
import yaml
from hypothesis import given, settings

from articles.documents import ArticleDocument, ImageRef, ProviderRef, edit, read, to_data, write
from tests.articles.test_documents import FULL, articles

FOREIGN = """\ufeff---
# written by hand
title: 'It''s a start'   # the headline
category:  news
topics: [AI, "Cars"]
images:
- url: 'https://a.example/1.jpg'
  width: 10

- url: 'https://a.example/2.jpg'
type: article
publishedDateTime: 2026-03-02 10:15:00 +0100
excerpt: >
  Folded over
  two lines.

# the end
provider: {name: Wired, domain: wired.com}
published: no
---

Body text.
"""


def changed_lines(before: str, after: str) -> list[str]:
    """The lines that are gone (-) and new (+)."""
    diff = difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=0)
    return [line for line in list(diff)[2:] if line[0] in "+-"]


def edited(source: str, **changes) -> list[str]:
    """The lines that an edit touches; the result says what was meant."""
    before = read(source.encode())
    after = dataclasses.replace(before, **changes)
    result = edit(source.encode(), after)
    assert read(result.encode()) == after
    return changed_lines(source, result)


def test_an_edit_to_nothing_changes_nothing():
    for source in (FULL, FOREIGN, FOREIGN.replace("\n", "\r\n")):
        assert edit(source.encode(), read(source.encode())) == source


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"title": "Isn't it"}, ["-title: 'It''s a start'   # the headline", "+title: 'Isn''t it'   # the headline"]),
        ({"type": "video"}, ["-type: article", "+type: video"]),
        ({"published": True}, ["-published: no", "+published: true"]),
        ({"category": "people"}, ["-category:  news", "+category: people"]),
        ({"excerpt": "One line."}, ["-excerpt: >", "-  Folded over", "-  two lines.", '+excerpt: "One line."']),
        ({"quality": 7}, ["+quality: 7"]),
    ],
)
def test_only_the_lines_of_the_edited_key_change_and_keep_its_quoting(changes, lines):
    assert edited(FOREIGN, **changes) == lines


def test_lists_keep_the_files_indentation_and_quoting():
    images = (ImageRef(url="https://a.example/1.jpg", width=12), ImageRef(url="https://a.example/2.jpg"))
    assert edited(FOREIGN, images=images) == ["-  width: 10", "-", "+  width: 12"]
    assert edited(FULL, topics=("Transport", "Harbour")) == ["-  - City life", "+  - Harbour"]


def test_a_new_key_finds_its_place_in_the_house_order():
    source = FULL.replace("type: video\n", "").replace("quality: 63\n", "")
    assert edited(source, quality=5) == ["+quality: 5"]
    result = edit(source.encode(), dataclasses.replace(read(source.encode()), quality=5))
    assert "quality: 5\nheat: -1\n" in result


def test_a_key_taken_away_leaves_no_gap():
    result = edit(FULL.encode(), dataclasses.replace(read(FULL.encode()), topics=()))
    assert "authors:\n    - name: Ada\n\nimages:\n" in result


def test_line_endings_are_the_files_own():
    source = FULL.replace("\n", "\r\n")
    result = edit(source.encode(), dataclasses.replace(read(source.encode()), quality=5, topics=("A", "B", "C")))
    assert result.count("\n") == result.count("\r\n")
    assert "  - C\r\n" in result


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\r", "\ufeff", "🚋"])
def test_line_breaks_that_only_yaml_counts_lead_no_edit_astray(mark):
    source = FULL.replace("After nine years", f"After{mark}nine{mark}years")
    assert edited(source, quality=5) == ["-quality: 63", "+quality: 5"]


def test_a_body_can_be_edited_too():
    assert edited(FOREIGN, body="Other text.") == ["-Body text.", "+Other text."]


@pytest.mark.parametrize("text", ["0b1", "0x1f", "017", "1_000", "12:30", "3.5", "1e5", "2026-03-02"])
def test_text_that_looks_like_a_number_keeps_its_quotes_beside_plain_text(text):
    source = "---\ntitle: A\npublishedDateTime: 2026-03-02\nwords:\n- plain\n---\n".replace("\n", "\r\n")
    changed = edit(source.encode(), dataclasses.replace(read(source.encode()), extra={"words": [text, "other"]}))
    assert changed.replace("'", '"') == source.replace("plain", f'"{text}"\r\n- other')


@pytest.mark.parametrize("key", ["¹¥", "null", "a b"])
def test_a_mapping_that_begins_behind_a_dash_is_not_taken_for_text(key):
    extra = {"list": ["quoted", {key: None, "b": 1}]}
    source = write(dataclasses.replace(read(FULL.encode()), extra={"list": ["x: y"]})).replace("\n", "\r\n")
    result = edit(source.encode(), dataclasses.replace(read(source.encode()), extra=extra))
    assert read(result.encode()).extra == extra
    assert result.count("\n") == result.count("\r\n")  # edited by lines, and not written anew


def test_what_cannot_be_edited_by_lines_is_written_anew():
    for source in (
        "---\n{title: A, publishedDateTime: 2026-03-02}\n---\n",
        FULL.replace("mood: calm", "mood: &x calm\nair: *x"),
        FULL.replace("mood: calm", "mood: {calm\nair: }"),  # which PyYAML would not read
    ):
        before = read(source.encode())
        after = dataclasses.replace(before, title="B", provider=ProviderRef(name="P", domain="p.example"))
        assert edit(source.encode(), after) == write(after)


@settings(max_examples=60, deadline=None)
@given(articles, articles)
def test_an_edited_file_says_what_was_meant(before, after):
    after = dataclasses.replace(after, extra=before.extra)
    for source in (write(before), _dumped(before)):
        assert read(edit(source.encode(), after).encode()) == after


def _dumped(document: ArticleDocument) -> str:
    """The document as PyYAML writes it: other quoting, sorted keys, lists not indented."""
    header = to_data(dataclasses.replace(document, body=""))
    return f"---\n{yaml.safe_dump(header, allow_unicode=True)}---\n{document.body}\n"
