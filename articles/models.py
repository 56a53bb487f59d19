"""Articles, topics, related stories, where they were imported from, and what happened to them."""

from __future__ import annotations

import hashlib
import html
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from taggit.managers import TaggableManager
from taggit.models import ItemBase, TagBase

from articles.documents import EARLIEST, LATEST, topic_key
from articles.reading.rows import searchable
from images.models import ImageUse, RemoteImage
from providers.models import Provider

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


# The importer's own bounds, so that what the form takes can leave and come back.
SANE_DATES = [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]
WEB_ADDRESS = [URLValidator(["http", "https"])]


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

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(key=""), name="topic_has_a_name"),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=models.F("pk")),
                name="topic_is_not_its_own_parent",
            ),
        ]

    def save(self, *args, **kwargs) -> None:
        self.key = topic_key(self.name)
        if (fields := kwargs.get("update_fields")) and "name" in fields:
            kwargs["update_fields"] = {*fields, "key"}
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


class Told(models.Model):
    """What has a title and an excerpt, in the source's spelling: `&#8217;` where it means an apostrophe."""

    title = models.CharField(max_length=1000)
    excerpt = models.TextField(blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.headline

    @property
    def headline(self) -> str:
        """The title as readers see it."""
        return html.unescape(self.title)

    @property
    def summary(self) -> str:
        """The excerpt as readers see it."""
        return html.unescape(self.excerpt)


class ArticleQuerySet(models.QuerySet["Article"]):
    def published(self, at: datetime | None = None) -> ArticleQuerySet:
        """What the public may see, at `at` (default: now). The one definition; computed, so never late."""
        at = at or timezone.now()
        return self.filter(
            Q(unpublish_at__isnull=True) | Q(unpublish_at__gt=at),
            status=Article.Status.PUBLISHED,
            publish_at__lte=at,
        )

    def newest_first(self) -> ArticleQuerySet:
        return self.order_by("-published_at", "-pk")

    def for_cards(self) -> ArticleQuerySet:
        """With all that a list of stories shows; five queries however many rows."""
        return (
            self.select_related("provider")
            .prefetch_related("pictures__image", "provider__logos__image", "topics")
            .defer("secured", "search_text", "extra", "body", "provider_ref")
        )


class Article(Told):  # type: ignore[django-manager-missing]  # taggit ships no types
    """A story: someone else's article, picked and presented by us."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        PUBLISHED = "published", "Published"
        UNPUBLISHED = "unpublished", "Unpublished"
        REJECTED = "rejected", "Rejected"

    stem = models.CharField(
        max_length=200,
        unique=True,
        validators=[RegexValidator(r"^(?!\.{1,2}$)[^/\x00-\x1f]+$", "A slash cannot be part of an address.")],
        help_text="The last part of the story's address, for example 2024-05-17-a-short-title",
    )
    body = models.TextField(blank=True)
    category = models.CharField(max_length=50, default="news")
    type = models.CharField(max_length=50, default="article")
    provider = models.ForeignKey(
        Provider,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="articles",
        db_index=False,  # article_by_provider begins with it
    )
    provider_ref = models.JSONField(
        default=dict, blank=True, editable=False, help_text="What the source itself said of the provider."
    )
    topics = TaggableManager(
        through="ArticleTopic",
        blank=True,
        ordering=["article_items__position", "article_items__pk"],
    )
    images = models.ManyToManyField(RemoteImage, through="ArticleImage", related_name="articles")

    original_url = models.URLField("original address", max_length=2000, blank=True, validators=WEB_ADDRESS)
    web_url = models.URLField("web address", max_length=2000, blank=True, validators=WEB_ADDRESS)
    amp_web_url = models.URLField("AMP address", max_length=2000, blank=True, validators=WEB_ADDRESS)
    cdn_amp_web_url = models.URLField("AMP cache address", max_length=2000, blank=True, validators=WEB_ADDRESS)
    featured_content = models.TextField(
        "embed",
        blank=True,
        help_text="The embed code of a video, as the source gave it. Never served unchecked.",
    )

    quality = models.IntegerField(null=True, blank=True)
    heat = models.IntegerField(null=True, blank=True, help_text="−1: never scored.")

    status = models.CharField("state", max_length=20, choices=Status.choices, default=Status.DRAFT, editable=False)
    published_at = models.DateTimeField("date", validators=SANE_DATES, help_text="When the source published it.")
    updated_at = models.DateTimeField(
        "updated",
        null=True,
        blank=True,
        validators=SANE_DATES,
        help_text="When the source last changed it, if it says so.",
    )
    publish_at = models.DateTimeField(
        "public from", null=True, blank=True, editable=False, help_text="When it goes live here."
    )
    unpublish_at = models.DateTimeField(
        "public until", null=True, blank=True, editable=False, help_text="When it comes down again."
    )

    search_text = models.TextField(blank=True, editable=False)  # see `searchable`
    secured = models.TextField(blank=True, editable=False)  # sealed: kept and given back, never shown
    extra = models.JSONField("other keys", default=dict, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,  # article_by_author has those that have one
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    modified_at = models.DateTimeField("modified", default=timezone.now, editable=False)

    objects = ArticleQuerySet.as_manager()

    class Meta:
        ordering = ["-published_at", "-pk"]
        permissions = [("publish_article", "Can publish and unpublish articles")]
        indexes = [
            models.Index(fields=["status", "-published_at", "-id"], name="article_by_state"),
            models.Index(fields=["-published_at", "-id"], name="article_by_date"),
            models.Index(fields=["status", "-publish_at", "-id"], name="article_by_going_live"),
            models.Index(fields=["provider", "status", "-published_at", "-id"], name="article_by_provider"),
            models.Index(fields=["type", "-published_at", "-id"], name="article_by_type"),
            models.Index(fields=["created_by"], name="article_by_author", condition=Q(created_by__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="published") | Q(publish_at__isnull=False),
                name="published_article_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "in_review", "published", "unpublished", "rejected"]),
                name="article_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(unpublish_at__isnull=True)
                | Q(publish_at__isnull=True)
                | Q(unpublish_at__gt=models.F("publish_at")),
                name="article_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(published_at__gte=EARLIEST, published_at__lte=LATEST), name="article_has_a_sane_date"
            ),
            models.CheckConstraint(condition=~Q(stem=""), name="article_has_a_stem"),
            models.CheckConstraint(condition=~Q(title=""), name="article_has_a_title"),
        ]

    def save(self, *args, **kwargs) -> None:
        self.search_text = searchable(self.title, self.excerpt)
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, "search_text"}
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("article", args=[self.stem])

    @property
    def outbound_url(self) -> str:
        """Where the story itself is: what a reader follows."""
        return self.web_url or self.original_url

    @property
    def is_public(self) -> bool:
        """The same rule as `objects.published()`, for one loaded article."""
        now = timezone.now()
        return (
            self.status == self.Status.PUBLISHED
            and self.publish_at is not None
            and self.publish_at <= now
            and (self.unpublish_at is None or self.unpublish_at > now)
        )

    @property
    def lead_image(self) -> ArticleImage | None:
        """The first picture. Prefetch `pictures__image` before asking many articles."""
        return next(iter(self.pictures.all()), None)

    def set_topics(self, topics: Iterable[Topic]) -> None:
        """Make `topics` the article's topics, in that order; a repeated one counts once."""
        ArticleTopic.objects.filter(content_object=self).delete()
        ArticleTopic.objects.bulk_create(
            ArticleTopic(content_object=self, tag=topic, position=position)
            for position, topic in enumerate(dict.fromkeys(topics))
        )


def free_stem(wanted: str, taken: Iterable[str] = ()) -> str:
    """`wanted`, or with the first number behind it that neither another story nor `taken` has."""
    used = {*taken, *Article.objects.filter(stem__startswith=wanted).values_list("stem", flat=True)}
    stem, number = wanted, 2
    while stem in used:
        stem, number = f"{wanted}-{number}", number + 1
    return stem


class ArticleTopic(ItemBase):
    """One topic of one article, at its place in the order."""

    tag = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="article_items", verbose_name="topic")
    content_object = models.ForeignKey(
        Article,
        on_delete=models.CASCADE,
        related_name="topic_items",
        verbose_name="article",
        db_index=False,  # the constraint's index begins with it
    )
    position = models.PositiveSmallIntegerField(blank=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["content_object", "tag"], name="topic_once_per_article")]

    def __str__(self) -> str:
        return str(self.tag)

    def save(self, *args, **kwargs) -> None:
        if self.position is None:  # taggit's own add() knows nothing of positions: last comes last
            self.position = ArticleTopic.objects.filter(content_object=self.content_object).count()
        super().save(*args, **kwargs)


