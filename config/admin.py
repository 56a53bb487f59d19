"""The admin site: the stock one with our name, title, order and style."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import BadRequest
from django.template.defaultfilters import date as format_date
from django.urls import reverse
from django.utils import timezone

from images import queue, tasks

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse
    from django.template.response import TemplateResponse

OURS = ["articles", "providers", "images"]
IN_ORDER_OF_WORK = ["Article", "Topic", "Provider", "RemoteImage", "Event", "SourceFile", "ImportRun"]


class CopydeskAdminSite(admin.AdminSite):
    site_title = "Copydesk"
    index_title = "The newsroom"
    enable_nav_sidebar = False  # the way around is in the header, and the lists need the width
    empty_value_display = "–"

    @property
    def site_header(self) -> str:  # type: ignore[override]  # read when asked for
        return f"{settings.SITE_NAME} newsroom"

    def get_urls(self) -> list[Any]:
        """With the desk's, and without the view that sends any member of staff to the address of any record, drafts
        included."""
        from articles.admin.routes import desk_urls  # the site is made before there are models

        stock = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        return [*desk_urls(self), *stock]

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.GET.get("term", ""):
            raise BadRequest("No text has a NUL.")  # PostgreSQL would raise
        return super().autocomplete_view(request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """With a warning when pictures wait and nobody fetches them."""
        if may_view_images(request) and (standstill := queue.standstill(tasks.STILL_AFTER)):
            since = time_or_date(standstill.since)
            extra_context = {"standstill": standstill, "waiting_since": since} | (extra_context or {})
        return super().index(request, extra_context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What editors work with as one list in the order of the work; the other apps after it."""
        apps = super().get_app_list(request, app_label)
        if app_label:
            return apps
        models = [model for app in apps if app["app_label"] in OURS for model in app["models"]]
        models.sort(key=lambda model: IN_ORDER_OF_WORK.index(model["object_name"]))
        news = {"name": "News", "app_label": "news", "app_url": reverse("admin:index"), "models": models}
        return [news, *(app for app in apps if app["app_label"] not in OURS)] if models else apps


def may_view_images(request: HttpRequest) -> bool:
    return any(request.user.has_perm(f"images.{action}_remoteimage") for action in ("view", "change"))


def time_or_date(at: datetime) -> str:
    local = timezone.localtime(at)
    return format_date(local, "H:i" if local.date() == timezone.localdate() else "j M Y, H:i")
