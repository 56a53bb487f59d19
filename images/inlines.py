"""Pictures as rows of the form of whatever they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import TextField
from django.forms import Textarea
from django.urls import reverse
from django.utils.html import format_html

from images.forms import SOURCE_FIELDS, PictureForm, PlacedFormSet
from images.thumbnails import thumbnail

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from images.models import ImageUse


class PictureInline(admin.TabularInline):
    """Subclasses name the model, a kind of `ImageUse`."""

    form = PictureForm
    formset = PlacedFormSet
    formfield_overrides = SOURCE_FIELDS | {
        TextField: SOURCE_FIELDS[TextField] | {"widget": Textarea(attrs={"rows": 2, "cols": 24})}
    }
    fields = ["preview", "address", "condition", "alt", "title", "attribution", "position"]
    readonly_fields = ["preview", "condition"]
    extra = 0
    classes = ["picture-rows"]

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
    def condition(self, use: ImageUse) -> str:
        """Whether there is a picture to show and, where there is none, why; the image's page has the button."""
        if not use.image_id:
            return "New"
        url = reverse("admin:images_remoteimage_change", args=[use.image_id])
        state = format_html('<a href="{}">{}</a>', url, use.image.get_state_display())
        return format_html("{}: {}", state, use.image.detail) if use.image.detail else state
