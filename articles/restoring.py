"""Bringing back what an older version of a story said, in a field or in all of them: as a new version, which can be
undone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from articles import revisions
from articles.documents import ArticleDocument
from articles.editing import NOT_EDITED, Edited, edit
from articles.importing.batches import NOISE
from articles.models import Revision
from articles.renewing import renewed
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
    of that version, DocumentError where it cannot be read any more, and what `edit` raises."""
    old = revisions.as_of(article, version)
    if old is None:
        raise Revision.DoesNotExist
    withheld, batch = 0, uuid4()

    def change(now: ArticleDocument) -> ArticleDocument:
        nonlocal withheld
        after, withheld = renewed(now, replace(now, **{name: getattr(old, name) for name in names}))
        return after

    note = f"Restored from version {version}"
    edited = edit(article, change, by=by, seen=seen, note=note, batch=batch, verb=VERB, revision=version)
    if {"images", "related"}.intersection(edited.names):
        wake()  # should the address of a picture be new to us
    return Restored(edited, batch, withheld)
