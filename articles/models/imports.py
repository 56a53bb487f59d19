"""Where records were imported from, what is disputed between the two, and the runs of the importer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from articles.models.stories import Article
from articles.models.topics import Topic
from providers.models import Provider


class SourceFileQuerySet(models.QuerySet["SourceFile"]):
    def hold(self) -> None:
        """Lock the files until the transaction ends, in the order in which imports do it: by their paths, and before
        the records that they describe. Whoever locks such records holds their files first."""
        list(self.order_by("path").select_for_update().values_list("pk"))


class SourceFile(models.Model):
    """The text a record was last imported from: the base of every later merge, and the way out again.

    `path` is relative to the root of the imported tree, with `/`, and is the record's identity to the importer.
    """

    path = models.CharField(max_length=500, unique=True)
    tree = models.CharField(max_length=1000, blank=True, help_text="The folder that was the root when it was imported.")
    text = models.TextField(help_text="Byte for byte as imported: a BOM and every line ending are kept.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file, in hexadecimal.")
    seen_as = models.CharField(
        max_length=100,
        blank=True,
        help_text="The file's size, times and inode when it was read: while they stay, it need not be.",
    )
    article = models.OneToOneField(Article, on_delete=models.CASCADE, null=True, blank=True, related_name="source_file")
    provider = models.OneToOneField(
        Provider, on_delete=models.CASCADE, null=True, blank=True, related_name="source_file"
    )
    topic = models.OneToOneField(Topic, on_delete=models.CASCADE, null=True, blank=True, related_name="source_file")
    imported_at = models.DateTimeField("imported")

    objects = SourceFileQuerySet.as_manager()

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
