"""What was done, by whom: to be read only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model, Prefetch
from django.template.defaultfilters import date as format_date
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from articles import restoring, workflow
from articles.admin.filters import WhoFilter
from articles.admin.finding import found_by_editors
from articles.models import Article, Event
from images.newsroom import ChoiceFilter, ReadOnlyAdmin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.contrib.auth.models import User
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


DONE = {verb.name: verb.done for verb in workflow.VERBS.values()} | {
    "create": "created",
    "edit": "edited",
    "import": "imported",
    "conflict": "conflict with the source",
    "settle": "settled with the source",
    "undo": "undone",
    restoring.VERB: "restored from an older version",
    "merge_topic": "topic merged",
    "preview_link": "preview link made",
    "revoke_link": "preview link revoked",
    "keep_changes": "kept unpublished changes",
    "put_live": "put changes live",
    "discard_changes": "discarded unpublished changes",
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
    names = fields_told(event.data.get("fields", []))
    text = f"{done}: {names}" if names else done
    if "took" in event.data:
        text += " (theirs taken)" if event.data["took"] else " (ours kept)"
    if number := event.data.get("withheld"):
        text += f" ({left_out(number)})"
    return text


def left_out(number: int) -> str:
    """Of pictures that an old document has and readers may not see."""
    if number == 1:
        return "1 picture was left out: all pictures of its outlet are taken down"
    return f"{number} pictures were left out: all pictures of their outlet are taken down"


def label(name: str, model: type[Model] = Article) -> str:
    """What editors know a field of the record, or of its document, by."""
    if name in RELATIONS:
        return RELATIONS[name]
    try:
        return str(cast("Field", model._meta.get_field(name)).verbose_name)
    except FieldDoesNotExist:
        return name


def fields_told(names: Iterable[str]) -> str:
    return ", ".join(map(label, names))


def editor(request: HttpRequest) -> User:
    """Who is asking: the admin's views let nobody else in."""
    return cast("User", request.user)


def moment(at: datetime) -> str:
    """As the editor's clock has it."""
    return format_date(timezone.localtime(at), "j M Y, H:i")


def clock(at: datetime) -> str:
    """`at 14:05`, with the day unless it is today's."""
    local = timezone.localtime(at)
    day = "" if local.date() == timezone.localdate() else f" on {format_date(local, 'j F')}"
    return f"at {format_date(local, 'H:i')}{day}"


class VerbFilter(ChoiceFilter):
    title = "what"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(verb, done.capitalize()) for verb, done in DONE.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(verb=self.value()) if self.value() else queryset


class BatchFilter(admin.SimpleListFilter):
    """What was done together, as the page of a batch asks for it; there are too many to choose from."""

    title = "what was done together"
    parameter_name = "batch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.value() or "", "These together")]

    def has_output(self) -> bool:
        return self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        if (asked := self.value()) is None:
            return queryset
        try:
            return queryset.filter(batch=UUID(asked))
        except ValueError:
            raise IncorrectLookupParameters(f"{asked} is no batch.") from None


class ActorFilter(WhoFilter):
    person = "actor"
    nobody = ("imports", "Imports")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["at", "who", "what", "story", "change", "note", "together"]
    list_display_links = None
    list_filter = [VerbFilter, ActorFilter, BatchFilter]
    search_fields = ["note"]  # and, by `get_search_results`, the stories that it was done to
    search_help_text = "Title, excerpt, provider, topic or address of the story, or why"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """Joined to its actors SQLite would begin with these, few as they are, and sort all that they did."""
        stories = Article.objects.only("title")
        return super().get_queryset(request).prefetch_related("actor", Prefetch("article", stories))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """What was done to the stories that the list of stories finds, or with these words as the reason."""
        noted, _ = super().get_search_results(request, queryset, search_term)
        if not search_term.strip():
            return noted, False
        stories = found_by_editors(Article.objects.order_by(), search_term)
        return noted | queryset.filter(article__in=stories.values("pk")), False

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

    @admin.display(description="Done together", empty_value="")
    def together(self, event: Event) -> SafeString | None:
        if event.batch is None:
            return None
        return format_html('<a href="{}">See</a>', reverse("admin:desk_batch", args=[event.batch]))
