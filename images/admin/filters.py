"""The filters of the list of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q

from images.admin.uses import unused
from images.models import RemoteImage
from images.newsroom import ChoiceFilter

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

FROM_HERE = Q(source_url__startswith="/")
ORIGINS = {
    "hand": ("Uploaded here", Q(by_hand=True)),
    "tree": ("Came with an imported tree", FROM_HERE & Q(by_hand=False)),
    "web": ("From the web", ~FROM_HERE & Q(by_hand=False)),
}


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
        return [(reason, in_words(reason)) for reason in reasons.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RemoteImage]) -> QuerySet[RemoteImage]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


def in_words(reason: str) -> str:
    words = reason.replace("_", " ")
    return words.upper() if words.startswith("http ") else words.capitalize()


class OriginFilter(ChoiceFilter):
    title = "origin"
    parameter_name = "origin"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in ORIGINS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RemoteImage]) -> QuerySet[RemoteImage]:
        name = self.value()
        return queryset.filter(ORIGINS[name][1]) if name else queryset


class UseFilter(ChoiceFilter):
    title = "use"
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("some", "Used"), ("none", "Not used")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RemoteImage]) -> QuerySet[RemoteImage]:
        match self.value():
            case None:
                return queryset
            case "none":
                return queryset.filter(unused())
            case _:
                return queryset.exclude(unused())
