"""Views of the desk that editors keep under a name, for themselves or for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Case, Q, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from articles.admin.desk.acts import back
from articles.admin.desk.asked import Asked
from articles.admin.events import editor
from articles.admin.forms import told_errors
from articles.models import SavedView
from images.newsroom import is_key

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LONGEST_NAME = 60  # characters
LONGEST_QUERY = int(SavedView._meta.get_field("query").max_length or 0)
MOST_KEPT = 30  # views of one editor
MOST_SHOWN = 60
MAY_DELETE = "articles.delete_article"  # and views that others share


class ViewForm(forms.ModelForm):
    class Meta:
        model = SavedView
        fields = ["name", "is_shared"]


@dataclass(frozen=True)
class Shown:
    view: SavedView
    is_own: bool
    may_delete: bool
    is_current: bool


def views_for(user: User, asked: Asked) -> list[Shown]:
    """The editor's own, then those that others share."""
    seen = SavedView.objects.filter(Q(owner=user.pk) | Q(is_shared=True)).select_related("owner")
    own_first = Case(When(owner=user.pk, then=0), default=1)
    may_delete = user.has_perm(MAY_DELETE)
    return [
        Shown(view, view.owner_id == user.pk, may_delete or view.owner_id == user.pk, _same(view.query, asked.query()))
        for view in seen.order_by(own_first, "name", "pk")[:MOST_SHOWN]
    ]


def _same(one: str, other: str) -> bool:
    return sorted(parse_qsl(one)) == sorted(parse_qsl(other))


def change(request: HttpRequest) -> HttpResponse:
    """Save what the page shows as a new view; or rename, share or delete one that is there."""
    is_deletion = request.POST.get("do") == "delete"
    view = _named(request, is_deletion=is_deletion)
    if view.pk and is_deletion:
        view.delete()
        messages.success(request, f"The view “{view.name}” is no longer kept.")
        return HttpResponseRedirect(back(request))
    form = ViewForm(request.POST, instance=view)
    if problem := _problem(form, view):
        messages.error(request, f"{problem} Nothing was saved.")
        return HttpResponseRedirect(back(request))
    whose = "for everybody at the desk" if view.is_shared else "for you"
    messages.success(request, f"The view “{view.name}” is kept {whose}.")
    return HttpResponseRedirect(f"{reverse('admin:desk')}?{view.query}")


def _named(request: HttpRequest, *, is_deletion: bool) -> SavedView:
    """The view that is named, or a new one. Another's view is its owner's alone to change, shared or not; but what is
    shared outlives its owner's time here, so that others may delete it."""
    key = request.POST.get("view", "")
    if not key:
        return SavedView(owner=editor(request), query=Asked.read_text(request.POST.get("query", "")).query())
    view = SavedView.objects.filter(pk=key).first() if is_key(key) else None
    if view is None or (view.owner_id != request.user.pk and not view.is_shared):
        raise Http404("There is no such view.")
    if view.owner_id != request.user.pk and not (is_deletion and editor(request).has_perm(MAY_DELETE)):
        raise PermissionDenied("A view is changed by its owner.")
    return view


def _problem(form: Any, view: SavedView) -> str:
    """Why it could not be saved; nothing once it is."""
    if not form.is_valid():
        return told_errors(form)
    if len(view.query) > LONGEST_QUERY:
        return "Search: it is too long for a view."
    if not view.pk and SavedView.objects.filter(owner=view.owner).count() >= MOST_KEPT:
        return f"You keep {MOST_KEPT} views already: delete one first."
    try:
        with transaction.atomic():
            form.save()
    except IntegrityError:
        return f"Name: you have a view “{view.name}” already."
    return ""
