"""Old addresses: where a story, a topic or a provider was before its stem, slug or domain changed.

A row points at the record, not at another address, so however often a name changes there is one step to the newest.
A name that a record takes, or takes back, is nobody's old address any more; a story takes it when it is published, so
that a draft breaks no link. A story that was never given a time to go live had an address that no reader knew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models

from articles.models import Article, OldAddress, Topic
from articles.triggers.sql import PREFIX, Part
from providers.models import Provider

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

OLD = OldAddress._meta.db_table


@dataclass(frozen=True)
class Named:
    """A table whose rows have a name in an address. `kind` is the column that points at them too."""

    model: type[models.Model]
    kind: str
    column: str
    was_known: str = "1 = 1"  # whether anybody can have the address of the row `OLD`
    takes: str = "1 = 1"  # whether the row `{row}` has its name for itself
    taken_with: str = ""  # the column that this depends on

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def trigger(self, event: str) -> str:
        return f"{PREFIX}addresses_{self.table}_{event}"

    @property
    def changing(self) -> list[str]:
        return [self.column, self.taken_with] if self.taken_with else [self.column]

    @property
    def changed(self) -> str:
        return " OR ".join(f"OLD.{column} <> NEW.{column}" for column in self.changing)

    def remember(self, moment: str) -> str:
        """Where the name is an old address already, the record never was public under it."""
        return (
            f"INSERT INTO {OLD} (kind, name, {self.kind}_id, created_at) "
            f"SELECT '{self.kind}', OLD.{self.column}, NEW.id, {moment} "
            f"WHERE OLD.{self.column} <> NEW.{self.column} AND {self.was_known} ON CONFLICT DO NOTHING"
        )

    def forget(self, taken: str) -> str:
        return f"DELETE FROM {OLD} WHERE kind = '{self.kind}' AND name IN ({taken})"

    def forget_new(self) -> str:
        is_taken = f"({self.takes.format(row='NEW')} OR {self.kind}_id = NEW.id)"
        return f"{self.forget(f'NEW.{self.column}')} AND {is_taken}"


NAMED = [
    Named(
        Article,
        OldAddress.Kind.ARTICLE.value,
        "stem",
        was_known="OLD.publish_at IS NOT NULL",
        takes=f"{{row}}.status = '{Article.Status.PUBLISHED.value}'",
        taken_with="status",
    ),
    Named(Topic, OldAddress.Kind.TOPIC.value, "slug"),
    Named(Provider, OldAddress.Kind.PROVIDER.value, "domain"),
]


def statements(connection: BaseDatabaseWrapper) -> Iterator[str]:
    of_named = _postgres if connection.vendor == "postgresql" else _sqlite
    return (statement for named in NAMED for statement in of_named(named))


PART = Part(frozenset({OLD, *(named.table for named in NAMED)}), statements)


def _sqlite(named: Named) -> Iterator[str]:
    """Moments as Django writes them."""
    remember = named.remember("strftime('%Y-%m-%d %H:%M:%f', 'now')")
    yield (
        f"CREATE TRIGGER {named.trigger('insert')} AFTER INSERT ON {named.table} "
        f"FOR EACH ROW WHEN {named.takes.format(row='NEW')} AND EXISTS (SELECT 1 FROM {OLD}) "
        f"BEGIN {named.forget(f'NEW.{named.column}')}; END"
    )
    yield (
        f"CREATE TRIGGER {named.trigger('update')} AFTER UPDATE OF {', '.join(named.changing)} ON {named.table} "
        f"FOR EACH ROW WHEN {named.changed} BEGIN {named.forget_new()}; {remember}; END"
    )


def _postgres(named: Named) -> Iterator[str]:
    """Once a statement where many rows are inserted at a time."""
    taken = f"SELECT {named.column} FROM inserted WHERE {named.takes.format(row='inserted')}"
    yield _function(named.trigger("insert"), named.forget(taken))
    yield _function(named.trigger("update"), f"{named.forget_new()}; {named.remember('now()')}")
    yield (
        f"CREATE TRIGGER {named.trigger('insert')} AFTER INSERT ON {named.table} REFERENCING NEW TABLE AS inserted "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {named.trigger('insert')}()"
    )
    yield (
        f"CREATE TRIGGER {named.trigger('update')} AFTER UPDATE OF {', '.join(named.changing)} ON {named.table} "
        f"FOR EACH ROW WHEN ({named.changed}) EXECUTE FUNCTION {named.trigger('update')}()"
    )


def _function(name: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NULL; END $$"
    )
