"""Old addresses: where a story, a topic or a provider was before its stem, slug or domain changed.

A row points at the record, not at another address, so however often a name changes there is one step to the newest.
A name that a record takes, or takes back, is nobody's old address any more. A story that was never given a time to go
live had an address that no reader knew.
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

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def trigger(self, event: str) -> str:
        return f"{PREFIX}addresses_{self.table}_{event}"

    def remember(self, moment: str) -> str:
        return (
            f"INSERT INTO {OLD} (kind, name, {self.kind}_id, created_at) "
            f"SELECT '{self.kind}', OLD.{self.column}, NEW.id, {moment} WHERE {self.was_known} "
            f"ON CONFLICT (kind, name) DO UPDATE SET {self.kind}_id = excluded.{self.kind}_id"
        )

    def forget(self, taken: str) -> str:
        return f"DELETE FROM {OLD} WHERE kind = '{self.kind}' AND name IN ({taken})"


NAMED = [
    Named(Article, OldAddress.Kind.ARTICLE.value, "stem", "OLD.publish_at IS NOT NULL"),
    Named(Topic, OldAddress.Kind.TOPIC.value, "slug"),
    Named(Provider, OldAddress.Kind.PROVIDER.value, "domain"),
]


def statements(connection: BaseDatabaseWrapper) -> Iterator[str]:
    of_named = _postgres if connection.vendor == "postgresql" else _sqlite
    return (statement for named in NAMED for statement in of_named(named))


PART = Part(frozenset({OLD, *(named.table for named in NAMED)}), statements)


def _sqlite(named: Named) -> Iterator[str]:
    """Moments as Django writes them."""
    forget = named.forget(f"NEW.{named.column}")
    remember = named.remember("strftime('%Y-%m-%d %H:%M:%f', 'now')")
    yield (
        f"CREATE TRIGGER {named.trigger('insert')} AFTER INSERT ON {named.table} "
        f"FOR EACH ROW WHEN EXISTS (SELECT 1 FROM {OLD}) BEGIN {forget}; END"
    )
    yield (
        f"CREATE TRIGGER {named.trigger('update')} AFTER UPDATE OF {named.column} ON {named.table} "
        f"FOR EACH ROW WHEN OLD.{named.column} <> NEW.{named.column} BEGIN {forget}; {remember}; END"
    )


def _postgres(named: Named) -> Iterator[str]:
    """Once a statement where many rows are inserted at a time."""
    yield _function(named.trigger("insert"), named.forget(f"SELECT {named.column} FROM inserted"))
    yield _function(named.trigger("update"), f"{named.forget(f'NEW.{named.column}')}; {named.remember('now()')}")
    yield (
        f"CREATE TRIGGER {named.trigger('insert')} AFTER INSERT ON {named.table} REFERENCING NEW TABLE AS inserted "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {named.trigger('insert')}()"
    )
    yield (
        f"CREATE TRIGGER {named.trigger('update')} AFTER UPDATE OF {named.column} ON {named.table} "
        f"FOR EACH ROW WHEN (OLD.{named.column} <> NEW.{named.column}) EXECUTE FUNCTION {named.trigger('update')}()"
    )


def _function(name: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NULL; END $$"
    )
