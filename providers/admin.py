"""The admin of providers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse
from django.utils.html import format_html

from images.forms import SOURCE_FIELDS
from images.inlines import PictureInline
from images.newsroom import NewsroomAdmin
from images.thumbnails import thumbnail
from providers.forms import ProviderForm
from providers.models import Provider, ProviderImage

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


class LogoInline(PictureInline):
    model = ProviderImage
    verbose_name_plural = "logos"


def theirs(relation: str) -> Any:
    """The rows that point to a provider, in the query of that provider."""
    field = Provider._meta.get_field(relation)
    return cast("type[Model]", field.related_model)._default_manager.filter(provider=OuterRef("pk")).order_by()


def how_many(relation: str) -> Coalesce:
    """Their number, counted for the rows of the page alone."""
    rows = theirs(relation)
    return Coalesce(Subquery(rows.values("provider").annotate(n=Count("pk")).values("n")), 0)


@admin.register(Provider)
class ProviderAdmin(NewsroomAdmin):
    form = ProviderForm
    formfield_overrides = SOURCE_FIELDS
    inlines = [LogoInline]
    fields = ["name", "domain", "other_names", "description"]
    list_display = ["logo", "name", "website", "aliases", "stories", "related"]
    list_display_links = ["name"]
    search_fields = ["name", "domain"]
    search_help_text = "Name, domain or another name"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        return (
            super()
            .get_queryset(request)
            .prefetch_related("logos__image")
            .annotate(
                article_count=how_many("articles"),
                related_count=how_many("related_stories"),
                is_public=Exists(theirs("articles").published()),
            )
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The domain is the identity: under another, links die and the next import makes a second provider."""
        return ["domain"] if obj and (obj.article_count or obj.related_count) else []

    def view_on_site(self, provider: Any) -> str | None:
        return provider.get_absolute_url() if provider.is_public else None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Provider], search_term: str
    ) -> tuple[QuerySet[Provider], bool]:
        """By the other names too: a JSON list, whose text is searched in both spellings it may have."""
        found, _ = super().get_search_results(request, queryset, search_term)
        if not (term := search_term.strip()):
            return found, False
        text = Provider.objects.annotate(text=Cast("other_names", TextField()))
        known_as = text.filter(Q(text__icontains=term) | Q(text__icontains=json.dumps(term)[1:-1]))
        return queryset.filter(Q(pk__in=found.values("pk")) | Q(pk__in=known_as.values("pk"))), False

    # --- What is shown ---------------------------------------------------------------------------

    @admin.display(description="Logo")
    def logo(self, provider: Provider) -> SafeString:
        return thumbnail(provider.logo)

    @admin.display(description="Website", ordering="domain")
    def website(self, provider: Provider) -> SafeString:
        return format_html('<a href="https://{0}/" rel="noopener noreferrer">{0}</a>', provider.domain)

    @admin.display(description="Also known as")
    def aliases(self, provider: Provider) -> str:
        return ", ".join(map(str, provider.other_names))

    @admin.display(description="Stories", ordering="article_count")
    def stories(self, provider: Any) -> SafeString:
        url = reverse("admin:articles_article_changelist", query={"provider": provider.pk})
        return format_html('<a href="{}">{}</a>', url, provider.article_count)

    @admin.display(description="Related", ordering="related_count")
    def related(self, provider: Any) -> int:
        return cast("int", provider.related_count)
