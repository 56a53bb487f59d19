"""Bringing back what an older version of a story said, in a field or in all of them: as a new version, which can be
undone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from articles import revisions
from articles.documents import ArticleDocument, ImageRef, ProviderRef
from articles.editing import NOT_EDITED, Edited, edit
from articles.importing.batches import NOISE
from articles.models import OldAddress, Revision
from images.models import RemoteImage
from images.tasks import wake
from providers.models import Provider

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
    restoring, batch = _Restoring(old, names), uuid4()
    note = f"Restored from version {version}"
    edited = edit(article, restoring.change, by=by, seen=seen, note=note, batch=batch, verb=VERB, revision=version)
    if {"images", "related"}.intersection(edited.names):
        wake()  # should the address of a picture be new to us
    return Restored(edited, batch, restoring.withheld)


class _Restoring:
    def __init__(self, old: ArticleDocument, names: Sequence[str]) -> None:
        self.old = old
        self.names = names
        self.withheld = 0

    def change(self, now: ArticleDocument) -> ArticleDocument:
        after = replace(now, **{name: getattr(self.old, name) for name in self.names})
        return self._without_withheld(now, _with_known_outlets(after))

    def _without_withheld(self, now: ArticleDocument, after: ArticleDocument) -> ArticleDocument:
        """A takedown of all pictures of an outlet takes those that its stories have by then: one that comes back later
        is none of them, and would be shown."""
        withheld = _withheld(after, shown={image.url for image in _pictures(now)})
        if not withheld:
            return after
        self.withheld = len(withheld)
        related = tuple(replace(story, images=_without(story.images, withheld)) for story in after.related)
        return replace(after, images=_without(after.images, withheld), related=related)


def _pictures(document: ArticleDocument) -> list[ImageRef]:
    return [*document.images, *(image for story in document.related for image in story.images)]


def _without(images: Iterable[ImageRef], withheld: set[str]) -> tuple[ImageRef, ...]:
    return tuple(image for image in images if image.url not in withheld)


def _withheld(document: ArticleDocument, shown: set[str]) -> set[str]:
    """The addresses of pictures of outlets whose pictures are all taken down; of those that are not `shown` now."""
    places = [(document.provider, document.images), *((story.provider, story.images) for story in document.related)]
    domains = {outlet.domain for outlet, _ in places if outlet}
    silent = set(Provider.objects.filter(domain__in=domains).exclude(no_pictures="").values_list("domain", flat=True))
    theirs = {image.url for outlet, images in places if outlet and outlet.domain in silent for image in images} - shown
    if not theirs:
        return theirs
    uploaded = RemoteImage.objects.filter(source_url__in=theirs, by_hand=True)
    return theirs.difference(uploaded.values_list("source_url", flat=True))


# --- Outlets ------------------------------------------------------------------------------------


def _with_known_outlets(document: ArticleDocument) -> ArticleDocument:
    """With the outlets that have another domain since under that one: else each would be made a second time."""
    refs = [document.provider, *(story.provider for story in document.related)]
    domains = {ref.domain for ref in refs if ref}
    unknown = domains.difference(Provider.objects.filter(domain__in=domains).values_list("domain", flat=True))
    if not unknown:
        return document
    moved = OldAddress.objects.filter(kind=OldAddress.Kind.PROVIDER, name__in=unknown).select_related("provider")
    outlets = {each.name: each.provider for each in moved if each.provider}

    def known(ref: ProviderRef | None) -> ProviderRef | None:
        outlet = outlets.get(ref.domain) if ref else None
        return ProviderRef(name=outlet.name, domain=outlet.domain) if outlet else ref

    related = tuple(replace(story, provider=known(story.provider)) for story in document.related)
    return replace(document, provider=known(document.provider), related=related)
