"""The admin of pictures: the list, the page of one, and what editors do to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import truncatechars
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from images import queue, takedown, tasks, uploads
from images.admin import arriving, words
from images.admin.filters import FROM_HERE, OriginFilter, ReasonFilter, StateFilter, UseFilter
from images.admin.forms import FocusForm, PictureFileForm, ReasonForm
from images.admin.uses import counted, owners, uses_of
from images.locks import change_images
from images.models import RemoteImage
from images.newsroom import NewsroomAdmin
from images.thumbnails import thumbnail

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.urls import URLPattern
    from django.utils.safestring import SafeString

MANY = 50  # an editor who has more than these fetched at once does not wait for each of them
DECIDED_AT_ONCE = 200
ADDRESSES_SHOWN = 20
EVENTS_SHOWN = 50
State = RemoteImage.State


@dataclass(frozen=True)
class Decision:
    """What is done to pictures for a reason, with all addresses of the same picture."""

    title: str
    button: str
    done: str
    explanation: str
    carry_out: Callable[..., int]
    concerns: Q


TAKE_DOWN = Decision(
    "Take down",
    "Take down",
    "taken down",
    "What is taken down disappears from every page at once. Its files are deleted, and it is not fetched again.",
    takedown.take_down,
    ~Q(state=State.TAKEN_DOWN),
)
ALLOW = Decision(
    "Allow again",
    "Allow again",
    "allowed again",
    "What has a web address is fetched again; what was uploaded has to be uploaded again.",
    takedown.allow_again,
    Q(state=State.TAKEN_DOWN),
)


class PictureList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """With how often each is used: counted for the page that is shown, whatever the order of the list."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        times = counted([image.pk for image in self.result_list])
        for image in self.result_list:
            image.times_used = times[image.pk]


