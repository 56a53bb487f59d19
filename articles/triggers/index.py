"""The search index: a row for each article, with the words of its title, excerpt, provider and topics, exact in the
very transaction that changes any of them.

The words are made in Python (`providers.words.searchable`) and kept in columns named `search_text`. Where a script has
changed a title or a name and not these, a trigger makes them as well as SQL can: entities but the usual ones are not
resolved then, nor Chinese taken apart, until the record is saved or `rebuild_search` has run.

SQLite: an FTS5 table. Its rows are numbered by the minute of the story's date, then its id, so that the newest of
however many matches come first without sorting, and dates bound the search (`articles.search.engines`).
PostgreSQL: a table of documents with positions and weights. Both hold keys, too, that say in which topics and of which
provider a story is.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django.db import connection as default_connection
from django.db import models, transaction

from articles import bulk
from articles.models import Article, ArticleTopic, SiteVersion, Topic
from articles.triggers.sql import PREFIX, Part, run
from providers.models import Provider
from providers.words import FINGERPRINT_LENGTH, LONGEST_TEXT, LONGEST_WORD, searchable

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "articles_search"
ID_BITS = 31  # of a row's number on SQLite
BATCH = 1000

_NAME = f"{PREFIX}search"
_ARTICLES, _ITEMS = Article._meta.db_table, ArticleTopic._meta.db_table
_TOPICS, _PROVIDERS = Topic._meta.db_table, Provider._meta.db_table
# What `search_text` is made of, and how.
_WORDS: dict[type[models.Model], tuple[tuple[str, ...], Callable[[Any], str]]] = {
    Topic: (("name", "shortname"), lambda topic: searchable(topic.name, topic.shortname)),
    Provider: (("name", "other_names"), lambda outlet: searchable(outlet.name, *map(str, outlet.other_names))),
    Article: (("title", "excerpt"), lambda article: searchable(article.title, article.excerpt)),
}
# The articles `a` that have to do with the row that changed.
_CONCERNED = {
    _TOPICS: f"a.id IN (SELECT content_object_id FROM {_ITEMS} WHERE tag_id = NEW.id)",
    _PROVIDERS: "a.provider_id = NEW.id",
}
_BOTH_ARTICLES = "a.id IN (OLD.content_object_id, NEW.content_object_id)"
_UNKNOWN_FINGERPRINT = "\n#--------"
_ENTITIES = {
    **{"&amp;": "&", "&lt;": " ", "&gt;": " ", "&nbsp;": " ", "&quot;": " ", "&#39;": " ", "&#34;": " ", "&#160;": " "},
    **{f"&#{code};": " " for code in (8211, 8212, 8216, 8217, 8220, 8221, 8230)},
}


def statements(connection: BaseDatabaseWrapper) -> Iterable[str]:
    if connection.vendor == "postgresql":
        return [*POSTGRES_FUNCTIONS, *_postgres_triggers()]
    return _sqlite_triggers()


def prepare(connection: BaseDatabaseWrapper) -> bool:
    return _make_postgres_table(connection) if connection.vendor == "postgresql" else _make_sqlite_table(connection)


PART = Part(
    frozenset({_ARTICLES, _ITEMS, _TOPICS, _PROVIDERS, SiteVersion._meta.db_table}),
    statements,
    prepare,
    lambda: rebuild(),
)


def _differ(columns: Iterable[str], operator: str) -> str:
    return "(" + " OR ".join(f"OLD.{column} {operator} NEW.{column}" for column in columns) + ")"


def _plain(text: str) -> str:
    """Its words, as well as both databases can."""
    for entity, sign in reversed(_ENTITIES.items()):  # the ampersand last: what it begins is not resolved twice
        text = f"replace({text}, '{entity}', '{sign}')"
    return f"lower(replace({text}, '\n', ' '))"


# --- SQLite -------------------------------------------------------------------------------------

SQLITE_TABLE = (
    f"CREATE VIRTUAL TABLE {TABLE} USING fts5(title, excerpt, provider, topics, keys, "
    """tokenize = "unicode61 remove_diacritics 2")"""
)


def _number(row: str) -> str:
    """The number of an article's row in the index."""
    return f"(((CAST(strftime('%s', {row}.published_at) AS INTEGER) / 60) << {ID_BITS}) | {row}.id)"