class ArticleImage(ImageUse):
    """A picture of an article; the first is the lead."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="pictures")

    class Meta(ImageUse.Meta):
        verbose_name = "picture"


class RelatedStory(Told):
    """Another outlet on the same story."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="related_stories")
    position = models.PositiveSmallIntegerField(default=0)
    published_at = models.DateTimeField("date", null=True, blank=True, validators=SANE_DATES)
    web_url = models.URLField("web address", max_length=2000, validators=WEB_ADDRESS)
    type = models.CharField(max_length=50, blank=True, default="article")
    quality = models.IntegerField(null=True, blank=True)
    provider = models.ForeignKey(
        Provider, on_delete=models.PROTECT, null=True, blank=True, related_name="related_stories"
    )
    provider_ref = models.JSONField(default=dict, blank=True, editable=False)
    images = models.ManyToManyField(RemoteImage, through="RelatedImage", related_name="related_stories")
    extra = models.JSONField("other keys", default=dict, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "related stories"
        ordering = ["position", "pk"]

    @property
    def lead_image(self) -> RelatedImage | None:
        return next(iter(self.pictures.all()), None)


class RelatedImage(ImageUse):
    related_story = models.ForeignKey(RelatedStory, on_delete=models.CASCADE, related_name="pictures")


class SourceFile(models.Model):
    """The text a record was last imported from: the base of every later merge, and the way out again.

    `path` is relative to the root of the imported tree, with `/`, and is the record's identity to the importer.
    """

    path = models.CharField(max_length=500, unique=True)
    tree = models.CharField(max_length=1000, blank=True, help_text="The folder that was the root when it was imported.")
    text = models.TextField(help_text="Byte for byte as imported: a BOM and every line ending are kept.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file, in hexadecimal.")
    seen_as = models.CharField(
        max_length=60,
        blank=True,
        help_text="The file's size, time and inode when it was read: while they stay, it need not be.",
    )
    article = models.OneToOneField(Article, on_delete=models.CASCADE, null=True, blank=True, related_name="source_file")
    provider = models.OneToOneField(
        Provider, on_delete=models.CASCADE, null=True, blank=True, related_name="source_file"
    )
    topic = models.OneToOneField(Topic, on_delete=models.CASCADE, null=True, blank=True, related_name="source_file")
    imported_at = models.DateTimeField("imported")

    class Meta:
        ordering = ["path"]
        constraints = [
            models.CheckConstraint(
                condition=Q(article__isnull=False, provider__isnull=True, topic__isnull=True)
                | Q(article__isnull=True, provider__isnull=False, topic__isnull=True)
                | Q(article__isnull=True, provider__isnull=True, topic__isnull=False),
                name="source_file_describes_one_record",
            )
        ]

    def __str__(self) -> str:
        return self.path


class Conflict(models.Model):
    """A field of a record that its editors and its source both changed, differently. The editors' value is live; the
    source's is kept here until somebody settles it. Values as front matter has them, None where they are absent."""

    source = models.ForeignKey(SourceFile, on_delete=models.CASCADE, related_name="conflicts")
    field = models.CharField(max_length=50, help_text="The document's name for it.")
    base = models.JSONField(null=True, help_text="What both sides last agreed on.")
    theirs = models.JSONField(null=True, help_text="What the source says now.")
    at = models.DateTimeField("since", default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["source", "field"], name="one_conflict_per_field")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.field}"


