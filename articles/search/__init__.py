"""Finding stories. The database keeps the index (`articles.triggers.index`); `asking` reads what is typed, `meaning`
looks up what it names, `engines` ask the database, `results` rank and count, `suggesting` helps with typing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from articles.days import midnight
from articles.search.asking import clean, read
from articles.search.engines import engine
from articles.search.meaning import Known, understand
from articles.search.results import MOST

if TYPE_CHECKING:
    from articles.models import ArticleQuerySet

__all__ = ["clean", "midnight", "search"]


def search(stories: ArticleQuerySet, query: str, known: Known | None = None) -> ArticleQuerySet:
    """Those of `stories`, in their order, that `query` finds (of more than `MOST` the newest): all of them when nothing
    is typed, none when that holds no word or names a topic, an outlet or a day that there is not."""
    if not clean(query):
        return stories
    asked = read(query)
    meaning = understand(asked, known or Known.all())
    if not asked or meaning.sought is None:
        return stories.none()
    found = engine().joined(stories, meaning.sought).values_list("pk", flat=True)[:MOST]
    return stories.filter(pk__in=engine().among(list(found)))
