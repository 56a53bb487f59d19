"""Between documents and the database, in both directions.

`…_document` reads a record as a document. `Records` finds, or makes, the providers, topics and images that articles
name, a batch at a time; the `insert_…` functions store articles' lists from their rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, models, transaction

from articles.bulk import find, insert, reserve_keys
from articles.documents import (
    ArticleDocument,
    ImageRef,
    ProviderDocument,
    ProviderRef,
    RelatedRef,
    TopicDocument,
)
from articles.documents.kinds import NestedKind
from articles.models import (
    Article,
    ArticleImage,
    ArticleTopic,
    RelatedImage,
    RelatedStory,
    Topic,
    TopicAlias,
)
from articles.reading.rows import (
    ARTICLE_FIELDS,
    RELATED_COLUMNS,
    RELATED_FIELDS,
    USE_COLUMNS,
    USE_FIELDS,
    ArticleRows,
    ProviderRow,
    UseRow,
    use_rows,
)
from images.models import ImageUse, RemoteImage
from providers.models import Provider, ProviderImage
from providers.words import searchable

_PROVIDER_REF = NestedKind(ProviderRef)

KeyedRows = Sequence[tuple[int, ArticleRows]]  # with the keys of their articles


def columns(source: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names}


# --- Records as documents -----------------------------------------------------------------------


def with_parts(articles: models.QuerySet[Article]) -> models.QuerySet[Article]:
    """The articles with all that their documents need; eight queries however many rows."""
    return articles.select_related("provider").prefetch_related(
        "topics",  # type: ignore[misc]
        "pictures__image",
        "related_stories__provider",
        "related_stories__pictures__image",
    )


def article_document(article: Article) -> ArticleDocument:
    """The article as a document. Load many through `with_parts`."""
    return ArticleDocument(
        **columns(article, ARTICLE_FIELDS),
        published=article.status == Article.Status.PUBLISHED,
        provider=_outlet(article),
        topics=tuple(topic.name for topic in article.topics.all()),
        images=image_refs(article.pictures.all()),
        related=tuple(_related_ref(story) for story in article.related_stories.all()),
        extra=article.extra,
    )


def provider_document(provider: Provider) -> ProviderDocument:
    return ProviderDocument(
        id=provider.source_id,
        other_names=tuple(provider.other_names),
        images=image_refs(provider.logos.all()),
        **columns(provider, ("name", "domain", "description", "extra", "body")),
    )


def topic_document(topic: Topic) -> TopicDocument:
    return TopicDocument(
        id=topic.source_id,
        parent=topic.parent.name if topic.parent else "",
        keywords=tuple(topic.keywords),
        hashtags=tuple(topic.hashtags),
        images=image_refs(topic.pictures.all()),
        services=topic.services or None,
        **columns(topic, ("name", "shortname", "description", "extra", "body")),
    )


def image_refs(uses: Iterable[ImageUse]) -> tuple[ImageRef, ...]:
    return tuple(ImageRef(url=use.image.source_url, **columns(use, USE_FIELDS), extra=use.extra) for use in uses)


def provider_ref(domain: str, name: str, given: dict[str, Any]) -> ProviderRef:
    """What the source said of the provider, as long as it still is the provider."""
    if given.get("domain") == domain:
        return _PROVIDER_REF.read(given)
    return ProviderRef(name=name, domain=domain)


def _outlet(record: Article | RelatedStory) -> ProviderRef | None:
    provider = record.provider
    return None if provider is None else provider_ref(provider.domain, provider.name, record.provider_ref)


def _related_ref(story: RelatedStory) -> RelatedRef:
    return RelatedRef(
        **columns(story, RELATED_FIELDS),
        provider=_outlet(story),
        images=image_refs(story.pictures.all()),
        extra=story.extra,
    )


# --- Documents as records -----------------------------------------------------------------------


class Records:
    """The keys of the providers, topics and images that articles name, found or made: a query or two for each kind."""

    def __init__(self) -> None:
        self.providers: dict[str, int] = {}  # by domain
        self.topics: dict[str, int] = {}  # by key
        self.images: dict[str, int] = {}  # by address

    @classmethod
    def for_articles(cls, articles: Sequence[ArticleRows]) -> Records:
        records = cls()
        records.find_images(use.url for rows in articles for use in rows.all_pictures())
        records.find_providers([provider for rows in articles for provider in rows.providers()])
        records.find_topics(topic for rows in articles for topic in rows.topics)
        return records

    def find_providers(self, named: Sequence[ProviderRow]) -> None:
        """Providers by domain. One that was unknown takes its name and logos from the first that names it."""
        first = {provider.domain: provider for provider in reversed(named)}
        self.providers |= _keys(Provider, "domain", first)
        missing = {domain: provider for domain, provider in first.items() if domain not in self.providers}
        if not missing:
            return
        insert(
            Provider,
            ("domain", "name", "search_text"),
            ((provider.domain, provider.name, searchable(provider.name)) for provider in missing.values()),
            ignore_conflicts=True,
        )
        self.providers |= _keys(Provider, "domain", missing)
        logos = {each.domain: each.logos for each in reversed(named) if each.logos and each.domain in missing}
        self.find_images(use.url for uses in logos.values() for use in uses)
        insert_uses(
            ProviderImage, "provider_id", ((self.providers[domain], uses) for domain, uses in logos.items()), self
        )

    def find_topics(self, topics: Iterable[tuple[str, str]]) -> None:
        """Topics by key, given with their names: by those that they once had, too. An unknown one is made as it is
        spelt first."""
        spelt: dict[str, str] = {}
        for key, name in topics:
            spelt.setdefault(key, name)
        self.topics |= topic_keys(spelt.keys() - self.topics.keys())
        while missing := {key: name for key, name in spelt.items() if key not in self.topics}:
            try:
                with transaction.atomic():
                    self.topics |= {key: _make_topic(name) for key, name in missing.items()}
            except IntegrityError:  # an editor was quicker
                if not (found := topic_keys(missing)):
                    raise
                self.topics |= found

    def find_images(self, addresses: Iterable[str]) -> None:
        urls = set(addresses) - self.images.keys()
        self.images |= _keys(RemoteImage, "source_url", urls)
        if missing := sorted(urls - self.images.keys()):
            keys = reserve_keys(RemoteImage, len(missing))
            rows = list(zip(keys, missing, strict=True))
            if insert(RemoteImage, ("id", "source_url"), rows, ignore_conflicts=True) == len(rows):
                self.images |= dict(zip(missing, keys, strict=True))
            else:  # an editor was quicker
                self.images |= _keys(RemoteImage, "source_url", missing)

    def provider_key(self, provider: ProviderRow | None) -> int | None:
        return None if provider is None else self.providers[provider.domain]


def insert_uses(
    model: type[ImageUse], owner: str, uses: Iterable[tuple[int, Iterable[UseRow]]], records: Records
) -> None:
    """The pictures of records that have none: `owner` is the column of their keys."""
    insert(
        model,
        (owner, "image_id", *USE_COLUMNS),
        ((key, records.images[use.url], *use.values) for key, pictures in uses for use in pictures),
    )


def insert_topics(articles: KeyedRows, records: Records) -> None:
    """The topics of articles that have none; a topic said twice counts once."""
    insert(
        ArticleTopic,
        ("content_object_id", "tag_id", "position"),
        (
            (article, topic, position)
            for article, rows in articles
            for position, topic in enumerate(dict.fromkeys(records.topics[key] for key, _ in rows.topics))
        ),
    )


def insert_pictures(articles: KeyedRows, records: Records) -> None:
    insert_uses(ArticleImage, "article_id", ((article, rows.pictures) for article, rows in articles), records)


def insert_related(articles: KeyedRows, records: Records) -> None:
    """The related stories of articles that have none, with their pictures."""
    stories = [(article, story) for article, rows in articles for story in rows.related]
    if not stories:
        return
    keys = reserve_keys(RelatedStory, len(stories))
    insert(
        RelatedStory,
        ("id", "article_id", "provider_id", *RELATED_COLUMNS),
        (
            (key, article, records.provider_key(story.provider), *story.values)
            for key, (article, story) in zip(keys, stories, strict=True)
        ),
    )
    uses = ((key, story.pictures) for key, (_, story) in zip(keys, stories, strict=True))
    insert_uses(RelatedImage, "related_story_id", uses, records)


def replace_images(model: type[ImageUse], owner: str, key: int, refs: Iterable[ImageRef]) -> None:
    """Make `refs` the pictures of a provider or a topic: `owner` is the column of its key in `model`."""
    model._default_manager.filter(**{owner: key}).delete()
    uses, records = use_rows(refs), Records()
    records.find_images(use.url for use in uses)
    insert_uses(model, owner, [(key, uses)], records)


def _make_topic(name: str) -> int:
    return Topic.objects.create(name=" ".join(name.split())).pk


def topic_keys(keys: Iterable[str]) -> dict[str, int]:
    """The primary keys of the topics that have, or once had, these keys; who has one now goes before who had it."""
    wanted = set(keys)
    found = _keys(Topic, "key", wanted)
    return found | dict(find(TopicAlias, "key", wanted - found.keys(), "key", "topic_id"))


def _keys(model: type[models.Model], by: str, values: Iterable[str]) -> dict[str, int]:
    """The primary keys of the rows whose text column `by` has one of the values, by that value."""
    return dict(find(model, by, values, by, "pk"))
