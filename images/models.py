from __future__ import annotations

from typing import Literal

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from images.processing import height_for, universal_extension, widths_for

Kind = Literal["webp", "universal"]


class RemoteImage(models.Model):
    """One address of a picture, and what became of it. Addresses with equal bytes share their files.

    The row carries its own work state (attempts, next attempt, reason), so no queue is trusted with it. While somebody
    works on it, its next attempt is the moment from which that somebody is taken for dead.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        CACHED = "cached", "Cached"
        FAILED = "failed", "Failed"
        TAKEN_DOWN = "taken_down", "Taken down"

    source_url = models.CharField(
        "source address",
        max_length=2000,
        unique=True,
        help_text="An http(s) address, or a path beginning with / for a picture from an imported tree.",
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=40, blank=True, help_text="A short code for why there is no new picture.")
    detail = models.CharField(max_length=300, blank=True, help_text="The same in plain words.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Since it was last fetched or asked for.")
    next_attempt_at = models.DateTimeField(
        "next attempt", null=True, blank=True, default=timezone.now, help_text="Empty: never by itself."
    )
    attempted_at = models.DateTimeField("last attempt", null=True, blank=True, db_index=True)
    urgent = models.BooleanField(default=False, help_text="An editor waits for it: it is fetched before all others.")
    etag = models.CharField(max_length=200, blank=True, help_text="What its host calls this version.")
    last_modified = models.CharField(max_length=60, blank=True, help_text="When its host says that it changed.")
    by_hand = models.BooleanField("uploaded here", default=False, help_text="No import and no fetch replaces it.")
    content_hash = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="SHA-256 of the original's bytes, in hexadecimal."
    )
    format = models.CharField(max_length=10, blank=True)
    has_alpha = models.BooleanField("has transparency", default=False)
    width = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels, after the EXIF turn.")
    height = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels, after the EXIF turn.")
    byte_size = models.PositiveIntegerField("size in bytes", null=True, blank=True)
    color = models.CharField("dominant colour", max_length=7, blank=True)
    focus_x = models.PositiveSmallIntegerField(
        "focus from the left", default=50, validators=[MaxValueValidator(100)], help_text="Per cent of the width."
    )
    focus_y = models.PositiveSmallIntegerField(
        "focus from the top", default=50, validators=[MaxValueValidator(100)], help_text="Per cent of the height."
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    fetched_at = models.DateTimeField("fetched", null=True, blank=True)

    class Meta:
        verbose_name = "image"
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["-urgent", "attempts", "id"],
                name="image_work_queue",
                condition=Q(next_attempt_at__isnull=False),
            ),
            models.Index(fields=["state", "-id"], name="image_by_state"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "cached", "failed", "taken_down"]), name="image_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="cached") | (~Q(content_hash="") & Q(width__isnull=False, height__isnull=False)),
                name="cached_image_has_content_and_size",
            ),
            models.CheckConstraint(
                condition=~Q(state="taken_down") | Q(next_attempt_at__isnull=True),
                name="image_taken_down_is_never_fetched",
            ),
            models.CheckConstraint(condition=Q(focus_x__lte=100, focus_y__lte=100), name="image_focus_is_within"),
        ]
        permissions = [("take_down_remoteimage", "Can take pictures down and allow them again")]

    def __str__(self) -> str:
        return self.source_url

    @property
    def is_remote(self) -> bool:
        """Whether it is to be fetched: all but the paths of an imported tree."""
        return not self.source_url.startswith("/")

    @property
    def has_picture(self) -> bool:
        """Whether there are files to show. A cached picture stays while it waits to be fetched again."""
        return bool(self.content_hash) and self.state != self.State.TAKEN_DOWN

    def rendition_widths(self) -> list[int]:
        """The widths there are files for, ascending; empty while there is no picture."""
        return widths_for(self.width, self.height) if self.has_picture and self.width and self.height else []

    def rendition_url(self, width: int, kind: Kind) -> str:
        extension = "webp" if kind == "webp" else universal_extension(self.has_alpha)
        return default_storage.url(rendition_name(self.content_hash, width, extension))

    def rendition_height(self, width: int) -> int:
        """The height that goes with a rendition's width."""
        return height_for(width, self.width or width, self.height or width)


def rendition_name(content_hash: str, width: int, extension: str) -> str:
    """The storage name of a rendition."""
    return f"renditions/{content_hash[:2]}/{content_hash}-{width}.{extension}"


def original_name(content_hash: str, extension: str) -> str:
    """The storage name of an original, as it was fetched."""
    return f"originals/{content_hash[:2]}/{content_hash}.{extension}"


class ImageEvent(models.Model):
    """What somebody did to a picture, and why."""

    class Verb(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        REPLACED = "replaced", "Replaced by hand"
        TAKEN_DOWN = "taken_down", "Taken down"
        ALLOWED = "allowed", "Allowed again"

    image = models.ForeignKey(RemoteImage, on_delete=models.CASCADE, related_name="events")
    verb = models.CharField(max_length=12, choices=Verb.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: it came with a takedown of the same picture, or of its provider's.",
    )
    note = models.CharField("reason", max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_verb_display()}: {self.image}"


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
