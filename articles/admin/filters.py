"""The filters of the lists. None queries to draw itself but for the one name it shows."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import ForeignKey, Model, OuterRef, Q, QuerySet, Subquery
from django.forms.utils import flatatt
from django.template.defaultfilters import date as format_date
from django.utils import timezone

from articles.days import day_span
from articles.models import Article, ArticleImage, ArticleTopic, Conflict, WorkingCopy
from articles.search import midnight
from images.newsroom import ChoiceFilter, ChosenRow, is_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.admin.views.main import ChangeList
    from django.http import HttpRequest

_HOUR = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\dZ", re.ASCII)


class StateFilter(ChoiceFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*Article.Status.choices, ("public", "Public now"), ("scheduled", "Public later")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Article] | None:
        match self.value():
            case None:
                return None
            case "public":
                return queryset.published()
            case "scheduled":
                return queryset.filter(status=Article.Status.PUBLISHED, publish_at__gt=timezone.now())
            case state:
                return queryset.filter(status=state)


class GoesLiveFilter(ChoiceFilter):
    """By when stories go live, or did: a day, or the hour that the newsroom's first page asks for."""

    title = "goes live"
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        days = [
            ("today", "Today"),
            ("so_far", "So far today"),
            ("to_come", "Still to come today"),
            ("tomorrow", "Tomorrow"),
        ]
        asked = str(self.used_parameters.get(self.parameter_name, ""))
        if (hour := _hour(asked)) is None:
            return days
        return [*days, (asked, f"The hour from {format_date(timezone.localtime(hour), 'j M, H:i T')}")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Article] | None:
        if (asked := self.value()) is None:
            return None
        if hour := _hour(asked):
            begin, end = hour, hour + timedelta(hours=1)
        else:
            span = day_span(timezone.localdate() + timedelta(days=1 if asked == "tomorrow" else 0))
            begin, end = span.begin, span.end
            now = timezone.now()
            if asked == "so_far":
                queryset = queryset.filter(publish_at__lte=now)
            elif asked == "to_come":
                queryset = queryset.filter(publish_at__gt=now)
        published = queryset.filter(status=Article.Status.PUBLISHED)
        return published.filter(publish_at__gte=begin, publish_at__lt=end)


def _hour(text: str) -> datetime | None:
    """The moment at which the hour begins, of a text like 2026-03-02T14:00Z."""
    if not _HOUR.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None


class ChangesFilter(ChoiceFilter):
    title = "changes"
    parameter_name = "changes"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Not published yet")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Article] | None:
        if self.value() is None:
            return None
        return queryset.filter(pk__in=WorkingCopy.objects.order_by().values("article"))


class TypeFilter(ChoiceFilter):
    title = "type"
    parameter_name = "kind"
    common = ("article", "video")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((name, name.capitalize()) for name in self.common), ("other", "Anything else")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Article] | None:
        match self.value():
            case None:
                return None
            case "other":
                return queryset.filter(pk__in=Article.objects.filter(self._beside_common()).order_by().values("pk"))
            case name:
                return queryset.filter(type=name)

    def _beside_common(self) -> Q:
        """As ranges between them, which an index finds though there be none; not as all that is not among them."""
        bounds = sorted(self.common)
        found = Q(type__lt=bounds[0]) | Q(type__gt=bounds[-1])
        for low, high in pairwise(bounds):
            found |= Q(type__gt=low, type__lt=high)
        return found


class DateFilter(ChoiceFilter):
    """Days as the editor's clock has them, compared as plain bounds so that the index on the date serves."""

    title = "date"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _, _) in periods(timezone.localdate()).items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Article] | None:
        if (name := self.value()) is None:
            return None
        _, first, last = periods(timezone.localdate())[name]
        return queryset.filter(published_at__gte=midnight(first), published_at__lt=midnight(last + timedelta(days=1)))


