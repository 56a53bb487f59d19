"""What editors fill in about pictures: a file, a focus, a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms

from images.models import ImageEvent, RemoteImage
from images.processing import FORMATS, MAX_BYTES
from images.uploads import RefusedUploadError

MOST = MAX_BYTES // 2**20  # MiB
ENDINGS = ",".join(f".{name}" for name in sorted({*FORMATS.values(), "jpeg", "tiff"}))
PERCENT = {"min": 0, "max": 100}


class PictureFileForm(forms.Form):
    file = forms.FileField(
        label="File",
        widget=forms.FileInput(attrs={"accept": ENDINGS}),
        help_text=f"JPEG, PNG, GIF, WebP, AVIF, BMP, TIFF or ICO, at most {MOST} MiB.",
    )

    def clean_file(self) -> bytes:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:  # before it is read into memory
            raise forms.ValidationError(f"The file is larger than {MOST} MiB.")
        return bytes(file.read())

    def hand_to(self, keep: Callable[[bytes], RemoteImage]) -> RemoteImage | None:
        """What `keep` makes of the file; None when it is refused, and then the form says why."""
        if not self.is_valid():
            return None
        try:
            return keep(self.cleaned_data["file"])
        except RefusedUploadError as error:
            self.add_error("file", str(error))
            return None


class FocusForm(forms.ModelForm):
    """What of a picture stays in view when it is cropped. `shown` is the picture that the editor looked at."""

    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = RemoteImage
        fields = ["focus_x", "focus_y"]
        widgets = {name: forms.NumberInput(attrs=PERCENT) for name in fields}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["shown"] = self.instance.content_hash

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "focus_x" in self.fields and cleaned.get("shown") != self.instance.content_hash:
            raise forms.ValidationError("There is another picture here since you opened this page. Nothing was saved.")
        return cleaned


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=ImageEvent._meta.get_field("note").max_length,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="It is kept in the log of each address, for colleagues who ask later.",
    )
