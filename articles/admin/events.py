"""What was done, by whom: to be read only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from articles.models import Event

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


class VerbFilter(admin.SimpleListFilter):
    title = "what"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(verb, verb.capitalize()) for verb in ("create", "edit", "publish", "unpublish", "import")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(verb=self.value()) if self.value() else queryset


class ActorFilter(admin.SimpleListFilter):
    title = "who"
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Me"), ("people", "People"), ("imports", "Imports")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        match self.value():
            case "me":
                return queryset.filter(actor=request.user.pk)
            case "people":
                return queryset.filter(actor__isnull=False)
            case "imports":
                return queryset.filter(actor__isnull=True)
        return queryset


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):
    list_display = ["at", "who", "verb", "story", "change", "note"]
    list_display_links = None
    list_filter = [VerbFilter, ActorFilter]
    list_select_related = ["actor", "article"]
    list_per_page = 50
    search_fields = ["article__title", "article__stem", "note"]
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False

    @admin.display(description="Who", ordering="actor")
    def who(self, event: Event) -> str:
        return str(event.actor or "Import")

    @admin.display(description="Story")
    def story(self, event: Event) -> SafeString:
        url = reverse("admin:articles_article_change", args=[event.article_id])
        return format_html('<a href="{}">{}</a>', url, event.article)

    @admin.display(description="State")
    def change(self, event: Event) -> str:
        if not event.to_status:
            return ""
        return f"{event.get_from_status_display()} → {event.get_to_status_display()}"
