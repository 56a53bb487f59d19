"""What a query means here: its topics and providers are looked up, its days put on the site's clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from articles.documents import topic_key
from articles.models import Topic
from articles.search.asking import Filter, Query
from articles.search.days import midnight
from articles.search.engines import Sought
from providers.domains import normalise_domain
from providers.models import Provider
from providers.words import words

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Meaning:
    """`sought` is None when nothing can be found, and `problems` says why: the filter, and a sentence."""

    sought: Sought | None
    problems: list[tuple[Filter, str]] = field(default_factory=list)
    labels: dict[Filter, str] = field(default_factory=dict)  # as the topic or the provider is written


@dataclass(frozen=True)
class Known:
    """The topics and providers that may be named: readers' are others than editors'."""

    topics: QuerySet[Topic]
    providers: QuerySet[Provider]

    @classmethod
    def all(cls) -> Known:
        return cls(Topic.objects.all(), Provider.objects.all())


def understand(query: Query, known: Known) -> Meaning:
    keys: list[tuple[str, ...]] = []
    outlets: list[str] = []
    problems, labels = [], {}
    for each in query.filters:
        if each.name == "topic":
            topics = list(known.topics.filter(_is_topic(each.value)))
            if topics:
                labels[each] = f"{topics[0]}"
                keys.append(tuple(f"t{key}" for key in _with_subtopics(topics)))
            else:
                problems.append((each, f"There is no topic “{each.value}”."))
        elif each.name == "provider":
            providers = list(known.providers.filter(_is_provider(each.value)))
            if providers:
                labels[each] = f"{providers[0]}"
                outlets += [f"p{provider.pk}" for provider in providers]
            else:
                problems.append((each, f"There is no outlet “{each.value}”."))
        elif each.day is None:
            problems.append((each, f"“{each.value}” is no date such as 2026, 2026-11 or 2026-11-30."))
    if problems:
        return Meaning(None, problems, labels)
    if outlets:  # a story has one: of several, any will do
        keys.append(tuple(outlets))
    return Meaning(_sought(query, keys), labels=labels)


def _sought(query: Query, keys: Iterable[tuple[str, ...]]) -> Sought:
    since, until = query.days("after"), query.days("before")
    return Sought(
        tuple(query.wanted),
        tuple(query.unwanted),
        tuple(keys),
        midnight(max(since)) if since else None,
        midnight(min(until)) if until else None,
    )


def _is_topic(value: str) -> Q:
    return Q(slug=value.lower()) | Q(key=topic_key(value)) | _is_named(value)


def _is_provider(value: str) -> Q:
    try:
        domain = normalise_domain(value)
    except ValueError:
        return _is_named(value)
    return Q(domain__in=[domain, domain.removeprefix("www.")]) | _is_named(value)


def _is_named(value: str) -> Q:
    """One of its names has just these words."""
    line = " ".join(words(value))
    if not line:
        return Q(pk__in=[])
    return Q(search_text__startswith=f"{line}\n") | Q(search_text__contains=f"\n{line}\n")


def _with_subtopics(topics: list[Topic]) -> list[int]:
    own = [topic.pk for topic in topics]
    return [*own, *Topic.objects.filter(parent__in=own).order_by().values_list("pk", flat=True)]
