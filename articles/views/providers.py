"""The providers, and each one's page."""

from __future__ import annotations

from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from articles import public
from articles.views.pages import INDEX_ENTRIES_A_PAGE, page_of, stretch_of


@public.kept
def provider_index(request: HttpRequest) -> HttpResponse:
    providers = public.providers().prefetch_related("logos__image").order_by(Lower("name"), "domain")
    page = page_of(request, providers, INDEX_ENTRIES_A_PAGE)
    counts = public.provider_counts()
    entries = [(provider, counts[provider.pk]) for provider in page]
    return render(request, "providers/index.html", {"page": page, "entries": entries})


@public.kept
def provider_page(request: HttpRequest, domain: str) -> HttpResponse:
    """Without a public story there is no page: a provider known from drafts alone is nobody's business."""
    provider = public.provider_named(domain)
    stories = public.stories().filter(provider=provider)
    context = {
        "provider": provider,
        "topics": public.main_topics(provider),
        "stories": public.count_up_to_most(stories),
        "most": public.MOST_COUNTED,
        "page": stretch_of(request, stories),
    }
    return render(request, "providers/provider.html", context)
