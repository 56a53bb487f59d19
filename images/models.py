from __future__ import annotations

from typing import Literal

from django.core.files.storage import default_storage
from django.db import models
from django.db.models import Q

from images.processing import universal_extension, widths_for

Kind = Literal["webp", "universal"]


class RemoteImage(models.Model):
    """One address of a picture, and what became of it. Addresses with equal bytes share their files.

    The row carries its own work state (attempts, next attempt, reason), so no queue is trusted with it.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        CACHED = "cached", "Cached"
        FAILED = "failed", "Failed"

    source_url = models.CharField(
        "source address",
        max_length=2000,
        unique=True,
        help_text="An http(s) address, or a path beginning with / for a picture from an imported tree.",
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=40, blank=True, help_text="A short code for why it failed.")
    detail = models.CharField(max_length=300, blank=True, help_text="Why it failed, in plain words.")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(
        "next attempt", null=True, blank=True, help_text="Empty: at once when waiting, never when failed."
    )
    content_hash = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="SHA-256 of the original's bytes, in hexadecimal."
    )
    format = models.CharField(max_length=10, blank=True)
    has_alpha = models.BooleanField("has transparency", default=False)
    width = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels, after the EXIF turn.")
    height = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels, after the EXIF turn.")
    byte_size = models.PositiveIntegerField("size in bytes", null=True, blank=True)
    color = models.CharField("dominant colour", max_length=7, blank=True)
    created_at = models.DateTimeField("created", auto_now_add=True)
    fetched_at = models.DateTimeField("fetched", null=True, blank=True)

    class Meta:
        verbose_name = "image"
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "next_attempt_at"], name="image_work_queue")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["pending", "cached", "failed"]), name="image_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state="cached") | (~Q(content_hash="") & Q(width__isnull=False, height__isnull=False)),
                name="cached_image_has_content_and_size",
            ),
        ]

    def __str__(self) -> str:
        return self.source_url

    @property
    def is_remote(self) -> bool:
        """Whether it is to be fetched: all but the paths of an imported tree."""
        return not self.source_url.startswith("/")

    @property
    def has_picture(self) -> bool:
        """Whether there are files to show. A cached picture stays while it waits to be fetched again."""
        return bool(self.content_hash)

    def rendition_widths(self) -> list[int]:
        """The widths there are files for, ascending; empty while there is no picture."""
        return widths_for(self.width) if self.has_picture and self.width else []

    def rendition_url(self, width: int, kind: Kind) -> str:
        extension = "webp" if kind == "webp" else universal_extension(self.has_alpha)
        return default_storage.url(rendition_name(self.content_hash, width, extension))

    def rendition_height(self, width: int) -> int:
        """The height that goes with a rendition's width."""
        return max(1, round((self.height or 0) * width / (self.width or width)))


def rendition_name(content_hash: str, width: int, extension: str) -> str:
    """The storage name of a rendition."""
    return f"renditions/{content_hash[:2]}/{content_hash}-{width}.{extension}"


def original_name(content_hash: str, extension: str) -> str:
    """The storage name of an original, as it was fetched."""
    return f"originals/{content_hash[:2]}/{content_hash}.{extension}"


class ImageUse(models.Model):
    """A picture in its place: what one article, provider or topic says about it.

    `width`, `height` and `is_cached` are the source's own claims, kept for export; the truth is on the image.
    """

    image = models.ForeignKey(RemoteImage, on_delete=models.PROTECT, related_name="%(class)s_uses")
    position = models.PositiveSmallIntegerField(default=0)
    width = models.PositiveIntegerField("declared width", null=True, blank=True)
    height = models.PositiveIntegerField("declared height", null=True, blank=True)
    is_cached = models.BooleanField("declared as cached", null=True, blank=True)
    title = models.TextField(blank=True)
    attribution = models.TextField("credit", blank=True)
    alt = models.TextField(
        "alternative text", blank=True, help_text="What the picture shows, for those who cannot see it."
    )
    extra = models.JSONField("other keys", default=dict, blank=True)

    class Meta:
        abstract = True
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.title or str(self.image)
