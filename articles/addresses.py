"""Names in addresses: whose they are, and where those went that have another name now.

A view asks for a record by its name, and `public.kept` answers for it where that name is an old one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db.models import Model
from django.http import Http404
from django.utils import timezone

from articles.models import Article

if TYPE_CHECKING:
    from django.db.models import QuerySet

M = TypeVar("M", bound=Model)


class Moved(Exception):
    """What has that name has the name `name` now."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Gone(Exception):
    """A story that was public under that name, and is not any more."""


def named(records: QuerySet[M], key: str, name: str) -> M:
    """The one of `records` (the public ones) whose `key` is `name`. Raises Moved where it is another's old name, or
    differs from one in case only."""
    if record := records.filter(**{key: name}).first():
        return record
    spellings = _spellings(name)
    others = (records.filter(**{key: spelling}) for spelling in spellings[1:])
    for candidates in (*others, *(_renamed(records, spelling) for spelling in spellings)):
        if record := candidates.first():
            raise Moved(getattr(record, key))
    raise Http404(f"No {records.model._meta.verbose_name} of that name.")


def story_named(stories: QuerySet[Article], stem: str) -> Article:
    """The same for stories; raises Gone for one that was public."""
    try:
        return named(stories, "stem", stem)
    except Http404:
        been_public = Article.objects.filter(publish_at__lte=timezone.now())
        spellings = _spellings(stem)
        old_stems = been_public.filter(old_addresses__kind="article", old_addresses__name__in=spellings)
        if been_public.filter(stem__in=spellings).exists() or old_stems.exists():
            raise Gone from None
        raise


def _spellings(name: str) -> list[str]:
    """As it is asked for, and in lower case. Both are found by an index, which a comparison that ignores case is not;
    names in upper case are an editor's whim."""
    return list(dict.fromkeys([name, name.lower()]))


def _renamed(records: QuerySet[M], name: str) -> QuerySet[M]:
    kind = str(records.model._meta.model_name)
    return records.filter(old_addresses__kind=kind, old_addresses__name=name)
