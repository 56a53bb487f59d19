"""What a reader types, as a question. Pure.

    whale "night train" ferr* -tram topic:oceans -provider:"Harbour Post" after:2026-03 before:2027

Whatever is none of these is text, and text is nothing but words: no sign of it reaches a database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice

from providers.words import words

MAX_LENGTH = 200
MAX_TERMS = 20
MAX_FILTERS = 8
OPPOSITES = {"before": "after", "after": "before"}
SHORTEST_BEGINNING = 3  # letters, of which each word finds those that begin with it

_QUOTES = str.maketrans("“”„‟«»＂", '"' * 7)
_UNSAID = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\s]+")
_BARE = r'[^\s"]+'
_TERM = re.compile(
    r"(?P<without>-(?=[^\s-]))?(?:(?P<name>topic|provider|before|after):\s*)?"
    rf'(?:"(?P<quoted>[^"]*)"?|(?P<bare>{_BARE})|$)',
    re.IGNORECASE,
)
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)


def clean(query: str) -> str:
    """The query as it is searched for: capped, and without what databases refuse (NUL, lone surrogates)."""
    return _UNSAID.sub(" ", query[: 4 * MAX_LENGTH]).strip()[:MAX_LENGTH].strip()


@dataclass(frozen=True)
class Words:
    """Words that have to stand side by side; mostly it is one. `begins`: the last may be a longer word's beginning."""

    text: str  # as typed
    words: tuple[str, ...]
    begins: bool = False
    unwanted: bool = False


@dataclass(frozen=True)
class Filter:
    """`topic:oceans`: one of the names, and its value. `unwanted`: what it finds is left out."""

    name: str
    value: str
    unwanted: bool = False

    @property
    def text(self) -> str:
        value = self.value if re.fullmatch(_BARE, self.value) else f'"{self.value}"'
        return f"{'-' * self.unwanted}{self.name}:{value}"

    @property
    def day(self) -> date | None:
        """The first of what is named: 2026-11 → 1 November. None when there is no such day."""
        if not (match := _DAY.fullmatch(self.value)):
            return None
        year, month, day = (int(part or 1) for part in match.groups())
        try:
            return date(year, month, day) if 1900 <= year <= 2201 else None  # stories are before that
        except ValueError:
            return None


Term = Words | Filter


@dataclass(frozen=True)
class Query:
    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    @cached_property
    def text(self) -> str:
        """So typed, it would be the same query."""
        return " ".join(term.text for term in self.terms)

    @property
    def wanted(self) -> list[Words]:
        return [term for term in self.terms if isinstance(term, Words) and not term.unwanted]

    @property
    def unwanted(self) -> list[Words]:
        return [term for term in self.terms if isinstance(term, Words) and term.unwanted]

    @property
    def filters(self) -> list[Filter]:
        return [term for term in self.terms if isinstance(term, Filter)]

    @property
    def has_too_many_filters(self) -> bool:
        return len(self.filters) > MAX_FILTERS

    def named(self, name: str) -> list[Filter]:
        return [each for each in self.filters if each.name == name]

    def values(self, name: str) -> list[str]:
        return [each.value for each in self.named(name)]

    def days(self, name: str) -> list[date]:
        return [each.day for each in self.named(name) if each.day]

    def without(self, *terms: Term) -> Query:
        return Query(tuple(term for term in self.terms if term not in terms))

    def without_filters(self, *names: str) -> Query:
        """Without those of these names that say what is wanted."""
        return self.without(*(each for each in self.filters if each.name in names and not each.unwanted))

    def plus(self, *filters: Filter) -> Query:
        return Query((*self.terms, *(each for each in filters if each not in self.terms)))

    def bare(self) -> Query:
        """The words alone."""
        return Query(tuple(term for term in self.terms if isinstance(term, Words)))


def read(query: str) -> Query:
    return Query(tuple(dict.fromkeys(_terms(clean(query)))))


def _terms(text: str) -> Iterator[Term]:
    for match in islice(_TERM.finditer(text.translate(_QUOTES)), MAX_TERMS):
        if match["name"]:
            yield _filter(match)
        elif found := words(match.group()):
            yield _words(match, tuple(found))


def _filter(match: re.Match[str]) -> Filter:
    """It may have no value: that is said to the reader, and not taken for a word."""
    name, value = match["name"].lower(), " ".join((match["bare"] or match["quoted"] or "").split())
    if match["without"] and name in OPPOSITES:  # what is not before a day is after it
        return Filter(OPPOSITES[name], value)
    return Filter(name, value, match["without"] is not None)


def _words(match: re.Match[str], found: tuple[str, ...]) -> Words:
    text, is_quoted, is_unwanted = match.group(), match["bare"] is None, match["without"] is not None
    if is_quoted and not text.endswith('"'):
        text += '"'
    begins = not is_quoted and not is_unwanted and len(found[-1]) >= SHORTEST_BEGINNING
    return Words(text, found, begins, is_unwanted)
