"""The admin site: the stock one with our name, title, order and style."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import BadRequest
from django.urls import reverse

if TYPE_CHECKING:
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
        """With what the newsroom has to do, before the list of all there is."""
        from articles.admin.newsroom import overview  # the site is made before there are models

        return super().index(request, overview(request) | (extra_context or {}))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What editors work with as one list in the order of the work; the other apps after it."""
        apps = super().get_app_list(request, app_label)
        if app_label:
            return apps
        models = [model for app in apps if app["app_label"] in OURS for model in app["models"]]
        models.sort(key=lambda model: IN_ORDER_OF_WORK.index(model["object_name"]))
        news = {"name": "News", "app_label": "news", "app_url": reverse("admin:index"), "models": models}
        return [news, *(app for app in apps if app["app_label"] not in OURS)] if models else apps
