"""What was done to many stories at once: its page, and its undoing, on the day or later."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.views.decorators.http import require_safe

from articles import editing, workflow
from articles.admin.badges import state_badge
from articles.admin.events import DONE, editor, left_out, told
from articles.models import Article, Event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from django.http import HttpRequest
    from django.utils.safestring import SafeString

NAMED = 5  # stories that a message is about
PER_PAGE = 100
KEPT = 500  # refused stories that the page of a batch tells of
REFUSED = "batch_refused"  # in the editor's session: those of the batch that they did last


# --- Undoing ------------------------------------------------------------------------------------


def undo(request: HttpRequest) -> HttpResponse:
    """Undo a batch: for a page that sends the editor back to `next`, or for a script that asks for JSON."""
    if not (request.user.has_perm(workflow.MAY_PUBLISH) or request.user.has_perm(workflow.MAY_WRITE)):
        raise PermissionDenied
    batch = _batch_key(request.POST.get("batch", ""))
    if not Event.objects.filter(batch=batch).exists():
        raise Http404
    result = editing.undo(batch, by=editor(request))
    told = _told_undone(result)
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        undone = str(result.batch) if result.batch else None
        return JsonResponse({"message": told, "done": list(result.done), "refused": result.refused, "batch": undone})
    messages.add_message(request, messages.WARNING if result.refused else messages.SUCCESS, told)
    return HttpResponseRedirect(local(request.POST.get("next"), request) or _page_of(batch))


def _told_undone(result: workflow.Result) -> str:
    done = f"Undone: {stories(len(result.done))}." if result.done else "Nothing was undone."
    withheld = sum(event.data.get("withheld", 0) for event in result.done.values())
    told_withheld = [f"{left_out(withheld)}."] if withheld else []
    return " ".join([done, *told_withheld, *told_refused(result.refused)])


def told_refused(refused: dict[int, str]) -> list[str]:
    """What was left alone and why, the first few by their titles: `2 left alone. “Tides”: It has changed since.`"""
    if not refused:
        return []
    titles = titles_of(list(refused)[:NAMED])
    named = [f"“{titles[key]}”: {refused[key]}" for key in titles]
    more = [f"… and {len(refused) - len(named)} more."] if len(refused) > len(named) else []
    return [f"{len(refused)} left alone.", *named, *more]


def titles_of(keys: Collection[int]) -> dict[int, str]:
    """As readers see them, in the order of the keys; without those that are not there any more."""
    found = {article.pk: str(article) for article in Article.objects.filter(pk__in=keys).only("title")}
    return {key: found[key] for key in keys if key in found}


def stories(number: int) -> str:
    return "1 story" if number == 1 else f"{number:,} stories"


def _batch_key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def local(url: str | None, request: HttpRequest) -> str:
    """The address, if it is one of ours."""
    return url if url and url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure()) else ""


def _page_of(batch: UUID | str) -> str:
    return reverse("admin:desk_batch", args=[batch])


def may_look(request: HttpRequest) -> bool:
    """Whether the editor may see stories and what is done to them."""
    return all(request.user.has_perm(f"articles.view_{name}") for name in ("article", "event"))


# --- The page -----------------------------------------------------------------------------------


def remember_refused(request: HttpRequest, batch: UUID, refused: Mapping[int, str]) -> None:
    """For the page of the batch, as nothing happened to them that the log could tell."""
    request.session[REFUSED] = {"batch": str(batch), "why": list(refused.items())[:KEPT], "number": len(refused)}


@dataclass(frozen=True)
class Step:
    """An event of the batch, and what became of its story since."""

    event: Event
    undone: bool
    is_last: bool  # what the story says now is what this left

    @property
    def told(self) -> str:
        return told(self.event)

    @property
    def badge(self) -> SafeString:
        """How its story stands now."""
        return state_badge(self.event.article)


class Batch:
    """What was done under one key. Reads no more of its events, and of their stories, than counting takes."""

    def __init__(self, key: UUID) -> None:
        self.key = key
        self.events = Event.objects.filter(batch=key).select_related("actor").order_by("pk")
        self.first = self.events.first()
        self.left: dict[int, int] = dict(self.events.values_list("article", "data__version"))
        stories_now = Article.objects.filter(events__batch=key).order_by()
        self.versions: dict[int, int] = dict(stories_now.values_list("pk", "version"))
        self.undoings = list(self._undoings())

    def _undoings(self) -> Iterator[Undoing]:
        """The undos of it, first to last; mostly there is one."""
        ours = Event.objects.filter(batch=self.key).order_by().values("article")
        undoing = Event.objects.filter(verb=workflow.UNDO, article__in=ours, data__undoes=str(self.key)).order_by("pk")
        found: dict[UUID, dict[int, int]] = {}
        for batch, article, version in undoing.values_list("batch", "article", "data__version"):
            if batch:
                found.setdefault(batch, {})[article] = version
        for batch, left in found.items():
            first = Event.objects.filter(batch=batch).select_related("actor").order_by("pk").first()
            if first:
                yield Undoing(batch, first, left, self.versions)

    @cached_property
    def as_left(self) -> set[int]:
        """The stories that stand as it left them."""
        return workflow.as_left(self.left, self.versions)

    @property
    def told(self) -> str:
        verbs = dict.fromkeys(DONE.get(verb, verb) for verb in self.events.values_list("verb", flat=True))
        return capfirst(", ".join(verbs))

    @property
    def can_be_undone(self) -> bool:
        """Verbs and edits can; topics that were merged stay so."""
        return self.events.filter(Q(data__has_key="before") | Q(data__has_key="fields")).exists()

    @property
    def undoes(self) -> str:
        """The batch that it undid, if it is an undo."""
        return str(self.first.data.get("undoes", "")) if self.first else ""

    def steps(self, events: Sequence[Event]) -> list[Step]:
        undone = {article for undoing in self.undoings for article in undoing.left} - self.as_left  # or done again
        return [Step(event, event.article_id in undone, event.article_id in self.as_left) for event in events]


@dataclass(frozen=True)
class Undoing:
    batch: UUID
    first: Event
    left: Mapping[int, int]  # the versions that it made
    versions: Mapping[int, int]

    @cached_property
    def as_left(self) -> int:
        """How many stories could go back again."""
        return len(workflow.as_left(self.left, self.versions))

    @property
    def told(self) -> str:
        return f"{stories(len(self.left))} by {self.first.actor or 'an import'}"


@require_safe
def page(request: HttpRequest, key: UUID) -> HttpResponse:
    """What was done, by whom and when, and what became of it since."""
    if not may_look(request):
        raise PermissionDenied
    batch = Batch(key)
    if batch.first is None:
        raise Http404
    shown = Paginator(batch.events, PER_PAGE).get_page(request.GET.get("p"))
    columns = ("title", "status", "publish_at", "unpublish_at", "provider__name", "provider__domain")
    articles = Article.objects.select_related("provider").only(*columns)
    by_key = articles.in_bulk([event.article_id for event in shown])
    events = [event for event in shown if event.article_id in by_key]
    for event in events:
        event.article = by_key[event.article_id]
    may_undo = batch.can_be_undone and workflow.may_undo(batch.events.defer("data", "note"), request.user)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": f"{batch.told}: {stories(len(batch.versions))}",
        "batch": batch,
        "first": batch.first,
        "may_undo": may_undo,
        "number_left": len(batch.as_left),
        "steps": batch.steps(events),
        "page": shown,
        "pages": shown.paginator.get_elided_page_range(shown.number),
        "back": local(request.GET.get("next"), request),
        **_left_alone(request, key),
    }
    return TemplateResponse(request, "admin/desk/batch.html", context)


def _left_alone(request: HttpRequest, batch: UUID) -> dict[str, Any]:
    """What the editor who did it was refused."""
    kept = request.session.get(REFUSED, {})
    if kept.get("batch") != str(batch):
        return {}
    titles = titles_of([key for key, _ in kept["why"]])
    return {
        "left_alone": [(key, titles.get(key), reason) for key, reason in kept["why"]],
        "left_alone_number": kept["number"],
    }
