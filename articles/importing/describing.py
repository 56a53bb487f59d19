"""Providers and topics that files of their own describe. The caller holds the transaction."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from django.utils.text import slugify

from articles.documents import Document, ProviderDocument, TopicDocument, topic_key
from articles.importing.reports import Outcome
from articles.importing.storing import (
    Batch,
    Parsed,
    Stored,
    UnstorableError,
    last_imported,
    source_columns,
    unless_changed,
)
from articles.merging import Merge, merge
from articles.models import Article, RelatedStory, SourceFile, Topic, TopicImage
from articles.records import (
    Records,
    provider_document,
    replace_images,
    topic_document,
)
from images.models import ImageUse
from providers.models import Provider, ProviderImage

D = TypeVar("D", ProviderDocument, TopicDocument)
R = TypeVar("R", Provider, Topic)


def store_described(batch: Batch) -> list[Stored]:
    """Topics first: a provider needs none, and articles need both."""
    stored = [_Topics(batch).store(parsed) for parsed in batch.of(TopicDocument)]
    return stored + [_Providers(batch).store(parsed) for parsed in batch.of(ProviderDocument)]


class _Described(Generic[D, R]):
    """How a kind of record is found, merged and stored; a subclass says what is different."""

    owner: str  # the record's field on SourceFile, and on the model of its pictures
    pictures: type[ImageUse]

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def store(self, parsed: Parsed[D]) -> Stored:
        source, theirs = self.batch.source(parsed), parsed.document
        record = self._record(source, theirs)
        base = last_imported(source) if source else None
        merged = self._merged(record, base, theirs)
        self.refuse_taken(record, merged.document)
        record = self.fill(record, merged.document, is_described=source is not None)
        if "images" in merged.taken:
            replace_images(self.pictures, {f"{self.owner}_id": record.pk}, merged.document.images)
        source = source or SourceFile(**{self.owner: record})
        for name, value in source_columns(parsed).items():
            setattr(source, name, value)
        source.save()
        return Stored(parsed, self._outcome(base, merged, theirs), _conflicts(merged, theirs))

    def _record(self, source: SourceFile | None, document: D) -> R | None:
        if source is not None:
            record: R | None = getattr(source, self.owner)
            if record is None:
                raise UnstorableError(f"the path was no {self.owner}'s when it was last imported")
            return record
        record = self.find(document)
        other = SourceFile.objects.filter(**{self.owner: record}).first() if record else None
        if other:
            raise UnstorableError(f"{record} is described already, by {other.path}")
        return record

    def _merged(self, record: R | None, base: Document | None, theirs: D) -> Merge[D]:
        if record is None:
            return merge(self.blank(), self.blank(), theirs)
        ours = self.as_document(record)
        if base is None:
            base = self.as_articles_made_it(record, ours)
        if self.batch.overwrite or not isinstance(base, type(theirs)):
            return merge(ours, ours, theirs)
        return merge(base, ours, theirs)

    def _outcome(self, base: Document | None, merged: Merge[D], theirs: D) -> Outcome:
        if base is None:
            return Outcome.CREATED
        if merged.conflicts:
            return Outcome.CONFLICT
        return Outcome.UPDATED if merged.taken else unless_changed(base, theirs)

    def blank(self) -> D:
        raise NotImplementedError

    def find(self, document: D) -> R | None:
        raise NotImplementedError

    def as_document(self, record: R) -> D:
        raise NotImplementedError

    def as_articles_made_it(self, record: R, ours: D) -> D:
        """What the articles that name it made of the record; all that differs now is an editor's."""
        raise NotImplementedError

    def refuse_taken(self, record: R | None, document: D) -> None:
        """Raise UnstorableError where the document would take another record's identity."""
        raise NotImplementedError

    def fill(self, record: R | None, document: D, *, is_described: bool) -> R:
        raise NotImplementedError


def _conflicts(merged: Merge[Any], theirs: Any) -> list[str]:
    return [
        f"{name}: an editor's value stays; the file has {str(getattr(theirs, name))[:80]!r}"
        for name in merged.conflicts
    ]


