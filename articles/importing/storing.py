"""One batch of parsed files into the database. The caller holds the transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from django.utils import timezone

from articles import revisions, workflow
from articles.bulk import insert, reserve_keys
from articles.documents import (
    ArticleDocument,
    Document,
    is_bare,
    make_stem,
    read,
    to_data,
    topic_key,
)
from articles.importing.reports import Outcome
from articles.importing.trees import TreeFile
from articles.merging import changed_fields, merge
from articles.models import Article, Event, SourceFile, free_stem, searchable
from articles.records import (
    ARTICLE_COLUMNS,
    KeyedDocuments,
    Records,
    article_document,
    columns,
    insert_pictures,
    insert_related,
    insert_topics,
    with_parts,
)

# Measured over the sister site's history: 99 % of all changes touch only these. Stored, but no editorial change.
NOISE = frozenset({"secured", "heat"})

# The fields of a document that are rows of their own, and what stores them.
PARTS: dict[str, Callable[[KeyedDocuments, Records], None]] = {
    "topics": insert_topics,
    "images": insert_pictures,
    "related": insert_related,
}

SOURCE_FIELDS = ("path", "tree", "text", "digest", "seen_as", "imported_at")

D = TypeVar("D", bound=Document)


class UnstorableError(Exception):
    """A good document that contradicts what is already stored. The message is for the report."""


@dataclass(frozen=True)
class Parsed(Generic[D]):
    file: TreeFile
    text: str
    digest: str
    document: D


@dataclass(frozen=True)
class Stored:
    parsed: Parsed[Any]
    outcome: Outcome
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Batch:
    """Files and how to store them. `sources`: what is known of them, by path."""

    files: Sequence[Parsed[Any]]
    sources: dict[str, SourceFile]
    overwrite: bool
    as_drafts: bool

    def of(self, shape: type[D]) -> list[Parsed[D]]:
        return [cast("Parsed[D]", parsed) for parsed in self.files if isinstance(parsed.document, shape)]

    def source(self, parsed: Parsed[Any]) -> SourceFile | None:
        return self.sources.get(parsed.file.path)


def load_sources(files: Sequence[Parsed[Any]]) -> dict[str, SourceFile]:
    """What was last imported from these paths, locked: a second import of them waits here, and then sees the first."""
    rows = SourceFile.objects.filter(path__in=[parsed.file.path for parsed in files])
    known = {source.path: source for source in rows.select_for_update().order_by("path")}
    return known | _moved([parsed for parsed in files if parsed.file.path not in known])


def _moved(files: Sequence[Parsed[Any]]) -> dict[str, SourceFile]:
    """The sources of files that were renamed, by their new paths: same address, same date, and the old file is gone."""
    stories = {_story(parsed.document): parsed for parsed in files if isinstance(parsed.document, ArticleDocument)}
    if not stories:
        return {}
    rows = SourceFile.objects.filter(article__published_at__in={date for _, date in stories}).select_related("article")
    moved = {}
    for source in rows.order_by("path"):
        parsed = stories.get(_story(source.article)) if source.article else None
        if parsed and parsed.file.tree == source.tree and not (parsed.file.root / source.path).exists():
            moved[parsed.file.path] = source
    return moved


def _story(story: ArticleDocument | Article) -> tuple[str, datetime]:
    """What tells one story from another where the path cannot: where it is, and since when."""
    return story.original_url or story.web_url, story.published_at


def store_articles(batch: Batch) -> list[Stored]:
    files = batch.of(ArticleDocument)
    created = _create(batch, [parsed for parsed in files if not batch.source(parsed)])
    return created + _update(batch, [parsed for parsed in files if batch.source(parsed)])


# --- New articles -------------------------------------------------------------------------------


def _create(batch: Batch, files: list[Parsed[ArticleDocument]]) -> list[Stored]:
    if not files:
        return []
    records = Records.for_articles([parsed.document for parsed in files])
    stems, warnings = _free_stems(files)
    keys = reserve_keys(Article, len(files))
    insert(
        Article,
        (
            {
                "id": key,
                "stem": stem,
                **columns(parsed.document, ARTICLE_COLUMNS),
                "search_text": searchable(parsed.document.title, parsed.document.excerpt),
                **records.provider_columns(parsed.document.provider),
                **_first_state(parsed.document, as_draft=batch.as_drafts),
            }
            for key, stem, parsed in zip(keys, stems, files, strict=True)
        ),
    )
    for insert_parts in PARTS.values():
        insert_parts([(key, parsed.document) for key, parsed in zip(keys, files, strict=True)], records)
    insert(
        SourceFile,
        ({"article_id": key, **source_columns(parsed)} for key, parsed in zip(keys, files, strict=True)),
    )
    return [
        Stored(parsed, Outcome.CREATED, [*warning, *_repeated_topics(parsed.document)])
        for parsed, warning in zip(files, warnings, strict=True)
    ]


def _first_state(document: ArticleDocument, *, as_draft: bool) -> dict[str, Any]:
    if not document.published or as_draft:
        return {"status": Article.Status.DRAFT.value, "publish_at": None}
    return {"status": Article.Status.PUBLISHED.value, "publish_at": document.published_at}


def _free_stems(files: list[Parsed[ArticleDocument]]) -> tuple[list[str], list[list[str]]]:
    """A stem for each file, none of them in use, and a warning where it is not the one it should be."""
    wanted = [make_stem(parsed.document.published_at, parsed.document.title, parsed.file.stem) for parsed in files]
    taken = set(Article.objects.filter(stem__in=wanted).values_list("stem", flat=True))
    stems, warnings = [], []
    for stem in wanted:
        free = free_stem(stem, taken) if stem in taken else stem
        taken.add(free)
        stems.append(free)
        warnings.append([] if free == stem else [f"another story is at /news/{stem}/; this one is at /news/{free}/"])
    return stems, warnings


def _repeated_topics(document: ArticleDocument) -> list[str]:
    keys = [topic_key(name) for name in document.topics]
    return ["a topic is named twice; it counts once"] if len(set(keys)) < len(keys) else []


# --- Articles that are already here -------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """A file that differs from what was last imported from it."""

    parsed: Parsed[ArticleDocument]
    source: SourceFile
    article_id: int
    base: ArticleDocument

    @property
    def theirs(self) -> ArticleDocument:
        return self.parsed.document

    @property
    def warnings(self) -> list[str]:
        moved = self.source.path != self.parsed.file.path
        return [f"moved here from {self.source.path}"] * moved + _repeated_topics(self.theirs)

    @cached_property
    def is_noise(self) -> bool:
        return NOISE.issuperset(changed_fields(self.base, self.theirs))


def _update(batch: Batch, files: list[Parsed[ArticleDocument]]) -> list[Stored]:
    changes = [_change(parsed, batch.sources[parsed.file.path]) for parsed in files]
    noise = [change for change in changes if change.is_noise and not batch.overwrite]
    real = [change for change in changes if not change.is_noise or batch.overwrite]
    stored = _update_noise(noise) + _update_really(batch, real)
    for change in changes:  # last, as it makes them look unchanged
        for name, value in source_columns(change.parsed).items():
            setattr(change.source, name, value)
    SourceFile.objects.bulk_update([change.source for change in changes], SOURCE_FIELDS, 100)
    return stored


def _change(parsed: Parsed[ArticleDocument], source: SourceFile) -> Change:
    base = last_imported(source)
    if source.article_id is None or not isinstance(base, ArticleDocument):
        raise UnstorableError("the path was no article's when it was last imported")
    return Change(parsed, source, source.article_id, base)


def _update_noise(changes: list[Change]) -> list[Stored]:
    """Seals and heats, in bulk. A heat that an editor has set stays."""
    rows = Article.objects.filter(pk__in=[change.article_id for change in changes])
    articles = {article.pk: article for article in rows.select_for_update().only("heat", "secured").order_by("pk")}
    for change in changes:
        article = articles[change.article_id]
        article.secured = change.theirs.secured
        if article.heat == change.base.heat:
            article.heat = change.theirs.heat
    Article.objects.bulk_update(articles.values(), ["heat", "secured"], 500)
    return [Stored(change.parsed, Outcome.UNCHANGED, change.warnings) for change in changes]


def _update_really(batch: Batch, changes: list[Change]) -> list[Stored]:
    if not changes:
        return []
    keys = [change.article_id for change in changes]
    rows = Article.objects.filter(pk__in=keys)
    list(rows.select_for_update().order_by("pk").values_list("pk"))  # no editor may save one meanwhile
    articles = {article.pk: article for article in with_parts(rows)}
    decided = decided_by_editors(keys)
    merges = [_Merging(articles[change.article_id], change, batch.overwrite) for change in changes]
    records = Records.for_articles([each.merged.document for each in merges if each.merged.taken])
    return [
        Stored(
            each.change.parsed,
            each.store(records, decided=each.article.pk in decided, as_draft=batch.as_drafts),
            each.change.warnings,
        )
        for each in merges
    ]


def decided_by_editors(articles: Collection[int]) -> set[int]:
    """The articles whose last change of state was an editor's: their publication no longer follows the source."""
    events = Event.objects.filter(article__in=articles, verb__in=workflow.VERBS).order_by("at", "pk")
    last = dict(events.values_list("article", "actor"))
    return {article for article, actor in last.items() if actor is not None}