def _names(row: str) -> str:
    return f"substr({row}.search_text, 1, length({row}.search_text) - {FINGERPRINT_LENGTH})"


_END = "instr(a.search_text, '\n')"  # of the title
_OF_ARTICLE = f"FROM {_ITEMS} i JOIN {_TOPICS} t ON t.id = i.tag_id WHERE i.content_object_id = a.id"
_SQLITE_ROWS = f"""
INSERT INTO {TABLE} (rowid, title, excerpt, provider, topics, keys)
SELECT {_number("a")},
    substr(a.search_text, 1, {_END} - 1),
    substr(a.search_text, {_END} + 1, max(0, length(a.search_text) - {_END} - {FINGERPRINT_LENGTH})),
    coalesce((SELECT {_names("p")} FROM {_PROVIDERS} p WHERE p.id = a.provider_id), ''),
    coalesce((SELECT group_concat({_names("t")}, '\n') {_OF_ARTICLE}), ''),
    'all' || coalesce(' p' || a.provider_id, '')
        || coalesce((SELECT ' ' || group_concat('t' || t.id, ' ') {_OF_ARTICLE}), '')
FROM {_ARTICLES} a WHERE """


def _make_sqlite_table(connection: BaseDatabaseWrapper) -> bool:
    """Whether it had to be made, as there was none or another."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [TABLE])
        if (found := cursor.fetchone()) and found[0] == SQLITE_TABLE:
            return False
    run(connection, f"DROP TABLE IF EXISTS {TABLE}", SQLITE_TABLE)
    return True


def _sqlite_again(which: str) -> list[str]:
    """The rows of the articles `a` for which the condition holds, made anew."""
    numbers = f"SELECT {_number('a')} FROM {_ARTICLES} a WHERE {which}"
    return [f"DELETE FROM {TABLE} WHERE rowid IN ({numbers})", _SQLITE_ROWS + which]


def _sqlite_triggers() -> Iterator[str]:
    for table, concerned in _CONCERNED.items():
        is_used = f"EXISTS (SELECT 1 FROM {_ARTICLES} a WHERE {concerned})"
        yield _trigger(table, "INSERT", f"NEW.search_text <> '' AND {is_used}", _sqlite_again(concerned))
        yield _trigger(table, "UPDATE", _differ(["search_text"], "IS NOT"), _sqlite_again(concerned))
    for model, (columns, _) in _WORDS.items():
        table = model._meta.db_table
        plain = [f"UPDATE {table} SET search_text = {_sqlite_plain(columns)} WHERE id = NEW.id"]
        forgotten = f"OLD.search_text = NEW.search_text AND {_differ(columns, 'IS NOT')}"
        yield _trigger(table, "INSERT", "NEW.search_text = ''", plain, "_plain")
        yield _trigger(table, f"UPDATE OF {', '.join(columns)}", forgotten, plain, "_plain")
    gone, again = f"DELETE FROM {TABLE} WHERE rowid = {_number('OLD')}", _sqlite_again("a.id = NEW.id")
    indexed = ("search_text", "provider_id", "published_at")
    yield _trigger(_ARTICLES, "INSERT", "NEW.search_text <> ''", again)
    yield _trigger(_ARTICLES, "UPDATE", _differ(indexed, "IS NOT"), [gone, *again])
    yield _trigger(_ARTICLES, "DELETE", "1", [gone])
    for event, row in (("INSERT", "NEW"), ("DELETE", "OLD")):
        concerned = f"a.id = {row}.content_object_id"
        is_there = f"EXISTS (SELECT 1 FROM {_ARTICLES} a WHERE {concerned})"
        yield _trigger(_ITEMS, event, is_there, _sqlite_again(concerned))
    changed = _differ(("tag_id", "content_object_id"), "IS NOT")
    yield _trigger(_ITEMS, "UPDATE", changed, _sqlite_again(_BOTH_ARTICLES))


def _trigger(table: str, event: str, when: str, actions: list[str], suffix: str = "") -> str:
    name = f"{_NAME}_{table}_{event.partition(' ')[0].lower()}{suffix}"
    body = "".join(f"{action}; " for action in actions)
    return f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW WHEN {when} BEGIN {body}END"


def _sqlite_plain(columns: Iterable[str]) -> str:
    of_list = "(SELECT coalesce(group_concat(value, ' '), '') FROM json_each(NEW.other_names))"
    parts = [_plain(of_list if column == "other_names" else f"NEW.{column}") for column in columns]
    return " || '\n' || ".join(parts) + f" || '{_UNKNOWN_FINGERPRINT}'"


# --- PostgreSQL ---------------------------------------------------------------------------------

POSTGRES_TABLE = f"""
CREATE TABLE {TABLE} (article_id bigint PRIMARY KEY, document tsvector NOT NULL);
CREATE INDEX {TABLE}_document ON {TABLE} USING gin (document)
"""
_GAP = 5  # positions between the parts, so that no phrase reaches from one into the next
POSTGRES_FUNCTIONS = [
    rf"""
