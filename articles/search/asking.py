"""What a reader types, as a question. Pure.

    whale "night train" ferr* -tram topic:oceans provider:"Harbour Post" after:2026-03 before:2027

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
SHORTEST_BEGINNING = 3  # letters, of which each word finds those that begin with it

_QUOTES = str.maketrans("“”„‟«»＂", '"' * 7)
_UNSAID = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\s]+")
_BARE = r'[^\s"]+'
_TERM = re.compile(
    r"(?P<without>-(?=[^\s-]))?(?:(?P<name>topic|provider|before|after):)?"
    rf'(?:"(?P<quoted>[^"]*)"?|(?P<bare>{_BARE}))',
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
    """`topic:oceans`: one of the names, and its value."""

    name: str
    value: str

    @property
    def text(self) -> str:
        return f"{self.name}:{self.value}" if re.fullmatch(_BARE, self.value) else f'{self.name}:"{self.value}"'

    @property
    def day(self) -> date | None:
        """The first of what is named: 2026-11 → 1 November. None when there is no such day."""
        if not (match := _DAY.fullmatch(self.value)):
            return None
        year, month, day = (int(part or 1) for part in match.groups())
        try:
            return date(year, month, day) if 1900 <= year <= 2200 else None
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
        return self.without(*(each for each in self.filters if each.name in names))

    def plus(self, *filters: Filter) -> Query:
        return Query((*self.terms, *(each for each in filters if each not in self.terms)))

    def bare(self) -> Query:
        """The words alone."""
        return Query(tuple(term for term in self.terms if isinstance(term, Words)))


def read(query: str) -> Query:
    return Query(tuple(dict.fromkeys(_terms(clean(query)))))


def _terms(text: str) -> Iterator[Term]:
    for match in islice(_TERM.finditer(text.translate(_QUOTES)), MAX_TERMS):
        value = match["quoted"] if match["bare"] is None else match["bare"]
        if match["name"] and not match["without"] and value.strip():
            yield Filter(match["name"].lower(), " ".join(value.split()))
        elif found := words(match.group()):
            yield _words(match, tuple(found))


def _words(match: re.Match[str], found: tuple[str, ...]) -> Words:
    text, is_quoted, is_unwanted = match.group(), match["bare"] is None, match["without"] is not None
    if is_quoted and not text.endswith('"'):
        text += '"'
    begins = not is_quoted and not is_unwanted and len(found[-1]) >= SHORTEST_BEGINNING
    return Words(text, found, begins, is_unwanted)
