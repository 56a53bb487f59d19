"""The admin of import runs: what each did, file by file; and imports of uploaded files, first as a dry run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Case, Count, F, Model, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import pluralize, truncatechars
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from articles import workflow
from articles.admin.events import editor, label, moment
from articles.admin.filters import WhoFilter
from articles.importing import ImportBusyError
from articles.importing.locking import only_import
from articles.importing.packing import MAX_FILES, MAX_UPLOAD, MIB, Packed, UploadError, pack
from articles.importing.runs import MAX_REHEARSED
from articles.importing.uploads import UploadGoneError, confirm, discard, preview
from articles.models import Article, ImportedFile, ImportRun, ImportUpload, SourceFile, Topic
from articles.reading.trees import ENDINGS
from images.newsroom import ChoiceFilter, NewsroomAdmin, ReadOnlyAdmin
from providers.models import Provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.urls import URLPattern
    from django.utils.safestring import SafeString

FILES_PER_PAGE = 100
# An import publishes and unpublishes, as its files say.
UPLOAD_RIGHTS = ["articles.run_importrun", workflow.MAY_PUBLISH]
OVERWRITE_RIGHTS = ["articles.change_article", "articles.change_topic", "providers.change_provider"]
OPTIONS = {
    "uploaded": "Uploaded in the admin",
    "as_drafts": "As drafts",
    "overwrite": "The source wins over edits",
    "withdraw_missing": "Stories whose files are gone are unpublished",
}
DESCRIBED: list[type[Model]] = [Article, Provider, Topic]
Outcome = ImportedFile.Outcome
COUNTED = ["created", "updated", "unchanged", "kept", "conflicts", "failed", "warnings"]
IN_ORDER_OF_URGENCY = ["failed", "conflicts", "warnings", "kept", "updated", "created"]
URGENCY = Case(*(When(outcome=name, then=place) for place, name in enumerate(IN_ORDER_OF_URGENCY)))
BUSY = "Another import is running. Nothing was changed; try again when it is done."
GONE = "These files are no longer here: they have been imported or discarded."


# --- The form -----------------------------------------------------------------------------------


class ManyFilesInput(forms.FileInput):
    allow_multiple_selected = True


class ManyFiles(forms.FileField):
    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        return [super(ManyFiles, self).clean(file, initial) for file in data or [None]]


class UploadForm(forms.Form):
    upload = ManyFiles(
        label="Files",
        allow_empty_file=True,  # the importer says which, and takes the others
        widget=ManyFilesInput(attrs={"accept": ",".join([".zip", *sorted(ENDINGS)])}),
        help_text=(
            "A zip of a site or of a part of it, with its pictures under assets/, or up to 100 files "
            f"({', '.join(sorted(ENDINGS))}). At most {MAX_UPLOAD // MIB} MiB and {MAX_FILES:,} files in all."
        ),
    )
    as_drafts = forms.BooleanField(
        required=False,
        label="As drafts",
        help_text="Nothing is published, whatever the files say. What they withdraw is withdrawn.",
    )
    overwrite = forms.BooleanField(
        required=False,
        label="The source wins over edits",
        help_text="What editors changed in these stories, providers and topics is replaced by what the files say.",
    )

    def __init__(self, *args: Any, may_overwrite: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_overwrite:
            del self.fields["overwrite"]

    def clean_upload(self) -> Packed:
        try:
            return pack(self.cleaned_data["upload"])
        except UploadError as error:
            raise forms.ValidationError(str(error)) from error


# --- The list -----------------------------------------------------------------------------------


class StateFilter(ChoiceFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(ImportRun.State.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[ImportRun] | None:
        return queryset.filter(stands=self.value()) if self.value() else None


class KindFilter(ChoiceFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("import", "Import"), ("dry", "Dry run")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[ImportRun] | None:
        return queryset.filter(dry_run=self.value() == "dry") if self.value() else None


class TroubleFilter(ChoiceFilter):
    title = "trouble"
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        lately = ("lately", "Stopped or with failures, past 7 days")
        return [("failed", "With failures"), ("conflicts", "With conflicts"), ("warnings", "With warnings"), lately]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[ImportRun] | None:
        if self.value() == "lately":
            return in_trouble_lately(queryset)
        return queryset.filter(**{f"{self.value()}__gt": 0}) if self.value() else None


def in_trouble_lately(runs: Any) -> QuerySet[ImportRun]:
    """Of the admin's runs, those of the past week that somebody should look at; a dry run changed nothing."""
    bad = Q(failed__gt=0) | Q(stands=ImportRun.State.STOPPED)
    lately: QuerySet[ImportRun] = runs.filter(bad, dry_run=False, began_at__gte=timezone.now() - timedelta(days=7))
    return lately


