"""One story's page."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from articles import public
from articles.addresses import story_named
from articles.cards import public_story, related_to
from articles.story_page import page_context


@public.kept
def article(request: HttpRequest, stem: str) -> HttpResponse:
    story = public_story(stem)
    if story is None:
        story_named(public.stories(), stem)  # raises what is to be said of it
        raise Http404("No such story.")
    return render(request, "articles/article.html", page_context(story, related_to(story.pk)))
