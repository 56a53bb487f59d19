"""What happened to a story, newest first: its events, the versions that came of them, and how it came to be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.urls import reverse

from articles import restoring, workflow
from articles.admin.events import fields_told, told
from articles.documents import ArticleDocument, DocumentError
from articles.merging import changed_fields
from articles.models import Article, Event, ImportRun, Revision
from articles.revisions import document_of

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest


@dataclass(frozen=True)
class Moment:
    """A place in the timeline: an event, a version that was kept, or both in one. Neither: how the story began."""

    at: datetime
    event: int | None = None
    version: int | None = None
    is_beginning: bool = False


@dataclass(frozen=True)
class Entry:
    """A moment as it is shown. `version`: what can be compared and brought back; `before`: what to compare it with."""

    at: datetime
    who: str
    what: str
    note: str = ""
    states: tuple[str, str] | None = None
    version: int | None = None
    before: int | None = None
    links: Sequence[tuple[str, str]] = field(default_factory=list)
    undoes: str = ""  # the batch of what can be undone from here


def moments(article: Article) -> list[Moment]:
    """All there are, newest first, as no more than a few numbers each: a page of them is then loaded by `entries`."""
    kept = dict(Revision.objects.filter(article=article).order_by().values_list("version", "created_at"))
    events = Event.objects.filter(article=article).order_by("-at", "-pk")
    rows = [
        (key, at, verb, version if version in kept else None)
        for key, at, verb, version in events.values_list("pk", "at", "verb", "data__version")
    ]
    lone = kept.keys() - {version for *_, version in rows}
    found = [Moment(at, key, version) for key, at, _, version in rows]
    if not any(verb == "create" for _, _, verb, _ in rows):
        found.append(Moment(article.created_at, version=1 if 1 in lone else None, is_beginning=True))
        lone.discard(1)
    found += [Moment(kept[version], version=version) for version in lone]
    return sorted(found, key=lambda each: (not each.is_beginning, each.at, each.event or 0), reverse=True)


class Timeline:
    """A page of a story's moments, as entries for who asks."""

    def __init__(self, request: HttpRequest, article: Article, page: Sequence[Moment], everything: Sequence[Moment]):
        self.request = request
        self.article = article
        self.page = page
        self.kept = sorted(each.version for each in everything if each.version)
        events = Event.objects.filter(pk__in=[each.event for each in page if each.event]).select_related("actor")
        self.events = {event.pk: event for event in events}
        versions = [each.version for each in page if each.version]
        revisions = Revision.objects.filter(article=article, version__in=versions).defer("document")
        self.revisions = {each.version: each for each in revisions.select_related("author")}
        self.runs = self._runs()
        self.changes = self._changes([each.version for each in page if each.version and not each.event])

    def entries(self) -> list[Entry]:
        return [self._entry(moment) for moment in self.page]

    def _entry(self, moment: Moment) -> Entry:
        if moment.event:
            return self._of_event(moment, self.events[moment.event])
        if moment.is_beginning:
            return self._of_beginning(moment)
        return self._of_version(moment)

    def _of_event(self, moment: Moment, event: Event) -> Entry:
        moved = event.to_status and event.from_status != event.to_status
        return Entry(
            at=moment.at,
            who=str(event.actor or "Import"),
            what=told(event),
            note=event.note,
            states=(event.get_from_status_display(), event.get_to_status_display()) if moved else None,
            version=moment.version,
            before=self._before(moment.version) if "fields" in event.data else None,
            links=self._links_of(event),
            undoes=str(event.batch) if self._can_undo(event) else "",
        )

    def _of_version(self, moment: Moment) -> Entry:
        """One that no event tells of."""
        revision = self.revisions[moment.version or 0]
        changed = self.changes.get(revision.version, "")
        return Entry(
            at=moment.at,
            who=str(revision.author or "–"),
            what=f"kept: {changed}" if changed else "kept",
            note=revision.note,
            version=moment.version,
            before=self._before(moment.version),
        )

    def _of_beginning(self, moment: Moment) -> Entry:
        source = getattr(self.article, "source_file", None)
        links = []
        if source:
            links = [*self._link_of_run(self.article.created_at), *self._link_of_source(source)]
        return Entry(
            at=moment.at,
            who=str(self.article.created_by or "Import") if source else str(self.article.created_by or "–"),
            what="created",
            version=moment.version,
            links=links,
        )

    def _before(self, version: int | None) -> int | None:
        """The version that was kept before, if there is one."""
        return max((each for each in self.kept if version and each < version), default=None)

    def _changes(self, lone: Collection[int]) -> dict[int, str]:
        """What changed with versions that no event tells of, from the documents."""
        before = {version: previous for version in lone if (previous := self._before(version))}
        wanted = {*before, *before.values()}
        kept = Revision.objects.filter(article=self.article, version__in=wanted) if wanted else []
        documents = {revision.version: document for revision in kept if (document := _readable(revision))}
        return {
            version: fields_told(changed_fields(documents[previous], documents[version]))
            for version, previous in before.items()
            if previous in documents and version in documents
        }

    # --- Where it leads --------------------------------------------------------------------------

    def _links_of(self, event: Event) -> list[tuple[str, str]]:
        links = []
        if event.batch and event.verb != restoring.VERB:  # which is about one story
            links.append((reverse("admin:desk_batch", args=[event.batch]), "All that was done with it"))
        if event.actor_id is None:
            links += self._link_of_run(event.at)
        source = getattr(self.article, "source_file", None)
        if source and event.verb in ("conflict", "settle", "import"):
            links += self._link_of_source(source)
        return links

    def _link_of_source(self, source: Any) -> list[tuple[str, str]]:
        if not self.request.user.has_perm("articles.view_sourcefile"):
            return []
        return [(reverse("admin:articles_sourcefile_change", args=[source.pk]), f"Source file {source.path}")]

    def _link_of_run(self, at: datetime) -> list[tuple[str, str]]:
        """One import runs at a time: it was the one that had begun last, unless that was over by then."""
        run = max((run for run in self.runs if run.began_at <= at), key=lambda run: run.began_at, default=None)
        if run is None or (run.ended_at and run.ended_at < at):
            return []
        return [(reverse("admin:articles_importrun_change", args=[run.pk]), "The import")]

    def _runs(self) -> list[ImportRun]:
        """The runs that may have done what the page tells of imports."""
        times = [event.at for event in self.events.values() if event.actor_id is None]
        if any(each.is_beginning for each in self.page):
            times.append(self.article.created_at)
        if not times or not self.request.user.has_perm("articles.view_importrun"):
            return []
        within = (Q(began_at__lte=at) & (Q(ended_at__gte=at) | Q(ended_at=None)) for at in times)
        return list(ImportRun.objects.filter(reduce(or_, within), dry_run=False).defer("what", "options"))

    def _can_undo(self, event: Event) -> bool:
        """Whether it is a restoring that nothing has followed."""
        user: Any = self.request.user
        is_last = event.verb == restoring.VERB and event.data.get("version") == self.article.version
        return is_last and workflow.may_edit(self.article, user) and workflow.may_undo([event], user)


def _readable(revision: Revision) -> ArticleDocument | None:
    try:
        return document_of(revision)
    except DocumentError:  # the rules may have changed since
        return None
