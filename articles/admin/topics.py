"""The admin of topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from taggit.models import Tag

from articles import editing, public, retopic
from articles.admin.bulk import retopicked
from articles.admin.events import editor
from articles.documents import topic_key
from articles.importing.settling import forget_agreed
from articles.models import Article, ArticleTopic, Event, SourceFile, Topic, TopicImage
from articles.records import topic_keys
from images.forms import SOURCE_FIELDS, KeepsUntouched
from images.inlines import PictureInline
from images.newsroom import NewsroomAdmin, is_key
from providers.finding import found_by_name
from providers.forms import LinesField

if TYPE_CHECKING:
    from django.urls import URLPattern
    from django.utils.safestring import SafeString

MERGED_AT_ONCE = 20
OFFERED = 10  # topics to merge into

admin.site.unregister(Tag)  # taggit's own kind, of which there are none here


class TopicForm(KeepsUntouched):
    keywords = LinesField(required=False, help_text="One per line.")
    hashtags = LinesField(required=False, help_text="One per line.")

    class Meta:
        model = Topic
        fields = ["name", "slug", "shortname", "parent", "description", "keywords", "hashtags"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if other := Topic.objects.filter(key=topic_key(name)).exclude(pk=self.instance.pk).first():
            raise forms.ValidationError(f"There is already a topic ‘{other}’.")
        return name

    def clean_slug(self) -> str:
        return self.cleaned_data["slug"] or self.instance.slug

    def clean_parent(self) -> Topic | None:
        parent: Topic | None = self.cleaned_data["parent"]
        if parent and self.instance in parent.line():
            raise forms.ValidationError(f"‘{parent}’ is this topic or lies below it.")
        return parent


class TopicPictureInline(PictureInline):
    model = TopicImage
    verbose_name = "picture"
    verbose_name_plural = "pictures"


@admin.register(Topic)
class TopicAdmin(NewsroomAdmin):
    form = TopicForm
    formfield_overrides = SOURCE_FIELDS
    autocomplete_fields = ["parent"]
    inlines = [TopicPictureInline]
    list_display = ["name", "shortname", "parent", "below", "stories"]
    list_select_related = ["parent"]
    search_fields = ["name"]  # asked for by the search box; `get_search_results` does the search
    search_help_text = "Name or short name"
    actions = ["merge_selected"]
    goes_with = [SourceFile]
    fieldsets = [
        (None, {"fields": ["name", "shortname", "parent", "description"]}),
        ("How it is found", {"fields": ["slug", "keywords", "hashtags", "other_names"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Topic]:
        uses = ArticleTopic.objects.filter(tag=OuterRef("pk")).order_by()
        count = Subquery(uses.values("tag").annotate(n=Count("pk")).values("n"))
        been_public = Article.objects.filter(topic_items__tag=OuterRef("pk"), publish_at__isnull=False).order_by()
        file = SourceFile.objects.filter(topic=OuterRef("pk")).order_by()
        return (
            super()
            .get_queryset(request)
            .prefetch_related("children")
            .annotate(story_count=Coalesce(count, 0), address_is_known=Exists(been_public) | Exists(file))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Topic], search_term: str
    ) -> tuple[QuerySet[Topic], bool]:
        """As readers' search compares: accents and capitals do not matter."""
        return found_by_name(queryset, search_term), False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """An address that readers have seen stays."""
        return [*(["slug"] if obj and obj.address_is_known else []), "other_names"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Other names come with time alone."""
        if obj and obj.aliases.exists():
            return self.fieldsets
        return [
            (title, {"fields": [name for name in options["fields"] if name != "other_names"]})
            for title, options in self.fieldsets
        ]

    def view_on_site(self, topic: Topic) -> str | None:
        has_page = public.topics_with_pages().filter(pk=topic.pk).exists()
        return topic.get_absolute_url() if has_page else None

    def get_prepopulated_fields(self, request: HttpRequest, obj: Topic | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["name"]}

    def save_model(self, request: HttpRequest, obj: Topic, form: Any, change: bool) -> None:
        """Imports that go on naming it as it was called find it."""
        before = form.initial.get("name", "") if change and "name" in form.changed_data else ""
        super().save_model(request, obj, form, change)
        if before and topic_key(before) != obj.key:
            retopic.remember_name(before, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        forget_agreed(form.instance)

    # --- Deleting --------------------------------------------------------------------------------

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Topic) -> None:
        _take_from_stories([obj], request)
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Topic]) -> None:
        _take_from_stories(list(queryset.order_by("name")), request)
        super().delete_queryset(request, queryset)

    @admin.display(description="Topics below it")
    def below(self, topic: Topic) -> str:
        names = [child.name for child in topic.children.all()]
        return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")

    @admin.display(description="Stories", ordering="story_count")
    def stories(self, topic: Any) -> SafeString:
        url = reverse("admin:articles_article_changelist", query={"topic": topic.pk})
        return format_html('<a href="{}">{}</a>', url, topic.story_count)

    @admin.display(description="Also known as")
    def other_names(self, topic: Topic) -> str:
        return ", ".join(alias.name for alias in topic.aliases.all())

    # --- Merging ---------------------------------------------------------------------------------

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(retopic.PERMISSION)

    @admin.action(description="Merge into…", permissions=["merge"])
    def merge_selected(self, request: HttpRequest, queryset: QuerySet[Topic]) -> HttpResponse | None:
        keys = list(queryset.order_by("pk").values_list("pk", flat=True)[: MERGED_AT_ONCE + 1])
        if len(keys) > MERGED_AT_ONCE:
            self.message_user(request, f"At most {MERGED_AT_ONCE} topics are merged at once.", messages.ERROR)
            return None
        address = reverse("admin:articles_topic_merge", query={"keys": ",".join(map(str, keys))})
        return HttpResponseRedirect(address)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.merge_view)
        return [path("merge/", view, name="articles_topic_merge"), *super().get_urls()]

    def merge_view(self, request: HttpRequest) -> HttpResponse:
        """First the topic to merge into, by its name; then what would change, to be confirmed."""
        if not self.has_merge_permission(request):
            raise PermissionDenied
        merged = _topics(request.GET.get("keys", ""))
        if not merged:
            raise Http404("There is no such topic.")
        asked = request.GET.get("q", "").replace("\0", "").strip()
        target = next(iter(_topics(request.GET.get("into", ""))), None) or _named(asked, merged)
        error = f"‘{target}’ cannot be merged into itself." if target in merged else ""
        if request.method == "POST" and target and not error:
            try:
                return self._merge(request, merged, target)
            except retopic.MergeError as problem:
                error = str(problem)
        others = Topic.objects.exclude(pk__in=[topic.pk for topic in merged]).order_by("name")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Merge topics",
            "merged": merged,
            "keys": ",".join(str(topic.pk) for topic in merged),
            "target": None if error else target,
            "error": error,
            "asked": asked,
            "offered": found_by_name(others, asked)[:OFFERED] if asked and not target else [],
            "concerned": [(topic, retopic.concerned(topic, target)) for topic in merged] if target else [],
        }
        return TemplateResponse(request, "admin/articles/topic/merge.html", context)

    def _merge(self, request: HttpRequest, merged: list[Topic], target: Topic) -> HttpResponse:
        names = ", ".join(f"“{topic}”" for topic in merged)
        batch = retopic.merge_topics(merged, target, by=editor(request))
        count = Event.objects.filter(batch=batch).values("article").distinct().count()
        self.log_change(request, target, f"Merged into it: {names}.")
        told = f"{names} {'was' if len(merged) == 1 else 'were'} merged into “{target}”"
        self.message_user(request, f"{told}: {count} {'story' if count == 1 else 'stories'}.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:articles_topic_change", args=[target.pk]))


def _take_from_stories(topics: list[Topic], request: HttpRequest) -> None:
    """An edit of each story that has one of them, so that its history tells it and it can be undone."""
    uses = ArticleTopic.objects.filter(tag__in=topics).order_by().values_list("content_object", flat=True)
    names = ", ".join(f"“{topic}”" for topic in topics)
    note = f"{names} {'was' if len(topics) == 1 else 'were'} deleted."
    changes = dict.fromkeys(uses.distinct(), retopicked((), topics))
    editing.edit_each(changes, by=editor(request), note=note, batch=uuid4())


def _topics(keys: str) -> list[Topic]:
    """Those of these keys that there are."""
    found = [int(key) for key in keys.split(",") if is_key(key)][:MERGED_AT_ONCE]
    return list(Topic.objects.filter(pk__in=found).order_by("name", "pk"))


def _named(name: str, merged: list[Topic]) -> Topic | None:
    """The topic that has the name, or had it."""
    found = topic_keys([topic_key(name)]) if name else {}
    return Topic.objects.filter(pk__in=found.values()).exclude(pk__in=[topic.pk for topic in merged]).first()