class StarterFilter(WhoFilter):
    person = "by"
    nobody = ("commands", "Commands")


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    list_display = ["began", "subject", "who", "badge", "outcome", "took"]
    list_filter = [StateFilter, KindFilter, TroubleFilter, StarterFilter]
    list_select_related = ["by"]
    search_fields = ["what"]
    search_help_text = "Folder, or name of an uploaded file"

    class Media:
        css = {"all": ["css/imports.css"]}

    # --- Who may ---------------------------------------------------------------------------------

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As in other admins, but for a run that is under way."""
        under_way = obj is not None and obj.stands == ImportRun.State.RUNNING
        return not under_way and NewsroomAdmin.has_delete_permission(self, request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Of the files, which may be hundreds of thousands, their number only; the right to delete runs is enough."""
        runs = list(objs)
        files = ImportedFile.objects.filter(run__in=runs).count()
        running = [str(run) for run in runs if run.stands == ImportRun.State.RUNNING]
        refused = set() if self.has_delete_permission(request) else {ImportRun._meta.verbose_name}
        counts = {ImportRun._meta.verbose_name_plural: len(runs), ImportedFile._meta.verbose_name_plural: files}
        return [str(run) for run in runs], counts, refused, running

    # --- The list --------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportRun]:
        """With how each run `stands`: one that was killed still has it on record that it goes on."""
        running = ImportRun.State.RUNNING
        killed = ImportRun.objects.filter(state=running).exists() and not import_is_running()
        stands = Case(When(state=running, then=Value(ImportRun.State.STOPPED.value)), default=F("state"))
        return super().get_queryset(request).annotate(stands=stands if killed else F("state"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_upload = request.user.has_perms(UPLOAD_RIGHTS)
        return super().changelist_view(request, {"may_upload": may_upload} | (extra_context or {}))

    @admin.display(description="Began", ordering="began_at")
    def began(self, run: ImportRun) -> str:
        return moment(run.began_at)

    @admin.display(description="What")
    def subject(self, run: ImportRun) -> str:
        return truncatechars(run.what, 100)

    @admin.display(description="Who", ordering="by")
    def who(self, run: ImportRun) -> str:
        return str(run.by or "A command")

    @admin.display(description="State")
    def badge(self, run: Any) -> SafeString:
        kind = "Dry run, " if run.dry_run else ""
        state = ImportRun.State(run.stands).label
        return format_html(
            '<span class="badge badge-{}">{}{}</span>', run.stands, kind, state.lower() if kind else state
        )

    @admin.display(description="What came of it")
    def outcome(self, run: ImportRun) -> str:
        return told(run)

    @admin.display(description="Took")
    def took(self, run: ImportRun) -> str | None:
        return duration((run.ended_at - run.began_at).total_seconds()) if run.ended_at else None

    # --- One run ---------------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        run: Any = self.get_object(request, object_id)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        if run is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        waits = run.dry_run and ImportUpload.objects.filter(run=run).exists()
        context = self._files(request, run) | {
            "title": str(run),
            "original": run,
            "who": self.who(run),
            "badge": self.badge(run),
            "took": self.took(run),
            "told": told(run),
            "options": options_told(run),
            "waits": waits,
            "may_confirm": waits and may_confirm(request, run),
            "rehearsed": run.dry_run and MAX_REHEARSED,
            "importable": run.created + run.updated + run.unchanged + run.kept + run.conflicts,
            "has_delete_permission": self.has_delete_permission(request, run),
        }
        return self._page(request, "run", context | (extra_context or {}))

    def _files(self, request: HttpRequest, run: ImportRun) -> dict[str, Any]:
        """A page of the files that there is something to tell of, what needs somebody first."""
        query = request.GET.get("q", "").replace("\0", "").strip()
        files = run.files.filter(path__icontains=query) if query else run.files.all()
        counts = dict(files.order_by().values_list("outcome").annotate(Count("pk")))
        kinds = [(name, Outcome(name).label, counts[name]) for name in IN_ORDER_OF_URGENCY if name in counts]
        if (wanted := request.GET.get("outcome")) in counts:
            files = files.filter(outcome=wanted)
        page = Paginator(files.order_by(URGENCY, "pk"), FILES_PER_PAGE).get_page(request.GET.get("p"))
        return {
            "query": query,
            "kinds": kinds,
            "wanted": wanted if wanted in counts else "",
            "total": sum(counts.values()),
            "page": page,
            "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
            "files": self._rows(request, list(page)),
        }

    def _rows(self, request: HttpRequest, files: list[ImportedFile]) -> list[tuple[ImportedFile, str, str]]:
        """Each file with the address of what it describes, and the names of the fields that it is about."""
        described: dict[str, tuple[type[Model], int]] = {}
        sources = SourceFile.objects.filter(path__in={file.path for file in files})
        for name, *keys in sources.values_list("path", "article", "provider", "topic"):
            described[name] = next((kind, key) for kind, key in zip(DESCRIBED, keys, strict=True) if key)
        rows = []
        for file in files:
            kind, key = described.get(file.path, (Article, None))
            fields = ", ".join(label(name, kind) for name in file.fields)
            rows.append((file, self._address(request, kind, key) if key else "", fields))
        return rows

    def _address(self, request: HttpRequest, kind: type[Model], key: int) -> str:
        """Of a record's page; empty for who may not see it."""
        if not self.admin_site.get_model_admin(kind).has_view_permission(request):
            return ""
        return reverse(f"admin:{kind._meta.app_label}_{kind._meta.model_name}_change", args=[key])

    # --- Uploads ---------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponse]] = {
            "upload/": self.upload_view,
            "<int:pk>/confirm/": require_POST(self.confirm_view),
            "<int:pk>/discard/": require_POST(self.discard_view),
        }
        own = [
            path(route, self.admin_site.admin_view(view), name=f"articles_importrun_{route.split('/')[-2]}")
            for route, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """The form, and its answer: the page of a dry run."""
        require_right_to_upload(request)
        sent = (request.POST, request.FILES) if request.method == "POST" else ()
        form = UploadForm(*sent, may_overwrite=request.user.has_perms(OVERWRITE_RIGHTS))
        if form.is_valid() and (run := self._preview(request, form)):
            return HttpResponseRedirect(reverse("admin:articles_importrun_change", args=[run.pk]))
        return self._page(request, "upload", {"title": "Import files", "form": form})

    def _preview(self, request: HttpRequest, form: UploadForm) -> ImportRun | None:
        packed = form.cleaned_data.pop("upload")
        options = {"overwrite": False} | form.cleaned_data
        try:
            run = preview(packed, **options, by=editor(request))
        except ImportBusyError:
            form.add_error(None, BUSY)
            return None
        if packed.warning:
            self.message_user(request, packed.warning, messages.WARNING)
        return run

    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Not in a transaction: an import locks for as short as it can."""
        require_right_to_upload(request)
        run = get_object_or_404(ImportRun, pk=pk, dry_run=True)
        if not may_confirm(request, run):
            raise PermissionDenied
        try:
            done = confirm(run, by=editor(request))
        except (ImportBusyError, UploadGoneError) as error:
            self.message_user(request, BUSY if isinstance(error, ImportBusyError) else GONE, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:articles_importrun_change", args=[pk]))
        level = messages.WARNING if done.failed or done.conflicts else messages.SUCCESS
        self.message_user(request, f"The files were imported: {told(done)}.", level)
        return HttpResponseRedirect(reverse("admin:articles_importrun_change", args=[done.pk]))

    def discard_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        require_right_to_upload(request)
        there = discard(get_object_or_404(ImportRun, pk=pk, dry_run=True))
        self.message_user(request, "Discarded. Nothing was imported." if there else GONE, messages.INFO)
        return HttpResponseRedirect(reverse("admin:articles_importrun_changelist"))

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        common = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media}
        return TemplateResponse(request, f"admin/articles/importrun/{name}.html", common | context)


# --- Who may ------------------------------------------------------------------------------------


def require_right_to_upload(request: HttpRequest) -> None:
    if not request.user.has_perms(UPLOAD_RIGHTS):
        raise PermissionDenied


def may_confirm(request: HttpRequest, run: ImportRun) -> bool:
    rights = UPLOAD_RIGHTS + (OVERWRITE_RIGHTS if run.options.get("overwrite") else [])
    return request.user.has_perms(rights)


def import_is_running() -> bool:
    """Whether somebody holds the importer's lock."""
    try:
        with only_import(wait=False, waiting=lambda: None):
            return False
    except ImportBusyError:
        return True


# --- In words -----------------------------------------------------------------------------------


def told(run: ImportRun) -> str:
    """What came of it: `3 created, 1 failed`."""
    words = {"conflicts": "in conflict", "warnings": f"warning{pluralize(run.warnings)}"}
    counts = {words.get(name, name): getattr(run, name) for name in COUNTED}
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count) or "no files"


def options_told(run: ImportRun) -> list[str]:
    return [words for name, words in OPTIONS.items() if run.options.get(name)]


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{max(seconds, 0.1):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
