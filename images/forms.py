"""Forms over records that came from a source: what an editor did not touch stays as the source had it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import URLValidator
from django.db.models import CharField, Max, SlugField, TextField, URLField
from django.forms.models import BaseInlineFormSet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from images import tasks
from images.alt import MISSING, alt_warning
from images.models import RemoteImage

if TYPE_CHECKING:
    from collections.abc import Collection

NO_CREDIT = "No credit."
LONGEST_ADDRESS = 2000  # bytes: PostgreSQL's index takes a little more
_is_web_address = URLValidator(schemes=["http", "https"])
_address = forms.CharField(max_length=RemoteImage._meta.get_field("source_url").max_length)


def picture_address(text: str) -> str:
    """The address of a picture as an editor gave it, fit to be asked for. ValidationError says why it is not."""
    address: str = _address.clean(text)
    if len(address.encode()) > LONGEST_ADDRESS:
        raise forms.ValidationError("This address is too long.")
    known = RemoteImage.objects.filter(source_url=address).first()
    if known and known.state == RemoteImage.State.TAKEN_DOWN:
        raise forms.ValidationError(f"This picture was taken down: {known.detail}")
    if not address.startswith("/"):
        _is_web_address(address)
    elif known is None:
        raise forms.ValidationError("There is no picture with this path. Paste an address with https://.")
    return address


class SourceText(forms.CharField):
    """Text in which a browser's line ends and the outer blanks are no edit."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.to_python(initial), data)


#: `formfield_overrides` for every admin of ours.
SOURCE_FIELDS: dict[Any, Any] = {
    CharField: {"form_class": SourceText},
    SlugField: {"form_class": forms.SlugField},
    TextField: {"form_class": SourceText},
    URLField: {"assume_scheme": "https", "widget": forms.URLInput(attrs={"class": "vURLField"})},
}


class KeepsUntouched(forms.ModelForm):
    """Writes only the fields that were edited.

    A form field is coarser than what it shows (no microseconds, trimmed, other line ends), so a field that
    was left alone keeps the record's own value to the last byte.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.SplitDateTimeField):  # two inputs, and one label for neither
                for part, widget in zip(("date", "time"), field.widget.widgets, strict=True):
                    widget.attrs["aria-label"] = f"{field.label}: {part}"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.instance._state.adding:
            for field in self.instance._meta.concrete_fields:
                if field.name in cleaned and field.name not in self.changed_data:
                    cleaned[field.name] = getattr(self.instance, field.name)
        return cleaned


class PlacedForm(KeepsUntouched):
    """A row with a `position`; without one, an old row stays where it is and a new one comes last."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "position" in self.fields:
            self.fields["position"].required = False
        if self.instance._state.adding:
            self.initial["position"] = None

    def clean_position(self) -> int | None:
        position = self.cleaned_data["position"]
        return position if position is not None or self.instance._state.adding else self.instance.position


class PlacedFormSet(BaseInlineFormSet):
    """`shown`: records that are not stored, for the empty form to show instead of those that are. `had`: addresses of
    pictures that rows had which are not there any more."""

    def __init__(self, *args: Any, shown: list[Any] | None = None, had: Collection[str] = (), **kwargs: Any) -> None:
        self.shown, self.had = shown, had
        super().__init__(*args, **kwargs)

    def get_queryset(self) -> Any:
        return super().get_queryset() if self.shown is None else self.shown

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.had = self.had
        if "DELETE" in form.fields:  # a box in a table, without a label of its own
            form.fields["DELETE"].widget.attrs["aria-label"] = "Delete this row"

    def save_new(self, form: Any, commit: bool = True) -> Any:
        if form.instance.position is None:
            siblings = type(form.instance)._default_manager.filter(**{self.fk.name: self.instance})
            last = siblings.aggregate(last=Max("position"))["last"]
            form.instance.position = 0 if last is None else last + 1
        return super().save_new(form, commit)


class PictureForm(PlacedForm):
    """A picture by its address: the editor pastes one, and the image waits to be fetched."""

    had: Collection[str] = ()  # addresses that the formset says were there before
    address = forms.CharField(
        label="Address",
        max_length=2000,
        widget=forms.URLInput(attrs={"class": "vURLField"}),
        help_text="Paste the picture’s own address. It is fetched meanwhile; nobody has to wait for it.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["address"] = self.instance.image.source_url
        for field in self.fields.values():  # a table's headings label no input
            field.widget.attrs["aria-label"] = field.label

    def clean_address(self) -> str:
        """One that was there before is no matter of this form: it may have been taken down since."""
        address: str = self.cleaned_data["address"]
        is_new = "address" in self.changed_data and address not in self.had
        return picture_address(address) if is_new else address

    def save(self, commit: bool = True) -> Any:
        if "address" in self.changed_data:
            # Other picture: what the source declared of the old one is not true of it.
            self.instance.width = self.instance.height = self.instance.is_cached = None
            self.instance.image = tasks.wanted(self.cleaned_data["address"])
        return super().save(commit)


class WarnedTextarea(forms.Textarea):
    """A text with a warning below it, hidden while it has no reason."""

    warning = ""
    when_empty: str | None = None  # what to say then, if anything; a script does so while the editor writes

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        box = super().render(name, value, attrs, renderer)
        if self.when_empty is None:
            return box
        hidden = SafeString("" if self.warning else " hidden")
        said = '<p class="row-warning" data-when-empty="{}"{}>{}</p>'
        return format_html("{}" + said, box, self.when_empty, hidden, self.warning)


class CaptionedPictureForm(PictureForm):
    """A picture whose words readers get to see, or hear: it says softly which of them are wanting."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "alt" in self.fields:
            address = self["address"].value()
            warning = alt_warning(self["alt"].value() or "", address) if address else ""
            self._warn("alt", MISSING, warning)

    def mark_lead(self, is_lead: bool) -> None:
        """The lead is the one that stands large on a page, so it is the one that is to have a credit."""
        self.instance.is_lead = is_lead
        if "attribution" in self.fields:
            self._warn("attribution", NO_CREDIT, NO_CREDIT if is_lead and not self["attribution"].value() else "")

    def _warn(self, name: str, when_empty: str, warning: str) -> None:
        widget = self.fields[name].widget
        widget.when_empty, widget.warning = when_empty, warning


class LedFormSet(PlacedFormSet):
    """Pictures of which the first is the lead."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.mark_lead(index == 0)
