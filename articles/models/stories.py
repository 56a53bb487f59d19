"""Articles, and what belongs to one: topics in their order, pictures, related stories."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator, URLValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThanOrEqual
from django.urls import reverse
from django.utils import timezone
from taggit.managers import TaggableManager
from taggit.models import ItemBase

from articles.documents import EARLIEST, LATEST
from articles.models.topics import Topic
from articles.outbound import link_key
from images.models import ImageUse, RemoteImage
from providers.models import Provider
from providers.words import searchable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


# The importer's own bounds, so that what the form takes can leave and come back.
SANE_DATES = [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]
WEB_ADDRESS = [URLValidator(["http", "https"])]


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


# A published article has a `publish_at`, so this is it; but no index can be entered by it. Nearly all stories went live
# in the past: SQLite would pick those by that index and sort them, where another has them in the order of the list.
_LIVE_FROM = Coalesce("publish_at", "published_at")

# What stories can be ordered by; one that was never scored stands where −1 does.
SCORED_BY = {"heat": Coalesce("heat", -1), "quality": Coalesce("quality", -1)}
WAITING = Q(status__in=["draft", "in_review"])


class ArticleQuerySet(models.QuerySet["Article"]):
    def published(self, at: datetime | None = None) -> ArticleQuerySet:
        """What the public may see, at `at` (default: now). The one definition; computed, so never late."""
        at = at or timezone.now()
        return self.filter(
            Q(unpublish_at__isnull=True) | Q(unpublish_at__gt=at),
            LessThanOrEqual(_LIVE_FROM, at),
            status=Article.Status.PUBLISHED,
        )

    def next_change(self, at: datetime) -> datetime | None:
        """When next after `at` a story goes live or expires by itself, and `published` finds others than at `at`."""
        scheduled = self.filter(status=Article.Status.PUBLISHED).order_by()
        moments = [
            scheduled.filter(**{f"{name}__gt": at}).order_by(name).values_list(name, flat=True).first()
            for name in ("publish_at", "unpublish_at")
        ]
        return min(filter(None, moments), default=None)

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

    no_picture = models.BooleanField(
        "runs without a picture", default=False, help_text="Tick this where it is meant to have none."
    )

    search_text = models.TextField(blank=True, editable=False)  # see `searchable`
    link_key = models.BigIntegerField(null=True, editable=False)  # see `articles.outbound`
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
            # With all that decides what is public, so that deep pages of lists read no rows before their own.
            models.Index(
                fields=["status", "-published_at", "-id", "publish_at", "unpublish_at"], name="article_by_state"
            ),
            models.Index(fields=["-published_at", "-id"], name="article_by_date"),
            models.Index(fields=["status", "-publish_at", "-id"], name="article_by_going_live"),
            models.Index(fields=["unpublish_at"], name="article_by_expiry", condition=Q(unpublish_at__isnull=False)),
            models.Index(fields=["provider", "status", "-published_at", "-id"], name="article_by_provider"),
            models.Index(fields=["type", "-published_at", "-id"], name="article_by_type"),
            models.Index(fields=["-quality", "-published_at", "-id"], name="article_best_first"),
            models.Index(
                fields=["created_by", "-published_at", "-id"],
                name="article_by_author",
                condition=Q(created_by__isnull=False),
            ),
            models.Index(fields=["link_key"], name="article_by_link", condition=Q(link_key__isnull=False)),
            # What waits at the desk, by its scores.
            models.Index("status", SCORED_BY["heat"].desc(), F("id").desc(), name="article_by_heat", condition=WAITING),
            models.Index(
                "status", SCORED_BY["quality"].desc(), F("id").desc(), name="article_by_quality", condition=WAITING
            ),
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
                | Q(unpublish_at__gt=F("publish_at")),
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
        self.link_key = link_key(self.web_url, self.original_url)
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, "search_text", "link_key"}
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("article", args=[self.stem])

    @property
    def outbound_url(self) -> str:
        """Where the story itself is: what a reader follows."""
        return self.web_url or self.original_url

    @property
    def changed_at(self) -> datetime:
        """When it last changed for readers, of a story that is public: heat and seal are nothing to them."""
        return max(moment for moment in (self.modified_at, self.publish_at) if moment)

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
    def is_coming(self) -> bool:
        """It is published from a time that is yet to come."""
        is_ahead = self.publish_at is not None and self.publish_at > timezone.now()
        return self.status == self.Status.PUBLISHED and is_ahead

    @property
    def has_ended(self) -> bool:
        """It was published for a time that is over: it can be scheduled anew."""
        is_over = self.unpublish_at is not None and self.unpublish_at <= timezone.now()
        return self.status == self.Status.PUBLISHED and is_over

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
