"""Settling what editors and source disagree about: ours is kept, or what the source says is taken."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import Model

from articles import revisions
from articles.documents import ArticleDocument, Document, DocumentError, field_data, with_field
from articles.importing.batches import UnstorableError
from articles.importing.describing import store_described_fields
from articles.importing.updating import store_fields
from articles.merging import same, take_theirs
from articles.models import Article, Conflict, Event, SourceFile, Topic
from articles.records import article_document, provider_document, topic_document, with_parts
from providers.models import Provider

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Described = Article | Provider | Topic
OWNERS: dict[str, type[Model]] = {"article": Article, "provider": Provider, "topic": Topic}


class StaleError(Exception):
    """What an editor saw is not what is there now. The message is for the editor."""


@dataclass(frozen=True)
class Dispute:
    """A conflict, and the record as it is now."""

    conflict: Conflict
    document: Document

    @property
    def name(self) -> str:
        return self.conflict.field

    @property
    def ours(self) -> Any:
        return field_data(self.document, self.name)

    @cached_property
    def taken(self) -> Document | None:
        """The record as it will be if theirs is taken: what editors alone have added to a list stays. None where it
        cannot be taken, as the rules may have changed since it was read."""
        try:
            base = with_field(self.document, self.name, self.conflict.base)
            theirs = with_field(self.document, self.name, self.conflict.theirs)
        except DocumentError:
            return None
        sides = (getattr(side, self.name) for side in (base, self.document, theirs))
        return dataclasses.replace(self.document, **{self.name: take_theirs(self.name, *sides)})

    @property
    def is_over(self) -> bool:
        """Whether the two have come to say the same, by an editor's hand: there is nothing left to take."""
        return self.taken is not None and same(
            self.name, getattr(self.taken, self.name), getattr(self.document, self.name)
        )

    @property
    def digest(self) -> str:
        """Of all that is to be seen of it: a button decides about what stood above it, and about nothing newer."""
        text = json.dumps([self.conflict.base, self.ours, self.conflict.theirs], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def described_by(source: SourceFile) -> Described:
    """The record that a file describes."""
    return next(record for name in OWNERS if (record := getattr(source, name)))


def disputes(source: SourceFile) -> list[Dispute]:
    conflicts = list(source.conflicts.all())
    document = _document(described_by(source)) if conflicts else None
    return [Dispute(conflict, document) for conflict in conflicts if document]


def _document(record: Described) -> Document:
    if isinstance(record, Article):
        return article_document(with_parts(Article.objects.filter(pk=record.pk)).get())
    return provider_document(record) if isinstance(record, Provider) else topic_document(record)


def locked(key: int) -> SourceFile | None:
    """The file and the record it describes, locked: two editors may press at once, and an import may be running."""
    source = SourceFile.objects.filter(pk=key).defer("text").select_for_update().first()
    for name, model in OWNERS.items():
        if source and (owner := getattr(source, f"{name}_id")):
            setattr(source, name, model._default_manager.select_for_update().get(pk=owner))
    return source


def settle(source: SourceFile, seen: Mapping[str, str], *, take: bool, by: User) -> list[Dispute]:
    """Settle the fields named in `seen`, each with the `digest` of what the editor saw; return them as they were.

    The caller holds the transaction, and has the source from `locked`. Raises StaleError, and UnstorableError where
    theirs cannot be taken.
    """
    found = [dispute for dispute in disputes(source) if dispute.digest == seen.get(dispute.name)]
    if not seen or len(found) < len(seen):
        raise StaleError("This has changed since you opened the page, or somebody has settled it")
    version = _take(described_by(source), found, by) if take else None
    Conflict.objects.filter(pk__in=[dispute.conflict.pk for dispute in found]).delete()
    if source.article_id:
        data = {"fields": [dispute.name for dispute in found], "took": take}
        data |= {} if version is None else {"version": version}
        Event.objects.create(article_id=source.article_id, actor=by, verb="settle", data=data)
    return found


def _take(record: Described, found: Sequence[Dispute], by: User) -> int | None:
    """Returns the version that came of it, of an article."""
    if lost := [dispute.name for dispute in found if dispute.taken is None]:
        raise UnstorableError(f"{lost[0]}: what the source says cannot be stored any more")
    values = {dispute.name: getattr(dispute.taken, dispute.name) for dispute in found if not dispute.is_over}
    document = dataclasses.replace(found[0].document, **values)
    if not values:
        return None
    if isinstance(record, Article) and isinstance(document, ArticleDocument):
        revisions.keep_last(record)
        store_fields(record, document, values)
        revisions.record(record, by=by, note="Taken from the source")
        return record.version
    store_described_fields(record, document, values)
    return None


def forget_agreed(record: Described) -> None:
    """Forget the conflicts of a record in which there is nothing left to take."""
    owner = {str(record._meta.model_name): record.pk}
    if source := SourceFile.objects.filter(conflicts__isnull=False, **owner).defer("text").first():
        over = [dispute.conflict.pk for dispute in disputes(source) if dispute.is_over]
        Conflict.objects.filter(pk__in=over).delete()


def forget_agreed_of_each(articles: Collection[int]) -> None:
    """The same of many stories, by their keys, in as many queries for many as for one."""
    conflicts = Conflict.objects.filter(source__article__in=articles).select_related("source").defer("source__text")
    stories = {conflict: conflict.source.article_id or 0 for conflict in conflicts}
    if not stories:
        return
    disputed = with_parts(Article.objects.filter(pk__in=stories.values()))
    documents = {article.pk: article_document(article) for article in disputed}
    over = [conflict.pk for conflict, key in stories.items() if Dispute(conflict, documents[key]).is_over]
    Conflict.objects.filter(pk__in=over).delete()
