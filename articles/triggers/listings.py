"""Which topics' pages list a story: those of its topics, and of the topics directly above them (`TopicListing`).

A list that is read in order from one index costs the same on its first page and on its four hundredth, for a topic with
all stories and for one with three. Only published stories are in it, so that drafts are not stepped over either.

On PostgreSQL, who adds or takes away a topic waits for who is just publishing the story, and both for who is moving the
topic below another (`FOR SHARE`): else neither would see what the other did, and the list would stay wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from articles.models import Article, ArticleTopic, Topic, TopicListing
from articles.triggers.sql import PREFIX, Part

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

LISTING = TopicListing._meta.db_table
ARTICLE = Article._meta.db_table
ITEM = ArticleTopic._meta.db_table
TOPIC = Topic._meta.db_table
PUBLISHED = f"a.status = '{Article.Status.PUBLISHED.value}'"
_INTO = f"INSERT INTO {LISTING} (topic_id, article_id, published_at)"

# Every pair of a story and a topic whose page lists it, for the items that `{items}` names as `i`.
_PAIRS = (
    "SELECT i.content_object_id AS article_id, i.tag_id AS topic_id FROM {items}"
    " UNION SELECT i.content_object_id, t.parent_id FROM {items}"
    f" JOIN {TOPIC} t ON t.id = i.tag_id WHERE t.parent_id IS NOT NULL"
)


def _list(items: str) -> str:
    return (
        f"{_INTO} SELECT p.topic_id, a.id, a.published_at FROM ({_PAIRS.format(items=items)}) p"
        f" JOIN {ARTICLE} a ON a.id = p.article_id WHERE {PUBLISHED} ON CONFLICT DO NOTHING"
    )


def _items_of(story: str) -> str:
    return f"(SELECT * FROM {ITEM} WHERE content_object_id = {story}) i"


def _unlist(story: str) -> str:
    """Where the story has no longer a topic for it."""
    pairs = _PAIRS.format(items=_items_of(story))
    return f"DELETE FROM {LISTING} WHERE article_id = {story} AND topic_id NOT IN (SELECT p.topic_id FROM ({pairs}) p)"


_MOVE = (
    f"DELETE FROM {LISTING} WHERE topic_id = OLD.parent_id"
    f" AND article_id IN (SELECT content_object_id FROM {ITEM} WHERE tag_id = NEW.id)"
    f" AND NOT EXISTS (SELECT 1 FROM {ITEM} i JOIN {TOPIC} t ON t.id = i.tag_id"
    f" WHERE i.content_object_id = {LISTING}.article_id AND (t.id = OLD.parent_id OR t.parent_id = OLD.parent_id))",
    f"{_INTO} SELECT NEW.parent_id, a.id, a.published_at FROM {ITEM} i JOIN {ARTICLE} a ON a.id = i.content_object_id"
    f" WHERE i.tag_id = NEW.id AND NEW.parent_id IS NOT NULL AND {PUBLISHED} ON CONFLICT DO NOTHING",
)


def _lock(table: str, which: str) -> str:
    """In the order of their keys, so that two at it do not wait for each other."""
    return f"PERFORM 1 FROM {table} WHERE id IN ({which}) ORDER BY id FOR SHARE"


def _topics_of(stories: str) -> str:
    return f"SELECT tag_id FROM {ITEM} WHERE content_object_id IN ({stories})"


class Kept(NamedTuple):
    """What is done for each row after something happens to it."""

    table: str
    event: str
    statements: tuple[str, ...]
    changed: tuple[str, ...] = ()  # an update counts when one of these did
    locks: tuple[str, ...] = ()  # what PostgreSQL does first


KEPT = [
    Kept(
        ITEM,
        "DELETE",
        (_unlist("OLD.content_object_id"),),
        locks=(
            _lock(ARTICLE, "OLD.content_object_id"),
            _lock(TOPIC, f"SELECT OLD.tag_id UNION ALL {_topics_of('OLD.content_object_id')}"),
        ),
    ),
    Kept(
        ITEM,
        "UPDATE",
        (
            _unlist("OLD.content_object_id"),
            _unlist("NEW.content_object_id"),
            _list(_items_of("NEW.content_object_id")),
        ),
        changed=("content_object_id", "tag_id"),
        locks=(
            _lock(ARTICLE, "OLD.content_object_id, NEW.content_object_id"),
            _lock(TOPIC, f"SELECT OLD.tag_id UNION ALL {_topics_of('OLD.content_object_id, NEW.content_object_id')}"),
        ),
    ),
    Kept(
        ARTICLE,
        "UPDATE",
        (f"DELETE FROM {LISTING} WHERE article_id = NEW.id", _list(_items_of("NEW.id"))),
        changed=("status", "published_at"),
        locks=(_lock(TOPIC, _topics_of("NEW.id")),),
    ),
    Kept(ARTICLE, "DELETE", (f"DELETE FROM {LISTING} WHERE article_id = OLD.id",)),
    Kept(TOPIC, "UPDATE", _MOVE, changed=("parent_id",)),
    Kept(TOPIC, "DELETE", (f"DELETE FROM {LISTING} WHERE topic_id = OLD.id",)),
]


def statements(connection: BaseDatabaseWrapper) -> Iterator[str]:
    """And list everything afresh: nobody kept the table in step while the triggers were away."""
    yield from _postgres() if connection.vendor == "postgresql" else _sqlite()
    yield f"DELETE FROM {LISTING}"
    yield _list(f"{ITEM} i")


PART = Part(frozenset({LISTING, ARTICLE, ITEM, TOPIC}), statements)


def _name(table: str, event: str) -> str:
    return f"{PREFIX}listings_{table}_{event.lower()}"


def _when(kept: Kept, operator: str) -> str:
    changes = " OR ".join(f"OLD.{column} {operator} NEW.{column}" for column in kept.changed)
    return f" WHEN ({changes})" if changes else ""


def _sqlite() -> Iterator[str]:
    for kept in KEPT:
        yield _sqlite_trigger(kept, _when(kept, "IS NOT"))
    # Its rows are inserted one by one, so the story's other items need no second look. An import's come before it.
    item = "(SELECT NEW.content_object_id AS content_object_id, NEW.tag_id AS tag_id) i"
    is_public = f"EXISTS (SELECT 1 FROM {ARTICLE} a WHERE a.id = NEW.content_object_id AND {PUBLISHED})"
    yield _sqlite_trigger(Kept(ITEM, "INSERT", (_list(item),)), f" WHEN {is_public}")
    story = Kept(ARTICLE, "INSERT", (_list(_items_of("NEW.id")),))
    yield _sqlite_trigger(story, f" WHEN {PUBLISHED.replace('a.', 'NEW.')}")


def _sqlite_trigger(kept: Kept, when: str) -> str:
    return (
        f"CREATE TRIGGER {_name(kept.table, kept.event)} AFTER {kept.event} ON {kept.table} "
        f"FOR EACH ROW{when} BEGIN {'; '.join(kept.statements)}; END"
    )


def _postgres() -> Iterator[str]:
    for kept in KEPT:
        name = _name(kept.table, kept.event)
        yield _function(name, *kept.locks, *kept.statements)
        yield (
            f"CREATE TRIGGER {name} AFTER {kept.event} ON {kept.table} "
            f"FOR EACH ROW{_when(kept, 'IS DISTINCT FROM')} EXECUTE FUNCTION {name}()"
        )
    yield _function(f"{PREFIX}listings_truncate", f"DELETE FROM {LISTING}")
    for table in (ARTICLE, ITEM, TOPIC):
        yield (
            f"CREATE TRIGGER {_name(table, 'TRUNCATE')} AFTER TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {PREFIX}listings_truncate()"
        )
    stories = _lock(ARTICLE, "SELECT content_object_id FROM fresh")
    fresh = (stories, _lock(TOPIC, "SELECT tag_id FROM fresh"), _list("fresh i"))
    items = (
        f"(SELECT * FROM {ITEM} WHERE content_object_id IN (SELECT id FROM fresh)) i"  # of an import, stored before it
    )
    of_import = (_lock(TOPIC, _topics_of("SELECT id FROM fresh")), _list(items))
    for table, statements in ((ITEM, fresh), (ARTICLE, of_import)):
        name = _name(table, "INSERT")  # once for all the rows of a statement
        yield _function(name, *statements)
        yield (
            f"CREATE TRIGGER {name} AFTER INSERT ON {table} REFERENCING NEW TABLE AS fresh "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )


def _function(name: str, *statements: str) -> str:
    body = "; ".join(statements)
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NULL; END $$"
    )
