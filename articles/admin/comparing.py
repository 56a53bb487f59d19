"""What an editor wants a story to say, beside what stands there by now: what is disputed, and whose it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core import signing
from django.core.exceptions import SuspiciousOperation
from django.utils import timezone

from articles import revisions, workflow, working
from articles.admin.events import moment
from articles.documents import ArticleDocument, DocumentError, field_data, from_data, open_data
from articles.importing.batches import NOISE
from articles.merging import Merge, changed_fields, merge, take_theirs
from articles.models import Article, Revision, WorkingCopy
from articles.records import article_document
from articles.renewing import with_present_names

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User

LIVE, CHANGES, PUT = "live", "changes", "put"  # where a draft is to go: the story, its working copy, from that to it
MINE, THEIRS = "mine", "theirs"
LOOKED_BACK = 20  # revisions
DONE_BY_VERBS = frozenset(verb.done.capitalize() for verb in workflow.VERBS.values())


@dataclass(frozen=True)
class Draft:
    """What an editor wants a story to say, on its way to where it is to be."""

    target: str
    base: ArticleDocument | None  # what it began as; None where nobody knows any more
    mine: ArticleDocument
    base_version: int = 0  # of the story
    copy_version: int = 0  # of the working copy that is to be put live
    beside: dict[str, list[Any]] = field(
        default_factory=dict
    )  # what no document holds: as it was shown, as it is to be
    pressed: dict[str, str] = field(default_factory=dict)  # the button, and what goes with it

    def sealed(self, article: Article, user: User) -> str:
        """For the page to carry: nobody else can send it, nor for another story."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return sealed(
            values | {"base": self.base and open_data(self.base), "mine": open_data(self.mine)}, article.pk, user
        )

    @classmethod
    def opened(cls, text: str, article: int, user: User) -> Draft:
        values = opened(text, article, user)
        base = values["base"] and from_data(values["base"])
        return cls(**values | {"base": base, "mine": from_data(values["mine"])})


def sealed(data: Any, article: int, user: User) -> str:
    return signing.dumps(data, salt=_salt(article, user), compress=True)


def opened(text: str, article: int, user: User) -> Any:
    try:
        return signing.loads(text, salt=_salt(article, user))
    except signing.BadSignature as error:
        raise SuspiciousOperation("This was not sent by one of our pages.") from error


def _salt(article: int, user: User) -> str:
    return f"articles.draft.{article}.{user.pk}"


def put_live_draft(copy: WorkingCopy) -> Draft:
    return Draft(PUT, working.base_of(copy), working.document_of(copy), copy.base_version, copy.version)


def base_at(article: int, version: int) -> ArticleDocument | None:
    """The story as an editor saw it, if anybody knows."""
    try:
        known = revisions.as_of(article, version) if version else None
    except DocumentError:
        return None  # what was stored before the rules were as they are
    return known and with_present_names(known)


@dataclass(frozen=True)
class Place:
    """What stands where a draft is to go."""

    article: Article
    target: str
    copy: WorkingCopy | None

    @classmethod
    def of(cls, article: Article, target: str) -> Place:
        return cls(article, target, None if target == LIVE else working.copy_of(article.pk))

    @property
    def is_copy(self) -> bool:
        return self.target == CHANGES and self.copy is not None

    @cached_property
    def document(self) -> ArticleDocument:
        live = article_document(self.article)
        if not self.is_copy or self.copy is None:
            return live
        return dataclasses.replace(working.document_of(self.copy), published=live.published, secured=live.secured)

    @property
    def copy_version(self) -> int:
        return self.copy.version if self.copy else 0

    @property
    def seen(self) -> str:
        """What tells whether it has moved on."""
        return f"{self.article.version}.{self.copy_version}"

    def beside(self, name: str) -> Any:
        return getattr(self.article, name)