class _Merging:
    """One article, and the new text of its file."""

    def __init__(self, article: Article, change: Change, overwrite: bool) -> None:
        self.article = article
        self.change = change
        self.overwrite = overwrite
        ours = article_document(article)
        self.merged = merge(
            _unstated(ours if overwrite else change.base), _unstated(ours), _unstated(change.theirs), noise=NOISE
        )

    def store(self, records: Records, *, decided: bool, as_draft: bool) -> Outcome:
        taken = [name for name in self.merged.taken if name not in NOISE]
        if taken:
            revisions.keep_last(self.article)
        self._follow_date()
        store_fields(self.article, self.merged.document, self.merged.taken, records)
        self._keep_record(taken)
        followed = self._follow_state(decided=decided and not self.overwrite, as_draft=as_draft)
        if self.merged.conflicts:
            return Outcome.CONFLICT
        return Outcome.UPDATED if taken or followed else unless_changed(self.change.base, self.change.theirs)

    def _follow_date(self) -> None:
        """A story that went public on its own date goes on doing so when the source moves that date."""
        article, date = self.article, self.merged.document.published_at
        ends_later = article.unpublish_at is None or article.unpublish_at > date
        if article.publish_at == article.published_at and "published_at" in self.merged.taken and ends_later:
            article.publish_at = date

    def _follow_state(self, *, decided: bool, as_draft: bool) -> bool:
        """Publish or unpublish as the source does, while no editor has decided."""
        theirs = self.change.theirs
        verb = workflow.PUBLISH if theirs.published else workflow.UNPUBLISH
        if decided or self.article.status not in verb.sources:
            return False
        if theirs.published == self.change.base.published and not self.overwrite:
            return False
        if theirs.published and as_draft:
            return False
        if theirs.published:
            workflow.publish(self.article, by=None, note="The source published it.", at=theirs.published_at)
        else:
            workflow.unpublish(self.article, by=None, note="The source withdrew it.")
        return True

    def _keep_record(self, taken: list[str]) -> None:
        """What the import changed, and both sides of what it could not settle."""
        if taken:
            Event.objects.create(article=self.article, verb="import", data={"fields": taken})
            revisions.record(self.article, by=None, note="Import")
        if self.merged.conflicts:
            sides = {
                name: {"base": _field_data(self.change.base, name), "theirs": _field_data(self.change.theirs, name)}
                for name in self.merged.conflicts
            }
            Event.objects.create(article=self.article, verb="conflict", data=sides)


