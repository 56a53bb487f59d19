"""What the admin's first page tells of the newsroom: what waits, what runs today, what is wrong, who did what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from articles.admin.desk.queues import MOST, QUEUES, capped
from articles.admin.desk.queues import told as counted
from articles.admin.events import editor, told
from articles.admin.imports import in_trouble_lately
from articles.days import day_span
from articles.models import Article, Conflict, Event, ImportRun, SourceFile, WorkingCopy
from images import queue, tasks
from images.models import RemoteImage

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

HOUR = timedelta(hours=1)
DOINGS_SHOWN = 15
EVENTS_READ = 300  # of which so many doings are made
WAITING = ("incoming", "review", "conflicts", "scheduled", "mine")


@dataclass(frozen=True)
class Line:
    """A number, and the list of what it counts."""

    label: str
    count: int
    url: str

    @property
    def told(self) -> str:
        return counted(self.count)


@dataclass
class Hour:
    """What goes live within an hour, and what of it has."""

    begin: datetime
    live: int = 0
    to_come: int = 0
    is_now: bool = False

    @property
    def count(self) -> int:
        return self.live + self.to_come

    @property
    def url(self) -> str:
        return _list(Article, live=f"{self.begin.astimezone(UTC):%Y-%m-%dT%H:%MZ}")


@dataclass
class Doing:
    """Something that somebody did, to one story or to many at once."""

    event: Event
    what: str
    who: str
    batch_url: str = ""
    more: int = field(default=0)  # stories besides the one that is named
    is_open: bool = False  # and who knows how many before those that were read


def overview(request: HttpRequest) -> dict[str, Any]:
    """As much of it as the user may see. The number of queries depends on nothing else."""
    told: dict[str, Any] = {"faults": None}
    sees_stories = _may_see(request, Article)
    if sees_stories:
        told |= {"waiting": _waiting(request), "today": _today(), "zone": timezone.get_current_timezone_name()}
    if sees_stories and _may_see(request, Event):
        told["doings"] = _doings()
    if any(_may_see(request, model) for model in (RemoteImage, ImportRun, SourceFile)):
        told["faults"] = [line for line in _faults(request) if line.count]
    if _may_see(request, RemoteImage):
        told |= {"pictures": _pictures_waiting(), "standstill": queue.standstill(tasks.STILL_AFTER)}
    return told


def _may_see(request: HttpRequest, model: type[Model]) -> bool:
    may: bool = admin.site.get_model_admin(model).has_view_permission(request)
    return may


def _list(model: type[Model], **query: str) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist", query=query or None)


def _waiting(request: HttpRequest) -> list[Line]:
    desk = [QUEUES[name] for name in WAITING]
    lines = [
        Line(each.label, each.count(editor(request)), reverse("admin:desk", query={"queue": each.name}))
        for each in desk
    ]
    copies = Line("Unpublished changes", capped(WorkingCopy.objects.all()), _list(Article, changes="waiting"))
    return [*lines, copies]


# --- Today --------------------------------------------------------------------------------------


def _today() -> dict[str, Any]:
    """The hours of today from the first in which anything goes live to the last, and the one that it is. Up to MOST
    stories are counted, the last of the day."""
    now = timezone.now()
    day = day_span(timezone.localdate(now))
    published = Article.objects.filter(status=Article.Status.PUBLISHED)
    rows = published.filter(publish_at__gte=day.begin, publish_at__lt=day.end).order_by("-publish_at", "-pk")
    begin = day.begin.astimezone(UTC)  # where an hour later is an hour later, whatever is done to clocks
    moments = [at for at in rows.values_list("publish_at", flat=True)[:MOST] if at]
    live = Counter(_number(at, begin) for at in moments if at <= now)
    to_come = Counter(_number(at, begin) for at in moments if at > now)
    current = _number(now, begin)
    numbers = {current, *live, *to_come}
    hours = [
        Hour(timezone.localtime(begin + number * HOUR), live[number], to_come[number], number == current)
        for number in range(min(numbers), max(numbers) + 1)
    ]
    return {
        "hours": hours,
        "live": Line("live", live.total(), _list(Article, live="so_far")),
        "to_come": Line("to come", to_come.total(), _list(Article, live="to_come")),
        "busiest": max(hour.count for hour in hours),
    }


def _number(at: datetime, begin: datetime) -> int:
    """Which hour of the day it is in: there are 23 or 25 on two days of the year."""
    return (at - begin) // HOUR


# --- Faults -------------------------------------------------------------------------------------


def _faults(request: HttpRequest) -> list[Line]:
    lines = []
    if _may_see(request, RemoteImage):
        failed = RemoteImage.objects.filter(state=RemoteImage.State.FAILED)
        url = _list(RemoteImage, state=RemoteImage.State.FAILED.value)
        lines.append(Line("Pictures that could not be fetched", capped(failed), url))
    if _may_see(request, ImportRun):
        runs = in_trouble_lately(admin.site.get_model_admin(ImportRun).get_queryset(request))
        lines.append(
            Line(
                "Imports of the past week that stopped or had failures",
                capped(runs),
                _list(ImportRun, trouble="lately"),
            )
        )
    if _may_see(request, SourceFile):
        disputed = SourceFile.objects.filter(pk__in=Conflict.objects.order_by().values("source"))  # few, asked first
        lines.append(
            Line("Sources in conflict with what is here", capped(disputed), _list(SourceFile, source="differs"))
        )
    return [*lines, *_failed_tasks(request)]


def _failed_tasks(request: HttpRequest) -> list[Line]:
    """Of the background queue, where the database holds it, for those who may look at it."""
    if not tasks.queue_is_in_database():
        return []
    from django_tasks_db.models import DBTaskResult  # installed only with this backend

    if not _may_see(request, DBTaskResult):
        return []
    failed = DBTaskResult.objects.failed()
    return [Line("Background tasks that failed", capped(failed), _list(DBTaskResult, status__exact="FAILED"))]


def _pictures_waiting() -> Line:
    pending = RemoteImage.objects.filter(state=RemoteImage.State.PENDING)
    return Line(
        "Pictures that wait to be fetched", capped(pending), _list(RemoteImage, state=RemoteImage.State.PENDING.value)
    )


# --- Who did what -------------------------------------------------------------------------------


def _doings() -> list[Doing]:
    """The last ones, the newest first; what was done together, or by one import after another, is one."""
    columns = ("at", "verb", "note", "batch", "data", "actor", "actor__username", "article", "article__title")
    events = list(Event.objects.select_related("actor", "article").only(*columns).order_by("-at", "-pk")[:EVENTS_READ])
    doings: list[Doing] = []
    last: Any = None
    for event in events:
        together = event.batch or (None if event.actor_id else (event.verb, "import"))
        if together is not None and together == last:
            doings[-1].more += 1
            continue
        if len(doings) == DOINGS_SHOWN:
            break
        doings.append(Doing(event, told(event), str(event.actor or "Import"), _batch_url(event)))
        last = together
    else:
        if doings and len(events) == EVENTS_READ:
            doings[-1].is_open = doings[-1].more > 0
    return doings


def _batch_url(event: Event) -> str:
    """The page of what was done together, if it was."""
    return reverse("admin:desk_batch", args=[event.batch]) if event.batch else ""
