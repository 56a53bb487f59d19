"""Providers: the outlets that stories come from."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from images.models import ImageUse, RemoteImage
from providers.words import searchable


class Provider(models.Model):
    """An outlet. Its domain, in lower case and without port or scheme, is its identity."""

    domain = models.CharField(max_length=253, unique=True, help_text="For example wired.com")
    name = models.CharField(max_length=200)
    other_names = models.JSONField("also known as", default=list, blank=True)
    description = models.TextField(blank=True)
    source_id = models.CharField(
        "_id",
        max_length=253,
        blank=True,
        editable=False,
        help_text="The `_id` of its own file, if it has one.",
    )
    no_pictures = models.CharField(
        "pictures taken down",
        max_length=300,
        blank=True,
        editable=False,
        help_text="Why none of its pictures is shown, nor any that an import brings. Empty: they are.",
    )
    images = models.ManyToManyField(RemoteImage, through="ProviderImage", related_name="providers")
    extra = models.JSONField("other keys", default=dict, blank=True, editable=False)
    body = models.TextField(blank=True, editable=False, help_text="What stands below the front matter of its own file.")
    search_text = models.TextField(blank=True, editable=False)  # the words of its names: see `searchable`
    created_at = models.DateTimeField("created", auto_now_add=True)
    modified_at = models.DateTimeField("modified", auto_now=True)

    class Meta:
        ordering = ["name", "domain"]
        indexes = [models.Index(fields=["name", "domain"], name="provider_by_name")]
        constraints = [
            models.CheckConstraint(condition=~models.Q(domain=""), name="provider_has_a_domain"),
            models.CheckConstraint(condition=~models.Q(name=""), name="provider_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args, **kwargs) -> None:
        self.search_text = searchable(self.name, *map(str, self.other_names))
        if (fields := kwargs.get("update_fields")) and {"name", "other_names"} & set(fields):
            kwargs["update_fields"] = {*fields, "search_text"}
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("provider", args=[self.domain])

    @property
    def logo(self) -> RemoteImage | None:
        """The widest logo. Prefetch `logos__image` before asking many providers."""
        logos = sorted(self.logos.all(), key=lambda use: use.width or 0, reverse=True)
        return logos[0].image if logos else None


class ProviderImage(ImageUse):
    """A logo of a provider, in one of its sizes."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="logos")

    class Meta(ImageUse.Meta):
        verbose_name = "logo"
