"""What was done, by whom: to be read only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model
from django.urls import reverse
from django.utils.html import format_html

from articles import workflow
from articles.models import Article, Event
from images.newsroom import ChoiceFilter, NewsroomAdmin

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


DONE = {verb.name: verb.done for verb in workflow.VERBS.values()} | {
    "create": "created",
    "edit": "edited",
    "import": "imported",
    "conflict": "conflict with the source",
    "settle": "settled with the source",
}
RELATIONS = {
    "topics": "topics",
    "images": "pictures",
    "pictures": "pictures",
    "related": "related stories",
    "related_stories": "related stories",
}


def told(event: Event) -> str:
    """What was done, in words: `edited: date, web address`."""
    done = DONE.get(event.verb, event.verb)
    names = ", ".join(map(label, event.data.get("fields", [])))
    text = f"{done}: {names}" if names else done
    if "took" in event.data:
        text += " (theirs taken)" if event.data["took"] else " (ours kept)"
    return text


def label(name: str, model: type[Model] = Article) -> str:
    """What editors know a field of the record, or of its document, by."""
    if name in RELATIONS:
        return RELATIONS[name]
    try:
        return str(cast("Field", model._meta.get_field(name)).verbose_name)
    except FieldDoesNotExist:
        return name


class VerbFilter(ChoiceFilter):
    title = "what"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(verb, done.capitalize()) for verb, done in DONE.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(verb=self.value()) if self.value() else queryset


class ActorFilter(ChoiceFilter):
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
class EventAdmin(NewsroomAdmin):
    list_display = ["at", "who", "what", "story", "change", "note"]
    list_display_links = None
    list_filter = [VerbFilter, ActorFilter]
    list_select_related = ["actor", "article"]
    search_fields = ["article__title", "article__stem", "note"]
    search_help_text = "Title or address of the story, or why"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False

    @admin.display(description="Who", ordering="actor")
    def who(self, event: Event) -> str:
        return str(event.actor or "Import")

    @admin.display(description="What", ordering="verb")
    def what(self, event: Event) -> str:
        return told(event)

    @admin.display(description="Story")
    def story(self, event: Event) -> SafeString:
        url = reverse("admin:articles_article_change", args=[event.article_id])
        return format_html('<a href="{}">{}</a>', url, event.article)

    @admin.display(description="State")
    def change(self, event: Event) -> str:
        if not event.to_status:
            return ""
        return f"{event.get_from_status_display()} → {event.get_to_status_display()}"
