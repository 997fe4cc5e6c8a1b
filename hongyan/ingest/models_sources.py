"""Places that data is fetched from on a schedule, what each fetch brought, and which files have been read."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from hongyan.core.ids import uuid7
from hongyan.ingest.sources.types import RunState, Schedule, SourceKind, SourceState, Tally, Target
from hongyan.jobs.models import Job


class Source(models.Model):
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in SourceKind])
    target = models.CharField(max_length=12, default=Target.CONTACTS, choices=[(t.value, t.value) for t in Target])
    object_type = models.CharField(max_length=64, blank=True)  # key of the custom object, for Target.OBJECTS
    place = models.JSONField(default=dict)  # where it is and how it is read; nothing secret
    secrets = models.BinaryField(default=bytes)  # sealed JSON; never shown again
    columns = models.JSONField(default=list)  # names seen in the last preview
    mapping = models.JSONField(default=dict)  # column → field of the target
    options = models.JSONField(default=dict)
    schedule = models.JSONField(default=dict)
    state = models.CharField(
        max_length=8, default=SourceState.DRAFT, choices=[(state.value, state.value) for state in SourceState]
    )
    # Where reading goes on, in dlt's own form. Moves in the transaction that delivers what lies before it.
    cursor = models.TextField(blank=True)
    next_run_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    late_since = models.DateTimeField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_run_at"], name="source_due", condition=Q(state=SourceState.ACTIVE.value)),
        ]

    @property
    def plan(self) -> Schedule:
        return Schedule.load(self.schedule)

    @property
    def sealed_key(self) -> str:
        """Under which the quarantine and the event log know this source."""
        return f"source:{self.public_id}"


class SourceRun(models.Model):
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="runs", db_index=False)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    started_by = models.CharField(max_length=120, blank=True)  # empty: the schedule
    state = models.CharField(
        max_length=10, default=RunState.QUEUED, choices=[(state.value, state.value) for state in RunState]
    )
    attempt = models.PositiveSmallIntegerField(default=0)
    read = models.BigIntegerField(default=0)
    created = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    note = models.CharField(max_length=200, blank=True)  # what was read: a file, a range
    error_code = models.CharField(max_length=64, blank=True)
    error_detail = models.CharField(max_length=300, blank=True)  # scrubbed of secrets and of people
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["source", "-id"], name="source_runs_newest")]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["source"],
                condition=Q(state__in=[RunState.QUEUED.value, RunState.RUNNING.value]),
                name="source_run_one_at_a_time",
            )
        ]

    @property
    def unchanged(self) -> int:
        return max(0, self.read - self.created - self.changed - self.quarantined)

    @property
    def seconds(self) -> float | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def open(self) -> bool:
        return self.state in {RunState.QUEUED, RunState.RUNNING}

    @property
    def tally(self) -> Tally:
        return Tally(read=self.read, created=self.created, changed=self.changed, quarantined=self.quarantined)


class SourceFile(models.Model):
    """A file that has been read, or is being read. A file with another time or size is another file."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="files", db_index=False)
    path = models.CharField(max_length=1024)
    version = models.CharField(max_length=80)  # time of change and size
    rows = models.BigIntegerField(default=0)  # passed so far
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["source", "path", "version"], name="source_file_once")
        ]