@admin.register(RemoteImage)
class RemoteImageAdmin(NewsroomAdmin):
    form = FocusForm
    change_form_template = "images/admin_change_form.html"
    change_list_template = "images/admin_change_list.html"
    list_display = ["preview", "address", "badge", "why", "size", "used", "fetched"]
    list_display_links = ["address"]
    list_filter = [StateFilter, ReasonFilter, OriginFilter, UseFilter]
    search_fields = ["source_url"]
    search_help_text = "Source address"
    actions = ["fetch_again", "take_down", "allow_again"]

    class Media:
        css = {"all": ["css/pictures.css"]}
        js = ["js/focus.js", "js/arriving.js"]

    # --- Who may ---------------------------------------------------------------------------------

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        if request.method == "POST":
            change_images()
        return super().get_object(request, object_id, from_field)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: a takedown has to be remembered, and addresses cost nothing."""
        return False

    def has_take_down_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(takedown.PERMISSION)

    # --- The list --------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PictureList

    @admin.display(description="Picture")
    def preview(self, image: RemoteImage) -> SafeString:
        return thumbnail(image)

    @admin.display(description="Source address", ordering="source_url")
    def address(self, image: RemoteImage) -> str:
        return truncatechars(image.source_url, 70)

    @admin.display(description="State", ordering="state")
    def badge(self, image: RemoteImage) -> SafeString:
        return format_html('<span class="badge badge-{}">{}</span>', image.state, image.get_state_display())

    @admin.display(description="Reason", ordering="reason", empty_value="")
    def why(self, image: RemoteImage) -> str:
        return image.detail

    @admin.display(description="Size", ordering="byte_size", empty_value="")
    def size(self, image: RemoteImage) -> str:
        return words.size(image)

    @admin.display(description="Used")
    def used(self, image: Any) -> int:
        return int(image.times_used)

    @admin.display(description="Fetched", ordering="fetched_at", empty_value="")
    def fetched(self, image: RemoteImage) -> str:
        return words.when(image.fetched_at)

    # --- In bulk ---------------------------------------------------------------------------------

    @admin.action(description="Fetch again", permissions=["change"])
    def fetch_again(self, request: HttpRequest, queryset: QuerySet[RemoteImage]) -> None:
        counts = _counts(queryset)
        count = queue.mark_pending(queryset, urgent=counts["asked"] <= MANY)
        tasks.wake()
        level = messages.SUCCESS if count == counts["asked"] else messages.WARNING
        self.message_user(request, " ".join(_fetching_told(count, counts)), level)

    @admin.action(description="Take down…", permissions=["take_down"])
    def take_down(self, request: HttpRequest, queryset: QuerySet[RemoteImage]) -> HttpResponse | None:
        return self._ask_for_reason(request, queryset, "take_down")

    @admin.action(description="Allow again…", permissions=["take_down"])
    def allow_again(self, request: HttpRequest, queryset: QuerySet[RemoteImage]) -> HttpResponse | None:
        return self._ask_for_reason(request, queryset, "allow")

    def _ask_for_reason(self, request: HttpRequest, queryset: QuerySet[RemoteImage], name: str) -> HttpResponse | None:
        keys = list(queryset.order_by("pk").values_list("pk", flat=True)[: DECIDED_AT_ONCE + 1])
        if len(keys) > DECIDED_AT_ONCE:
            self.message_user(request, f"Choose at most {DECIDED_AT_ONCE} pictures at once.", messages.ERROR)
            return None
        return HttpResponseRedirect(_decision_url(name, keys))

    # --- The page of one -------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: RemoteImage | None = None) -> Any:
        """A focus for a picture that is there. All else is there to be looked at, and not of the form."""
        there = obj is not None and obj.has_picture
        return [("Focus", {"fields": [("focus_x", "focus_y")]})] if there else []

    def save_model(self, request: HttpRequest, obj: RemoteImage, form: Any, change: bool) -> None:
        """The focus and nothing else: a worker may have the same row."""
        focus = [name for name in ("focus_x", "focus_y") if name in form.changed_data]
        if focus:
            obj.save(update_fields=focus)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        image = context["original"]
        may_change = self.has_change_permission(request, image)
        may_decide = self.has_take_down_permission(request)
        is_down = image.state == State.TAKEN_DOWN
        context |= {
            "preview": thumbnail(image, at_least=640),
            "crop": thumbnail(image, at_least=320),
            "badge": self.badge(image),
            "told": words.told(image),
            "facts": list(_facts(image)),
            "is_arriving": words.is_arriving(image),
            "uses": uses_of(image, request, self.admin_site),
            "events": image.events.select_related("actor")[:EVENTS_SHOWN],
            "may_fetch_again": may_change and image.is_remote and not is_down,
            "may_replace": may_change and not is_down,
            "take_down_url": _decision_url("take_down", [image.pk]) if may_decide and not is_down else "",
            "allow_url": _decision_url("allow", [image.pk]) if may_decide and is_down else "",
            "has_focus": may_change and image.has_picture,
            "show_save": may_change and image.has_picture,
            "show_save_and_continue": may_change and image.has_picture,
            "show_save_and_add_another": False,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    # --- Pages of their own: ModelAdmin's form view works inside a transaction, where nothing may take long ----

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "states": ("states/", arriving.states),
            "arrive": ("arrive/", arriving.arrive),
            "upload_json": ("upload/json/", arriving.upload_json),
            "take_down": ("take-down/", self.take_down_view),
            "allow": ("allow/", self.allow_view),
            "fetch_again": ("<int:pk>/fetch-again/", require_POST(self.fetch_again_view)),
            "replace": ("<int:pk>/replace/", self.replace_view),
        }
        own = [
            path(route, self.admin_site.admin_view(view), name=f"images_remoteimage_{name}")
            for name, (route, view) in views.items()
        ]
        return [*own, *super().get_urls()]

    def fetch_again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        image = self._to_change(request, pk)
        self.fetch_again(request, RemoteImage.objects.filter(pk=image.pk))
        return HttpResponseRedirect(_page_url(image))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = _file_form(request)
        if image := form.hand_to(lambda data: uploads.upload(data, by=_editor(request))):
            self.message_user(request, f"The picture is here. Its address to paste: {image}", messages.SUCCESS)
            return HttpResponseRedirect(_page_url(image))
        lead = "The picture gets an address of its own, to be pasted wherever a picture is asked for."
        return self._form_page(request, form, title="Upload a picture", lead=lead, button="Upload")

    def replace_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        image = self._to_change(request, pk)
        form = _file_form(request)
        if form.hand_to(lambda data: _replaced(image, data, by=_editor(request))):
            self.message_user(request, "The file is shown wherever this picture is used.", messages.SUCCESS)
            return HttpResponseRedirect(_page_url(image))
        lead = "The file is shown wherever this address is used, until somebody has the address fetched again."
        return self._form_page(request, form, title="Upload in its place", lead=lead, button="Upload", original=image)

    def take_down_view(self, request: HttpRequest) -> HttpResponse:
        return self._decision(request, TAKE_DOWN)

    def allow_view(self, request: HttpRequest) -> HttpResponse:
        return self._decision(request, ALLOW)

    def _decision(self, request: HttpRequest, decision: Decision) -> HttpResponse:
        if not self.has_take_down_permission(request):
            raise PermissionDenied
        keys = arriving.keys_in(request.GET.get("keys", ""))[:DECIDED_AT_ONCE]
        chosen = RemoteImage.objects.filter(pk__in=keys)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            count = decision.carry_out(chosen, by=_editor(request), reason=form.cleaned_data["reason"])
            self.message_user(request, f"{words.many(count, 'address', 'addresses')} {_was(count)} {decision.done}.")
            return HttpResponseRedirect(_page_url(chosen[0]) if len(keys) == 1 and chosen else _list_url())
        images = takedown.same_pictures(chosen).filter(decision.concerns)
        return self._form_page(request, form, **self._what_is_decided(decision, images))

    def _what_is_decided(self, decision: Decision, images: QuerySet[RemoteImage]) -> dict[str, Any]:
        """What the page says. A 404 when there is nothing to decide, or nothing any more."""
        if not (count := images.count()):
            raise Http404("There is no such picture, or it has been decided already.")
        return {
            "title": decision.title,
            "lead": decision.explanation,
            "button": decision.button,
            "concerned": [words.many(count, "address", "addresses"), *owners(images, self.admin_site)],
            "addresses": images.order_by("-pk")[:ADDRESSES_SHOWN],
            "unnamed": max(0, count - ADDRESSES_SHOWN),
        }

    def _to_change(self, request: HttpRequest, pk: int) -> RemoteImage:
        image = get_object_or_404(RemoteImage, pk=pk)
        if not self.has_change_permission(request, image):
            raise PermissionDenied
        return image

    def _form_page(self, request: HttpRequest, form: Any, **context: Any) -> HttpResponse:
        common = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media, "form": form}
        return TemplateResponse(request, "images/admin_form.html", common | context)


def _file_form(request: HttpRequest) -> PictureFileForm:
    return PictureFileForm(*((request.POST, request.FILES) if request.method == "POST" else ()))


def _replaced(image: RemoteImage, data: bytes, *, by: User) -> RemoteImage:
    uploads.replace(image, data, by=by)
    return image


def _counts(images: QuerySet[RemoteImage]) -> dict[str, int]:
    """How many are asked for, and how many of them cannot be fetched, by why."""
    down = Q(state=State.TAKEN_DOWN)
    return images.order_by().aggregate(
        asked=Count("pk"),
        uploads=Count("pk", filter=~down & FROM_HERE & Q(by_hand=True)),
        tree=Count("pk", filter=~down & FROM_HERE & Q(by_hand=False)),
        down=Count("pk", filter=down),
    )


def _fetching_told(count: int, counts: dict[str, int]) -> Iterator[str]:
    yield f"{words.many(count, 'picture')} will be fetched again."
    if tree := counts["tree"]:
        yield f"{tree:,} came with an imported tree and cannot be."
    if uploaded := counts["uploads"]:
        yield f"{uploaded:,} {_was(uploaded)} uploaded here and cannot be."
    if down := counts["down"]:
        yield f"{down:,} {_was(down)} taken down."


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _facts(image: RemoteImage) -> Iterator[tuple[str, str]]:
    yield "Its address", _source_link(image)
    if image.has_picture:
        widest = image.rendition_widths()[-1]
        ours = '<a href="{}">{} pixels wide</a>'
        yield "Our copy", format_html(ours, image.rendition_url(widest, "universal"), widest)
        transparent = ", with transparency" if image.has_alpha else ""
        yield "File", f"{words.size(image)}, {image.format}{transparent}"
    if image.fetched_at:
        yield "Uploaded" if image.by_hand else "Fetched", words.when(image.fetched_at)
    yield "Known since", words.when(image.created_at)


def _source_link(image: RemoteImage) -> str:
    if not image.source_url.startswith(("http://", "https://")):
        return image.source_url
    return format_html('<a href="{0}" rel="noopener noreferrer">{0}</a>', image.source_url)


def _list_url() -> str:
    return reverse("admin:images_remoteimage_changelist")


def _page_url(image: RemoteImage) -> str:
    return reverse("admin:images_remoteimage_change", args=[image.pk])


def _decision_url(name: str, keys: list[int]) -> str:
    return f"{reverse(f'admin:images_remoteimage_{name}')}?keys={','.join(map(str, keys))}"


def _editor(request: HttpRequest) -> User:
    return cast("User", request.user)
