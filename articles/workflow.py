"""The verbs: the one way to change an article's state.

Each checks who may and from where, changes, keeps a revision, and writes an event. A form, a bulk action, a command
and the importer all call the same functions. `by=None` means the importer, which follows the source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from articles import revisions
from articles.models import Article, Event

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import AnonymousUser, User

CHUNK = 500  # articles
S = Article.Status
STANDING: dict[str, str] = {
    S.DRAFT: "is a draft",
    S.IN_REVIEW: "is in review",
    S.PUBLISHED: "is published",
    S.UNPUBLISHED: "has been unpublished",
    S.REJECTED: "has been rejected",
}


class TransitionError(Exception):
    """The verb does not apply to the article as it stands. The message is for the editor."""


@dataclass(frozen=True)
class Verb:
    name: str
    done: str
    permission: str
    sources: frozenset[str]
    target: str


PUBLISH = Verb(
    name="publish",
    done="published",
    permission="articles.publish_article",
    sources=frozenset({S.DRAFT, S.IN_REVIEW, S.UNPUBLISHED}),
    target=S.PUBLISHED,
)
UNPUBLISH = Verb(
    name="unpublish",
    done="unpublished",
    permission="articles.publish_article",
    sources=frozenset({S.PUBLISHED}),
    target=S.UNPUBLISHED,
)
VERBS = {verb.name: verb for verb in (PUBLISH, UNPUBLISH)}


def allows(verb: Verb, article: Article, user: User | AnonymousUser) -> bool:
    """Whether `user` may do this to `article` as it stands: what decides which buttons are shown."""
    return article.status in verb.sources and user.has_perm(verb.permission)


def publish(
    article: Article, *, by: User | None, note: str = "", batch: UUID | None = None, at: datetime | None = None
) -> Event:
    """Make the article public from now on, or from `at`."""
    return apply(PUBLISH, article, by=by, note=note, batch=batch, at=at)


def unpublish(article: Article, *, by: User | None, note: str = "", batch: UUID | None = None) -> Event:
    """Take the article off every public page."""
    return apply(UNPUBLISH, article, by=by, note=note, batch=batch)


def apply(
    verb: Verb,
    article: Article,
    *,
    by: User | None,
    note: str = "",
    batch: UUID | None = None,
    at: datetime | None = None,
) -> Event:
    """Do what the verb says, for a caller that was given it; `at` is for those that make something public."""
    result = apply_to_each(verb, {article.pk: at}, by=by, note=note, batch=batch)
    if reason := result.refused.get(article.pk):
        raise TransitionError(reason)
    if not result.done:
        raise Article.DoesNotExist
    for name, value in result.changes[article.pk].items():
        setattr(article, name, value)  # only these: its other fields may be old, or not loaded at all
    return result.done[article.pk]


@dataclass(frozen=True)
class Result:
    """What became of each article, by its key; of one that is not there any more, nothing."""

    done: dict[int, Event]
    refused: dict[int, str]  # why, for the editor
    changes: dict[int, dict[str, object]]  # what changed in the rows of those that are done


def apply_to_each(
    verb: Verb,
    articles: Mapping[int, datetime | None],
    *,
    by: User | None,
    note: str = "",
    batch: UUID | None = None,
) -> Result:
    """Do what the verb says to each that allows it, in one transaction. `articles`: their keys, each with the time from
    which it is to be public (None: now)."""
    if by is not None and not by.has_perm(verb.permission):
        raise PermissionDenied(f"You may not {verb.name} articles.")
    with transaction.atomic():
        # The rows as they are now, not as a page showed them: two editors may press at once.
        current = _locked(sorted(articles))
        fit = [article for article in current if article.status in verb.sources]
        events = [_event(article, verb, by, note, batch) for article in fit]
        changes = {article.pk: _change(article, verb, articles[article.pk] or timezone.now()) for article in fit}
        Article.objects.bulk_update(fit, _CHANGED, 100)
        revisions.record_each([article.pk for article in fit], by=by, note=verb.done.capitalize())
        Event.objects.bulk_create(events)
    refused = {article.pk: _why_not(verb, article) for article in current if article.pk not in changes}
    return Result({event.article_id: event for event in events}, refused, changes)


def _locked(keys: Sequence[int]) -> list[Article]:
    rows = Article.objects.order_by("pk").select_for_update().only("status", "version", "publish_at", "unpublish_at")
    chunks = (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))  # databases bind only so many values
    return [article for chunk in chunks for article in rows.filter(pk__in=chunk)]


def _event(article: Article, verb: Verb, by: User | None, note: str, batch: UUID | None) -> Event:
    return Event(
        article=article,
        actor=by,
        verb=verb.name,
        from_status=article.status,
        to_status=verb.target,
        note=note,
        batch=batch,
    )


_CHANGED = ["status", "version", "modified_at", "publish_at", "unpublish_at"]


def _change(article: Article, verb: Verb, at: datetime) -> dict[str, object]:
    """What the verb makes of the row, which is set on `article` too."""
    changes: dict[str, object] = {
        "status": verb.target,
        "version": article.version + 1,
        "modified_at": timezone.now(),
    }
    if verb.target == S.PUBLISHED:
        changes |= {"publish_at": at, "unpublish_at": None}
    elif article.publish_at and article.publish_at > timezone.now():  # it never was public: not gone, but never there
        changes |= {"publish_at": None, "unpublish_at": None}
    for name, value in changes.items():
        setattr(article, name, value)
    return changes


def _why_not(verb: Verb, article: Article) -> str:
    if article.status == verb.target:
        return f"It is {verb.done} already."
    return f"It {STANDING[article.status]}, so it cannot be {verb.done}."
