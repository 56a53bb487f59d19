"""The admin of topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.html import format_html

from articles.documents import topic_key
from articles.models import ArticleTopic, Topic, TopicImage
from images.forms import SOURCE_FIELDS, KeepsUntouched
from images.inlines import PictureInline
from providers.forms import LinesField

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


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
class TopicAdmin(admin.ModelAdmin):
    form = TopicForm
    formfield_overrides = SOURCE_FIELDS
    autocomplete_fields = ["parent"]
    inlines = [TopicPictureInline]
    list_display = ["name", "shortname", "parent", "below", "stories"]
    list_select_related = ["parent"]
    list_per_page = 50
    search_fields = ["name", "shortname"]
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    fieldsets = [
        (None, {"fields": ["name", "shortname", "parent", "description"]}),
        ("How it is found", {"fields": ["slug", "keywords", "hashtags"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Topic]:
        uses = ArticleTopic.objects.filter(tag=OuterRef("pk")).order_by()
        count = Subquery(uses.values("tag").annotate(n=Count("pk")).values("n"))
        topics = super().get_queryset(request)
        return topics.prefetch_related("children").annotate(story_count=Coalesce(count, 0))

    def get_prepopulated_fields(self, request: HttpRequest, obj: Topic | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["name"]}

    @admin.display(description="Topics below it")
    def below(self, topic: Topic) -> str:
        names = [child.name for child in topic.children.all()]
        return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")

    @admin.display(description="Stories", ordering="story_count")
    def stories(self, topic: Any) -> SafeString:
        url = reverse("admin:articles_article_changelist", query={"topic": topic.pk})
        return format_html('<a href="{}">{}</a>', url, topic.story_count)
