"""What the database itself keeps of the public site: see `articles.triggers`."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from articles.models.stories import Article
from articles.models.topics import Topic
from providers.models import Provider


class SiteVersion(models.Model):
    """One row, whose token is another one after each transaction that changed what readers see."""

    token = models.BigIntegerField(help_text="Random, so that no restored backup ever repeats another history's.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_site_version")]

    def __str__(self) -> str:
        return str(self.token)


class TopicListing(models.Model):
    """That the page of a topic lists a published story: one with the topic, or with a topic directly below it.

    Triggers alone write this table (`articles.triggers.listings`): nothing but an index that several topics' stories
    can be read from in order. Whether a story is public yet, or still, is the article's to say.
    """

    topic = models.ForeignKey(
        Topic, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="listings"
    )
    article = models.ForeignKey(
        Article, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="listings"
    )
    published_at = models.DateTimeField(help_text="The story's date.")

    class Meta:
        indexes = [models.Index(fields=["topic", "-published_at", "-article"], name="listing_by_topic")]
        constraints = [models.UniqueConstraint(fields=["article", "topic"], name="story_once_per_listing")]

    def __str__(self) -> str:
        return f"{self.article_id} in {self.topic_id}"


class OldAddress(models.Model):
    """The last part of an address that a story, a topic or a provider once had, so that links to it still arrive."""

    class Kind(models.TextChoices):
        ARTICLE = "article"
        TOPIC = "topic"
        PROVIDER = "provider"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=253, help_text="The stem, slug or domain that it had.")
    article = models.ForeignKey(Article, on_delete=models.CASCADE, null=True, related_name="old_addresses")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, null=True, related_name="old_addresses")
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, null=True, related_name="old_addresses")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "old addresses"
        constraints = [
            models.UniqueConstraint(fields=["kind", "name"], name="one_target_per_old_address"),
            models.CheckConstraint(
                condition=Q(kind="article", article__isnull=False, topic__isnull=True, provider__isnull=True)
                | Q(kind="topic", article__isnull=True, topic__isnull=False, provider__isnull=True)
                | Q(kind="provider", article__isnull=True, topic__isnull=True, provider__isnull=False),
                name="old_address_leads_to_one_record",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
