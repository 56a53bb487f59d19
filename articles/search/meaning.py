"""What a query means here: its topics and providers are looked up, its days put on the site's clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TypeVar

from django.db.models import Q, QuerySet

from articles.days import midnight
from articles.documents import topic_key
from articles.models import OldAddress, Topic, TopicAlias
from articles.search.asking import MAX_FILTERS, Filter, Query
from articles.search.engines import Sought
from providers.domains import normalise_domain
from providers.models import Provider
from providers.words import words

Record = TypeVar("Record", Topic, Provider)


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


@dataclass(frozen=True)
class Names:
    """What the filters of a query name, looked up all at once; for the same query with less in it, too."""

    topics: dict[str, list[Topic]]  # by the value of the filter
    subtopics: dict[int, list[int]]
    providers: dict[str, list[Provider]]

    @classmethod
    def of(cls, query: Query, known: Known) -> Names:
        """Three queries; eight, where a topic and a provider are unknown or have another name now."""
        topics = _topics(query.values("topic"), known.topics)
        providers = _providers(query.values("provider"), known.providers)
        return cls(topics, _subtopics([topic for those in topics.values() for topic in those]), providers)

    def meaning(self, query: Query) -> Meaning:
        keys: list[tuple[str, ...]] = []
        outlets: list[str] = []
        unwanted: list[str] = []
        problems, labels = [], {}
        for each in query.filters:
            if not each.value:
                problems.append((each, f"“{each.name}:” has nothing behind its colon."))
            elif each.name == "topic":
                if topics := self.topics[each.value]:
                    labels[each] = f"{topics[0]}"
                    those = [f"t{key}" for key in self._with_subtopics(topics)]
                    if each.unwanted:
                        unwanted += those
                    else:
                        keys.append(tuple(those))
                else:
                    problems.append((each, f"There is no topic “{each.value}”."))
            elif each.name == "provider":
                if providers := self.providers[each.value]:
                    labels[each] = f"{providers[0]}"
                    (unwanted if each.unwanted else outlets).extend(f"p{provider.pk}" for provider in providers)
                else:
                    problems.append((each, f"There is no outlet “{each.value}”."))
            elif each.day is None:
                problems.append((each, f"“{each.value}” is no date such as 2026, 2026-11 or 2026-11-30."))
        if query.has_too_many_filters:
            problems.append((query.filters[MAX_FILTERS], f"More than {MAX_FILTERS} filters are too many at once."))
        if problems:
            return Meaning(None, problems, labels)
        if outlets:  # a story has one: of several, any will do
            keys.append(tuple(outlets))
        return Meaning(_sought(query, keys, unwanted), labels=labels)

    def _with_subtopics(self, topics: list[Topic]) -> list[int]:
        own = [topic.pk for topic in topics]
        return list(dict.fromkeys([*own, *(key for topic in own for key in self.subtopics.get(topic, []))]))


def understand(query: Query, known: Known) -> Meaning:
    return Names.of(query, known).meaning(query)


def _sought(query: Query, keys: Iterable[tuple[str, ...]], unwanted: Iterable[str]) -> Sought:
    since, until = query.days("after"), query.days("before")
    return Sought(
        tuple(query.wanted),
        tuple(query.unwanted),
        tuple(keys),
        midnight(max(since)) if since else None,
        midnight(min(until)) if until else None,
        unwanted_keys=tuple(unwanted),
    )


# --- What is looked up, in the database and then among what that has found ----------------------


def _topics(values: list[str], known: QuerySet[Topic]) -> dict[str, list[Topic]]:
    """An address goes before a name, and both before those that another had once."""
    topics = _of_any(known, [_is_topic(value) for value in values])
    found = {
        value: [topic for topic in topics if topic.slug in _spellings(value)]
        or [topic for topic in topics if topic.key == topic_key(value) or _says_name(value, topic)]
        for value in values
    }
    if unknown := [value for value, those in found.items() if not those]:
        slugs = [slug for value in unknown for slug in _spellings(value)]
        aliases = TopicAlias.objects.filter(key__in=[topic_key(value) for value in unknown]).order_by()
        former = [*_old_addresses("topic", slugs), *aliases.values_list("key", "topic_id")]
        found |= _formerly(unknown, known, former, lambda value: [*_spellings(value), topic_key(value)])
    return found


def _providers(values: list[str], known: QuerySet[Provider]) -> dict[str, list[Provider]]:
    """The same of domains and names."""
    providers = _of_any(known, [_is_provider(value) for value in values])
    found = {
        value: [provider for provider in providers if provider.domain in _domains(value)]
        or [provider for provider in providers if _says_name(value, provider)]
        for value in values
    }
    if unknown := [value for value, those in found.items() if not those]:
        domains = [domain for value in unknown for domain in _domains(value)]
        found |= _formerly(unknown, known, _old_addresses("provider", domains), _domains)
    return found


def _formerly(
    values: list[str], known: QuerySet[Record], former: list[tuple[str, int]], names: Callable[[str], list[str]]
) -> dict[str, list[Record]]:
    """Whose the `names` of each value were. `former`: a name, and the key of what had it."""
    records = known.in_bulk([key for _, key in former])
    return {
        value: [records[key] for name, key in former if name in names(value) and key in records] for value in values
    }


def _old_addresses(kind: str, names: list[str]) -> list[tuple[str, int]]:
    return list(OldAddress.objects.filter(kind=kind, name__in=names).values_list("name", f"{kind}_id"))


def _of_any(records: QuerySet[Record], conditions: list[Q]) -> list[Record]:
    return list(records.filter(reduce(or_, conditions))) if conditions else []


def _subtopics(topics: list[Topic]) -> dict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    if topics:
        below = Topic.objects.filter(parent__in=topics).order_by("pk")
        for parent, key in below.values_list("parent_id", "pk"):
            found[parent or 0].append(key)
    return found


def _is_topic(value: str) -> Q:
    return Q(slug__in=_spellings(value)) | Q(key=topic_key(value)) | _is_named(value)


def _is_provider(value: str) -> Q:
    return Q(domain__in=_domains(value)) | _is_named(value)


def _spellings(value: str) -> list[str]:
    return [value, value.lower()]


def _domains(value: str) -> list[str]:
    try:
        domain = normalise_domain(value)
    except ValueError:
        return []
    return [domain, domain.removeprefix("www.")]


def _is_named(value: str) -> Q:
    """One of its names has just these words."""
    line = " ".join(words(value))
    if not line:
        return Q(pk__in=[])
    return Q(search_text__startswith=f"{line}\n") | Q(search_text__contains=f"\n{line}\n")


def _says_name(value: str, record: Topic | Provider) -> bool:
    line = " ".join(words(value))
    return line != "" and line in record.search_text.split("\n")[:-1]  # the last is a fingerprint
