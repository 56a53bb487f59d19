"""The provider's form, and the field for lists of words."""

from __future__ import annotations

from typing import Any

from django import forms

from images.forms import KeepsUntouched
from providers.domains import normalise_domain
from providers.models import Provider


class LinesField(forms.CharField):
    """A JSON list of texts, edited one per line. Blank lines and repetitions go."""

    widget = forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"})

    def to_python(self, value: Any) -> Any:
        lines = value.splitlines() if isinstance(value, str) else map(str, value or [])
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else "\n".join(map(str, value or []))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


class ProviderForm(KeepsUntouched):
    other_names = LinesField(label="Also known as", required=False, help_text="One name per line.")

    class Meta:
        model = Provider
        fields = ["name", "domain", "other_names", "description"]

    def clean_domain(self) -> str:
        domain = self.cleaned_data["domain"]
        try:
            return normalise_domain(domain)
        except ValueError as error:
            raise forms.ValidationError("This is no domain. Write it like wired.com") from error
