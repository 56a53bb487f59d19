"""Between documents and the database, in both directions.

`…_document` reads a record as a document. `Records` finds, or makes, the providers, topics and images that documents
name, a batch at a time; the `insert_…` functions store articles' lists from their documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import models

from articles.bulk import insert, reserve_keys
from articles.documents import (
    ArticleDocument,
    ImageRef,
    ProviderDocument,
    ProviderRef,
    RelatedRef,
    TopicDocument,
    topic_key,
)
from articles.documents.kinds import NestedKind
from articles.models import (
    Article,
    ArticleImage,
    ArticleTopic,
    RelatedImage,
    RelatedStory,
    Topic,
)
from images.models import ImageUse, RemoteImage
from providers.models import Provider, ProviderImage

# Fields that record and document have under the same name.
ARTICLE_COLUMNS = (
    "category",
    "title",
    "excerpt",
    "published_at",
    "updated_at",
    "original_url",
    "web_url",
    "amp_web_url",
    "cdn_amp_web_url",
    "type",
    "quality",
    "heat",
    "featured_content",
    "secured",
    "extra",
    "body",
)
_RELATED_COLUMNS = ("title", "excerpt", "published_at", "web_url", "type", "quality", "extra")
_IMAGE_COLUMNS = ("width", "height", "is_cached", "title", "attribution", "alt", "extra")
_PROVIDER_REF = NestedKind(ProviderRef)

KeyedDocuments = Sequence[tuple[int, ArticleDocument]]  # with the keys of their articles


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
        **columns(article, ARTICLE_COLUMNS),
        published=article.status == Article.Status.PUBLISHED,
        provider=_provider_ref(article.provider, article.provider_ref),
        topics=tuple(topic.name for topic in article.topics.all()),
        images=image_refs(article.pictures.all()),
        related=tuple(_related_ref(story) for story in article.related_stories.all()),
    )


def provider_document(provider: Provider) -> ProviderDocument:
    return ProviderDocument(
        id=provider.source_id,
        other_names=tuple(provider.other_names),
        images=image_refs(provider.logos.all()),
        **columns(provider, ("name", "domain", "description", "extra")),
    )


def topic_document(topic: Topic) -> TopicDocument:
    return TopicDocument(
        id=topic.source_id,
        parent=topic.parent.name if topic.parent else "",
        keywords=tuple(topic.keywords),
        hashtags=tuple(topic.hashtags),
        images=image_refs(topic.pictures.all()),
        services=topic.services or None,
        **columns(topic, ("name", "shortname", "description", "extra")),
    )


def image_refs(uses: Iterable[ImageUse]) -> tuple[ImageRef, ...]:
    return tuple(ImageRef(url=use.image.source_url, **columns(use, _IMAGE_COLUMNS)) for use in uses)


def _provider_ref(provider: Provider | None, as_given: dict[str, Any]) -> ProviderRef | None:
    """What the source said of the provider, as long as it still is the provider."""
    if provider is None:
        return None
    if as_given.get("domain") == provider.domain:
        return _PROVIDER_REF.read(as_given)
    return ProviderRef(name=provider.name, domain=provider.domain)


def _related_ref(story: RelatedStory) -> RelatedRef:
    return RelatedRef(
        **columns(story, _RELATED_COLUMNS),
        provider=_provider_ref(story.provider, story.provider_ref),
        images=image_refs(story.pictures.all()),
    )


# --- Documents as records -----------------------------------------------------------------------


class Records:
    """The keys of the providers, topics and images that documents name, found or made: a query or two for each kind."""

    def __init__(self) -> None:
        self.providers: dict[str, int] = {}  # by domain
        self.topics: dict[str, int] = {}  # by key
        self.images: dict[str, int] = {}  # by address

    @classmethod
    def for_articles(cls, documents: Sequence[ArticleDocument]) -> Records:
        records = cls()
        records.find_images(image for document in documents for image in _pictures(document))
        records.find_providers([ref for document in documents for ref in _provider_refs(document)])
        records.find_topics(name for document in documents for name in document.topics)
        return records

    def find_providers(self, refs: Sequence[ProviderRef]) -> None:
        """Providers by domain. One that was unknown takes its name and logos from the first that names it."""
        first = {ref.domain: ref for ref in reversed(refs)}
        self.providers = _keys(Provider, "domain", first)
        missing = {domain: ref for domain, ref in first.items() if domain not in self.providers}
        if not missing:
            return
        insert(Provider, ({"domain": ref.domain, "name": ref.name} for ref in missing.values()), ignore_conflicts=True)
        self.providers |= _keys(Provider, "domain", missing)
        with_logo = {ref.domain: ref for ref in reversed(refs) if ref.images and ref.domain in missing}
        self.find_images(image for ref in with_logo.values() for image in ref.images)
        insert(
            ProviderImage,
            (
                {"provider_id": self.providers[domain], **use}
                for domain, ref in with_logo.items()
                for use in self.uses(ref.images)
            ),
        )

    def find_topics(self, names: Iterable[str]) -> None:
        """Topics by name, whatever its case and spaces. An unknown one is made as it is spelt first."""
        spelt: dict[str, str] = {}
        for name in names:
            spelt.setdefault(topic_key(name), name)
        self.topics |= _keys(Topic, "key", spelt.keys() - self.topics.keys())
        for key, name in spelt.items():
            if key not in self.topics:
                self.topics[key] = Topic.objects.create(name=" ".join(name.split())).pk

    def find_images(self, refs: Iterable[ImageRef]) -> None:
        urls = {ref.url for ref in refs} - self.images.keys()
        self.images |= _keys(RemoteImage, "source_url", urls)
        if missing := sorted(urls - self.images.keys()):
            insert(RemoteImage, ({"source_url": url} for url in missing), ignore_conflicts=True)
            self.images |= _keys(RemoteImage, "source_url", missing)

    def uses(self, refs: Iterable[ImageRef]) -> Iterator[dict[str, Any]]:
        """Rows of the use of pictures, in order, but for whose they are."""
        for position, ref in enumerate(refs):
            yield {"image_id": self.images[ref.url], "position": position, **columns(ref, _IMAGE_COLUMNS)}

    def provider_columns(self, ref: ProviderRef | None) -> dict[str, Any]:
        """The provider of a record that names `ref`, and what it says of it."""
        if ref is None:
            return {"provider_id": None, "provider_ref": {}}
        return {"provider_id": self.providers[ref.domain], "provider_ref": _PROVIDER_REF.plain(ref)}


def insert_topics(pairs: KeyedDocuments, records: Records) -> None:
    """The topics of articles that have none; a topic said twice counts once."""
    insert(
        ArticleTopic,
        (
            {"content_object_id": article, "tag_id": topic, "position": position}
            for article, document in pairs
            for position, topic in enumerate(dict.fromkeys(records.topics[topic_key(name)] for name in document.topics))
        ),
    )


def insert_pictures(pairs: KeyedDocuments, records: Records) -> None:
    """The pictures of articles that have none."""
    insert(
        ArticleImage,
        ({"article_id": article, **use} for article, document in pairs for use in records.uses(document.images)),
    )


def insert_related(pairs: KeyedDocuments, records: Records) -> None:
    """The related stories of articles that have none, with their pictures."""
    refs = [(article, position, ref) for article, document in pairs for position, ref in enumerate(document.related)]
    if not refs:
        return
    keys = reserve_keys(RelatedStory, len(refs))
    insert(
        RelatedStory,
        (
            {
                "id": key,
                "article_id": article,
                "position": position,
                **columns(ref, _RELATED_COLUMNS),
                **records.provider_columns(ref.provider),
            }
            for key, (article, position, ref) in zip(keys, refs, strict=True)
        ),
    )
    insert(
        RelatedImage,
        (
            {"related_story_id": key, **use}
            for key, (_, _, ref) in zip(keys, refs, strict=True)
            for use in records.uses(ref.images)
        ),
    )


def replace_images(model: type[ImageUse], owner: dict[str, int], refs: Sequence[ImageRef]) -> None:
    """Make `refs` the pictures of a provider or a topic: `owner` is its column in `model`, with its key."""
    model._default_manager.filter(**owner).delete()
    records = Records()
    records.find_images(refs)
    insert(model, ({**owner, **use} for use in records.uses(refs)))


def _provider_refs(document: ArticleDocument) -> list[ProviderRef]:
    related = [story.provider for story in document.related]
    return [ref for ref in (document.provider, *related) if ref is not None]


def _pictures(document: ArticleDocument) -> list[ImageRef]:
    return [*document.images, *(image for story in document.related for image in story.images)]


def _keys(model: type[models.Model], field: str, values: Iterable[str]) -> dict[str, int]:
    """The primary keys of the rows whose `field` is one of `values`, by that value."""
    wanted = list(values)
    if not wanted:
        return {}
    return dict(model._default_manager.filter(**{f"{field}__in": wanted}).values_list(field, "pk"))
