"""New articles and providers into the database, past the ORM. The caller holds the transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from django.utils import timezone

from articles.bulk import find, insert, reserve_keys
from articles.documents import ProviderDocument
from articles.importing.batches import SOURCE_COLUMNS, Batch, Parsed, Stored
from articles.importing.reports import Outcome
from articles.models import Article, SourceFile, free_stem
from articles.reading.rows import ARTICLE_COLUMNS, ArticleRows, Row, mapping, moment, use_rows
from articles.records import KeyedRows, Records, insert_pictures, insert_related, insert_topics, insert_uses
from providers.models import Provider, ProviderImage
from providers.words import searchable

# The fields of a document that are rows of their own, and what stores them.
PARTS: dict[str, Callable[[KeyedRows, Records], None]] = {
    "topics": insert_topics,
    "images": insert_pictures,
    "related": insert_related,
}
_DATE = ARTICLE_COLUMNS.index("published_at")


def create(batch: Batch, files: Sequence[Parsed]) -> list[Stored]:
    if not files:
        return []
    records = Records.for_articles([parsed.rows for parsed in files])
    stems, warnings = _free_stems(files)
    keys = reserve_keys(Article, len(files))
    for insert_parts in PARTS.values():  # before the articles, which are then indexed once (`articles.triggers.index`)
        insert_parts([(key, parsed.rows) for key, parsed in zip(keys, files, strict=True)], records)
    insert(
        Article,
        ("id", "stem", "provider_id", "status", "publish_at", *ARTICLE_COLUMNS),
        (
            (
                key,
                stem,
                records.provider_key(parsed.rows.provider),
                *_first_state(parsed.rows, as_draft=batch.as_drafts),
                *parsed.rows.values,
            )
            for key, stem, parsed in zip(keys, stems, files, strict=True)
        ),
    )
    _insert_sources(batch, "article_id", zip(keys, files, strict=True))
    return [Stored(parsed, Outcome.CREATED, warnings=warning) for parsed, warning in zip(files, warnings, strict=True)]


def _insert_sources(batch: Batch, owner: str, described: Iterable[tuple[int, Parsed]]) -> None:
    """The files of new records: `owner` is the column of their keys."""
    now = moment(timezone.now())
    insert(
        SourceFile,
        (owner, *SOURCE_COLUMNS),
        ((key, *batch.source_values(parsed), now) for key, parsed in described),
    )


def _first_state(rows: ArticleRows, *, as_draft: bool) -> Row:
    """Status, and since when it is public."""
    if not rows.published or as_draft:
        return Article.Status.DRAFT.value, None
    return Article.Status.PUBLISHED.value, rows.values[_DATE]


def _free_stems(files: Sequence[Parsed]) -> tuple[list[str], list[list[str]]]:
    """A stem for each file, none of them in use, and a warning where it is not the one it should be."""
    taken = {stem for (stem,) in find(Article, "stem", [parsed.rows.stem for parsed in files], "stem")}
    stems, warnings = [], []
    for wanted in (parsed.rows.stem for parsed in files):
        free = free_stem(wanted, taken) if wanted in taken else wanted
        taken.add(free)
        stems.append(free)
        warnings.append(
            [] if free == wanted else [f"another story is at /news/{wanted}/; this one is at /news/{free}/"]
        )
    return stems, warnings


# --- New providers ------------------------------------------------------------------------------


def tell_new_providers(batch: Batch, files: Sequence[Parsed]) -> tuple[list[Parsed], list[Parsed]]:
    """First the files of which nothing is known, neither path nor domain, one for each domain; then the others."""
    known = {domain for (domain,) in find(Provider, "domain", {parsed.document.domain for parsed in files}, "domain")}
    new: list[Parsed] = []
    others: list[Parsed] = []
    for parsed in files:
        is_new = batch.source(parsed) is None and parsed.document.domain not in known
        (new if is_new else others).append(parsed)
        known.add(parsed.document.domain)
    return new, others


def create_providers(batch: Batch, files: Sequence[Parsed]) -> list[Stored]:
    if not files:
        return []
    keys, records = reserve_keys(Provider, len(files)), Records()
    logos = [use_rows(parsed.document.images) for parsed in files]
    records.find_images(use.url for uses in logos for use in uses)
    insert(
        Provider,
        ("id", *_PROVIDER_COLUMNS, "source_id", "other_names", "extra", "search_text"),
        ((key, *_provider_row(parsed.document)) for key, parsed in zip(keys, files, strict=True)),
    )
    insert_uses(ProviderImage, "provider_id", zip(keys, logos, strict=True), records)
    _insert_sources(batch, "provider_id", zip(keys, files, strict=True))
    return [Stored(parsed, Outcome.CREATED) for parsed in files]


_PROVIDER_COLUMNS = ("domain", "name", "description", "body")


def _provider_row(document: ProviderDocument) -> Row:
    values = (getattr(document, name) for name in _PROVIDER_COLUMNS)
    names = searchable(document.name, *document.other_names)
    return *values, document.id, json.dumps(document.other_names), mapping(document.extra), names
