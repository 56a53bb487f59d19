"""The provider's form, and the field for lists of words."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from images.forms import KeepsUntouched
from providers.domains import normalise_domain
from providers.models import Provider

NO_DOMAIN = "This is no domain. Write it like wired.com"


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
        typed = self.cleaned_data["domain"]
        try:
            domain = normalise_domain(typed)
        except ValueError as error:
            raise forms.ValidationError(NO_DOMAIN) from error
        if domain.rpartition(".")[2].isdecimal():  # no top level is a number: this is an IP address
            raise forms.ValidationError(NO_DOMAIN)
        bare = domain.removeprefix("www.")
        if other := self._others().filter(domain__in={bare, f"www.{bare}"} - {domain}).first():
            raise forms.ValidationError(f"There is already the provider ‘{other}’ with {other.domain}.")
        return domain

    def clean_other_names(self) -> list[str]:
        names: list[str] = self.cleaned_data["other_names"]
        for name in names:
            if other := self._others().filter(name__iexact=name).first():
                raise forms.ValidationError(f"‘{name}’ is the name of another provider, {other.domain}.")
        return names

    def _others(self) -> QuerySet[Provider]:
        return Provider.objects.exclude(pk=self.instance.pk)
