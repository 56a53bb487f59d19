"""The providers, and each one's page."""

from __future__ import annotations

from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from articles import public
from articles.views.pages import INDEX_ENTRIES_A_PAGE, page_of


@public.kept
def provider_index(request: HttpRequest) -> HttpResponse:
    providers = public.counted_providers().prefetch_related("logos__image").order_by(Lower("name"), "domain")
    page = page_of(request, providers, INDEX_ENTRIES_A_PAGE)
    return render(request, "providers/index.html", {"page": page})


@public.kept
def provider_page(request: HttpRequest, domain: str) -> HttpResponse:
    """Without a public story there is no page: a provider known from drafts alone is nobody's business."""
    provider = public.provider_named(domain)
    page = page_of(request, public.stories().filter(provider=provider).for_cards())
    return render(request, "providers/provider.html", {"provider": provider, "page": page})
