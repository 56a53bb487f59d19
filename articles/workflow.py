"""The verbs: the one way to change an article's state.

Each checks who may and from where, changes, keeps a revision, and writes an event. A form, a bulk action, a command
and the importer all call the same functions. `by=None` means the importer, which follows the source.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from articles import checks, revisions
from articles.bulk import chunks
from articles.models import Article, Event, SourceFile

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User
    from django.db.models import QuerySet

MAY_PUBLISH = "articles.publish_article"
MAY_WRITE = "articles.change_article"
S = Article.Status
CHANGED_SINCE = "It has changed since."
GONE = "It is no longer there."
SCHEDULED = "scheduled"  # how a story stands that is published from a time to come
STANDING: dict[str, str] = {
    S.DRAFT: "is a draft",
    S.IN_REVIEW: "is in review",
    SCHEDULED: "is scheduled",
    S.PUBLISHED: "is published",
    S.UNPUBLISHED: "has been unpublished",
    S.REJECTED: "has been rejected",
}


class TransitionError(Exception):
    """The verb does not apply to the article as it stands. The message is for the editor."""


@dataclass(frozen=True)
class Verb:
    """What is done to stories that stand how, and which state comes of it. Who may publish may do all of them;
    `by_author`: who may write may do it to what they wrote themselves. docs/workflow.md has the whole table."""

    name: str
    done: str
    sources: frozenset[str]
    target: str
    by_author: bool = False
    wants_note: bool = False

    @property
    def label(self) -> str:
        return self.name.replace("_", " ")


SUBMIT = Verb("submit", "submitted for review", frozenset({S.DRAFT}), S.IN_REVIEW, by_author=True)
SEND_BACK = Verb("send_back", "sent back", frozenset({S.IN_REVIEW}), S.DRAFT, wants_note=True)
PUBLISH = Verb("publish", "published", frozenset({S.DRAFT, S.IN_REVIEW, S.UNPUBLISHED, SCHEDULED}), S.PUBLISHED)
SCHEDULE = Verb("schedule", "scheduled", PUBLISH.sources | {S.PUBLISHED}, S.PUBLISHED)
UNPUBLISH = Verb("unpublish", "unpublished", frozenset({SCHEDULED, S.PUBLISHED}), S.UNPUBLISHED)
REJECT = Verb("reject", "rejected", frozenset({S.DRAFT, S.IN_REVIEW, S.UNPUBLISHED}), S.REJECTED)
RESTORE = Verb("restore", "restored as a draft", frozenset({S.REJECTED, S.UNPUBLISHED}), S.DRAFT)
VERBS = {verb.name: verb for verb in (SUBMIT, SEND_BACK, PUBLISH, SCHEDULE, UNPUBLISH, REJECT, RESTORE)}


def standing(article: Article) -> str:
    """Its state, or that it is scheduled."""
    return SCHEDULED if article.is_coming else article.status


def allows(verb: Verb, article: Article, user: User | AnonymousUser) -> bool:
    """Whether `user` may do this to `article` as it stands: what decides which buttons are shown."""
    return standing(article) in verb.sources and _may(verb, article, user)


def _may(verb: Verb, article: Article, user: User | AnonymousUser) -> bool:
    if user.has_perm(MAY_PUBLISH):
        return True
    return verb.by_author and article.created_by_id == user.pk and user.has_perm(MAY_WRITE)


def may_edit(article: Article, user: User | AnonymousUser) -> bool:
    """Whether `user` may change what the story says: who may not publish may do so with what they wrote themselves,
    until it is published."""
    if not user.has_perm(MAY_WRITE):
        return False
    is_own = article.created_by_id == user.pk and article.status != S.PUBLISHED
    return is_own or user.has_perm(MAY_PUBLISH)


def submit(article: Article, *, by: User, note: str = "", batch: UUID | None = None) -> Event:
    """Ask the editors to look at it."""
    return apply(SUBMIT, article, by=by, note=note, batch=batch)


def send_back(article: Article, *, by: User, note: str, batch: UUID | None = None) -> Event:
    """Give it back to its author, saying why."""
    return apply(SEND_BACK, article, by=by, note=note, batch=batch)


def publish(
    article: Article, *, by: User | None, note: str = "", batch: UUID | None = None, at: datetime | None = None
) -> Event:
    """Make the article public from now on, or from `at`. The end of one that was scheduled stays."""
    return apply(PUBLISH, article, by=by, note=note, batch=batch, at=at)


def schedule(
    article: Article,
    *,
    by: User,
    at: datetime | None = None,
    until: datetime | None = None,
    note: str = "",
    batch: UUID | None = None,
) -> Event:
    """Make it public from `at` until `until`. Without `at` a story that is public, or is to be, keeps its beginning."""
    return apply(SCHEDULE, article, by=by, note=note, batch=batch, at=at, until=until)


def unpublish(article: Article, *, by: User | None, note: str = "", batch: UUID | None = None) -> Event:
    """Take the article off every public page."""
    return apply(UNPUBLISH, article, by=by, note=note, batch=batch)


def reject(article: Article, *, by: User, note: str = "", batch: UUID | None = None) -> Event:
    """Put it aside for good."""
    return apply(REJECT, article, by=by, note=note, batch=batch)


def restore(article: Article, *, by: User, note: str = "", batch: UUID | None = None) -> Event:
    """Make a draft again of what was rejected or unpublished."""
    return apply(RESTORE, article, by=by, note=note, batch=batch)


def apply(
    verb: Verb,
    article: Article,
    *,
    by: User | None,
    note: str = "",
    batch: UUID | None = None,
    at: datetime | None = None,
    until: datetime | None = None,
) -> Event:
    """Do what the verb says, for a caller that was given it; the times are for those that make something public."""
    result = apply_to_each(verb, {article.pk: at}, by=by, note=note, batch=batch, until=until)
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

    @property
    def batch(self) -> UUID | None:
        """What undoes it, if it can be undone."""
        return next((event.batch for event in self.done.values()), None)


def apply_to_each(
    verb: Verb,
    articles: Mapping[int, datetime | None],
    *,
    by: User | None,
    note: str = "",
    batch: UUID | None = None,
    until: datetime | None = None,
    seen: Mapping[int, int] | None = None,
) -> Result:
    """Do what the verb says to each that allows it, in one transaction. `articles`: their keys, each with the time from
    which it is to be public (None: now); `until`: until when, if not for good; `seen`: the version of each that the
    editor decided about, so that one that has changed since is left alone."""
    if by is not None and not may_ever(verb, by):
        raise PermissionDenied(f"You may not {verb.label} articles.")
    with transaction.atomic():
        # The rows as they are now, not as a page showed them: two editors may press at once.
        current, now = _locked(sorted(articles)), timezone.now()
        times = {article.pk: _Times(articles[article.pk], until, now) for article in current}
        not_so = {article.pk: _why_not_so(verb, article, note, times[article.pk]) for article in current}
        foreseen = _foreseen(verb, current, by, seen or {}, not_so)
        refused = foreseen.wanting | foreseen.refused
        fit = [article for article in current if article.pk not in refused]
        events = [_event(article, verb.name, verb.target, by, note, batch) for article in fit]
        changes = {article.pk: _set(article, _change(article, verb, times[article.pk])) for article in fit}
        _store(fit, events, by, verb.done.capitalize())
    return Result({event.article_id: event for event in events}, refused, changes)


@dataclass(frozen=True)
class Foreseen:
    """Why a verb cannot be done to stories, by their keys: because of how they stand, or for what they lack."""

    refused: dict[int, str]
    wanting: dict[int, str]


def foresee(verb: Verb, articles: Collection[int], *, by: User, seen: Mapping[int, int] | None = None) -> Foreseen:
    """What `apply_to_each` would refuse, as far as it can be told before there are a note and times."""
    if not may_ever(verb, by):
        raise PermissionDenied(f"You may not {verb.label} articles.")
    return _foreseen(verb, list(_chunked(_ROWS, sorted(articles))), by, seen or {}, {})


def _foreseen(
    verb: Verb, articles: list[Article], by: User | None, seen: Mapping[int, int], not_so: Mapping[int, str]
) -> Foreseen:
    """`not_so`: what speaks against the note and the times, by article."""
    reasons = {
        article.pk: _why_never(verb, article, by)
        or not_so.get(article.pk)
        or _why_stale(article, seen.get(article.pk, article.version))
        for article in articles
    }
    refused = {key: reason for key, reason in reasons.items() if reason}
    wanting = {}
    if by is not None and verb.target == S.PUBLISHED:  # the importer follows the source
        coming = [article.pk for article in articles if not article.is_public]
        wanting = _unfit(key for key in coming if key not in refused)
    return Foreseen(refused, wanting)


def _unfit(articles: Iterable[int]) -> dict[int, str]:
    """Those that lack what they have to have, and what that is."""
    wanting = checks.required(articles)
    return {key: " ".join(finding.says for finding in found) for key, found in wanting.items() if found}


def _why_stale(article: Article, seen: int) -> str:
    return "" if article.version == seen else CHANGED_SINCE


def may_ever(verb: Verb, user: User | AnonymousUser) -> bool:
    """Whether there could be a story to which `user` may do this."""
    return user.has_perm(MAY_PUBLISH) or (verb.by_author and user.has_perm(MAY_WRITE))


@dataclass(frozen=True)
class _Times:
    """From when until when something is to be public, as it was asked for."""

    at: datetime | None
    until: datetime | None
    now: datetime


_ROWS = Article.objects.order_by("pk").only("status", "version", "publish_at", "unpublish_at", "created_by")


def _locked(keys: Sequence[int]) -> list[Article]:
    """After their files, as imports do it."""
    SourceFile.objects.filter(article__in=keys).hold()
    return list(_chunked(_ROWS.select_for_update(), keys))


def _chunked(rows: QuerySet[Article], keys: Sequence[int]) -> Iterator[Article]:
    for some in chunks(keys):
        yield from rows.filter(pk__in=some)


def _event(article: Article, verb: str, target: str, by: User | None, note: str, batch: UUID | None) -> Event:
    """With how the article stood, for whoever wants it back, and the version that comes of it."""
    return Event(
        article=article,
        actor=by,
        verb=verb,
        from_status=article.status,
        to_status=target,
        note=note,
        batch=batch,
        data={"before": {name: _text(getattr(article, name)) for name in _TIMES}, "version": article.version + 1},
    )


_TIMES = ("publish_at", "unpublish_at")
_CHANGED = ["status", "version", "modified_at", "publish_at", "unpublish_at"]


def _change(article: Article, verb: Verb, times: _Times) -> dict[str, object]:
    """What the verb makes of the row."""
    changes: dict[str, object] = {"status": verb.target, "version": article.version + 1, "modified_at": times.now}
    if verb is SCHEDULE:
        changes |= {"publish_at": _begin(article, times), "unpublish_at": times.until}
    elif verb.target == S.PUBLISHED:
        end = article.unpublish_at if article.is_coming else None
        changes |= {"publish_at": times.at or times.now, "unpublish_at": end}
    elif article.publish_at and article.publish_at > times.now:  # it never was public: not gone, but never there
        changes |= {"publish_at": None, "unpublish_at": None}
    return changes


def _set(article: Article, changes: dict[str, object]) -> dict[str, object]:
    for name, value in changes.items():
        setattr(article, name, value)
    return changes


def _store(articles: list[Article], events: list[Event], by: User | None, note: str) -> None:
    Article.objects.bulk_update(articles, _CHANGED, 100)
    revisions.record_each([article.pk for article in articles], by=by, note=note)
    Event.objects.bulk_create(events)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


# --- Undoing ------------------------------------------------------------------------------------

UNDO = "undo"


def undo(batch: UUID, *, by: User, again: UUID | None = None, only: Collection[int] | None = None) -> Result:
    """Put everything that was done under this batch back to where it was, but what has changed since. An undo is a
    batch too, so it can be undone. `again`: that batch, and `only`: the stories that have not changed since, where the
    caller, who holds their rows, knows it better."""
    events = Event.objects.filter(batch=batch, verb__in=[*VERBS, UNDO]).order_by("pk")
    moves = [event for event in events if "before" in event.data]
    first, last = ({event.article_id: event for event in some} for some in (moves[::-1], moves))
    if not may_undo(moves, by):
        raise PermissionDenied("You may not undo what others did.")
    with transaction.atomic():
        current, again, now = _locked(sorted(last)), again or uuid4(), timezone.now()
        if not by.has_perm(MAY_PUBLISH) and any(article.created_by_id != by.pk for article in current):
            raise PermissionDenied("You may not undo what was done to the stories of others.")
        if only is None:
            left = {key: event.data.get("version") for key, event in last.items()}
            only = as_left(left, {article.pk: article.version for article in current})
        fit = [article for article in current if article.pk in only]
        undoing = [_event(article, UNDO, first[article.pk].from_status, by, "", again) for article in fit]
        for event in undoing:
            event.data["undoes"] = str(batch)
        changes = {article.pk: _set(article, _as_before(article, first[article.pk], now)) for article in fit}
        _store(fit, undoing, by, "Undone")
    refused = {article.pk: CHANGED_SINCE for article in current if article.pk not in changes}
    return Result({event.article_id: event for event in undoing}, refused, changes)


def as_left(left: Mapping[int, int | None], now: Mapping[int, int]) -> set[int]:
    """The stories that stand as they were left: at that version, or brought back to it by the undos of what came after.
    Both: versions by the keys of stories."""
    moved = {key: now[key] for key, version in left.items() if version and now.get(key, version) != version}
    brought_back = _brought_back(moved)
    return {key for key, version in left.items() if now.get(key) == version or version in brought_back.get(key, ())}


def _brought_back(now: Mapping[int, int]) -> dict[int, set[int]]:
    """The versions as which stories stand again, by undos from the last one on."""
    began: dict[tuple[int, UUID], int] = {}  # with which version a batch began to change a story
    undone: dict[tuple[int, int], UUID] = {}  # what the undo that made this version undid
    columns = ("article", "batch", "verb", "data__version", "data__undoes", "data__withheld")
    for some in chunks(sorted(now)):
        events = Event.objects.filter(article__in=some, batch__isnull=False).order_by("-pk")
        for article, batch, verb, version, undoes, withheld in events.values_list(*columns):
            if version:
                began[article, batch] = version
            if verb == UNDO and version and not withheld:
                undone[article, version] = UUID(undoes)
    found: dict[int, set[int]] = {key: set() for key in now}
    for key, last in now.items():
        version = last
        while (batch := undone.get((key, version))) and (key, batch) in began:
            version = began[key, batch] - 1
            found[key].add(version)
    return found


def may_undo(events: Iterable[Event], user: User | AnonymousUser) -> bool:
    """Whoever may publish undoes everything; who may write, what they did themselves with a story of their own."""
    if user.has_perm(MAY_PUBLISH):
        return True
    return user.has_perm(MAY_WRITE) and all(_is_authors_own(event, user) for event in events)


def _is_authors_own(event: Event, user: User | AnonymousUser) -> bool:
    """An edit moves nothing."""
    return event.actor_id == user.pk and {event.from_status, event.to_status} <= {"", S.DRAFT, S.IN_REVIEW}


def _as_before(article: Article, event: Event, now: datetime) -> dict[str, object]:
    times = {name: _moment(event.data["before"][name]) for name in _TIMES}
    return {"status": event.from_status, "version": article.version + 1, "modified_at": now, **times}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


# --- When ---------------------------------------------------------------------------------------


def _begin(article: Article, times: _Times) -> datetime | None:
    """From when a scheduled story is public."""
    keeps = article.status == S.PUBLISHED and not article.has_ended
    return times.at or (article.publish_at if keeps else None)


def _why_never(verb: Verb, article: Article, by: User | None) -> str:
    """Why the verb cannot be done to the article as it stands, for the editor; nothing if it can."""
    if by is not None and not _may(verb, article, by):
        return f"You may {verb.label} only what you wrote yourself."
    if standing(article) not in verb.sources:
        if verb is PUBLISH and article.has_ended:
            return "It was public until its end: schedule it anew."
        if article.status == verb.target:
            return f"It is {verb.done} already."
        return f"It {STANDING[standing(article)]}, so it cannot be {verb.done}."
    return ""


def _why_not_so(verb: Verb, article: Article, note: str, times: _Times) -> str:
    """Why not with this note and at these times."""
    if verb.wants_note and not note.strip():
        return "Say why."
    return _why_not_then(article, times) if verb is SCHEDULE else ""


def _why_not_then(article: Article, times: _Times) -> str:
    begin = _begin(article, times)
    if begin is None:
        return "Say from when it is to be public."
    if wrong := misdated(times.at, times.until, times.now):
        return next(iter(wrong.values()))
    if times.at is not None and article.is_public:
        return "It is public already, so only its end can be scheduled."
    if times.until is not None and times.until <= begin:
        return ENDS_TOO_SOON
    return ""


ENDS_TOO_SOON = "The time until which it is to be public has to lie ahead, and behind its beginning."


def misdated(at: datetime | None, until: datetime | None, now: datetime) -> dict[str, str]:
    """What is wrong with the times of a schedule, whatever the story: by their names, why."""
    wrong = {}
    if at is None and until is None:
        wrong["at"] = "Say from when, or until when, it is to be public."
    if at is not None and at <= now:
        wrong["at"] = "The time from which it is to be public has passed."
    if until is not None and until <= max(at or now, now):
        wrong["until"] = ENDS_TOO_SOON
    return wrong
