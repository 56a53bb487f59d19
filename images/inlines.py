"""Pictures as rows of the form of whatever they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import TextField
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from images.forms import (
    SOURCE_FIELDS,
    CaptionedPictureForm,
    LedFormSet,
    PictureForm,
    PlacedFormSet,
    WarnedTextarea,
)
from images.thumbnails import thumbnail

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from images.models import ImageUse, RemoteImage


class PictureInline(admin.TabularInline):
    """Subclasses name the model, a kind of `ImageUse`. A script shows pictures as they arrive."""

    template = "admin/images/picture_rows.html"
    form = PictureForm
    formset = PlacedFormSet
    formfield_overrides = SOURCE_FIELDS | {
        TextField: SOURCE_FIELDS[TextField] | {"widget": WarnedTextarea(attrs={"rows": 2, "cols": 24})}
    }
    fields = ["preview", "address", "condition", "alt", "title", "attribution", "position"]
    readonly_fields = ["preview", "condition"]
    extra = 0
    classes = ["picture-rows"]

    class Media:
        js = ["js/pictures.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImageUse]:
        return super().get_queryset(request).select_related("image")

    @admin.display(description="Picture")
    def preview(self, use: ImageUse) -> SafeString:
        return thumbnail(use.image if use.image_id else None)

    @admin.display(description="Address")
    def address(self, use: ImageUse) -> str:
        """For who may only look; others have the form's field of this name."""
        return use.image.source_url

    @admin.display(description="State")
    def condition(self, use: ImageUse) -> SafeString:
        """What has become of the picture, with what the script needs to ask again."""
        image = use.image if use.image_id else None
        return format_html(
            '<span class="arrival" aria-live="polite" data-key="{}" data-state="{}" data-address="{}">{}</span>',
            image.pk if image else "",
            image.state if image else "",
            image.source_url if image else "",
            _told(image) if image else "New",
        )


class CaptionedPictureInline(PictureInline):
    """Pictures that readers see large, the first as the lead: their words matter."""

    form = CaptionedPictureForm
    formset = LedFormSet

    @admin.display(description="Picture")
    def preview(self, use: ImageUse) -> SafeString:
        hidden = SafeString("" if getattr(use, "is_lead", False) else " hidden")
        return format_html('{} <span class="badge badge-lead"{}>Lead</span>', super().preview(use), hidden)


def _told(image: RemoteImage) -> SafeString:
    """Whether there is a picture to show and, where there is none, why; the image's page has the buttons."""
    url = reverse("admin:images_remoteimage_change", args=[image.pk])
    state = format_html('<a href="{}">{}</a>', url, image.get_state_display())
    return format_html("{}: {}", state, image.detail) if image.detail else state
