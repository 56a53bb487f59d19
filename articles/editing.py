"""Changes of what a story says, made without its whole form: topics at the desk, an old revision, chosen halves of two
editors' work, changes that go live. Each keeps a revision and writes an event, and can be undone.

    edited = edit(key, lambda document: replace(document, topics=("Whales",)), by=user, seen=version)
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from articles import revisions, workflow
from articles.bulk import chunks
from articles.documents import ArticleDocument
from articles.importing.batches import NOISE
from articles.importing.settling import forget_agreed_of_each
from articles.importing.updating import Edit, store_each
from articles.merging import changed_fields
from articles.models import Article, Event, SourceFile
from articles.records import article_document, with_parts
from articles.renewing import renewed

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User
    from django.db.models import QuerySet

Change = Callable[[ArticleDocument], ArticleDocument]

EDIT = "edit"
NOT_YOURS = "You may change only what you wrote yourself, until it is published."
UNCHANGED = "Nothing about it would change."
NAMES_OTHERS = frozenset({"provider", "images", "related"})  # topics are found by their old names when they are stored
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
    _lock([key])
    return with_parts(Article.objects.filter(pk=key)).get()


@transaction.atomic
def edit(
    key: int,
    change: Change,
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
    told = _edit(article, change)
    if not told.names:
        return Edited(article, (), None)
    [event] = _store([told], by, note, batch, verb, data)
    return Edited(with_parts(Article.objects.filter(pk=key)).get(), tuple(event.data["fields"]), event)


@transaction.atomic
def edit_each(
    changes: Mapping[int, Change],
    *,
    by: User,
    seen: Mapping[int, int] | None = None,
    note: str = "",
    batch: UUID | None = None,
    verb: str = EDIT,
    **data: Any,
) -> workflow.Result:
    """The same to many stories, each with its change, in one transaction and as many queries for many as for one. What
    cannot be done to a story is told of it; one that is not there any more is left out."""
    result, keys = workflow.Result({}, {}, {}), sorted(changes)
    _lock(keys)
    for articles in _chunks(keys):
        edits, refused = _judged(articles, changes, by, seen or {})
        result.refused.update(refused)
        events = _store(edits, by, note, batch, verb, data)
        result.done.update({event.article_id: event for event in events})
    return result


def foresee(changes: Mapping[int, Change | None], *, by: User, seen: Mapping[int, int] | None = None) -> dict[int, str]:
    """Why `edit_each` would not do it to which stories. Without a change: whether any could be made."""
    refused: dict[int, str] = {}
    for articles in _chunks(sorted(changes)):
        refused |= _judged(articles, changes, by, seen or {})[1]
    return refused


def _chunks(keys: Sequence[int]) -> Iterator[QuerySet[Article]]:
    """The stories with all their parts, so many at a time."""
    for some in chunks(keys):
        yield with_parts(Article.objects.filter(pk__in=some))


def _judged(
    articles: Iterable[Article], changes: Mapping[int, Change | None], by: User, seen: Mapping[int, int]
) -> tuple[list[Edit], dict[int, str]]:
    """What is to be stored, and why the rest is not."""
    edits, refused = [], {}
    for article in articles:
        change = changes[article.pk]
        if reason := _why_not(article, by, seen):
            refused[article.pk] = reason
        elif change and (edit := _edit(article, change)).names:
            edits.append(edit)
        elif change:
            refused[article.pk] = UNCHANGED
    return edits, refused


def _lock(keys: Sequence[int]) -> None:
    """The rows of the stories, after those of their files, both in the order in which imports lock them."""
    SourceFile.objects.filter(article__in=keys).hold()
    list(Article.objects.filter(pk__in=keys).order_by("pk").select_for_update().values_list("pk"))


def _why_not(article: Article, by: User, seen: Mapping[int, int]) -> str:
    if not workflow.may_edit(article, by):
        return NOT_YOURS
    return "" if article.version == seen.get(article.pk, article.version) else workflow.CHANGED_SINCE


def _edit(article: Article, change: Change) -> Edit:
    before = article_document(article)
    after = change(before)
    return Edit(article, after, frozenset(changed_fields(before, after)) - NOT_EDITED)


def _store(
    edits: Sequence[Edit], by: User, note: str, batch: UUID | None, verb: str, data: dict[str, Any]
) -> list[Event]:
    """Store the edits, with a revision and an event of each."""
    if not edits:
        return []
    keys = [edit.article.pk for edit in edits]
    revisions.keep_last_of_each(keys)
    store_each(edits)
    _count_heats([edit.article for edit in edits if NOISE.issuperset(edit.names)])
    revisions.record_each(keys, by=by, note=note)
    events = [
        Event(article=edit.article, actor=by, verb=verb, note=note, batch=batch, data=_data(edit, data))
        for edit in edits
    ]
    forget_agreed_of_each(keys)
    return Event.objects.bulk_create(events)


def _count_heats(articles: Sequence[Article]) -> None:
    """A heat is no news from an import, but what an editor did has a version, to go back from."""
    for article in articles:
        article.version += 1
        article.modified_at = timezone.now()
    if articles:
        Article.objects.bulk_update(articles, ["version", "modified_at"])


def _data(edit: Edit, data: dict[str, Any]) -> dict[str, Any]:
    """The fields in the order in which documents have them, and the version that came of it."""
    names = [field.name for field in dataclasses.fields(edit.document) if field.name in edit.names]
    return {"fields": names, "version": edit.article.version, **data}


# --- Undoing ------------------------------------------------------------------------------------


@transaction.atomic
def undo(batch: UUID, *, by: User) -> workflow.Result:
    """Put back what was done under this batch, verbs and edits alike, but what has changed since. An undo is a batch
    too. Raises PermissionDenied."""
    events = [event for event in Event.objects.filter(batch=batch).order_by("pk") if "version" in event.data]
    if not any("fields" in event.data for event in events):
        return workflow.undo(batch, by=by)
    if not workflow.may_undo(events, by):
        raise PermissionDenied("You may not undo what others did.")
    last, again = {event.article_id: event.data["version"] for event in events}, uuid4()
    _lock(sorted(last))
    now = dict(Article.objects.filter(pk__in=last).order_by().values_list("pk", "version"))
    as_left = workflow.as_left(last, now)
    withheld: dict[int, int] = {}
    back = _backwards(events, {key: now[key] for key in as_left}, withheld)
    edited = edit_each(back, by=by, batch=again, verb=workflow.UNDO, undoes=str(batch))
    _tell_withheld(edited, withheld)
    unfit = {key for key, reason in edited.refused.items() if reason != UNCHANGED}  # edits may cancel each other
    moved = workflow.undo(batch, by=by, again=again, only=as_left - unfit)
    refused = {key: workflow.CHANGED_SINCE for key in now if key not in as_left} | edited.refused
    for key in moved.done:
        refused.pop(key, None)
    return workflow.Result(edited.done | moved.done, refused, moved.changes)


def _backwards(events: Sequence[Event], now: Mapping[int, int], withheld: dict[int, int]) -> dict[int, Change]:
    """For each story of these, given with their versions, what makes its edited fields say what they said before the
    first of its edits. `withheld`: takes up of how many pictures that made it leave out."""
    edits: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        if "fields" in event.data and event.article_id in now:
            edits[event.article_id].append(event)
    began = {key: some[0].data["version"] for key, some in edits.items()}
    reach = max((now[key] - version + 1 for key, version in began.items()), default=1)
    before = revisions.before_each(began, reach)
    return {key: _back_to(key, before.get(key), some, withheld) for key, some in edits.items()}


def _back_to(key: int, before: ArticleDocument | None, edits: Iterable[Event], withheld: dict[int, int]) -> Change:
    names = {name for event in edits for name in event.data["fields"]}

    def back(now: ArticleDocument) -> ArticleDocument:
        if before is None:
            return now
        after = dataclasses.replace(now, **{name: getattr(before, name) for name in names})
        if names.isdisjoint(NAMES_OTHERS):
            return after
        after, withheld[key] = renewed(now, after)
        return after

    return back


def _tell_withheld(edited: workflow.Result, withheld: Mapping[int, int]) -> None:
    for key, number in withheld.items():
        if number and (event := edited.done.get(key)):
            event.data["withheld"] = number
            event.save(update_fields=["data"])
