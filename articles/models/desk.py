"""What editors keep at their desk: views, changes that are not live yet, links for outsiders, and who is where."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone

from articles.models.stories import Article


class SavedView(models.Model):
    """A queue of the desk with filters and an order, under a name."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="desk_views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, help_text="What stands behind the question mark of the desk's address.")
    is_shared = models.BooleanField("shared", default=False, help_text="For all editors, not for its owner alone.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_view_per_name")]

    def __str__(self) -> str:
        return self.name


class WorkingCopy(models.Model):
    """Changes to a story that are not live yet. Documents without sealed text; putting it live is a three-way merge of
    `base`, the story as it is by then, and `document`."""

    article = models.OneToOneField(Article, on_delete=models.CASCADE, related_name="working_copy")
    base = models.JSONField(help_text="The story's document when the changes were begun.")
    base_version = models.PositiveIntegerField(help_text="The story's version then.")
    document = models.JSONField(help_text="The document as it is to be.")
    version = models.PositiveIntegerField(default=1, help_text="Of the changes: one more with each save.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", help_text="Who saved it last."
    )
    note = models.TextField(blank=True)
    began_at = models.DateTimeField(default=timezone.now)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "working copies"

    def __str__(self) -> str:
        return f"of {self.article_id}, {self.saved_at:%Y-%m-%d %H:%M}"


class PreviewLink(models.Model):
    """A secret address at which anybody may see a story as readers would, for a while."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="preview_links")
    token = models.CharField(max_length=43, unique=True, default=secrets.token_urlsafe)  # 256 bits
    shows_changes = models.BooleanField(default=False, help_text="The working copy, as long as there is one.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"to {self.article_id} until {self.expires_at:%Y-%m-%d %H:%M}"


class Presence(models.Model):
    """That somebody has a story's form open, as far as is known: their page says so every few seconds."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="presences", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["article", "user"], name="present_once_per_article")]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.article_id}"
