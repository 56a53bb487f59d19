"""The verbs: the one way to change an article's state.

Each checks who may and from where, changes, keeps a revision, and writes an event. A form, a bulk action, a command
and the importer all call the same functions. `by=None` means the importer, which follows the source.
"""

from __future__ import annotations

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
    if by is not None and not by.has_perm(verb.permission):
        raise PermissionDenied(f"You may not {verb.name} articles.")
    with transaction.atomic():
        # The row as it is now, not as the page showed it: two editors may press at once.
        current = Article.objects.select_for_update().only("status", "version").get(pk=article.pk)
        if current.status not in verb.sources:
            raise TransitionError(_why_not(verb, current))
        _change(article, verb, current.version + 1, at or timezone.now())
        revisions.record(article, by=by, note=verb.done.capitalize())
        return Event.objects.create(
            article=article,
            actor=by,
            verb=verb.name,
            from_status=current.status,
            to_status=verb.target,
            note=note,
            batch=batch,
        )


def _change(article: Article, verb: Verb, version: int, at: datetime) -> None:
    """Straight to the row: the other fields of a loaded article may be old, or not loaded at all."""
    changes: dict[str, object] = {"status": verb.target, "version": version, "modified_at": timezone.now()}
    if verb.target == S.PUBLISHED:
        changes |= {"publish_at": at, "unpublish_at": None}
    Article.objects.filter(pk=article.pk).update(**changes)
    for name, value in changes.items():
        setattr(article, name, value)


def _why_not(verb: Verb, article: Article) -> str:
    if article.status == verb.target:
        return f"It is {verb.done} already."
    return f"It {STANDING[article.status]}, so it cannot be {verb.done}."
