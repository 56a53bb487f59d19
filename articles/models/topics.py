"""Topics: what stories are about."""

from __future__ import annotations

import hashlib

from django.db import models
from django.db.models import Q
from django.urls import reverse
from taggit.models import TagBase

from articles.documents import topic_key
from images.models import ImageUse, RemoteImage
from providers.words import searchable


class Topic(TagBase):
    """What a story is about. Spellings that differ only in case or spaces are one topic."""

    key = models.CharField(max_length=100, unique=True, editable=False)
    shortname = models.CharField("short name", max_length=100, blank=True)
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children")
    description = models.TextField(blank=True)
    keywords = models.JSONField(default=list, blank=True)
    hashtags = models.JSONField(default=list, blank=True)
    services = models.JSONField(default=dict, blank=True)
    source_id = models.CharField("_id", max_length=200, blank=True, editable=False)
    images = models.ManyToManyField(RemoteImage, through="TopicImage", related_name="topics")
    extra = models.JSONField("other keys", default=dict, blank=True, editable=False)
    body = models.TextField(blank=True, editable=False)
    search_text = models.TextField(blank=True, editable=False)  # the words of its names: see `searchable`

    class Meta:
        ordering = ["name"]
        permissions = [("merge_topic", "Can merge topics")]
        constraints = [
            models.CheckConstraint(condition=~Q(key=""), name="topic_has_a_name"),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=models.F("pk")),
                name="topic_is_not_its_own_parent",
            ),
        ]

    def save(self, *args, **kwargs) -> None:
        self.key = topic_key(self.name)
        self.search_text = searchable(self.name, self.shortname)
        if (fields := kwargs.get("update_fields")) and {"name", "shortname"} & set(fields):
            kwargs["update_fields"] = {*fields, "key", "search_text"}
        super().save(*args, **kwargs)

    def line(self) -> list[Topic]:
        """The topic and what is above it; a circle, should there be one, is walked once."""
        line: list[Topic] = []
        topic: Topic | None = self
        while topic and topic not in line:
            line.append(topic)
            topic = topic.parent
        return line

    def slugify(self, tag: str, i: int | None = None) -> str:
        slug = super().slugify(tag[:90], i)[:100]
        return slug if slug.strip("_-0123456789") else f"topic-{hashlib.sha256(self.key.encode()).hexdigest()[:8]}"

    def get_absolute_url(self) -> str:
        return reverse("topic", args=[self.slug])


class TopicImage(ImageUse):
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="pictures")


class TopicAlias(models.Model):
    """A name that a topic once had: its own, or that of a topic that was merged into it. Imports that name it find the
    topic, unless another one has the name by now."""

    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="aliases")
    key = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=100)

    class Meta:
        verbose_name_plural = "topic aliases"
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name
