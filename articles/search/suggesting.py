"""Help with typing: what begins with what is there so far, and what to try when nothing is found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from django.db.models import Model, Q, QuerySet

from articles.models import Article
from articles.search.asking import SHORTEST_BEGINNING, Query, Words, clean, read
from articles.search.engines import Sought, engine
from articles.search.meaning import Known, Names
from providers.finding import begun_with

if TYPE_CHECKING:
    from articles.models import ArticleQuerySet

OF_A_KIND = 3
HEADLINES = 5
SHORTEST_HEADLINE = 2  # letters that are typed, before headlines are looked through
TRIES = 4


@dataclass(frozen=True)
class Suggestion:
    kind: str  # "topic", "outlet" or "story"
    label: str
    url: str

    def as_data(self) -> dict[str, str]:
        return asdict(self)


def suggest(stories: ArticleQuerySet, known: Known, text: str) -> list[Suggestion]:
    """Topics, outlets and headlines, a few of each: whatever is typed, three queries."""
    return [*names(known, text), *headlines(stories, text)]


def names(known: Known, text: str) -> list[Suggestion]:
    """The topics and outlets of which each word typed begins a word."""
    asked = read(text)
    named = [each.value for each in asked.filters if not each.unwanted]
    begun = begun_with(" ".join([*(each.text for each in asked.wanted), *named]))
    if begun is None:
        return []
    domain = Q(domain__startswith=clean(text).lower())
    kinds: list[tuple[str, QuerySet]] = [
        ("topic", known.topics.filter(begun)),
        ("outlet", known.providers.filter(begun | domain)),
    ]
    return [_suggestion(kind, record, str(record)) for kind, found in kinds for record in found[:OF_A_KIND]]


def headlines(stories: ArticleQuerySet, text: str) -> list[Suggestion]:
    """The newest stories in whose headline all words are begun."""
    asked = read(text).bare()
    wanted = [replace(each, begins=len(each.words[-1]) >= SHORTEST_BEGINNING) for each in asked.wanted]
    if sum(len(word) for each in wanted for word in each.words) < SHORTEST_HEADLINE:
        return []
    found = engine().joined(stories, Sought(tuple(wanted), in_title=True)).values_list("stem", "title")
    told = [Article(stem=stem, title=title) for stem, title in found[:HEADLINES]]
    return [_suggestion("story", story, story.headline) for story in told]


def _suggestion(kind: str, record: Model, label: str) -> Suggestion:
    return Suggestion(kind, label, record.get_absolute_url())  # type: ignore[attr-defined]


# --- When nothing is found ----------------------------------------------------------------------


def instead(stories: ArticleQuerySet, known: Known, query: Query) -> list[Query]:
    """Queries like it that do find something: with a filter or a word less, with the beginning of its only word. Each
    try is a query, so there are few."""
    likes = [query.without(term) for term in query.terms] if len(query.terms) > 1 else list(_beginnings(query))
    meaning = Names.of(query, known).meaning
    meant = ((like, meaning(like).sought) for like in dict.fromkeys(likes) if like)
    tries = islice(((like, sought) for like, sought in meant if sought), TRIES)
    return [like for like, sought in tries if _finds(stories, sought)]


def _beginnings(query: Query) -> Iterable[Query]:
    """Of the only word, without its last letters."""
    for term in query.terms:
        word = term.words[-1] if isinstance(term, Words) and len(term.words) == 1 else ""
        for length in range(len(word) - 1, max(SHORTEST_BEGINNING, len(word) - TRIES) - 1, -1):
            yield read(word[:length] + "*")


def _finds(stories: ArticleQuerySet, sought: Sought) -> bool:
    return bool(engine().joined(stories, sought).values_list("pk")[:1])
