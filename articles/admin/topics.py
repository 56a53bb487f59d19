"""The admin of topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.html import format_html
from taggit.models import Tag

from articles import public
from articles.documents import topic_key
from articles.importing.settling import forget_agreed
from articles.models import Article, ArticleTopic, SourceFile, Topic, TopicImage
from images.forms import SOURCE_FIELDS, KeepsUntouched
from images.inlines import PictureInline
from images.newsroom import NewsroomAdmin
from providers.finding import found_by_name
from providers.forms import LinesField

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


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
    fieldsets = [
        (None, {"fields": ["name", "shortname", "parent", "description"]}),
        ("How it is found", {"fields": ["slug", "keywords", "hashtags"]}),
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
        return ["slug"] if obj and obj.address_is_known else []

    def view_on_site(self, topic: Topic) -> str | None:
        has_page = public.topics_with_pages().filter(pk=topic.pk).exists()
        return topic.get_absolute_url() if has_page else None

    def get_prepopulated_fields(self, request: HttpRequest, obj: Topic | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["name"]}

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        forget_agreed(form.instance)

    @admin.display(description="Topics below it")
    def below(self, topic: Topic) -> str:
        names = [child.name for child in topic.children.all()]
        return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")

    @admin.display(description="Stories", ordering="story_count")
    def stories(self, topic: Any) -> SafeString:
        url = reverse("admin:articles_article_changelist", query={"topic": topic.pk})
        return format_html('<a href="{}">{}</a>', url, topic.story_count)
