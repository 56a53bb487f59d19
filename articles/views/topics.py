"""The topics, and each one's page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from articles import public
from articles.models import Topic
from articles.views.leading import lead_of_the_day
from articles.views.pages import INDEX_ENTRIES_A_PAGE, page_of, stretch_of


@public.kept
def topic_index(request: HttpRequest) -> HttpResponse:
    page = page_of(request, _tree(list(public.topics())), INDEX_ENTRIES_A_PAGE)
    counts = public.story_counts()
    entries = [(topic, counts[topic.pk], [(child, counts[child.pk]) for child in below]) for topic, below in page]
    return render(request, "articles/topics.html", {"page": page, "entries": entries})


def _tree(topics: list[Topic]) -> list[tuple[Topic, list[Topic]]]:
    """Topics in two levels, however deep they are kept."""
    by_pk = {topic.pk: topic for topic in topics}
    for topic in topics:  # a parent without a story is no part of the tree
        topic.parent = by_pk.get(topic.parent_id)
    tree: dict[Topic, list[Topic]] = {}
    for topic in topics:
        top = topic.line()[-1]
        below = tree.setdefault(top, [])
        if topic != top:
            below.append(topic)
    return sorted(tree.items(), key=lambda entry: entry[0].name)


@public.kept
def topic_page(request: HttpRequest, slug: str) -> HttpResponse:
    topic = public.topic_named(slug)
    listed = public.listed(topic)
    page = stretch_of(request, listed, key="article_id")
    context = {
        "topic": topic,
        "parent": public.topics_with_pages().filter(pk=topic.parent_id).first() if topic.parent_id else None,
        "children": list(public.topics().filter(parent=topic).only("name", "slug")),
        "stories": public.count_up_to_most(listed),
        "most": public.MOST_COUNTED,
        "page": page,
        "lead": lead_of_the_day(page),
    }
    return render(request, "articles/topic.html", context)
