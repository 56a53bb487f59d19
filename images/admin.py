from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat, pluralize, truncatechars
from django.urls import path, reverse
from django.urls.resolvers import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from images.caching import CacheReport, by_keys, cache_all, mark_pending
from images.models import ImageUse, RemoteImage
from images.newsroom import ChoiceFilter, NewsroomAdmin
from images.thumbnails import thumbnail

FETCH_AGAIN_SECONDS = 20.0  # an editor waits no longer; cache_images does the rest
USES_SHOWN = 20  # for each kind of use


class StateFilter(ChoiceFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in RemoteImage.State.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RemoteImage]) -> QuerySet[RemoteImage]:
        return queryset.filter(state=self.value()) if self.value() else queryset


class ReasonFilter(ChoiceFilter):
    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        reasons = RemoteImage.objects.exclude(reason="").order_by("reason").values_list("reason", flat=True)
        return [(reason, reason.replace("_", " ").capitalize()) for reason in reasons.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RemoteImage]) -> QuerySet[RemoteImage]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


@admin.register(RemoteImage)
class RemoteImageAdmin(NewsroomAdmin):
    """Facts to look at. What an editor can do is have a picture fetched again."""

    change_form_template = "images/admin_change_form.html"
    list_display = ["preview", "address", "badge", "detail", "size", "fetched_at"]
    list_display_links = ["address"]
    list_filter = [StateFilter, ReasonFilter]
    search_fields = ["source_url"]
    search_help_text = "Source address"
    actions = ["fetch_again"]
    readonly_fields = [
        *("large_preview", "source_link", "badge", "detail", "reason", "attempts", "next_attempt_at"),
        *("size", "format", "has_alpha", "color", "content_hash", "created_at", "fetched_at"),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: RemoteImage | None = None) -> Any:
        """Of a picture that is not there yet, only what there is to say."""
        there = obj is not None and obj.has_picture
        file = ("File", {"fields": ["size", "format", "has_alpha", "color", "content_hash"]})
        return [
            (None, {"fields": ["large_preview", "source_link"] if there else ["source_link"]}),
            ("State", {"fields": ["badge", "detail", "reason", "attempts", "next_attempt_at"]}),
            *([file] if there else []),
            ("Dates", {"fields": ["created_at", "fetched_at"]}),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Images come with articles, providers and topics."""
        return False

    # --- What is shown ---------------------------------------------------------------------------

    @admin.display(description="Picture")
    def preview(self, image: RemoteImage) -> SafeString:
        return thumbnail(image)

    @admin.display(description="Picture")
    def large_preview(self, image: RemoteImage) -> SafeString:
        return thumbnail(image, at_least=320)

    @admin.display(description="Source address", ordering="source_url")
    def address(self, image: RemoteImage) -> str:
        return truncatechars(image.source_url, 70)

    @admin.display(description="Source address")
    def source_link(self, image: RemoteImage) -> str:
        if not image.source_url.startswith(("http://", "https://")):
            return image.source_url
        return format_html('<a href="{0}" rel="noopener noreferrer">{0}</a>', image.source_url)

    @admin.display(description="State", ordering="state")
    def badge(self, image: RemoteImage) -> SafeString:
        return format_html('<span class="badge badge-{}">{}</span>', image.state, image.get_state_display())

    @admin.display(description="Size", ordering="byte_size", empty_value="–")
    def size(self, image: RemoteImage) -> str | None:
        if image.byte_size is None:
            return None
        return f"{image.width} × {image.height}, {filesizeformat(image.byte_size)}"

    # --- Fetch again -----------------------------------------------------------------------------

    @admin.action(description="Fetch again", permissions=["change"])
    def fetch_again(self, request: HttpRequest, queryset: QuerySet[RemoteImage]) -> None:
        asked = queryset.count()
        keys = mark_pending(queryset)
        report = cache_all(by_keys(keys), deadline_seconds=FETCH_AGAIN_SECONDS)
        complete = report.cached == asked
        level = messages.SUCCESS if complete else messages.WARNING
        self.message_user(request, _told(report, not_remote=asked - len(keys), left=len(keys) - report.done), level)

    def fetch_again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """An address of its own: ModelAdmin's form view works inside a transaction, and a fetch must not."""
        image = self.get_object(request, str(pk))
        if image is None:
            raise Http404("There is no such picture.")
        if not self.has_change_permission(request, image):
            raise PermissionDenied
        self.fetch_again(request, RemoteImage.objects.filter(pk=pk))
        return HttpResponseRedirect(reverse("admin:images_remoteimage_change", args=[pk]))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.fetch_again_view))
        own = path("<int:pk>/fetch-again/", view, name="images_remoteimage_fetch_again")
        return [own, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Where the picture is used takes a fixed number of queries: one for each kind of use."""
        image = context["original"]
        context |= {
            "uses": [line for kind in _kinds_of_use() for line in _uses(kind, image, request, self.admin_site)],
            "may_fetch_again": image.is_remote and self.has_change_permission(request, image),
            "show_save": False,  # there is nothing to save
            "show_save_and_continue": False,
        }
        return super().render_change_form(request, context, *args, **kwargs)


def _told(report: CacheReport, *, not_remote: int, left: int) -> str:
    """What happened, one sentence for each thing that did."""
    sentences = []
    if report.cached:
        sentences.append(f"{report.cached} picture{pluralize(report.cached)} fetched.")
    if len(report.failed) == 1:
        sentences.append(f"Could not fetch {report.failed[0].source_url}: {report.failed[0].detail}")
    elif report.failed:
        sentences.append(f"{len(report.failed)} could not be fetched; the list says why.")
    if left:
        sentences.append(f"{left} left for the next run of cache_images: there was no time for more.")
    if not_remote:
        sentences.append(f"{not_remote} came with an imported tree and cannot be fetched.")
    return " ".join(sentences)


def _kinds_of_use() -> list[type[ImageUse]]:
    models = (relation.related_model for relation in RemoteImage._meta.related_objects)
    return [model for model in models if isinstance(model, type) and issubclass(model, ImageUse)]


def _uses(kind: type[ImageUse], image: RemoteImage, request: HttpRequest, site: admin.AdminSite) -> Iterator[str]:
    owner_path = _owner_path(kind, site)
    uses = kind._default_manager.filter(image=image).select_related("__".join(owner_path)).order_by("-pk")
    shown = list(uses[: USES_SHOWN + 1])
    for use in shown[:USES_SHOWN]:
        yield _owner_link(attrgetter(".".join(owner_path))(use), request, site)
    if len(shown) > USES_SHOWN:
        yield f"… and more of the kind {kind._meta.verbose_name}"


def _owner_path(model: type[Model], site: admin.AdminSite) -> list[str]:
    """The foreign keys that lead from a use to what has a page in this admin: `related_story`, `article`."""
    keys = [f for f in model._meta.fields if f.many_to_one and not f.null and f.related_model is not RemoteImage]
    if site.is_registered(model) or not keys:
        return []
    return [keys[0].name, *_owner_path(cast("type[Model]", keys[0].related_model), site)]


def _owner_link(owner: Model, request: HttpRequest, site: admin.AdminSite) -> str:
    """The owner by its name, for who may view it: a draft's title is not for everybody."""
    meta = owner._meta
    kind = str(meta.verbose_name).capitalize()
    if not site.is_registered(type(owner)) or not site.get_model_admin(type(owner)).has_view_permission(request):
        return kind
    url = reverse(f"{site.name}:{meta.app_label}_{meta.model_name}_change", args=[owner.pk])
    return format_html('{}: <a href="{}">{}</a>', kind, url, owner)
