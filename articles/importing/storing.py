"""One batch of parsed files into the database. The caller holds the transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from django.utils import timezone
from django.utils.text import slugify

from articles import revisions, workflow
from articles.documents import (
    ArticleDocument,
    Document,
    ProviderDocument,
    TopicDocument,
    is_bare,
    make_stem,
    read,
    to_data,
    topic_key,
)
from articles.importing.reports import Outcome
from articles.importing.trees import TreeFile
from articles.merging import Merge, changed_fields, merge
from articles.models import Article, Event, SourceFile, Topic
from articles.records import (
    ARTICLE_COLUMNS,
    ArticlePairs,
    Records,
    article_document,
    columns,
    provider_document,
    topic_document,
    with_parts,
    write_logos,
    write_pictures,
    write_related,
    write_topic_pictures,
    write_topics,
)
from providers.models import Provider

# Measured over the sister site's history: 99 % of all changes touch only these. Stored, but no editorial change.
NOISE = frozenset({"secured", "heat"})

D = TypeVar("D", bound=Document)


class UnstorableError(Exception):
    """A good document that contradicts what is already stored. The message is for the report."""


@dataclass(frozen=True)
class Parsed(Generic[D]):
    file: TreeFile
    text: str
    digest: str
    document: D


@dataclass(frozen=True)
class Stored:
    parsed: Parsed[Any]
    outcome: Outcome
    warnings: list[str] = field(default_factory=list)


def store(batch: Sequence[Parsed[Any]], *, overwrite: bool, as_drafts: bool) -> list[Stored]:
    """Store the documents: topics and providers first, so that articles find them as their own files tell.

    Raises UnstorableError or DatabaseError when one cannot be stored; then the whole batch has to be rolled back.
    """
    return _Store(batch, overwrite, as_drafts).run()


class _Store:
    def __init__(self, batch: Sequence[Parsed[Any]], overwrite: bool, as_drafts: bool) -> None:
        self.batch = batch
        self.overwrite = overwrite
        self.as_drafts = as_drafts
        self.now = timezone.now()
        paths = [parsed.file.path for parsed in batch]
        self.sources = {source.path: source for source in SourceFile.objects.filter(path__in=paths)}

    def run(self) -> list[Stored]:
        stored = [self._store_topic(parsed) for parsed in self._of(TopicDocument)]
        stored += [self._store_provider(parsed) for parsed in self._of(ProviderDocument)]
        articles = self._of(ArticleDocument)
        stored += self._create([parsed for parsed in articles if parsed.file.path not in self.sources])
        stored += self._update([parsed for parsed in articles if parsed.file.path in self.sources])
        return stored

    def _of(self, shape: type[D]) -> list[Parsed[D]]:
        return [cast("Parsed[D]", parsed) for parsed in self.batch if isinstance(parsed.document, shape)]

    # --- New articles -----------------------------------------------------------------------------

    def _create(self, batch: list[Parsed[ArticleDocument]]) -> list[Stored]:
        if not batch:
            return []
        documents = [parsed.document for parsed in batch]
        records = Records.for_articles(documents)
        stems, warnings = _free_stems(batch)
        articles = [
            Article(
                stem=stem,
                **columns(document, ARTICLE_COLUMNS),
                **records.provider_columns(document.provider),
                **self._state(document),
            )
            for document, stem in zip(documents, stems, strict=True)
        ]
        Article.objects.bulk_create(articles)
        pairs = list(zip(articles, documents, strict=True))
        for write in (write_topics, write_pictures, write_related):
            write(pairs, records)
        SourceFile.objects.bulk_create(
            SourceFile(article=article, **self._source_columns(parsed), path=parsed.file.path)
            for article, parsed in zip(articles, batch, strict=True)
        )
        return [
            Stored(parsed, Outcome.CREATED, [*warning, *_repeated_topics(parsed.document)])
            for parsed, warning in zip(batch, warnings, strict=True)
        ]

    def _state(self, document: ArticleDocument) -> dict[str, Any]:
        if not document.published or self.as_drafts:
            return {"status": Article.Status.DRAFT}
        return {"status": Article.Status.PUBLISHED, "publish_at": document.published_at}

    # --- Articles that are already here -----------------------------------------------------------

    def _update(self, batch: list[Parsed[ArticleDocument]]) -> list[Stored]:
        if not batch:
            return []
        articles = self._articles(batch)
        moved = self._moved_by_editors(articles)
        records = Records.for_articles([parsed.document for parsed in batch])
        stored = []
        for parsed in batch:
            article = articles.get(parsed.file.path)
            if article is None:
                raise UnstorableError("the path was not an article's when it was last imported")
            outcome = self._merge_into(article, parsed, records, moved=article.pk in moved)
            stored.append(Stored(parsed, outcome, _repeated_topics(parsed.document)))
        return stored

    def _articles(self, batch: list[Parsed[ArticleDocument]]) -> dict[str, Article]:
        """The articles of these files by path, locked: no editor may save one while it is being merged."""
        keys = {self.sources[parsed.file.path].article_id: parsed.file.path for parsed in batch}
        rows = Article.objects.filter(pk__in=[key for key in keys if key])
        list(rows.select_for_update().values_list("pk"))
        return {keys[article.pk]: article for article in with_parts(rows)}

    def _moved_by_editors(self, articles: dict[str, Article]) -> set[int]:
        """The articles whose publication is an editor's decision, and no longer the source's."""
        decisions = Event.objects.filter(article__in=articles.values(), actor__isnull=False, verb__in=workflow.VERBS)
        return set(decisions.values_list("article", flat=True))

    def _merge_into(
        self, article: Article, parsed: Parsed[ArticleDocument], records: Records, *, moved: bool
    ) -> Outcome:
        source = self.sources[parsed.file.path]
        base, ours, theirs = _base(source, ArticleDocument), article_document(article), parsed.document
        if self.overwrite:
            base = ours
        merged = merge(_unstated(base), _unstated(ours), _unstated(theirs))
        _apply(article, merged.document, merged.taken, records)
        state = self._follow_state(article, base, theirs, moved=moved)
        self._save_source(source, parsed)
        taken = [name for name in merged.taken if name not in NOISE]
        if taken or merged.conflicts:
            self._keep_record(article, base, theirs, merged, taken)
        changed = set(changed_fields(base, theirs)) - NOISE
        return _outcome(merged.conflicts, bool(taken) or state == "followed", bool(changed))

    def _follow_state(self, article: Article, base: ArticleDocument, theirs: ArticleDocument, *, moved: bool) -> str:
        """Publish or unpublish as the source does, while no editor has decided: "followed", "kept" or ""."""
        public = article.status == Article.Status.PUBLISHED
        changed = base.published != theirs.published and public != theirs.published
        if self.as_drafts or not changed:
            return ""
        if moved and not self.overwrite:
            return "kept"
        if theirs.published:
            workflow.publish(article, by=None, note="The source published it.", at=theirs.published_at)
        else:
            workflow.unpublish(article, by=None, note="The source withdrew it.")
        return "followed"

    def _keep_record(
        self,
        article: Article,
        base: ArticleDocument,
        theirs: ArticleDocument,
        merged: Merge[Any],
        taken: list[str],
    ) -> None:
        """What the import changed, and both sides of what it could not settle."""
        if taken:
            Event.objects.create(article=article, verb="import", data={"fields": taken}, at=self.now)
            revisions.record(article, by=None, note="Import")
        if merged.conflicts:
            sides = {
                name: {"base": _field_data(base, name), "theirs": _field_data(theirs, name)}
                for name in merged.conflicts
            }
            Event.objects.create(article=article, verb="conflict", data=sides, at=self.now)

    # --- Providers and topics ---------------------------------------------------------------------

    def _store_provider(self, parsed: Parsed[ProviderDocument]) -> Stored:
        document = parsed.document
        source = self.sources.get(parsed.file.path)
        provider = source.provider if source else Provider.objects.filter(domain=document.domain).first()
        new = provider is None
        provider = provider or Provider(domain=document.domain, name=document.name)
        self._refuse_second_file(provider, source)
        merged = self._merge(source, document, ours=None if new else provider_document(provider))
        provider.source_id = merged.document.id
        provider.other_names = list(merged.document.other_names)
        for name in ("domain", "name", "description", "extra"):
            setattr(provider, name, getattr(merged.document, name))
        provider.save()
        if new or "images" in merged.taken:
            write_logos(provider, merged.document.images)
        self._save_source(source, parsed, provider=provider)
        return Stored(parsed, _described(source, merged))

    def _store_topic(self, parsed: Parsed[TopicDocument]) -> Stored:
        document = parsed.document
        source = self.sources.get(parsed.file.path)
        topic = source.topic if source else Topic.objects.filter(key=topic_key(document.name)).first()
        new = topic is None
        topic = topic or Topic(name=document.name)
        self._refuse_second_file(topic, source)
        merged = self._merge(source, document, ours=None if new else topic_document(topic))
        if source is None:
            topic.slug = _topic_slug(topic, document)
        _fill_topic(topic, merged.document)
        topic.save()
        if new or "images" in merged.taken:
            write_topic_pictures(topic, merged.document.images)
        self._save_source(source, parsed, topic=topic)
        return Stored(parsed, _described(source, merged))

    def _merge(self, source: SourceFile | None, theirs: D, ours: D | None) -> Merge[D]:
        """Without a file so far, what is here was made from articles that name it: the file knows better."""
        if ours is None:
            return merge(theirs, theirs, theirs)
        base = ours if source is None or self.overwrite else _base(source, type(theirs))
        return merge(base, ours, theirs)

    def _refuse_second_file(self, record: Provider | Topic, source: SourceFile | None) -> None:
        if record.pk is None or source is not None:
            return
        owner = "provider" if isinstance(record, Provider) else "topic"
        if other := SourceFile.objects.filter(**{owner: record}).first():
            raise UnstorableError(f"{record} is described already, by {other.path}")

    # --- Source files -----------------------------------------------------------------------------

    def _source_columns(self, parsed: Parsed[Any]) -> dict[str, Any]:
        return {"text": parsed.text, "digest": parsed.digest, "imported_at": self.now}

    def _save_source(self, source: SourceFile | None, parsed: Parsed[Any], **owner: object) -> None:
        source = source or SourceFile(path=parsed.file.path, **owner)
        for name, value in self._source_columns(parsed).items():
            setattr(source, name, value)
        source.save()


def _base(source: SourceFile, shape: type[D]) -> D:
    document = read(source.text.encode(), bare=is_bare(source.path))
    if not isinstance(document, shape):
        raise UnstorableError(f"the path was no {shape.__name__} when it was last imported")
    return document


def _unstated(document: ArticleDocument) -> ArticleDocument:
    """Without the publication state, which verbs move and no merge."""
    return dataclasses.replace(document, published=False)


def _apply(article: Article, document: ArticleDocument, names: Iterable[str], records: Records) -> None:
    """Store the named fields of the document."""
    names = set(names)
    if not names:
        return
    for name in names.intersection(ARTICLE_COLUMNS):
        setattr(article, name, getattr(document, name))
    if "provider" in names:
        for name, value in records.provider_columns(document.provider).items():
            setattr(article, name, value)
    if names - NOISE:
        article.version += 1
        article.modified_at = timezone.now()
    article.save()
    lists: dict[str, Callable[[ArticlePairs, Records], None]] = {
        "topics": write_topics,
        "images": write_pictures,
        "related": write_related,
    }
    for name in names & lists.keys():
        lists[name]([(article, document)], records)


def _outcome(conflicts: Sequence[str], followed: bool, changed: bool) -> Outcome:
    if conflicts:
        return Outcome.CONFLICT
    if followed:
        return Outcome.UPDATED
    return Outcome.KEPT if changed else Outcome.UNCHANGED


def _described(source: SourceFile | None, merged: Merge[Any]) -> Outcome:
    if source is None:
        return Outcome.CREATED
    return _outcome(merged.conflicts, bool(merged.taken), bool(merged.kept))


def _field_data(document: ArticleDocument, name: str) -> Any:
    """One field of a document as JSON, None where it has its default."""
    field_ = next(item for item in dataclasses.fields(document) if item.name == name)
    return to_data(document).get(field_.metadata.get("key", name))


def _free_stems(batch: list[Parsed[ArticleDocument]]) -> tuple[list[str], list[list[str]]]:
    """A stem for each file, none of them in use, and a warning where it is not the file's own name."""
    wanted = [make_stem(parsed.document.published_at, parsed.document.title, _name(parsed)) for parsed in batch]
    taken = set(Article.objects.filter(stem__in=wanted).values_list("stem", flat=True))
    stems, warnings = [], []
    for stem in wanted:
        free = stem if stem not in taken else free_stem(stem, taken)
        taken.add(free)
        stems.append(free)
        warnings.append([] if free == stem else [f"another story is at /news/{stem}/; this one is at /news/{free}/"])
    return stems, warnings