@dataclass(frozen=True)
class Comparison:
    """A draft and what stands where it is to go."""

    draft: Draft
    place: Place

    @cached_property
    def base(self) -> ArticleDocument | None:
        return self.draft.base and self._alike(self.draft.base)

    @cached_property
    def mine(self) -> ArticleDocument:
        return self._alike(self.draft.mine)

    @cached_property
    def theirs(self) -> ArticleDocument:
        return self.place.document

    def _alike(self, document: ArticleDocument) -> ArticleDocument:
        """Without what no editor changes: state, seal, and what a source says of the provider that it is anyway."""
        there = self.place.document
        changes: dict[str, Any] = {"published": there.published, "secured": there.secured}
        if document.provider and there.provider and document.provider.domain == there.provider.domain:
            changes["provider"] = there.provider
        return dataclasses.replace(document, **changes)

    @cached_property
    def merged(self) -> Merge[ArticleDocument]:
        if self.base is not None:
            return merge(self.base, self.mine, self.theirs, noise=NOISE, strict=True)
        disputed = tuple(name for name in changed_fields(self.mine, self.theirs) if name not in NOISE)
        return Merge(self.mine, (), (), disputed)

    @cached_property
    def conflicts(self) -> tuple[str, ...]:
        beside = [
            name for name, (before, mine) in self.draft.beside.items() if self.place.beside(name) not in (before, mine)
        ]
        return (*self.merged.conflicts, *beside)

    @property
    def ours(self) -> tuple[str, ...]:
        """What only this editor changed."""
        beside = (name for name in self.draft.beside if name not in self.conflicts)
        names = changed_fields(self.theirs, self.merged.document)
        return (*(name for name in names if name not in self.conflicts), *beside)

    def outcomes(self, name: str) -> tuple[Any, Any, Any]:
        """Of a disputed field: what it was, and what becomes of it with each choice, as JSON has it."""
        if name in self.draft.beside:
            before, mine = self.draft.beside[name]
            return before, mine, self.place.beside(name)
        before = field_data(self.base, name) if self.base else None
        return before, field_data(self.merged.document, name), field_data(self.settled({name: THEIRS}), name)

    def settled(self, choices: Mapping[str, str]) -> ArticleDocument:
        names = [name for name in self.merged.conflicts if choices.get(name) == THEIRS]
        return dataclasses.replace(self.merged.document, **{name: self._taken(name) for name in names})

    def _taken(self, name: str) -> Any:
        """As theirs has it, and with what only this editor added to a list."""
        if self.base is None:
            return getattr(self.theirs, name)
        sides = (getattr(side, name) for side in (self.base, self.mine, self.theirs))
        return take_theirs(name, *sides)

    def beside(self, choices: Mapping[str, str]) -> dict[str, Any]:
        """What to set that no document holds."""
        found = {name: mine for name, (_, mine) in self.draft.beside.items() if choices.get(name) != THEIRS}
        return {name: mine for name, mine in found.items() if self.place.beside(name) != mine}


# --- What happened meanwhile --------------------------------------------------------------------


@dataclass(frozen=True)
class Doing:
    """Somebody's save."""

    who: str
    at: datetime
    what: str = ""
    document: ArticleDocument | None = None

    def __str__(self) -> str:
        return f"{self.who}, {when(self.at)}{f': {self.what}' if self.what else ''}"


def when(at: datetime) -> str:
    local = timezone.localtime(at)
    return f"at {local:%H:%M}" if local.date() == timezone.localdate() else moment(at)


def meanwhile(place: Place, draft: Draft, user: User) -> list[Doing]:
    """What was done since the draft began, oldest first."""
    if place.is_copy and place.copy:
        return [Doing(_name(place.copy.author, user, "Somebody"), place.copy.saved_at)]
    kept = Revision.objects.filter(article=place.article, version__gt=draft.base_version).select_related("author")
    doings = [_doing(revision, user) for revision in kept[:LOOKED_BACK]][::-1]
    return doings or [_last_doing(place.article, user)]


def _doing(revision: Revision, user: User) -> Doing:
    what = revision.note[:1].lower() + revision.note[1:] if revision.note in DONE_BY_VERBS else ""
    try:
        document = revisions.document_of(revision)
    except DocumentError:
        document = None
    return Doing(_name(revision.author, user, "An import"), revision.created_at, what, document)


def _last_doing(article: Article, user: User) -> Doing:
    last = article.events.select_related("actor").first()
    if last is None:
        return Doing("Somebody", article.modified_at)
    return Doing(_name(last.actor, user, "An import"), last.at)


def _name(person: User | None, user: User, nobody: str) -> str:
    if person is None:
        return nobody
    return "You, in another window" if person == user else str(person)


def whose(name: str, doings: Sequence[Doing], base: ArticleDocument | None) -> Doing:
    """The last who changed the field."""
    found, before = doings[-1], base
    for doing in doings:
        if before and doing.document and name in changed_fields(before, doing.document):
            found = doing
        before = doing.document or before
    return found