def _unstated(document: ArticleDocument) -> ArticleDocument:
    """Without the publication state, which verbs move and no merge."""
    return dataclasses.replace(document, published=False)


def store_fields(article: Article, document: ArticleDocument, taken: Iterable[str], records: Records) -> None:
    """Store the named fields of the document."""
    names = set(taken)
    for name in names.intersection(ARTICLE_COLUMNS):
        setattr(article, name, getattr(document, name))
    if "provider" in names:
        for name, value in records.provider_columns(document.provider).items():
            setattr(article, name, value)
    if names - NOISE:
        article.version += 1
        article.modified_at = timezone.now()
    if names:
        article.save()
    parts: dict[str, Any] = {
        "topics": article.topic_items,
        "images": article.pictures,
        "related": article.related_stories,
    }
    for name in names & parts.keys():
        parts[name].all().delete()
        PARTS[name]([(article.pk, document)], records)


def _field_data(document: ArticleDocument, name: str) -> Any:
    """One field of a document as JSON, None where it has its default."""
    if name in ("extra", "body"):
        return getattr(document, name)
    found = next(item for item in dataclasses.fields(document) if item.name == name)
    return to_data(document).get(found.metadata["key"])


# --- What providers and topics share with articles ----------------------------------------------


def last_imported(source: SourceFile) -> Document | None:
    """The document that was last imported from the path."""
    return read(source.text.encode(), bare=is_bare(source.path))


def source_columns(parsed: Parsed[Any]) -> dict[str, Any]:
    return {
        "path": parsed.file.path,
        "tree": parsed.file.tree,
        "text": parsed.text,
        "digest": parsed.digest,
        "seen_as": parsed.file.seen_as,
        "imported_at": timezone.now(),
    }


def unless_changed(base: Document, theirs: Document) -> Outcome:
    """What nothing came of: the file said nothing new, or what it said had been decided here."""
    return Outcome.KEPT if set(changed_fields(base, theirs)) - NOISE else Outcome.UNCHANGED
