"""What all our admin pages have in common; it lives in the lowest app, for imports point downwards."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.paginator import Paginator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import ForeignKey, Model, QuerySet
    from django.http import HttpRequest


def is_key(value: object) -> bool:
    """Whether it can be a primary key. Databases raise at what else a request may hold."""
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) < 19


class ChosenRow(AutocompleteSelect):
    """One row of very many, found by typing."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        return super().optgroups(name, [key for key in value if is_key(key)], attr)


class ChoiceFilter(admin.SimpleListFilter):
    def value(self) -> str | None:
        """What was asked for, if it is one of the choices: nothing else reaches the database."""
        asked = super().value()
        return asked if asked in dict(self.lookup_choices) else None


FURTHEST_PAGE = 10_000_000  # the rows before it are more than any table has, and fewer than a database can count


class AheadPaginator(Paginator):
    """Counts no further than some pages ahead of the one that is shown: of 100,000 rows nobody needs to know that they
    are not 99,999. `is_open`: there are more than `most`."""

    ahead = 20  # pages

    def __init__(self, rows: QuerySet, per_page: int, *args: Any, page: int = 1, **kwargs: Any) -> None:
        super().__init__(rows, per_page, *args, **kwargs)
        self.rows = rows
        self.most = (page + self.ahead) * per_page

    @cached_property
    def count(self) -> int:
        return self.rows.order_by().values("pk")[: self.most + 1].count()

    @property
    def is_open(self) -> bool:
        return self.count > self.most


class NewsroomAdmin(admin.ModelAdmin):
    """An admin whose list is narrowed by the filters it offers, all with a `parameter_name`, and by nothing else."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    view_on_site: Any = False
    #: What the site writes down of a record: nobody deletes it by itself, but it goes with the record.
    goes_with: Sequence[type[Model]] = ()

    class Media:
        js = ["js/clock.js", "js/admin.js", "js/leaving.js"]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """To be written, the row is locked and read again: what is checked is what changes."""
        record = super().get_object(request, object_id, from_field)
        if record and request.method == "POST":
            record.refresh_from_db(from_queryset=self.model._default_manager.select_for_update())
        return record

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        deleted, counts, missing_rights, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, missing_rights - {model._meta.verbose_name for model in self.goes_with}, protected

    def get_paginator(
        self, request: HttpRequest, queryset: QuerySet, per_page: int, *args: Any, **kwargs: Any
    ) -> AheadPaginator:
        asked = request.GET.get(PAGE_VAR, "")
        page = int(asked) if is_key(asked) else 1
        return AheadPaginator(queryset, per_page, *args, page=min(page, FURTHEST_PAGE), **kwargs)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Django lets any column be asked for by its name: sealed text, and regular expressions too."""
        return lookup in {getattr(each, "parameter_name", None) for each in self.list_filter}

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.autocomplete_fields:
            kwargs.setdefault("widget", ChosenRow(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class ReadOnlyAdmin(NewsroomAdmin):
    """An admin of what the site itself writes down: nobody adds to it, changes it or deletes it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
