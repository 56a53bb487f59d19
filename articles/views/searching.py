"""The search page, and what it suggests while one types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from articles import public
from articles.search.asking import Filter, Query, clean, read
from articles.search.marking import excerpt, marked
from articles.search.meaning import Known, Meaning, understand
from articles.search.results import MOST, Choice, Results, find
from articles.search.suggesting import instead, names, suggest
from articles.views.pages import page_of

if TYPE_CHECKING:
    from articles.models import Article


class Link(NamedTuple):
    label: str
    href: str
    stories: int | None = None


@public.kept
def search_page(request: HttpRequest) -> HttpResponse:
    """Asks for `q`, `order` and `page`."""
    typed = clean(request.GET.get("q", ""))
    query, newest = read(typed), request.GET.get("order") == public.NEWEST_FIRST
    known = _known()
    meaning = understand(query, known)
    results = Results()
    if query and meaning.sought:
        results = find(public.stories(), query, meaning.sought, newest_first=newest)
    page = page_of(request, results.stories)
    context = {
        "typed": typed,
        "query": query,
        "problems": [sentence for _, sentence in meaning.problems],
        "results": results,
        "most": MOST,
        "page": page,
        "stories": _stories(list(page.object_list), query),
        "newest": newest,
        "other_order": _href(query, newest=not newest),
        "can_be_ranked": bool(query.wanted),
        "earlier": _href(query, newest, page.number - 1) if page.has_previous() else "",
        "later": _href(query, newest, page.number + 1) if page.has_next() else "",
        "chips": _chips(query, meaning, newest),
        "groups": _groups(results, newest),
        "names": names(known, typed) if query.wanted or meaning.problems else [],
        "instead": [] if results.stories else [_again(each) for each in instead(public.stories(), known, query)],
    }
    return render(request, "articles/search.html", context)


@public.kept
def search_suggest(request: HttpRequest) -> HttpResponse:
    """Asks for `q`."""
    typed = clean(request.GET.get("q", ""))
    found = suggest(public.stories(), _known(), typed)
    return JsonResponse({"query": typed, "suggestions": [each.as_data() for each in found]})


def _known() -> Known:
    return Known(public.topics_with_pages(), public.providers())


def _stories(keys: list[int], query: Query) -> list[Article]:
    """In the order of their keys, with the words that were found marked."""
    rows = public.stories().filter(pk__in=keys).order_by()  # by their keys, and by no other index
    found = {story.pk: story for story in rows.for_cards()} if keys else {}
    stories: list[Any] = [found[key] for key in keys if key in found]
    for story in stories:
        story.marked_headline = marked(story.headline, query.wanted)
        story.marked_excerpt = excerpt(story.summary, query.wanted)
    return stories


def _groups(results: Results, newest: bool) -> list[tuple[str, list[Link]]]:
    kinds = [("Topics", results.topics), ("Outlets", results.outlets), ("Time", results.times)]
    return [(title, [_narrower(choice, newest) for choice in choices]) for title, choices in kinds if choices]


def _narrower(choice: Choice, newest: bool) -> Link:
    return Link(choice.label, _href(choice.query, newest), choice.count)


def _chips(query: Query, meaning: Meaning, newest: bool) -> list[Link]:
    """The filters that hold; each link leaves one out."""
    return [
        Link(_told(each, meaning.labels.get(each, each.value)), _href(query.without(each), newest))
        for each in query.filters
    ]


def _told(narrowing: Filter, value: str) -> str:
    return f"{'without ' * narrowing.unwanted}{narrowing.name}: {value}"


def _again(query: Query) -> Link:
    return Link(query.text, _href(query))


def _href(query: Query, newest: bool = False, page: int = 1) -> str:
    order = {"order": public.NEWEST_FIRST} if newest else {}
    asked = {"q": query.text} | order | ({"page": str(page)} if page > 1 else {})
    return f"{reverse('search')}?{urlencode(asked)}" if query else reverse("search")
