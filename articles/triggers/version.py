"""The site's version: its token is another one after each transaction that changes what readers see, from the very
commit on. Pages that were kept under an older token are never asked for again (`articles.remembered.version`).

Drafts change nothing: rows count that belong to a published story (its time may be yet to come), and all of topics and
providers. On SQLite each row moves the token. On PostgreSQL one does, when the transaction commits: no lock on the one
row is held while the transaction waits for others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models

from articles.models import (
    Article,
    ArticleImage,
    ArticleTopic,
    OldAddress,
    RelatedImage,
    RelatedStory,
    SiteVersion,
    SourceFile,
    Topic,
    TopicImage,
)
from articles.triggers.sql import PREFIX, Part, run
from images.models import RemoteImage
from providers.models import Provider, ProviderImage

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

VERSION = SiteVersion._meta.db_table
PUBLISHED = f"status = '{Article.Status.PUBLISHED.value}'"
ALWAYS = "1 = 1"


def _of_article(key: str) -> str:
    return f"EXISTS (SELECT 1 FROM articles_article a WHERE a.id = {{row}}.{key} AND a.{PUBLISHED})"


_IN_PUBLIC = (
    "EXISTS (SELECT 1 FROM articles_articleimage u JOIN articles_article a ON a.id = u.article_id"
    f" WHERE u.image_id = {{row}}.id AND a.{PUBLISHED})"
    " OR EXISTS (SELECT 1 FROM articles_relatedimage u JOIN articles_relatedstory s ON s.id = u.related_story_id"
    f" JOIN articles_article a ON a.id = s.article_id WHERE u.image_id = {{row}}.id AND a.{PUBLISHED})"
    " OR EXISTS (SELECT 1 FROM articles_topicimage u WHERE u.image_id = {row}.id)"
    " OR EXISTS (SELECT 1 FROM providers_providerimage u WHERE u.image_id = {row}.id)"
)


@dataclass(frozen=True)
class Watched:
    """A table that pages are made of. `counts`: which rows readers may see something of, for a row named `{row}`."""

    model: type[models.Model]
    counts: str
    unseen: frozenset[str] = frozenset()  # columns of no concern to readers

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def columns(self) -> list[str]:
        return [str(field.column) for field in self.model._meta.concrete_fields if field.attname not in self.unseen]

    def row_counts(self, row: str) -> str:
        return f"({self.counts.format(row=row)})"


WATCHED = [
    Watched(
        Article,
        f"{{row}}.{PUBLISHED}",
        frozenset({"secured", "search_text", "link_key", "no_picture", "version", "created_by_id", "created_at"}),
    ),
    Watched(ArticleTopic, _of_article("content_object_id")),
    Watched(ArticleImage, _of_article("article_id")),
    Watched(RelatedStory, _of_article("article_id")),
    Watched(
        RelatedImage,
        "EXISTS (SELECT 1 FROM articles_relatedstory s JOIN articles_article a ON a.id = s.article_id"
        f" WHERE s.id = {{row}}.related_story_id AND a.{PUBLISHED})",
    ),
    Watched(  # the API names its path
        SourceFile,
        _of_article("article_id"),
        frozenset({"id", "provider_id", "topic_id", "tree", "text", "digest", "seen_as", "imported_at"}),
    ),
    Watched(Topic, ALWAYS),
    Watched(TopicImage, ALWAYS),
    Watched(Provider, ALWAYS, frozenset({"created_at", "modified_at"})),
    Watched(ProviderImage, ALWAYS),
    Watched(OldAddress, ALWAYS, frozenset({"created_at"})),
    Watched(
        RemoteImage,
        _IN_PUBLIC,
        frozenset(
            {
                *("reason", "detail", "attempts", "next_attempt_at", "attempted_at", "urgent", "etag"),
                *("last_modified", "by_hand", "byte_size", "created_at", "fetched_at", "format"),
            }
        ),
    ),
]


def statements(connection: BaseDatabaseWrapper) -> Iterator[str]:
    """And another token: nobody moved it while the triggers were away."""
    yield from _postgres() if connection.vendor == "postgresql" else _sqlite()
    yield f"UPDATE {VERSION} SET token = {_token(connection)} WHERE id = 1"


def prepare(connection: BaseDatabaseWrapper) -> bool:
    """The one row, which `flush` takes away."""
    run(connection, f"INSERT INTO {VERSION} (id, token) VALUES (1, {_token(connection)}) ON CONFLICT DO NOTHING")
    return False


PART = Part(frozenset({VERSION, *(watched.table for watched in WATCHED)}), statements, prepare)

SQLITE_TOKEN = "random()"  # noqa: S105
POSTGRES_TOKEN = "('x' || left(replace(gen_random_uuid()::text, '-', ''), 16))::bit(64)::bigint"  # noqa: S105


def _token(connection: BaseDatabaseWrapper) -> str:
    return POSTGRES_TOKEN if connection.vendor == "postgresql" else SQLITE_TOKEN


def _changes(watched: Watched) -> Iterator[tuple[str, list[str]]]:
    """The events that may count, each with the rows that say whether they do."""
    if watched.model is not RemoteImage:  # a picture is nothing to readers before it is used, and in use it stays
        yield "INSERT", ["NEW"]
        yield "DELETE", ["OLD"]
    yield "UPDATE", ["OLD", "NEW"]


def _differs(watched: Watched, operator: str) -> str:
    return " OR ".join(f'OLD."{column}" {operator} NEW."{column}"' for column in watched.columns)


def _sqlite() -> Iterator[str]:
    for watched in WATCHED:
        for event, rows in _changes(watched):
            counts = " OR ".join(map(watched.row_counts, rows))
            when = f"({_differs(watched, 'IS NOT')}) AND ({counts})" if event == "UPDATE" else counts
            yield (
                f"CREATE TRIGGER {PREFIX}version_{watched.table}_{event.lower()} AFTER {event} ON {watched.table} "
                f"FOR EACH ROW WHEN {when} BEGIN UPDATE {VERSION} SET token = {SQLITE_TOKEN} WHERE id = 1; END"
            )


def _postgres() -> Iterator[str]:
    yield from _postgres_truncate()
    for watched in WATCHED:
        for event, rows in _changes(watched):
            name = f"{PREFIX}version_{watched.table}_{event.lower()}"
            counts = " OR ".join(map(watched.row_counts, rows))
            when = f" WHEN ({_differs(watched, 'IS DISTINCT FROM')})" if event == "UPDATE" else ""
            yield _POSTGRES_FUNCTION.format(name=name, counts=counts)
            yield (
                f"CREATE CONSTRAINT TRIGGER {name} AFTER {event} ON {watched.table} DEFERRABLE INITIALLY DEFERRED "
                f"FOR EACH ROW{when} EXECUTE FUNCTION {name}()"
            )


def _postgres_truncate() -> Iterator[str]:
    """At once: a statement's trigger cannot be deferred."""
    function = f"{PREFIX}version_truncate"
    yield _POSTGRES_FUNCTION.format(name=function, counts="true")
    for watched in WATCHED:
        yield (
            f"CREATE TRIGGER {PREFIX}version_{watched.table}_truncate AFTER TRUNCATE ON {watched.table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )


# The setting is the transaction's own, and goes with it, or with the savepoint that is rolled back.
_POSTGRES_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {{name}}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('copydesk.bumped', true) IS DISTINCT FROM txid_current()::text AND ({{counts}}) THEN
        UPDATE {VERSION} SET token = {POSTGRES_TOKEN} WHERE id = 1;
        PERFORM set_config('copydesk.bumped', txid_current()::text, true);
    END IF;
    RETURN NULL;
END $$
"""
