"""Changes of what a story says, made without its whole form: topics at the desk, an old revision, chosen halves of two
editors' work, changes that go live. Each keeps a revision and writes an event, and can be undone.

    edited = edit(key, lambda document: replace(document, topics=("Whales",)), by=user, seen=version)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.db import transaction

from articles import revisions, workflow
from articles.documents import ArticleDocument
from articles.importing.settling import forget_agreed
from articles.importing.updating import store_fields
from articles.merging import changed_fields
from articles.models import Article, Event, SourceFile
from articles.records import article_document, with_parts

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User

EDIT = "edit"
NOT_EDITED = frozenset({"secured", "published"})  # sealed, and moved by verbs alone


class StaleError(Exception):
    """The story has changed since the editor saw it. `article`: as it is now."""

    def __init__(self, article: Article) -> None:
        super().__init__(workflow.CHANGED_SINCE)
        self.article = article


@dataclass(frozen=True)
class Edited:
    """The story as it is now, what was changed of it (nothing, if it said so already), and what tells of that."""

    article: Article
    names: tuple[str, ...]
    event: Event | None


def locked(key: int) -> Article:
    """The story with all its parts, its row locked: after its file, in the order in which imports do it. The caller
    holds the transaction. Raises Article.DoesNotExist."""
    list(SourceFile.objects.filter(article=key).select_for_update().values_list("pk"))
    list(Article.objects.filter(pk=key).select_for_update().values_list("pk"))
    return with_parts(Article.objects.filter(pk=key)).get()


@transaction.atomic
def edit(
    key: int,
    change: Callable[[ArticleDocument], ArticleDocument],
    *,
    by: User,
    seen: int | None,
    note: str = "",
    batch: UUID | None = None,
    verb: str = EDIT,
    **data: Any,
) -> Edited:
    """Make the story say what `change` makes of its document. `seen`: the version that the editor saw (None: whatever
    there is). Raises StaleError, PermissionDenied, Article.DoesNotExist, and what `change` raises."""
    article = locked(key)
    if not workflow.may_edit(article, by):
        raise PermissionDenied("You may not change this story.")
    if seen is not None and article.version != seen:
        raise StaleError(article)
    before = article_document(article)
    after = change(before)
    names = tuple(name for name in changed_fields(before, after) if name not in NOT_EDITED)
    if not names:
        return Edited(article, (), None)
    revisions.keep_last(article)
    store_fields(article, after, names)
    revisions.record(article, by=by, note=note)
    told = {"fields": list(names), "version": article.version, **data}
    event = Event.objects.create(article=article, actor=by, verb=verb, note=note, batch=batch, data=told)
    forget_agreed(article)
    return Edited(with_parts(Article.objects.filter(pk=key)).get(), names, event)


# --- Undoing ------------------------------------------------------------------------------------


@transaction.atomic
def undo(batch: UUID, *, by: User) -> workflow.Result:
    """Put back what was done under this batch, verbs and edits alike, but what has changed since. An undo is a batch
    too. Raises PermissionDenied."""
    edits = [event for event in Event.objects.filter(batch=batch).order_by("pk") if "fields" in event.data]
    if not edits:
        return workflow.undo(batch, by=by)
    result, again = workflow.Result({}, {}, {}), uuid4()
    for event in edits:
        if event.actor_id != by.pk and not by.has_perm(workflow.MAY_PUBLISH):
            raise PermissionDenied("You may not undo what others did.")
        try:
            edited = _undo_edit(event, by, again)
        except StaleError:
            result.refused[event.article_id] = workflow.CHANGED_SINCE
        else:
            if edited.event:
                result.done[event.article_id] = edited.event
    return result


def _undo_edit(event: Event, by: User, batch: UUID) -> Edited:
    version = int(event.data["version"])
    before = revisions.as_of(event.article_id, version - 1)

    def back(now: ArticleDocument) -> ArticleDocument:
        if before is None:
            raise StaleError(event.article)
        return dataclasses.replace(now, **{name: getattr(before, name) for name in event.data["fields"]})

    return edit(event.article_id, back, by=by, seen=version, batch=batch, verb=workflow.UNDO, note="")
