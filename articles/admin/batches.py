"""What was done to many stories at once: its page, and its undoing, on the day or later."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from articles import editing, workflow
from articles.admin.events import editor
from articles.models import Article, Event

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.http import HttpRequest

NAMED = 5  # stories that a message is about


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Undo a batch: for a page that sends the editor back to `next`, or for a script that asks for JSON."""
    if not (request.user.has_perm(workflow.MAY_PUBLISH) or request.user.has_perm(workflow.MAY_WRITE)):
        raise PermissionDenied
    batch = batch_key(request.POST.get("batch", ""))
    if not Event.objects.filter(batch=batch).exists():
        raise Http404
    result = editing.undo(batch, by=editor(request))
    told = _told_undone(result)
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        undone = str(result.batch) if result.batch else None
        return JsonResponse({"message": told, "done": list(result.done), "refused": result.refused, "batch": undone})
    messages.add_message(request, messages.SUCCESS if not result.refused else messages.WARNING, told)
    return HttpResponseRedirect(local(request, reverse("admin:articles_event_changelist")))


def _told_undone(result: workflow.Result) -> str:
    done = f"Undone: {stories(len(result.done))}." if result.done else "Nothing was undone."
    return " ".join([done, *told_refused(result.refused)])


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


def batch_key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def local(request: HttpRequest, otherwise: str) -> str:
    """Where the editor came from, if that is a page of ours."""
    url = request.POST.get("next", "")
    return url if url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure()) else otherwise
