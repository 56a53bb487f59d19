"""The admin of providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html

from images.admin.forms import ReasonForm
from images.admin.words import many
from images.forms import SOURCE_FIELDS
from images.inlines import PictureInline
from images.models import RemoteImage
from images.newsroom import NewsroomAdmin
from images.takedown import PERMISSION, same_pictures
from images.thumbnails import thumbnail
from providers.finding import found_by_name
from providers.forms import ProviderForm
from providers.models import Provider, ProviderImage
from providers.takedown import allow_pictures_again, pictures_of, take_down_pictures

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.urls import URLPattern
    from django.utils.safestring import SafeString


TAKING_DOWN = {
    "title": "Take all its pictures down",
    "lead": (
        "Those of its stories and related stories, and its logos, disappear from every page at once. They are not "
        "fetched again, nor are those that later imports bring. What was uploaded here stays."
    ),
    "button": "Take down",
    "done": "Taken down",
}
ALLOWING = {
    "title": "Allow its pictures again",
    "lead": "They are fetched again, and so are those that imports bring.",
    "button": "Allow again",
    "done": "Allowed again",
}


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
    search_fields = ["name"]  # asked for by the search box; `get_search_results` does the search
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
        """As readers' search compares names, and domains by any part."""
        domain = Q(domain__contains=search_term.strip().lower().replace("\0", ""))
        return found_by_name(queryset, search_term, domain), False

    # --- The takedown of all its pictures --------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.pictures_view)
        return [path("<int:pk>/pictures/", view, name="providers_provider_pictures"), *super().get_urls()]

    def pictures_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """For a reason they are taken down, or allowed again."""
        provider = get_object_or_404(Provider, pk=pk)
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        carry_out, told = (
            (allow_pictures_again, ALLOWING) if provider.no_pictures else (take_down_pictures, TAKING_DOWN)
        )
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            count = carry_out(provider, by=cast("User", request.user), reason=form.cleaned_data["reason"])
            self.message_user(request, f"{told['done']}: {many(count, 'address', 'addresses')}.")
            return HttpResponseRedirect(reverse("admin:providers_provider_change", args=[pk]))
        images = same_pictures(pictures_of(provider))
        down = images.filter(state=RemoteImage.State.TAKEN_DOWN).count()
        count = down if provider.no_pictures else images.count() - down
        context = {
            **self.admin_site.each_context(request),
            **told,
            "opts": self.opts,
            "original": provider,
            "form": form,
            "concerned": [many(count, "address", "addresses")],
        }
        return TemplateResponse(request, "images/admin_form.html", context)

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
