"""Topics made one: what was of the one is the other's, its name and its address included."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Least
from django.utils import timezone

from articles import revisions
from articles.bulk import chunks
from articles.documents import topic_key
from articles.models import (
    Article,
    ArticleTopic,
    Event,
    OldAddress,
    SourceFile,
    Topic,
    TopicAlias,
    TopicImage,
    WorkingCopy,
)

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User
    from django.db.models import QuerySet

PERMISSION = "articles.merge_topic"
VERB = "merge_topic"
MOST_STORIES = 10_000  # each gets a revision, and somebody waits for the page
TAKEN_OVER = ("shortname", "description", "services", "extra", "body", "source_id")  # where the target has nothing


class MergeError(Exception):
    """The topics cannot be merged. The message is for the editor."""


@dataclass(frozen=True)
class Concerned:
    """What a merge changes. `stories`: in all states; `shared`: those of them that have both topics already."""

    stories: int
    shared: int
    public: int
    children: int
    pictures: int


def concerned(merged: Topic, target: Topic) -> Concerned:
    """What would become of the one's. A handful of counts."""
    uses = ArticleTopic.objects.filter(tag=merged).order_by()
    return Concerned(
        stories=uses.count(),
        shared=uses.filter(content_object__in=_stories_of(target)).count(),
        public=Article.objects.published().filter(pk__in=_stories_of(merged)).order_by().count(),
        children=Topic.objects.filter(parent=merged).exclude(pk=target.pk).count(),
        pictures=TopicImage.objects.filter(topic=merged).exclude(image__in=_pictures_of(target)).count(),
    )


def merge_topics(merged: Iterable[Topic], target: Topic, *, by: User) -> UUID:
    """Make the topics one with `target`, and tell so in the log of each of their stories, under one batch. It cannot be
    undone. Raises PermissionDenied, MergeError."""
    if not by.has_perm(PERMISSION):
        raise PermissionDenied("You may not merge topics.")
    batch = uuid4()
    with transaction.atomic():
        for topic in sorted(merged, key=lambda topic: topic.pk):
            _Merge(topic.pk, target.pk, by, batch).carry_out()
    return batch


