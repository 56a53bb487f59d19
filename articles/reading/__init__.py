"""Reading files: what is done with each before a database is asked, here or in other processes. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from articles.documents import ArticleDocument, DocumentError, oddities, read
from articles.reading.rows import ArticleRows, article_rows
from articles.reading.trees import TreeFile


class Reading(NamedTuple):
    """What a file holds. Without `text` it is the one that was read last, or `problem` says what is wrong with it."""

    digest: str = ""
    text: str = ""
    rows: ArticleRows | None = None  # of an article; other kinds are few, and read again where they are stored
    warnings: Sequence[str] = ()
    problem: tuple[str, int | None, str] | None = None  # reason, line, key
    is_skipped: bool = False  # it is no document, and need not be


def read_files(tasks: Sequence[tuple[TreeFile, str]]) -> list[Reading]:
    """Read each (file, digest of what was last imported from it; empty when unknown). Never raises for a bad file."""
    return [read_file(file, known) for file, known in tasks]


def read_file(file: TreeFile, known: str) -> Reading:
    try:
        data = file.read()
        digest = hashlib.sha256(data).hexdigest()
        if digest == known:
            return Reading(digest)
        document = read(data, bare=file.bare)
    except DocumentError as error:
        return Reading(problem=(error.reason, error.line, error.key))
    except Exception as error:  # noqa: BLE001  (a file we did not foresee must not take the others with it)
        return Reading(problem=(f"cannot be read: {error!r}", None, ""))
    if document is None:
        return Reading(digest, is_skipped=True)
    text = data.decode()
    odd = oddities(document, text)
    if not isinstance(document, ArticleDocument):
        return Reading(digest, text, None, odd)
    rows = article_rows(document, file.stem)
    return Reading(digest, text, rows, [*_warnings(rows), *odd])


def _warnings(rows: ArticleRows) -> list[str]:
    keys = {key for key, _ in rows.topics}
    return ["a topic is named twice; it counts once"] if len(keys) < len(rows.topics) else []
