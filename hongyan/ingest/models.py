from typing import ClassVar

from django.conf import settings
from django.db import models

from hongyan.core.ids import uuid7
from hongyan.ingest.models_intake import IntakeRequest, LooseTraits, QuarantinedRecord, SharedDevice, WriteKey
from hongyan.ingest.types import ENDED, Counts, ImportState, Options
from hongyan.jobs.models import Job

__all__ = ["IntakeRequest", "LooseTraits", "QuarantinedRecord", "SharedDevice", "WriteKey"]


class Import(models.Model):
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    file_name = models.CharField(max_length=255)  # as uploaded, for people; never a path
    size = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    stored_name = models.UUIDField(null=True)  # NULL: the file has been deleted
    stored_key = models.BinaryField(default=bytes)  # the file's own key, sealed
    copied_name = models.UUIDField(null=True)  # the chosen sheet of a workbook as delimited text
    sheet = models.CharField(max_length=255, blank=True)
    sheets = models.JSONField(default=list)
    dialect = models.JSONField(default=dict)
    header = models.JSONField(default=list)
    mapping = models.JSONField(default=list)  # target of each column, "" = left out
    options = models.JSONField(default=dict)
    state = models.CharField(
        max_length=12, default=ImportState.DRAFT, choices=[(state.value, state.value) for state in ImportState]
    )
    # The cursor: moves in the same transaction as the rows it has passed.
    chunk = models.PositiveIntegerField(default=0)
    position = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    dry_counts = models.JSONField(null=True)
    dry_samples = models.JSONField(default=list)
    recipe = models.JSONField(default=dict)  # the export of another system this file is, see ``ingest.migrating``
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    dry_job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    error_code = models.CharField(max_length=64, blank=True)
    error_params = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-id"], name="import_newest"),
            models.Index(fields=["sha256"], name="import_by_file"),
        ]

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def choices(self) -> Options:
        return Options.load(self.options)

    @property
    def tally(self) -> Counts:
        return Counts.load(self.counts)


class ImportRejection(models.Model):
    """A row that was not taken. The value is personal data: sealed, and gone with the import's file."""

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rejections", db_index=False)
    line = models.BigIntegerField()
    column = models.PositiveSmallIntegerField(null=True)  # 0-based; NULL = the row as a whole
    code = models.CharField(max_length=64)
    value = models.BinaryField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["batch", "id"], name="rejection_in_order")]


class ImportCreation(models.Model):
    """Which contacts an import brought into being, so that it can be undone. No foreign key: contacts may be erased."""

    id = models.BigAutoField(primary_key=True)
    # No constraint: a million checks at the commits would cost more than the rows, and imports are never deleted.
    batch = models.ForeignKey(
        Import, on_delete=models.CASCADE, related_name="creations", db_index=False, db_constraint=False
    )
    contact_id = models.BigIntegerField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["batch", "contact_id"], name="creation_by_import")
        ]


class ColumnMemory(models.Model):
    """The mapping last used for files with this header, whoever used it."""

    signature = models.BinaryField(max_length=32, unique=True)  # SHA-256 of the plain header names
    mapping = models.JSONField()
    options = models.JSONField(default=dict)
    used_at = models.DateTimeField(auto_now=True)


class Export(models.Model):
    """Contacts written to a file by somebody with a reason."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    format = models.CharField(max_length=8)
    columns = models.JSONField(default=list)
    filters = models.JSONField(default=dict)
    reason = models.CharField(max_length=500)
    language = models.CharField(max_length=16, default="en")
    rows = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    stored_name = models.UUIDField(null=True)
    stored_key = models.BinaryField(default=bytes)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)


from hongyan.ingest.models_sources import Source, SourceFile, SourceRun  # noqa: E402,F401  found by Django here
