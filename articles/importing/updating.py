"""Articles that are already here: three-way merges with their files, by the batch. The caller holds the transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db import models
from django.utils import timezone

from articles import bulk, revisions, workflow
from articles.documents import ArticleDocument
from articles.importing.batches import (
    NOISE,
    SOURCE_COLUMNS,
    Batch,
    Parsed,
    Stored,
    UnstorableError,
    last_imported,
    unless_changed,
)
from articles.importing.conflicts import Sides, keep_conflicts
from articles.importing.creating import PARTS
from articles.importing.reports import Outcome
from articles.merging import changed_fields, merge
from articles.models import Article, ArticleImage, ArticleTopic, Event, RelatedStory, SourceFile
from articles.reading.rows import ARTICLE_COLUMNS, ArticleRows, Row, article_rows, mapping, moment
from articles.records import Records, article_document, with_parts


@dataclass(frozen=True)
class Change:
    """A file that differs from what was last imported from it."""

    parsed: Parsed
    source: SourceFile
    article_id: int
    base: ArticleDocument

    @property
    def theirs(self) -> ArticleDocument:
        document: ArticleDocument = self.parsed.document
        return document

    @property
    def warnings(self) -> list[str]:
        moved = self.source.path != self.parsed.file.path
        return [f"moved here from {self.source.path}"] * moved

    @cached_property
    def news(self) -> list[str]:
        """The fields in which the file says something new."""
        return [name for name in changed_fields(self.base, self.theirs) if name not in NOISE]

    @property
    def is_noise(self) -> bool:
        """Whether there is nothing to merge. Without a digest the file is back after it was gone."""
        return self.source.digest != "" and not self.news


def update(batch: Batch, files: Sequence[Parsed]) -> list[Stored]:
    if not files:
        return []
    changes = [_change(parsed, batch.sources[parsed.file.path]) for parsed in files]
    rows = Article.objects.filter(pk__in=[change.article_id for change in changes])
    heats = dict(rows.select_for_update().order_by("pk").values_list("pk", "heat"))  # no editor may save one meanwhile
    noise = [change for change in changes if change.is_noise and not batch.overwrite]
    real = [change for change in changes if not change.is_noise or batch.overwrite]
    stored = _update_noise(noise, heats) + _update_really(batch, real)
    now = moment(timezone.now())
    files_now = [(*batch.source_values(change.parsed), now, change.source.pk) for change in changes]
    bulk.update(SourceFile, SOURCE_COLUMNS, files_now)
    return stored


def _change(parsed: Parsed, source: SourceFile) -> Change:
    base = last_imported(source)
    if source.article_id is None or not isinstance(base, ArticleDocument):
        raise UnstorableError("the path was no article's when it was last imported")
    return Change(parsed, source, source.article_id, base)


def _update_noise(changes: Sequence[Change], heats: Mapping[int, int | None]) -> list[Stored]:
    """Seals and heats. A heat that an editor has set stays; `heats` are those of now, by article."""
    bulk.update(
        Article,
        ("secured", "heat"),
        [(change.theirs.secured, _heat(change, heats[change.article_id]), change.article_id) for change in changes],
    )
    return [Stored(change.parsed, Outcome.UNCHANGED, warnings=change.warnings) for change in changes]


def _heat(change: Change, now: int | None) -> int | None:
    return change.theirs.heat if now == change.base.heat else now


# --- Merges -------------------------------------------------------------------------------------


def _update_really(batch: Batch, changes: Sequence[Change]) -> list[Stored]:
    if not changes:
        return []
    keys = [change.article_id for change in changes]
    articles = {article.pk: article for article in with_parts(Article.objects.filter(pk__in=keys))}
    merges = [_Merging(articles[change.article_id], change, batch.overwrite) for change in changes]
    decided = set() if batch.overwrite else decided_by_editors(keys)
    edited = [each.article.pk for each in merges if each.taken]
    revisions.keep_last_of_each(edited)
    store_each([each.edit for each in merges if each.merged.taken])
    revisions.record_each(edited, by=None, note="Import")
    conflicts = keep_conflicts([each.sides for each in merges])
    _keep_events(merges, conflicts)
    followed = _follow_states(batch, [each for each in merges if each.article.pk not in decided])
    return [each.stored(conflicts[each.change.source.pk], each.article.pk in followed) for each in merges]


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
        ours = article_document(article)
        self.merged = merge(
            _unstated(ours if overwrite else change.base), _unstated(ours), _unstated(change.theirs), noise=NOISE
        )
        self.taken = [name for name in self.merged.taken if name not in NOISE]

    @property
    def edit(self) -> Edit:
        self._follow_date()
        return Edit(self.article, self.merged.document, frozenset(self.merged.taken))

    @property
    def sides(self) -> Sides:
        return Sides(
            self.change.source, self.change.base, self.merged.document, self.change.theirs, self.merged.conflicts
        )

    def _follow_date(self) -> None:
        """A story that went public on its own date goes on doing so when the source moves that date."""
        article, date = self.article, self.merged.document.published_at
        ends_later = article.unpublish_at is None or article.unpublish_at > date
        if article.publish_at == article.published_at and "published_at" in self.merged.taken and ends_later:
            article.publish_at = date

    def verb(self, batch: Batch) -> workflow.Verb | None:
        """What the source did to the story's publication, if that is to be followed. That its file is back after it was
        gone counts as publishing it again."""
        theirs = self.change.theirs
        verb = workflow.PUBLISH if theirs.published else workflow.UNPUBLISH
        is_back = self.article.status == Article.Status.UNPUBLISHED
        if theirs.published == self.change.base.published and not (batch.overwrite or is_back):
            return None
        if self.article.status not in verb.sources or (theirs.published and batch.as_drafts):
            return None
        return verb

    def stored(self, conflicts: Sequence[str], followed: bool) -> Stored:
        parsed, warnings = self.change.parsed, self.change.warnings
        if conflicts:
            return Stored(parsed, Outcome.CONFLICT, conflicts, warnings)
        if self.taken or followed:
            return Stored(parsed, Outcome.UPDATED, [*self.taken, *["published"] * followed], warnings)
        return Stored(parsed, unless_changed(self.change.news), self.change.news, warnings)


def _unstated(document: ArticleDocument) -> ArticleDocument:
    """Without the publication state, which verbs move and no merge."""
    return dataclasses.replace(document, published=False)


def _keep_events(merges: Sequence[_Merging], conflicts: dict[int, list[str]]) -> None:
    """What the import changed, and what it could not settle."""
    events = []
    for each in merges:
        if each.taken:
            data = {"fields": each.taken, "version": each.article.version}
            events.append(Event(article=each.article, verb="import", data=data))
        if disputed := conflicts[each.change.source.pk]:
            events.append(Event(article=each.article, verb="conflict", data={"fields": disputed}))
    Event.objects.bulk_create(events)


def _follow_states(batch: Batch, merges: Sequence[_Merging]) -> set[int]:
    """Publish and unpublish as the source did; return the articles that changed."""
    followed: set[int] = set()
    for verb, note in (
        (workflow.PUBLISH, "The source published it."),
        (workflow.UNPUBLISH, "The source withdrew it."),
    ):
        times = {each.article.pk: each.change.theirs.published_at for each in merges if each.verb(batch) is verb}
        if times:
            followed |= workflow.apply_to_each(verb, times, by=None, note=note).done.keys()
    return followed


# --- Storing ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edit:
    """An article, and the fields in which it is to become what the document says."""

    article: Article
    document: ArticleDocument
    names: frozenset[str]


_PART_MODELS: dict[str, tuple[type[models.Model], str]] = {
    "topics": (ArticleTopic, "content_object"),
    "images": (ArticleImage, "article"),
    "related": (RelatedStory, "article"),
}


def store_each(edits: Sequence[Edit]) -> None:
    """Store the named fields of each; a new version unless they are noise. A flat number of queries.

    In the order of the keys, as a rename of a provider goes through its stories: so neither waits for the other.
    """
    edits = sorted(edits, key=lambda edit: edit.article.pk)
    rows = [article_rows(edit.document) for edit in edits]
    records = Records.for_articles(rows)
    bulk.update(
        Article,
        ("version", "modified_at", "publish_at", "provider_id", *ARTICLE_COLUMNS),
        [_row(edit, each, records) for edit, each in zip(edits, rows, strict=True)],
    )
    for name, insert_parts in PARTS.items():
        pairs = [(edit.article.pk, each) for edit, each in zip(edits, rows, strict=True) if name in edit.names]
        if pairs:
            model, owner = _PART_MODELS[name]
            model._default_manager.filter(**{f"{owner}__in": [key for key, _ in pairs]}).delete()
            insert_parts(pairs, records)


def store_fields(article: Article, document: ArticleDocument, names: Iterable[str]) -> None:
    """Store the named fields of one."""
    store_each([Edit(article, document, frozenset(names))])


def _row(edit: Edit, rows: ArticleRows, records: Records) -> Row:
    article = edit.article
    values = dict(zip(ARTICLE_COLUMNS, rows.values, strict=True))
    provider = records.provider_key(rows.provider)
    if "provider" not in edit.names:  # what the source once said of it stays, though it may be another's by now
        provider, values["provider_ref"] = article.provider_id, mapping(article.provider_ref)
    if edit.names - NOISE:
        article.version += 1
        article.modified_at = timezone.now()
    return (
        article.version,
        moment(article.modified_at),
        moment(article.publish_at),
        provider,
        *values.values(),
        article.pk,
    )
