"""The search page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from articles import public
from articles.cards import cards_of
from articles.search import clean, search
from articles.views.pages import page_of


@public.kept
def search_page(request: HttpRequest) -> HttpResponse:
    query = clean(request.GET.get("q", ""))
    found = search(public.stories(), query) if query else public.stories().none()
    page = page_of(request, found.values_list("pk", flat=True))
    page.object_list = cards_of(page.object_list)
    return render(request, "articles/search.html", {"query": query, "page": page})
