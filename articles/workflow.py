"""The verbs: the one way to change an article's state.

Each checks who may and from where, changes, and writes an event. A form, a bulk action, a command and the
importer all call the same functions. `by=None` means the importer, which follows the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from articles.models import Article, Event

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

S = Article.Status


class TransitionError(Exception):
    """The verb does not apply to the article as it stands. The message is for the editor."""


@dataclass(frozen=True)
class Verb:
    name: str
    permission: str
    sources: frozenset[str]
    target: str


PUBLISH = Verb("publish", "articles.publish_article", frozenset({S.DRAFT, S.IN_REVIEW, S.UNPUBLISHED}), S.PUBLISHED)
UNPUBLISH = Verb("unpublish", "articles.publish_article", frozenset({S.PUBLISHED}), S.UNPUBLISHED)
VERBS = {verb.name: verb for verb in (PUBLISH, UNPUBLISH)}


def allows(verb: Verb, article: Article, user: User | AnonymousUser) -> bool:
    """Whether `user` may do this to `article` as it stands: what decides which buttons are shown."""
    return article.status in verb.sources and user.has_perm(verb.permission)


def publish(
    article: Article, *, by: User | None, note: str = "", batch: UUID | None = None, at: object = None
) -> Event:
    """Make the article public from now on, or from `at` (a datetime)."""
    return _apply(PUBLISH, article, by, note, batch, publish_at=at or timezone.now(), unpublish_at=None)


def unpublish(article: Article, *, by: User | None, note: str = "", batch: UUID | None = None) -> Event:
    """Take the article off every public page."""
    return _apply(UNPUBLISH, article, by, note, batch)


def _apply(verb: Verb, article: Article, by: User | None, note: str, batch: UUID | None, **changes: object) -> Event:
    if by is not None and not by.has_perm(verb.permission):
        raise PermissionDenied(f"You may not {verb.name} articles.")
    with transaction.atomic():
        # The row as it is now, not as the page showed it: two editors may press at once.
        current = Article.objects.select_for_update().only("status", "version").get(pk=article.pk)
        if current.status not in verb.sources:
            raise TransitionError(f"It is {current.get_status_display().lower()}, so it cannot be {_done(verb)}.")
        changes |= {"status": verb.target, "version": current.version + 1, "modified_at": timezone.now()}
        Article.objects.filter(pk=article.pk).update(**changes)
        for name, value in changes.items():
            setattr(article, name, value)
        return Event.objects.create(
            article=article,
            actor=by,
            verb=verb.name,
            from_status=current.status,
            to_status=verb.target,
            note=note,
            batch=batch,
        )


def _done(verb: Verb) -> str:
    return f"{verb.name}ed"
