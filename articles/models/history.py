"""What happened to articles, and how they stood."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from articles.models.stories import Article


class Event(models.Model):
    """Something that was done to an article: who, when, what, from where to where, why. Never edited."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,  # an event without its actor would look like an import's: deactivate users instead
        null=True,
        related_name="+",
        db_index=False,  # event_by_actor begins with it
        help_text="Empty: an import did it.",
    )
    verb = models.CharField(max_length=30)
    from_status = models.CharField("from", max_length=20, choices=Article.Status.choices, blank=True)
    to_status = models.CharField("to", max_length=20, choices=Article.Status.choices, blank=True)
    note = models.TextField("why", blank=True)
    batch = models.UUIDField(null=True, blank=True, db_index=True, help_text="Shared by one bulk action.")
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["article", "-at"], name="event_by_article"),
            models.Index(fields=["-at", "-id"], name="event_by_time"),
            models.Index(fields=["verb", "-at", "-id"], name="event_by_verb"),
            models.Index(fields=["actor", "-at", "-id"], name="event_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.article_id} {self.at:%Y-%m-%d %H:%M}"


class Revision(models.Model):
    """The article as a document, as it stood after a save."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="revisions")
    version = models.PositiveIntegerField(help_text="The article's version that this is.")
    document = models.JSONField(help_text="The article's document, keyed as in front matter; no sealed text.")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["article", "version"], name="one_revision_per_version")]

    def __str__(self) -> str:
        return f"{self.article_id} v{self.version}"