class ImportRun(models.Model):
    """One run of the importer: who began it, what it was told, and what came of it."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"  # killed, or ended by an error; what it had stored stays stored

    began_at = models.DateTimeField("began", default=timezone.now)
    ended_at = models.DateTimeField("ended", null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", help_text="Empty: a command."
    )
    what = models.TextField(help_text="The paths it was given, or the names of the files that were uploaded.")
    options = models.JSONField(default=dict)
    dry_run = models.BooleanField(default=False)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)
    conflicts = models.PositiveIntegerField("in conflict", default=0)
    failed = models.PositiveIntegerField(default=0)
    warnings = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-pk"]
        permissions = [("run_importrun", "Can import uploaded files")]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M} {self.what}"


class ImportedFile(models.Model):
    """What a run made of one file, where there is something to tell; a file with several warnings has several."""

    class Outcome(models.TextChoices):
        CREATED = "created", "Created"
        UPDATED = "updated", "Updated"
        KEPT = "kept", "Kept as edited here"
        CONFLICT = "conflicts", "In conflict"
        FAILED = "failed", "Failed"
        WARNING = "warnings", "Warning"

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="files", db_index=False)
    path = models.CharField(max_length=500, help_text="Within its tree, as SourceFile has it.")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    fields = models.JSONField(default=list, help_text="Which fields of the document changed, or are in conflict.")
    line = models.PositiveIntegerField(null=True)
    key = models.CharField(max_length=300, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        verbose_name = "imported file"
        ordering = ["pk"]
        indexes = [models.Index(fields=["run", "outcome", "id"], name="imported_file_by_outcome")]

    def __str__(self) -> str:
        return f"{self.path}: {self.get_outcome_display()}"


class Event(models.Model):
    """Something that was done to an article: who, when, what, from where to where, why. Never edited."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,  # an event without its actor would look like an import's: deactivate users instead
        null=True,
        related_name="+",
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
        indexes = [models.Index(fields=["article", "-at"], name="event_by_article")]

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


class ImportUpload(models.Model):
    """Files that somebody uploaded, between the dry run of their import and its confirmation. In the database, as the
    machine that confirms need not be the one that previewed."""

    run = models.OneToOneField(ImportRun, on_delete=models.CASCADE, related_name="upload", help_text="The dry run.")
    created_at = models.DateTimeField("uploaded", default=timezone.now)
    content = models.BinaryField(help_text="A zip of the site's files, each at its path in the archive.")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"of run {self.run_id}"
