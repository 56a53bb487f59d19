"""The desk's addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe

from articles.admin.desk import acts, pages, saved
from articles.models import Article

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.admin import AdminSite
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern


def posted(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """For what does something. Whoever had to log in first comes back by a GET, without what was to be done."""
    by_post = require_POST(view)

    def posted_view(request: HttpRequest) -> HttpResponse:
        if request.method != "GET" or acts.wants_json(request):
            return by_post(request)
        messages.warning(request, "Nothing was done: you had been logged out.")
        return HttpResponseRedirect(reverse("admin:desk"))

    return posted_view


def urls(site: AdminSite) -> list[URLPattern]:
    desk = pages.Desk(site)

    def guarded(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
        """For those of the staff who may see stories."""

        def guarded_view(request: HttpRequest) -> HttpResponse:
            if not site.get_model_admin(Article).has_view_permission(request):
                raise PermissionDenied
            return view(request)

        return site.admin_view(guarded_view)

    return [
        path("desk/", guarded(require_safe(desk.page)), name="desk"),
        path("desk/cards/", guarded(require_safe(desk.cards)), name="desk_cards"),
        path("desk/counts/", guarded(require_safe(desk.counts)), name="desk_counts"),
        path("desk/act/", guarded(posted(acts.act)), name="desk_act"),
        path("desk/topics/", guarded(posted(acts.topics)), name="desk_topics"),
        path("desk/views/", guarded(posted(saved.change)), name="desk_views"),
    ]
