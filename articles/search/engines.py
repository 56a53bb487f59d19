"""The two databases' full text search, behind one small interface. Both are given words, never what was typed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from django.db import connection
from django.db.models.expressions import RawSQL

from articles.search.asking import Words
from articles.triggers.index import ID_BITS, TABLE

if TYPE_CHECKING:
    from articles.models import ArticleQuerySet

_ID = f"{TABLE}.rowid & {(1 << ID_BITS) - 1}"


@dataclass(frozen=True)
class Sought:
    """What is looked for. `keys`: of each group, a story has one (`t12`: in that topic, `p3`: of that provider), and
    none of the `unwanted_keys`."""

    wanted: tuple[Words, ...] = ()
    unwanted: tuple[Words, ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    in_title: bool = False
    unwanted_keys: tuple[str, ...] = ()

    def within(self, stories: ArticleQuerySet) -> ArticleQuerySet:
        """Those of its days."""
        if self.since:
            stories = stories.filter(published_at__gte=self.since)
        if self.until:
            stories = stories.filter(published_at__lt=self.until)
        return stories


class Engine(Protocol):
    def joined(self, stories: ArticleQuerySet, sought: Sought) -> Any:
        """A queryset of those of `stories` that match, newest first, with their `minute` (since 1970) and `relevance`.
        To be sliced: the work is in proportion to what is taken, not to what matches."""

    def among(self, ids: list[int]) -> RawSQL:
        """For `…__in`: as one parameter, however many."""


def engine() -> Engine:
    return PostgreSQL() if connection.vendor == "postgresql" else SQLite()


class SQLite:
    """FTS5 goes through its rows by their numbers, which begin with the minute (`articles.triggers.index`)."""

    RELEVANCE = f"-bm25({TABLE}, 10.0, 2.0, 3.0, 5.0, 0.0)"  # title, excerpt, provider, topics, keys

    def joined(self, stories: ArticleQuerySet, sought: Sought) -> Any:
        conditions, parameters = self._conditions(sought)
        return (
            sought.within(stories)
            .order_by()
            .extra(  # noqa: S610 (our own SQL; what was typed is a parameter)
                select={"minute": f"{TABLE}.rowid >> {ID_BITS}", "relevance": self.RELEVANCE},
                tables=[TABLE],
                where=[*conditions, f"articles_article.id = ({_ID})"],
                params=parameters,
                order_by=[f"-{TABLE}.rowid"],
            )
        )

    def among(self, ids: list[int]) -> RawSQL:
        return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(ids)])

    def _conditions(self, sought: Sought) -> tuple[list[str], list[Any]]:
        conditions = [f"{TABLE} MATCH %s"]
        parameters: list[Any] = [self._match(sought)]
        for moment, comparison in ((sought.since, ">="), (sought.until, "<")):
            if moment:
                conditions.append(f"{TABLE}.rowid {comparison} %s")
                parameters.append(int(moment.timestamp() // 60) << ID_BITS)
        return conditions, parameters

    def _match(self, sought: Sought) -> str:
        columns = "title" if sought.in_title else "{title excerpt provider topics}"
        among = [f"keys : ({' OR '.join(group)})" for group in sought.keys]
        among += [f"{columns} : ({self._phrase(words)})" for words in sought.wanted]
        match = " AND ".join(among or ["keys : all"])
        unwanted = [f"{columns} : ({self._phrase(words)})" for words in sought.unwanted]
        unwanted += [f"keys : {key}" for key in sought.unwanted_keys]
        return f"({match}) NOT ({' OR '.join(unwanted)})" if unwanted else match

    @staticmethod
    def _phrase(words: Words) -> str:
        """The word itself counts more than a longer one: it is found twice."""
        exact = f'"{" ".join(words.words)}"'
        return f"{exact} OR {exact} *" if words.begins else exact


class PostgreSQL:
    WEIGHTS = "{0.2, 0.3, 0.5, 1.0}"  # excerpt, provider, topics, title

    def joined(self, stories: ArticleQuerySet, sought: Sought) -> Any:
        words = self._all(sought, sought.wanted)
        relevance = f"ts_rank('{self.WEIGHTS}', {TABLE}.document, %s::tsquery)" if words else "0.0"
        return (
            sought.within(stories)
            .order_by("-published_at", "-pk")
            .extra(  # noqa: S610 (the same)
                select={"minute": "floor(extract(epoch FROM published_at) / 60)::bigint", "relevance": relevance},
                select_params=[words] if words else [],
                tables=[TABLE],
                where=[f"{TABLE}.article_id = articles_article.id", f"{TABLE}.document @@ %s::tsquery"],
                params=[self._match(sought)],
            )
        )

    def among(self, ids: list[int]) -> RawSQL:
        return RawSQL("SELECT unnest(%s::bigint[])", [ids])

    def _match(self, sought: Sought) -> str:
        among = ["(" + " | ".join(f"'#{key}'" for key in group) + ")" for group in sought.keys]
        among += [part for part in (self._all(sought, sought.wanted),) if part]
        among += [f"!({self._phrase(words, '')})" for words in sought.unwanted]
        among += [f"!'#{key}'" for key in sought.unwanted_keys]
        return " & ".join(among if sought.keys or sought.wanted else ["'#all'", *among])

    def _all(self, sought: Sought, wanted: Iterable[Words]) -> str:
        return " & ".join(f"({self._phrase(words, 'A' * sought.in_title)})" for words in wanted)

    @staticmethod
    def _phrase(words: Words, weight: str) -> str:
        *before, last = words.words
        exact = [f"'{word}':{weight}" if weight else f"'{word}'" for word in (*before, last)]
        longer = [*exact[:-1], f"'{last}':*{weight}"]
        return " <-> ".join(exact) + (f" | {' <-> '.join(longer)}" if words.begins else "")
