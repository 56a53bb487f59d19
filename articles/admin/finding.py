"""What editors find by what they type or paste into a search box."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.db.models import Q

from articles.models import Article
from articles.outbound import link_key
from articles.search import search

if TYPE_CHECKING:
    from articles.models import ArticleQuerySet

LIKE_AN_ADDRESS = re.compile(r"^\S*(/|[^\s.]\.[a-z]|\d{4}-\d\d)\S*$", re.IGNORECASE)
LOOKED_THROUGH = 10_000  # of the newest stories, for a part of an address
MOST_NAMESAKES = 100


def found_by_editors(stories: ArticleQuerySet, text: str) -> ArticleQuerySet:
    """What is at an address, pasted from a browser, a mail or the file's name; else what readers' search finds, and
    what has it in its address."""
    if not (text := text.replace("\0", " ").strip()):
        return stories
    is_address = LIKE_AN_ADDRESS.search(text) is not None
    if is_address and (there := _at(text)):
        return stories.filter(pk__in=there)
    found = Q(pk__in=search(stories.order_by(), text).values("pk"))
    return stories.filter(found | _about(text) if is_address else found)


def _at(address: str) -> list[int]:
    """The stories at the address, ours or the source's."""
    name = address.rstrip("/").rpartition("/")[2].removesuffix(".md")
    links = [link_key(address), link_key(f"https://{address}")]
    there = Article.objects.filter(Q(link_key__in=links) | Q(stem=name)).order_by()
    return list(there.values_list("pk", flat=True)[:MOST_NAMESAKES])


def _about(address: str) -> Q:
    """The recent stories that have it in theirs."""
    parts = Q(stem__icontains=address) | Q(web_url__icontains=address) | Q(original_url__icontains=address)
    return parts & Q(pk__in=Article.objects.newest_first().values("pk")[:LOOKED_THROUGH])
