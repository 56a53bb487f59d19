"""The three-way merge, by its laws and by example."""

import dataclasses

from hypothesis import given, settings

from articles.documents import ArticleDocument
from articles.merging import changed_fields, merge
from tests.articles.test_documents import articles
from tests.factories import NOON

BASE = ArticleDocument(title="Base", published_at=NOON, excerpt="One.", topics=("AI", "Cars"), heat=1)


def but(**changes) -> ArticleDocument:
    return dataclasses.replace(BASE, **changes)


@settings(max_examples=60, deadline=None)
@given(articles, articles)
def test_the_laws_of_merging(base, other):
    assert not changed_fields(merge(base, other, base).document, other)
    assert not changed_fields(merge(base, base, other).document, other)
    assert not changed_fields(merge(base, other, other).document, other)


def test_the_sources_changes_flow_in_beside_the_editors_own():
    merged = merge(BASE, but(title="Ours"), but(excerpt="Theirs."))
    assert merged.document == but(title="Ours", excerpt="Theirs.")
    assert (merged.taken, merged.kept, merged.conflicts) == (("excerpt",), ("title",), ())


def test_what_both_changed_differently_stays_ours_and_is_a_conflict():
    merged = merge(BASE, but(title="Ours"), but(title="Theirs"))
    assert merged.document.title == "Ours"
    assert merged.conflicts == ("title",)


def test_what_both_changed_alike_is_no_conflict():
    merged = merge(BASE, but(title="Same"), but(title="Same"))
    assert (merged.taken, merged.kept, merged.conflicts) == ((), (), ())


def test_another_spelling_of_a_topic_is_no_change():
    assert not changed_fields(BASE, but(topics=("ai", " CARS", "AI")))
    assert changed_fields(BASE, but(topics=("Cars", "AI"))) == ("topics",)
