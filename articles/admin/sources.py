"""Where records came from, and the page on which an editor settles what a record and its source disagree about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import DataError, IntegrityError, transaction
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst

from articles.admin.events import editor, label, moment
from articles.admin.filters import SourceDiffersFilter
from articles.admin.sides import Shown, in_a_line, side_by_side
from articles.documents import field_data
from articles.importing import settling
from articles.importing.batches import UnstorableError
from articles.models import Conflict, SourceFile
from images.newsroom import ReadOnlyAdmin, is_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

ALL = "*"  # what the buttons for all fields name
SEEN = "seen-"  # before the names of the inputs that say what the page showed
REFUSED = "The database refuses this value. Nothing was changed."
LONGEST_LOGGED = 500  # characters of a value that was decided against


@dataclass(frozen=True)
class Panel:
    """One field that is in dispute, as the page shows it."""

    dispute: settling.Dispute
    label: str

    @cached_property
    def sides(self) -> list[tuple[str, Shown]]:
        """Headings and values; the last only where taking theirs makes something else of the field than theirs."""
        dispute, conflict = self.dispute, self.dispute.conflict
        values = {"Ours, as it is here": dispute.ours, "What the source says now": conflict.theirs}
        outcome = field_data(dispute.taken, dispute.name) if dispute.taken else conflict.theirs
        if outcome not in (conflict.theirs, dispute.ours):
            values["What taking theirs would make of it"] = outcome
        shown = side_by_side(dispute.name, conflict.base, *values.values())
        return list(zip(["What both once said", *values], shown, strict=True))


@admin.register(SourceFile)
class SourceFileAdmin(ReadOnlyAdmin):
    """A file is changed where it came from; settling changes the record, and needs the right to do that."""

    list_display = ["path", "describes", "imported", "differs"]
    list_filter = [SourceDiffersFilter]
    search_fields = ["path"]
    search_help_text = "Part of the path"

    # --- The list --------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[SourceFile]:
        """Without the texts, which are as long as the files."""
        shown = ("path", "imported_at", "article__title", "provider__name", "topic__name")
        files = super().get_queryset(request).select_related(*settling.OWNERS).only(*shown)
        conflicts = Conflict.objects.filter(source=OuterRef("pk")).order_by().values("source")
        number = Subquery(conflicts.annotate(number=Count("pk")).values("number"))
        return files.annotate(conflict_count=Coalesce(number, 0))

    @admin.display(description="What it describes")
    def describes(self, source: SourceFile) -> SafeString:
        record = settling.described_by(source)
        return format_html('<a href="{}">{}</a>', _form(record), record)

    @admin.display(description="Imported", ordering="imported_at")
    def imported(self, source: SourceFile) -> str:
        return moment(source.imported_at)

    @admin.display(description="Source differs", ordering="conflict_count", empty_value="")
    def differs(self, source: Any) -> SafeString | None:
        if not source.conflict_count:
            return None
        url = reverse("admin:articles_sourcefile_change", args=[source.pk])
        return differs_badge(url, f"in {_fields(source.conflict_count)}")

    # --- The page --------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._settle(request, _key(object_id))
        source = SourceFile.objects.filter(pk=_key(object_id)).defer("text").first()
        if source is None:
            raise Http404
        return self._page(request, source)

    def _page(self, request: HttpRequest, source: SourceFile) -> HttpResponse:
        record = settling.described_by(source)
        if not self._admin_of(record).has_view_permission(request, record):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(record),
            "subtitle": f"{capfirst(record._meta.verbose_name)} and source",
            "source": source,
            "record": record,
            "record_form": _form(record),
            "panels": [Panel(each, label(each.name, type(record))) for each in settling.disputes(source)],
            "may_settle": self._admin_of(record).has_change_permission(request, record),
            "all": ALL,
            "seen": SEEN,
        }
        return TemplateResponse(request, "admin/articles/sourcefile/change_form.html", context)

    def _admin_of(self, record: settling.Described) -> admin.ModelAdmin[Any]:
        return self.admin_site.get_model_admin(type(record))

    def _settle(self, request: HttpRequest, key: int) -> HttpResponse:
        try:
            told = self._settled(request, key)
        except (settling.StaleError, UnstorableError) as error:
            self.message_user(request, f"{error}. Nothing was changed.", messages.ERROR)
        except (IntegrityError, DataError):
            self.message_user(request, REFUSED, messages.ERROR)
        else:
            self.message_user(request, told, messages.SUCCESS)
        return HttpResponseRedirect(request.path)

    @transaction.atomic
    def _settled(self, request: HttpRequest, key: int) -> str:
        """Do what the button says, and tell it. Who may is asked of the locked record."""
        source = settling.locked(key)
        if source is None:
            raise Http404
        record = settling.described_by(source)
        record_admin = self._admin_of(record)
        if not record_admin.has_change_permission(request, record):
            raise PermissionDenied
        take = "take" in request.POST
        settled = settling.settle(source, _seen(request), take=take, by=editor(request))
        told = _told(settled, type(record), take)
        record_admin.log_change(request, record, f"{told} {_other_side(settled, take)}".strip())
        return told


def differs_badge(url: str, where: str = "") -> SafeString:
    return format_html('<a class="badge badge-differs" href="{}">{}</a>', url, f"Source differs {where}".strip())


def _key(object_id: str) -> int:
    if not is_key(object_id):
        raise Http404
    return int(object_id)


def _form(record: settling.Described) -> str:
    return reverse(f"admin:{record._meta.label_lower.replace('.', '_')}_change", args=[record.pk])


def _seen(request: HttpRequest) -> dict[str, str]:
    """What the page showed of the fields that the button is about."""
    shown = {name.removeprefix(SEEN): str(request.POST[name]) for name in request.POST if name.startswith(SEEN)}
    chosen = request.POST.get("take") or request.POST.get("keep") or ""
    return shown if chosen == ALL else {chosen: shown.get(chosen, "")}


def _told(settled: Sequence[settling.Dispute], model: type[settling.Described], take: bool) -> str:
    names = ", ".join(label(each.name, model) for each in settled)
    return f"Taken from the source: {names}." if take else f"Kept as it is here: {names}."


def _other_side(settled: Sequence[settling.Dispute], take: bool) -> str:
    """What was decided against, in words: providers and topics have no revisions that would tell."""
    values = [(each.name, each.ours if take else each.conflict.theirs) for each in settled]
    texts = [in_a_line(name, value)[:LONGEST_LOGGED] for name, value in values]
    return " ".join(f"{'Ours' if take else 'Theirs'} was “{text}”." for text in texts if text)


def _fields(number: int) -> str:
    return "1 field" if number == 1 else f"{number} fields"
