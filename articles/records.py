"""Between documents and the database, in both directions.

`document_of…` reads a record as a document. `Records` finds, or makes, the providers, topics and images that
documents name, a batch at a time; the `write_…` functions store an article's lists from its document.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db import models

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
    TopicImage,
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

ArticlePairs = Sequence[tuple[Article, ArticleDocument]]
M = TypeVar("M", bound=models.Model)


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
    """The providers, topics and images that some documents name, found or made: one query or two for each kind."""

    def __init__(self) -> None:
        self.providers: dict[str, Provider] = {}
        self.topics: dict[str, Topic] = {}
        self.images: dict[str, RemoteImage] = {}

    @classmethod
    def for_articles(cls, documents: Sequence[ArticleDocument]) -> Records:
        records = cls()
        named = [ref for document in documents for ref in _provider_refs(document)]
        records.find_images(image for document in documents for image in _pictures(document))
        records.find_providers(named)
        records.find_topics(name for document in documents for name in document.topics)
        return records

    def find_providers(self, refs: Sequence[ProviderRef]) -> None:
        """Providers by domain. One that was unknown takes its name and logos from the first that names it."""
        first = {ref.domain: ref for ref in reversed(refs)}
        self.providers = _by(Provider, "domain", first)
        missing = [ref for domain, ref in first.items() if domain not in self.providers]
        if not missing:
            return
        Provider.objects.bulk_create(
            (Provider(domain=ref.domain, name=ref.name) for ref in missing), ignore_conflicts=True
        )
        made = _by(Provider, "domain", [ref.domain for ref in missing])
        self.providers |= made
        self.find_images(image for ref in refs if ref.domain in made for image in ref.images)
        with_logo = {ref.domain: ref for ref in reversed(refs) if ref.images and ref.domain in made}
        ProviderImage.objects.bulk_create(
            use
            for domain, ref in with_logo.items()
            for use in self.uses(ProviderImage, ref.images, provider=made[domain])
        )

    def find_topics(self, names: Iterable[str]) -> None:
        """Topics by name, whatever its case and spaces. An unknown one is made as it is spelt first."""
        spelt: dict[str, str] = {}
        for name in names:
            spelt.setdefault(topic_key(name), name)
        self.topics |= _by(Topic, "key", spelt.keys() - self.topics.keys())
        for key, name in spelt.items():
            if key not in self.topics:
                self.topics[key] = Topic.objects.create(name=" ".join(name.split()))

    def find_images(self, refs: Iterable[ImageRef]) -> None:
        urls = {ref.url for ref in refs} - self.images.keys()
        found = _by(RemoteImage, "source_url", urls)
        if missing := sorted(urls - found.keys()):
            RemoteImage.objects.bulk_create((RemoteImage(source_url=url) for url in missing), ignore_conflicts=True)
            found |= _by(RemoteImage, "source_url", missing)
        self.images |= found

    def uses(self, model: type[M], refs: Iterable[ImageRef], **owner: object) -> list[M]:
        """Unsaved uses of pictures, in order."""
        return [
            model(image=self.images[ref.url], position=position, **columns(ref, _IMAGE_COLUMNS), **owner)
            for position, ref in enumerate(refs)
        ]

    def provider_columns(self, ref: ProviderRef | None) -> dict[str, Any]:
        """The values of `provider` and `provider_ref` for a record that names `ref`."""
        if ref is None:
            return {"provider": None, "provider_ref": {}}
        return {"provider": self.providers[ref.domain], "provider_ref": _PROVIDER_REF.plain(ref)}


def write_topics(pairs: ArticlePairs, records: Records) -> None:
    """Replace the topics of each article by its document's; a topic said twice counts once."""
    ArticleTopic.objects.filter(content_object__in=[article for article, _ in pairs]).delete()
    items = []
    for article, document in pairs:
        topics = dict.fromkeys(records.topics[topic_key(name)] for name in document.topics)
        items += [
            ArticleTopic(content_object=article, tag=topic, position=position) for position, topic in enumerate(topics)
        ]
    ArticleTopic.objects.bulk_create(items)


def write_pictures(pairs: ArticlePairs, records: Records) -> None:
    """Replace the pictures of each article by its document's."""
    ArticleImage.objects.filter(article__in=[article for article, _ in pairs]).delete()
    ArticleImage.objects.bulk_create(
        use for article, document in pairs for use in records.uses(ArticleImage, document.images, article=article)
    )


def write_related(pairs: ArticlePairs, records: Records) -> None:
    """Replace the related stories of each article by its document's."""
    RelatedStory.objects.filter(article__in=[article for article, _ in pairs]).delete()
    refs = [
        (ref, RelatedStory(article=article, position=position, **_related_columns(ref, records)))
        for article, document in pairs
        for position, ref in enumerate(document.related)
    ]
    RelatedStory.objects.bulk_create(story for _, story in refs)
    RelatedImage.objects.bulk_create(
        use for ref, story in refs for use in records.uses(RelatedImage, ref.images, related_story=story)
    )


def write_logos(provider: Provider, refs: Sequence[ImageRef]) -> None:
    provider.logos.all().delete()
    records = Records()
    records.find_images(refs)
    ProviderImage.objects.bulk_create(records.uses(ProviderImage, refs, provider=provider))


def write_topic_pictures(topic: Topic, refs: Sequence[ImageRef]) -> None:
    topic.pictures.all().delete()
    records = Records()
    records.find_images(refs)
    TopicImage.objects.bulk_create(records.uses(TopicImage, refs, topic=topic))


def _related_columns(ref: RelatedRef, records: Records) -> dict[str, Any]:
    return columns(ref, _RELATED_COLUMNS) | records.provider_columns(ref.provider)


def _provider_refs(document: ArticleDocument) -> list[ProviderRef]:
    related = [story.provider for story in document.related]
    return [ref for ref in (document.provider, *related) if ref is not None]


def _pictures(document: ArticleDocument) -> list[ImageRef]:
    return [*document.images, *(image for story in document.related for image in story.images)]


def _by(model: type[M], field: str, values: Iterable[str]) -> dict[str, M]:
    """The rows whose `field` is one of `values`, by that value."""
    wanted = list(values)
    if not wanted:
        return {}
    return {getattr(row, field): row for row in model._default_manager.filter(**{f"{field}__in": wanted})}