def free_stem(stem: str, taken: Iterable[str] = ()) -> str:
    """`stem` with the lowest number that makes it unused."""
    used = set(taken) | set(Article.objects.filter(stem__startswith=stem).values_list("stem", flat=True))
    number = 2
    while f"{stem}-{number}" in used:
        number += 1
    return f"{stem}-{number}"


def _name(parsed: Parsed[Any]) -> str:
    return parsed.file.file.stem


def _repeated_topics(document: ArticleDocument) -> list[str]:
    keys = [topic_key(name) for name in document.topics]
    return ["a topic is named twice; it counts once"] if len(set(keys)) < len(keys) else []


def _topic_slug(topic: Topic, document: TopicDocument) -> str:
    """The source's `_id` is the topic's address on the sister site, and so here, unless another topic has it."""
    slug = slugify(document.id or document.name, allow_unicode=True)[:100]
    free = slug and not Topic.objects.filter(slug=slug).exclude(pk=topic.pk).exists()
    return slug if free else topic.slug


def _fill_topic(topic: Topic, document: TopicDocument) -> None:
    for name in ("name", "shortname", "description", "extra"):
        setattr(topic, name, getattr(document, name))
    topic.source_id = document.id
    topic.keywords = list(document.keywords)
    topic.hashtags = list(document.hashtags)
    topic.services = document.services or {}
    topic.parent = _parent(topic, document.parent)


def _parent(topic: Topic, name: str) -> Topic | None:
    """The parent by name, made if need be. Raises UnstorableError when the topic would be its own ancestor."""
    if not name:
        return None
    records = Records()
    records.find_topics([name])
    parent = records.topics[topic_key(name)]
    above: Topic | None = parent
    while above is not None:
        if above.pk == topic.pk or above.key == topic_key(topic.name):
            raise UnstorableError(f"parent: {name} is itself below {topic.name}")
        above = above.parent
    return parent