class _Merge:
    """One of them. The caller holds the transaction."""

    def __init__(self, merged: int, target: int, by: User, batch: UUID) -> None:
        if merged == target:
            raise MergeError("A topic cannot be merged into itself.")
        self.keys, self.by, self.batch = (merged, target), by, batch

    def carry_out(self) -> None:
        stories = self._lock()
        revisions.keep_last_of_each(stories)
        self._retopic_stories(stories)
        self._retopic_changes(stories)
        self._move_children()
        self._move_pictures()
        self._move_file()
        self._take_over()
        self._forward()

    def _lock(self) -> list[int]:
        """The files, the stories in the order of their keys, and then the topics: as whoever saves a story holds them.
        Once the topics are held, no other story gets one of them."""
        self._hold_files()
        held: set[int] = set()
        topics: dict[int, Topic] = {}
        while True:
            found = sorted(set(_stories_of(self.keys[0])) - held)
            if topics and not found:
                return sorted(held)
            if len(held) + len(found) > MOST_STORIES:
                raise MergeError(f"More than {MOST_STORIES:,} stories have it. Merge the other into this one instead.")
            for keys in chunks(found):
                rows = Article.objects.filter(pk__in=keys).order_by("pk")
                list(rows.select_for_update().values_list("pk"))
            held.update(found)
            topics = Topic.objects.order_by("pk").select_for_update().in_bulk(self.keys)
            if len(topics) < len(self.keys):
                raise MergeError("One of the topics is no longer there.")
            self.merged, self.target = (topics[key] for key in self.keys)

    def _hold_files(self) -> None:
        """Those of the stories as well: an import that holds one goes on to its topics."""
        files = Q(topic__in=self.keys) | Q(article__in=_stories_of(self.keys[0]))
        SourceFile.objects.filter(files).hold()

    def _retopic_stories(self, stories: list[int]) -> None:
        """At the same place in their order, and once."""
        before = ArticleTopic.objects.filter(tag=self.merged, content_object=OuterRef("content_object"))
        shared = ArticleTopic.objects.filter(tag=self.target, content_object__in=_stories_of(self.merged))
        shared.update(position=Least(F("position"), Subquery(before.values("position")[:1])))
        uses = ArticleTopic.objects.filter(tag=self.merged)
        uses.filter(content_object__in=_stories_of(self.target)).delete()
        uses.update(tag=self.target)
        told = {"merged": self.merged.name, "into": self.target.name}
        note = f"“{self.merged}” was merged into “{self.target}”."
        for keys in chunks(stories):
            rows = Article.objects.filter(pk__in=keys)
            rows.update(version=F("version") + 1, modified_at=timezone.now())
            versions = dict(rows.order_by().values_list("pk", "version"))
            revisions.record_each(list(versions), by=self.by, note=note)
            Event.objects.bulk_create(
                Event(
                    article_id=key,
                    actor=self.by,
                    verb=VERB,
                    note=note,
                    batch=self.batch,
                    data=told | {"version": version},
                )
                for key, version in versions.items()
            )

    def _retopic_changes(self, stories: list[int]) -> None:
        """Changes that are not live yet say it too, or they would be in conflict with what was never edited."""
        for keys in chunks(stories):
            for copy in WorkingCopy.objects.filter(article__in=keys).select_for_update():
                copy.base, copy.document = self._renamed(copy.base), self._renamed(copy.document)
                copy.save(update_fields=["base", "document"])

    def _renamed(self, document: dict[str, Any]) -> dict[str, Any]:
        names = [
            self.target.name if topic_key(name) == self.merged.key else name for name in document.get("topics", [])
        ]
        return document | {"topics": list({topic_key(name): name for name in reversed(names)}.values())[::-1]}

    def _move_children(self) -> None:
        """Where the target lies below, it takes the other's place."""
        if self.merged in self.target.line():
            self.target.parent_id = self.merged.parent_id
            self.target.save(update_fields=["parent"])
        Topic.objects.filter(parent=self.merged).update(parent=self.target)

    def _move_pictures(self) -> None:
        moving = TopicImage.objects.filter(topic=self.merged).exclude(image__in=_pictures_of(self.target))
        place = self.target.pictures.count()
        moving.update(topic=self.target, position=F("position") + place)

    def _move_file(self) -> None:
        """The file goes on to describe the target, if none does; else it describes nothing any more, and imports say
        so."""
        file = SourceFile.objects.filter(topic=self.merged)
        if SourceFile.objects.filter(topic=self.target).exists():
            file.delete()
        else:
            file.update(topic=self.target)

    def _take_over(self) -> None:
        target, merged = self.target, self.merged
        for name in TAKEN_OVER:
            if not getattr(target, name):
                setattr(target, name, getattr(merged, name))
        names = [merged.name, *([merged.shortname] if merged.shortname != target.shortname else [])]
        own = [target.name, target.shortname]
        target.keywords = _joined(target.keywords, [*names, *merged.keywords], besides=own)
        target.hashtags = _joined(target.hashtags, merged.hashtags)
        target.save()

    def _forward(self) -> None:
        """Links and imports that have the old name arrive."""
        OldAddress.objects.filter(topic=self.merged).update(topic=self.target)
        TopicAlias.objects.filter(topic=self.merged).update(topic=self.target)
        slug, name = self.merged.slug, self.merged.name
        self.merged.delete()
        OldAddress.objects.update_or_create(
            kind=OldAddress.Kind.TOPIC, name=slug, defaults={"topic": self.target, "article": None, "provider": None}
        )
        remember_name(name, self.target)


def remember_name(name: str, topic: Topic) -> None:
    """Who names the topic so finds it, unless another topic has the name."""
    TopicAlias.objects.update_or_create(key=topic_key(name), defaults={"name": name, "topic": topic})


def _stories_of(topic: Topic | int) -> QuerySet[ArticleTopic, Any]:
    return ArticleTopic.objects.filter(tag=topic).order_by().values_list("content_object", flat=True)


def _pictures_of(topic: Topic) -> QuerySet[TopicImage, Any]:
    return TopicImage.objects.filter(topic=topic).order_by().values("image")


def _joined(ours: list[str], theirs: Iterable[str], besides: Iterable[str] = ()) -> list[str]:
    """With what is not there yet, in whatever case."""
    joined = list(ours)
    known = {text.casefold() for text in (*ours, *besides)}
    for text in filter(None, theirs):
        if text.casefold() not in known:
            joined.append(text)
            known.add(text.casefold())
    return joined