CREATE OR REPLACE FUNCTION {_NAME}_vector(text text, weight text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(string_agg(
        format('''%s'':%s%s', replace(replace(left(word, {LONGEST_WORD}), '\', '\\'), '''', ''''''),
            least(place + {_GAP}, 16383), weight), ' '), '')::tsvector
    FROM unnest(string_to_array(replace(left(text, {LONGEST_TEXT}), E'\n', ' '), ' ')) WITH ORDINALITY w(word, place)
    WHERE word <> ''
$$""",
    rf"""
CREATE OR REPLACE FUNCTION {_NAME}_words(text text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(regexp_replace(
        regexp_replace(normalize({_plain("text")}, NFKD), '[\u0300-\u036f]', '', 'g'),
        '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+', ' ', 'g'), '')
$$""",
    # Whoever renames one of these waits, and then indexes what has been done here; or is waited for, and read. All that
    # the articles have, though it may not change: so who renames and who changes stories both lock names before rows
    # of the index, and do not wait for each other.
    rf"""
CREATE OR REPLACE FUNCTION {_NAME}_hold(keys bigint[], outlets bigint[], tags bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM {_PROVIDERS} p WHERE p.id IN (
        SELECT unnest(outlets) UNION SELECT a.provider_id FROM {_ARTICLES} a WHERE a.id = ANY(keys)
    ) ORDER BY p.id FOR SHARE OF p;
    PERFORM 1 FROM {_TOPICS} t WHERE t.id IN (
        SELECT unnest(tags) UNION SELECT i.tag_id FROM {_ITEMS} i WHERE i.content_object_id = ANY(keys)
    ) ORDER BY t.id FOR SHARE OF t;
END $$""",
    # The lock first: who waits for it sees in the next statement what the other one has done. In the order of the keys,
    # so that two at it do not wait for each other.
    rf"""
CREATE OR REPLACE FUNCTION {_NAME}_again(keys bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM {TABLE} WHERE article_id = ANY(keys) ORDER BY article_id FOR UPDATE;
    INSERT INTO {TABLE} (article_id, document)
    SELECT a.id,
        {_NAME}_vector(split_part(a.search_text, E'\n', 1), 'A')
        || {_NAME}_vector(split_part(a.search_text, E'\n', 2), 'D')
        || {_NAME}_vector(coalesce(left(p.search_text, -{FINGERPRINT_LENGTH}), ''), 'C')
        || {_NAME}_vector(coalesce(items.names, ''), 'B')
        || array_to_tsvector(array_remove(ARRAY['#all', '#p' || a.provider_id] || items.tags, NULL))
    FROM {_ARTICLES} a
    LEFT JOIN {_PROVIDERS} p ON p.id = a.provider_id
    LEFT JOIN LATERAL (
        SELECT string_agg(left(t.search_text, -{FINGERPRINT_LENGTH}), ' ' ORDER BY i.position, i.id) AS names,
            array_agg('#t' || t.id) AS tags
        {_OF_ARTICLE}
    ) items ON true
    WHERE a.id = ANY(keys)
    ORDER BY a.id
    ON CONFLICT (article_id) DO UPDATE SET document = EXCLUDED.document;
END $$""",
]
_DISTINCT = "IS DISTINCT FROM"


def _make_postgres_table(connection: BaseDatabaseWrapper) -> bool:
    """Whether it had to be made, as there was none or another, or its rows hold something else by now."""
    wanted = hashlib.sha256("".join([POSTGRES_TABLE, *POSTGRES_FUNCTIONS]).encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description(to_regclass(%s), 'pg_class')", [TABLE])
        if cursor.fetchone()[0] == wanted:
            return False
    run(connection, f"DROP TABLE IF EXISTS {TABLE}", POSTGRES_TABLE, f"COMMENT ON TABLE {TABLE} IS '{wanted}'")
    return True


def _postgres_again(keys: str, outlets: str = "", tags: str = "") -> str:
    """The rows of the articles that have `keys`. Further outlets and topics to hold are those they have no longer."""
    hold = f"PERFORM {_NAME}_hold(keys, {_array(outlets)}, {_array(tags)})"
    return f"keys := {_array(keys)}; IF keys <> '{{}}' THEN {hold}; PERFORM {_NAME}_again(keys); END IF;"


def _array(rows: str) -> str:
    return f"ARRAY({rows})::bigint[]" if rows else "'{}'"


def _keys(which: str) -> str:
    return f"SELECT a.id FROM {_ARTICLES} a WHERE {which}"


def _postgres_triggers() -> Iterator[str]:
    for table, concerned in _CONCERNED.items():  # which hold what they rename, and no other: two at it would wait
        named = f"PERFORM {_NAME}_again({_array(_keys(concerned))});"
        yield from _on(table, "AFTER INSERT", named)
        yield from _on(table, "AFTER UPDATE", named, _differ(["search_text"], _DISTINCT))
    for model, (columns, _) in _WORDS.items():
        table = model._meta.db_table
        plain = f"NEW.search_text := {_postgres_plain(columns)};"
        forgotten = f"OLD.search_text = NEW.search_text AND {_differ(columns, _DISTINCT)}"
        yield from _on(table, "BEFORE INSERT", plain, "NEW.search_text = ''")
        yield from _on(table, "BEFORE UPDATE", plain, forgotten)
    again = _postgres_again("SELECT NEW.id", outlets="SELECT OLD.provider_id")
    yield from _on_rows(_ARTICLES, "INSERT", _postgres_again("SELECT id FROM changed"))
    yield from _on(_ARTICLES, "AFTER UPDATE", again, _differ(("search_text", "provider_id"), _DISTINCT))
    yield from _on(_ARTICLES, "AFTER DELETE", f"DELETE FROM {TABLE} WHERE article_id = OLD.id;")
    yield from _on(_ARTICLES, "AFTER TRUNCATE", f"TRUNCATE {TABLE};")
    of_items = _keys("a.id IN (SELECT content_object_id FROM changed)")  # of an import's, there are none yet
    yield from _on_rows(_ITEMS, "INSERT", _postgres_again(of_items))
    yield from _on_rows(_ITEMS, "DELETE", _postgres_again(of_items, tags="SELECT tag_id FROM changed"))
    moved = _postgres_again(_keys(_BOTH_ARTICLES), tags="SELECT OLD.tag_id")
    yield from _on(_ITEMS, "AFTER UPDATE", moved, _differ(("tag_id", "content_object_id"), _DISTINCT))


def _on(table: str, event: str, action: str, when: str = "") -> Iterator[str]:
    condition = f" WHEN ({when})" if when else ""
    each = "STATEMENT" if event.endswith("TRUNCATE") else "ROW"
    result = "NEW" if event.startswith("BEFORE") else "NULL"
    yield from _postgres_trigger(table, event, f"FOR EACH {each}{condition}", f"{action} RETURN {result};")


def _on_rows(table: str, event: str, action: str) -> Iterator[str]:
    """Once for all the rows of a statement, which are in `changed`."""
    rows = "OLD" if event == "DELETE" else "NEW"
    once = f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT"
    yield from _postgres_trigger(table, f"AFTER {event}", once, f"{action} RETURN NULL;")


def _postgres_trigger(table: str, event: str, how: str, body: str) -> Iterator[str]:
    name = f"{_NAME}_{table}_{event.replace(' ', '_').lower()}"
    yield (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" DECLARE keys bigint[]; BEGIN {body} END $$"
    )
    yield f"CREATE TRIGGER {name} {event} ON {table} {how} EXECUTE FUNCTION {name}()"


def _postgres_plain(columns: Iterable[str]) -> str:
    parts = [f"{_NAME}_words(NEW.{column}::text)" for column in columns]
    return " || E'\\n' || ".join(parts) + f" || '{_UNKNOWN_FINGERPRINT}'"


# --- All of it anew -----------------------------------------------------------------------------


def rebuild(progress: Callable[[int], None] = lambda done: None) -> int:
    """Make words and index anew; return for how many articles. Searches find what is there meanwhile."""
    _tell_fts5("rebuild")  # of what lies below the rows
    for model, (columns, words) in _WORDS.items():
        for records in _batches(model, "search_text", *columns):
            rows = [(words(record), record.pk) for record in records if words(record) != record.search_text]
            bulk.update(model, ["search_text"], rows)
    _remove_strays()
    count = 0
    for articles in _batches(Article, "pk"):
        _index(f"a.id BETWEEN {articles[0].pk} AND {articles[-1].pk}")
        count += len(articles)
        progress(len(articles))
    _tell_fts5("optimize")
    SiteVersion.objects.update(token=secrets.randbits(63))  # pages of searches are kept too
    return count


def _is_postgres() -> bool:
    return default_connection.vendor == "postgresql"


def _tell_fts5(command: str) -> None:
    if not _is_postgres():
        run(default_connection, f"INSERT INTO {TABLE} ({TABLE}) VALUES ('{command}')")


def _remove_strays() -> None:
    """The rows of articles that there are not."""
    key, articles = ("article_id", "a.id") if _is_postgres() else ("rowid", _number("a"))
    run(default_connection, f"DELETE FROM {TABLE} WHERE {key} NOT IN (SELECT {articles} FROM {_ARTICLES} a)")


def _index(which: str) -> None:
    if _is_postgres():
        run(default_connection, f"DO $$ DECLARE keys bigint[]; BEGIN {_postgres_again(_keys(which))} END $$")
    else:
        run(default_connection, *_sqlite_again(which))


def _batches(model: type[models.Model], *columns: str) -> Iterator[list[Any]]:
    """All records in the order of their keys; each batch, and what is done with it, is a transaction of its own."""
    last = 0
    while True:
        with transaction.atomic():
            rows = model._default_manager.filter(pk__gt=last).order_by("pk").only(*columns)
            records = list(rows[:BATCH])
            if not records:
                return
            last = records[-1].pk
            yield records
