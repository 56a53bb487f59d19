"""Changes to a published story that are not live yet: kept, put live and discarded. Each writes an event; nothing of
the live story changes before they are put live.

A working copy is the document as it is to be, with what it began as: putting it live merges the two with the story as
it is by then, so that what has come in meanwhile stays (`articles.merging`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from articles import editing, workflow
from articles.documents import ArticleDocument, DocumentError, from_data, open_data
from articles.merging import changed_fields
from articles.models import Article, Event, WorkingCopy
from articles.records import article_document
from articles.renewing import renewed, with_present_names

if TYPE_CHECKING:
    from django.contrib.auth.models import User

KEEP = "keep_changes"
PUT_LIVE = "put_live"
DISCARD = "discard_changes"


class MovedError(Exception):
    """Somebody else saved, discarded or put live the changes meanwhile."""


def copy_of(article: int) -> WorkingCopy | None:
    return WorkingCopy.objects.filter(article=article).select_related("author").first()


def is_readable(copy: WorkingCopy) -> bool:
    """Whether it can be read: it may have been kept before the rules of documents were as they are."""
    try:
        from_data(copy.base), from_data(copy.document)
    except DocumentError:
        return False
    return True


def document_of(copy: WorkingCopy) -> ArticleDocument:
    """The story as it is to be. Raises DocumentError, as does `base_of`."""
    return _read(copy.document)


def base_of(copy: WorkingCopy) -> ArticleDocument:
    """The story as it was when the changes were begun."""
    return _read(copy.base)


def _read(data: dict[str, Any]) -> ArticleDocument:
    return with_present_names(cast("ArticleDocument", from_data(data)))


def fields_of(copy: WorkingCopy) -> tuple[str, ...]:
    """In what the changes differ from what they began as; nothing can be said of those that cannot be read."""
    if not is_readable(copy):
        return ()
    return changed_fields(from_data(copy.base), from_data(copy.document))


@transaction.atomic
def keep(
    article: Article,
    document: ArticleDocument,
    base: ArticleDocument,
    *,
    base_version: int,
    by: User,
    seen: int,
    note: str = "",
) -> WorkingCopy:
    """Keep `document` as changes that began as `base`; of those that are kept already, the base stays. `seen`: their
    version, 0 where there were none. The caller has locked the story. Raises MovedError, PermissionDenied."""
    _require(article, by)
    copy = _seen(article, seen)
    if copy is None:
        copy = WorkingCopy(article=article, base=open_data(base), base_version=base_version)
    else:
        copy.version += 1
    copy.document, copy.author, copy.saved_at = open_data(document), by, timezone.now()
    copy.note = note or copy.note
    copy.save()
    _tell(article, by, KEEP, note, fields=list(fields_of(copy)))
    return copy


@transaction.atomic
def put_live(
    article: Article, document: ArticleDocument, *, by: User, seen: int, live: int
) -> tuple[editing.Edited, int]:
    """Make the story say `document`, which the changes were merged into. `seen`: their version; `live`: the story's.
    The caller has locked it. The number is of pictures that were left out, as all of their outlet are taken down.
    Raises MovedError, editing.StaleError, PermissionDenied."""
    _require(article, by)
    copy = _seen(article, seen)
    if copy is None:
        raise MovedError
    after, withheld = renewed(article_document(article), document)
    told: dict[str, Any] = {"withheld": withheld} if withheld else {}
    edited = editing.edit(article.pk, lambda now: after, by=by, seen=live, note=copy.note, verb=PUT_LIVE, **told)
    if edited.event is None:
        _tell(article, by, PUT_LIVE, copy.note, fields=[], **told)
    copy.delete()
    return edited, withheld


@transaction.atomic
def discard(article: Article, *, by: User, seen: int) -> None:
    """Raises MovedError, PermissionDenied."""
    _require(article, by)
    copy = _seen(article, seen)
    if copy is None:
        raise MovedError
    _tell(article, by, DISCARD, copy.note, fields=list(fields_of(copy)))
    copy.delete()


def _require(article: Article, by: User) -> None:
    if not workflow.may_edit(article, by):
        raise PermissionDenied("You may not change this story.")


def _seen(article: Article, seen: int) -> WorkingCopy | None:
    copy = WorkingCopy.objects.select_for_update().filter(article=article.pk).first()
    if (copy.version if copy else 0) != seen:
        raise MovedError
    return copy


def _tell(article: Article, by: User, verb: str, note: str, **data: Any) -> None:
    Event.objects.create(article=article, actor=by, verb=verb, note=note, data=data)
