"""One story's page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from articles import public
from articles.addresses import story_named

MORE_STORIES = 4


@public.kept
def article(request: HttpRequest, stem: str) -> HttpResponse:
    whole = public.stories().for_cards().defer(None).defer("secured", "extra", "provider_ref")
    related = whole.prefetch_related("related_stories__provider", "related_stories__pictures__image")
    story = story_named(related, stem)
    topic = next(iter(story.topics.all()), None)
    more = public.stories_in(topic).exclude(pk=story.pk).for_cards()[:MORE_STORIES] if topic else []
    return render(request, "articles/article.html", {"story": story, "topic": topic, "more": more})