class _Providers(_Described[ProviderDocument, Provider]):
    owner = "provider"
    pictures = ProviderImage

    def blank(self) -> ProviderDocument:
        return ProviderDocument(name="", domain="")

    def find(self, document: ProviderDocument) -> Provider | None:
        return Provider.objects.filter(domain=document.domain).first()

    def as_document(self, record: Provider) -> ProviderDocument:
        return provider_document(record)

    def as_articles_made_it(self, record: Provider, ours: ProviderDocument) -> ProviderDocument:
        given = [
            ref
            for model in (Article, RelatedStory)
            for ref in model._default_manager.filter(provider=record).values_list("provider_ref", flat=True)[:100]
        ]
        names = {ref.get("name") for ref in given}
        urls = {image["url"] for ref in given for image in ref.get("images", ())}
        as_given = all(image.url in urls for image in ours.images)
        return ProviderDocument(
            name=ours.name if ours.name in names else "",
            domain=ours.domain,
            images=ours.images if as_given else (),
        )

    def refuse_taken(self, record: Provider | None, document: ProviderDocument) -> None:
        others = Provider.objects.exclude(pk=record.pk if record else 0)
        if other := others.filter(domain=document.domain).first():
            raise UnstorableError(f"domain: {other.domain} is already {other.name}'s")

    def fill(self, record: Provider | None, document: ProviderDocument, *, is_described: bool) -> Provider:
        provider = record or Provider()
        provider.source_id = document.id
        provider.other_names = list(document.other_names)
        for name in ("domain", "name", "description", "extra"):
            setattr(provider, name, getattr(document, name))
        provider.save()
        return provider


class _Topics(_Described[TopicDocument, Topic]):
    owner = "topic"
    pictures = TopicImage

    def blank(self) -> TopicDocument:
        return TopicDocument(name="")

    def find(self, document: TopicDocument) -> Topic | None:
        return Topic.objects.filter(key=topic_key(document.name)).first()

    def as_document(self, record: Topic) -> TopicDocument:
        return topic_document(record)

    def as_articles_made_it(self, record: Topic, ours: TopicDocument) -> TopicDocument:
        return TopicDocument(name=ours.name)

    def refuse_taken(self, record: Topic | None, document: TopicDocument) -> None:
        others = Topic.objects.exclude(pk=record.pk if record else 0)
        if other := others.filter(key=topic_key(document.name)).first():
            raise UnstorableError(f"name: there is another topic {other}")

    def fill(self, record: Topic | None, document: TopicDocument, *, is_described: bool) -> Topic:
        topic = record or Topic()
        for name in ("name", "shortname", "description", "extra"):
            setattr(topic, name, getattr(document, name))
        topic.source_id = document.id
        topic.keywords = list(document.keywords)
        topic.hashtags = list(document.hashtags)
        topic.services = document.services or {}
        topic.parent = self._parent(topic, document.parent)
        if not is_described:
            topic.slug = self._slug(topic)
        topic.save()
        return topic

    @staticmethod
    def _slug(topic: Topic) -> str:
        """The source's `_id` is the topic's address on the sister site, and so here, unless another topic has it."""
        slug = slugify(topic.source_id or topic.name, allow_unicode=True)[:90]
        free = slug and not Topic.objects.filter(slug=slug).exclude(pk=topic.pk).exists()
        return slug if free else topic.slug

    @staticmethod
    def _parent(topic: Topic, name: str) -> Topic | None:
        """The parent by name, made if need be. Raises UnstorableError when the topic would be its own ancestor."""
        if not name:
            return None
        records = Records()
        records.find_topics([name])
        parent = Topic.objects.get(pk=records.topics[topic_key(name)])
        if any(above.pk == topic.pk or above.key == topic_key(topic.name) for above in parent.line()):
            raise UnstorableError(f"parent: {name} is itself below {topic.name}")
        return parent
