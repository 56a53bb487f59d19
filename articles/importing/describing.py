"""Providers and topics that files of their own describe. The caller holds the transaction."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Generic, TypeVar

from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify

from articles.documents import Document, ProviderDocument, TopicDocument, topic_key
from articles.importing.batches import (
    SOURCE_COLUMNS,
    Batch,
    Parsed,
    Stored,
    UnstorableError,
    last_imported,
    unless_changed,
)
from articles.importing.conflicts import Sides, keep_conflicts
from articles.importing.creating import create_providers, tell_new_providers
from articles.importing.reports import Outcome
from articles.merging import Merge, changed_fields, merge
from articles.models import Article, RelatedStory, SourceFile, Topic, TopicAlias, TopicImage
from articles.records import Records, provider_document, replace_images, topic_document
from images.models import ImageUse
from providers.models import Provider, ProviderImage

D = TypeVar("D", ProviderDocument, TopicDocument)
R = TypeVar("R", Provider, Topic)


def store_described(batch: Batch) -> list[Stored]:
    """Topics first: a provider needs none, and articles need both."""
    _lock_known(batch)
    topics = [parsed for parsed in batch.described if isinstance(parsed.document, TopicDocument)]
    providers = [parsed for parsed in batch.described if isinstance(parsed.document, ProviderDocument)]
    stored = [_Topics(batch).store(parsed) for parsed in topics]
    new, others = tell_new_providers(batch, providers)
    stored += create_providers(batch, new)
    return stored + [_Providers(batch).store(parsed) for parsed in others]


def _lock_known(batch: Batch) -> None:
    """All that there are already, in the order in which whoever stores a story holds its provider and its topics
    (`articles.triggers.index`): in the order of the files, the two might wait for each other."""
    sources = [source for source in map(batch.source, batch.described) if source]
    documents = [parsed.document for parsed in batch.described]
    domains = [document.domain for document in documents if isinstance(document, ProviderDocument)]
    names = [topic_key(document.name) for document in documents if isinstance(document, TopicDocument)]
    providers = Q(pk__in=[source.provider_id for source in sources]) | Q(domain__in=domains)
    topics = Q(pk__in=[source.topic_id for source in sources]) | Q(key__in=names)
    for found in (Provider.objects.filter(providers), Topic.objects.filter(topics)):
        list(found.order_by("pk").select_for_update().values_list("pk"))


def store_described_fields(record: Any, document: Any, names: Collection[str]) -> None:
    """Store a provider or a topic as the document says, under the importer's own rules. `names`: the fields that
    differ."""
    kind: Any = (_Providers if isinstance(record, Provider) else _Topics)(Batch((), {}))
    kind.refuse_taken(record, document)
    kind.fill(record, document, is_described=True)
    if "images" in names:
        replace_images(kind.pictures, f"{kind.owner}_id", record.pk, document.images)


class _Described(Generic[D, R]):
    """How a kind of record is found, merged and stored; a subclass says what is different."""

    owner: str  # the record's field on SourceFile, and on the model of its pictures
    pictures: type[ImageUse]

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def store(self, parsed: Parsed) -> Stored:
        theirs = parsed.document
        source = self.batch.source(parsed)
        if source is None and (warning := self.why_not(theirs)):
            return Stored(parsed, Outcome.KEPT, warnings=[warning])
        record = self._record(source, theirs)
        if source is None and record:
            source = self._renamed(record, parsed)
        imported = last_imported(source) if source else None
        base = self._base(record, imported)
        ours = self.as_document(record) if record else base
        merged = merge(ours if self.batch.overwrite else base, ours, theirs)
        self.refuse_taken(record, merged.document)
        record = self.fill(record, merged.document, is_described=source is not None)
        if "images" in merged.taken:
            replace_images(self.pictures, f"{self.owner}_id", record.pk, merged.document.images)
        source = self._keep_source(source, record, parsed)
        conflicts = keep_conflicts([Sides(source, base, merged.document, theirs, merged.conflicts)])[source.pk]
        return self._stored(parsed, imported, merged, conflicts)

    def _record(self, source: SourceFile | None, document: D) -> R | None:
        if source is not None:
            described: R | None = getattr(source, self.owner)
            if described is None:
                raise UnstorableError(f"the path was no {self.owner}'s when it was last imported")
            return self._locked(described)
        found = self.find(document)
        return self._locked(found) if found else None

    @staticmethod
    def _locked(record: R) -> R:
        """As it is now, and as it stays until it is stored."""
        record.refresh_from_db(from_queryset=type(record)._default_manager.select_for_update())
        return record

    def _renamed(self, record: R, parsed: Parsed) -> SourceFile | None:
        """The file that described the record until it was renamed to this one. Raises UnstorableError when it is still
        there."""
        other = SourceFile.objects.filter(**{self.owner: record}).first()
        if other and not (other.tree == parsed.file.tree and parsed.file.lacks(other.path)):
            raise UnstorableError(f"{record} is described already, by {other.path}")
        return other

    def _base(self, record: R | None, imported: Document | None) -> D:
        """What both sides last agreed on."""
        if record is None:
            return self.blank()
        if isinstance(imported, type(self.blank())):
            return imported
        return self.as_articles_made_it(record, self.as_document(record))

    def _keep_source(self, source: SourceFile | None, record: R, parsed: Parsed) -> SourceFile:
        kept = source or SourceFile(**{self.owner: record})
        values = (*self.batch.source_values(parsed), timezone.now())
        for name, value in zip(SOURCE_COLUMNS, values, strict=True):
            setattr(kept, name, value)
        kept.save()
        return kept

    def _stored(self, parsed: Parsed, imported: Document | None, merged: Merge[D], conflicts: list[str]) -> Stored:
        if conflicts:
            return Stored(parsed, Outcome.CONFLICT, conflicts)
        if imported is None:
            return Stored(parsed, Outcome.CREATED)
        if merged.taken:
            return Stored(parsed, Outcome.UPDATED, merged.taken)
        changed = changed_fields(imported, parsed.document)
        return Stored(parsed, unless_changed(changed), changed)

    def blank(self) -> D:
        raise NotImplementedError

    def why_not(self, document: D) -> str:
        """Why nothing is taken from a new file, if so."""
        return ""

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
        for name in ("domain", "name", "description", "extra", "body"):
            setattr(provider, name, getattr(document, name))
        provider.save()
        return provider


class _Topics(_Described[TopicDocument, Topic]):
    owner = "topic"
    pictures = TopicImage

    def blank(self) -> TopicDocument:
        return TopicDocument(name="")

    def why_not(self, document: TopicDocument) -> str:
        """A name that an editor took from a topic stays taken: the file would bring it back."""
        key = topic_key(document.name)
        alias = TopicAlias.objects.filter(key=key).select_related("topic").first()
        if alias is None or Topic.objects.filter(key=key).exists():
            return ""
        return f"name: {alias} is {alias.topic} here, so nothing is taken from the file"

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
        for name in ("name", "shortname", "description", "extra", "body"):
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
        records.find_topics([(topic_key(name), name)])
        parent = Topic.objects.get(pk=records.topics[topic_key(name)])
        if any(above.pk == topic.pk or above.key == topic_key(topic.name) for above in parent.line()):
            raise UnstorableError(f"parent: {name} is itself below {topic.name}")
        return parent