def periods(today: date) -> dict[str, tuple[str, date, date]]:
    """What can be chosen: label, first and last day."""
    month = today.replace(day=1)
    return {
        "today": ("Today", today, today),
        "yesterday": ("Yesterday", today - timedelta(days=1), today - timedelta(days=1)),
        "week": ("Past 7 days", today - timedelta(days=6), today),
        "month": ("This month", month, today),
        "last-month": ("Last month", (month - timedelta(days=1)).replace(day=1), month - timedelta(days=1)),
        "year": ("This year", today.replace(month=1, day=1), today),
        "later": ("In the future", today + timedelta(days=1), date.max - timedelta(days=2)),
    }


class PictureFilter(ChoiceFilter):
    title = "picture"
    parameter_name = "picture"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("needed", "Needs an image"), ("there", "Has an image")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Article] | None:
        if self.value() is None:
            return None
        leads = ArticleImage.objects.filter(article=OuterRef("pk")).order_by("position", "pk")
        stories = queryset.annotate(lead_content=Subquery(leads.values("image__content_hash")[:1]))
        missing = Q(lead_content="") | Q(lead_content=None)
        return stories.filter(missing if self.value() == "needed" else ~missing)


class DiffersFilter(ChoiceFilter):
    """What waits to be settled between its editors and its source. The conflicts are few, so they are asked first."""

    title = "source"
    parameter_name = "source"
    conflicts_of: str  # the way from a conflict to the rows of the list

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("differs", "Source differs")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any] | None:
        if self.value() is None:
            return None
        conflicts = Conflict.objects.filter(**{f"{self.conflicts_of}__isnull": False}).order_by()
        return queryset.filter(pk__in=conflicts.values(self.conflicts_of))


class ArticleDiffersFilter(DiffersFilter):
    conflicts_of = "source__article"


class SourceDiffersFilter(DiffersFilter):
    conflicts_of = "source"


class WhoFilter(ChoiceFilter):
    """By whose doing it was."""

    title = "who"
    parameter_name = "who"
    person: str  # the column that says who
    nobody: tuple[str, str]  # the choice of rows in which it is empty

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Me"), ("people", "People"), self.nobody]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any] | None:
        match self.value():
            case None:
                return None
            case "me":
                return queryset.filter(**{self.person: request.user.pk})
            case chosen:
                return queryset.filter(**{f"{self.person}__isnull": chosen != "people"})


class ChosenFilter(admin.ListFilter):
    """One of very many, found by typing: the page carries the chosen one alone, never the whole list."""

    template = "admin/articles/chosen_filter.html"
    parameter_name: str
    key: ForeignKey

    chosen: Model | None = None

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.admin_site = model_admin.admin_site
        if asked := params.pop(self.parameter_name, [""])[-1]:
            self.used_parameters[self.parameter_name] = asked

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter_name]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Article] | None:
        if self.parameter_name not in self.used_parameters:
            return None
        asked = str(self.used_parameters[self.parameter_name])
        if not is_key(asked):
            raise IncorrectLookupParameters(f"{asked} is no {self.title}.")
        self.chosen = self.key.related_model._default_manager.filter(pk=asked).first()
        return self.narrowed(queryset, int(asked))

    def narrowed(self, queryset: Any, chosen: int) -> QuerySet[Article]:
        raise NotImplementedError

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        select = ChosenRow(self.key, self.admin_site)
        attributes = select.build_attrs({"name": self.parameter_name, "id": f"filter-{self.parameter_name}"})
        yield {
            "id": attributes["id"],
            "attributes": flatatt(attributes),
            "chosen": self.chosen,
            "clear": changelist.get_query_string(remove=[self.parameter_name]),
            "kept": [
                (name, value)
                for name, values in self.request.GET.lists()
                for value in values
                if name not in (self.parameter_name, "p", "e")
            ],
        }


class ProviderFilter(ChosenFilter):
    title = "provider"
    parameter_name = "provider"
    key = Article._meta.get_field("provider")

    def narrowed(self, queryset: Any, chosen: int) -> QuerySet[Article]:
        return queryset.filter(provider=chosen)


class TopicFilter(ChosenFilter):
    title = "topic"
    parameter_name = "topic"
    key = ArticleTopic._meta.get_field("tag")

    def narrowed(self, queryset: Any, chosen: int) -> QuerySet[Article]:
        return queryset.filter(pk__in=ArticleTopic.objects.filter(tag=chosen).values("content_object"))
