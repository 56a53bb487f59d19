"""Bringing back what an older version of a story said, in a field or in all of them: as a new version, which can be
undone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from django.utils.text import get_text_list

from articles import revisions
from articles.documents import ArticleDocument, topic_key
from articles.editing import NOT_EDITED, Edited, edit
from articles.importing.batches import NOISE, UnstorableError
from articles.models import Revision
from articles.renewing import renewed, unknown_topics, with_present_names
from images.tasks import wake

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User

VERB = "restore_revision"
FIELDS = tuple(field.name for field in dataclasses.fields(ArticleDocument) if field.name not in NOT_EDITED)
# An editor's heat follows the source no more, so an old one comes back only where it is asked for by name.
WHOLE = tuple(name for name in FIELDS if name not in NOISE)


@dataclass(frozen=True)
class Restored:
    """What became of it; `withheld`: how many pictures were left out, as all of their outlet are taken down."""

    edited: Edited
    batch: UUID
    withheld: int


def restore(article: int, version: int, names: Sequence[str], *, by: User, seen: int | None) -> Restored:
    """Make the story say in these fields what it said at `version`. Raises Revision.DoesNotExist where nothing is known
    of that version, DocumentError where it cannot be read any more, UnstorableError where nothing of it may be brought
    back, and what `edit` raises."""
    old = revisions.as_of(article, version)
    if old is None:
        raise Revision.DoesNotExist
    withheld, batch = 0, uuid4()
    left = ""
    if "topics" in names and not by.has_perm("articles.add_topic"):
        old, left = _without_gone_topics(old)

    def change(now: ArticleDocument) -> ArticleDocument:
        nonlocal withheld
        after, withheld = renewed(now, replace(now, **{name: getattr(old, name) for name in names}))
        return after

    note = f"Restored from version {version}{f', without {left}' if left else ''}"
    edited = edit(article, change, by=by, seen=seen, note=note, batch=batch, verb=VERB, revision=version)
    if left and not edited.event:
        raise UnstorableError(f"You may not make topics, and there is none any more that is called {left}")
    if {"images", "related"}.intersection(edited.names):
        wake()  # should the address of a picture be new to us
    return Restored(edited, batch, withheld)


def _without_gone_topics(document: ArticleDocument) -> tuple[ArticleDocument, str]:
    """What somebody can bring back who may not make topics, and the names of the others."""
    document = with_present_names(document)
    unknown = unknown_topics(document.topics)
    kept = tuple(name for name in document.topics if topic_key(name) not in unknown)
    left = [f"“{name}”" for name in document.topics if topic_key(name) in unknown]
    return replace(document, topics=kept), get_text_list(left, "and")
