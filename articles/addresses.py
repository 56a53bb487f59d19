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
    for candidates in (_in_lower_case(records, key, name), _renamed(records, name)):
        if candidates is not None and (record := candidates.first()):
            raise Moved(getattr(record, key))
    raise Http404(f"No {records.model._meta.verbose_name} of that name.")


def story_named(stories: QuerySet[Article], stem: str) -> Article:
    """The same for stories; raises Gone for one that was public."""
    try:
        return named(stories, "stem", stem)
    except Http404:
        been_public = Article.objects.filter(publish_at__lte=timezone.now())
        old_stems = been_public.filter(old_addresses__kind="article", old_addresses__name=stem)
        if been_public.filter(stem=stem).exists() or old_stems.exists():
            raise Gone from None
        raise


def _in_lower_case(records: QuerySet[M], key: str, name: str) -> QuerySet[M] | None:
    """By the index, unlike a comparison that ignores case; names in upper case are an editor's whim."""
    return records.filter(**{key: name.lower()}) if name != name.lower() else None


def _renamed(records: QuerySet[M], name: str) -> QuerySet[M]:
    kind = str(records.model._meta.model_name)
    return records.filter(old_addresses__kind=kind, old_addresses__name=name)
