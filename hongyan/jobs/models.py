from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext

from hongyan.core.ids import uuid7
from hongyan.jobs.labels import STATE_LABELS, error_label
from hongyan.jobs.states import ENDED, JobState


class Job(models.Model):
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=64)
    title = models.CharField(max_length=200, blank=True)  # a msgid with %(name)s places; empty: the kind's own
    title_params = models.JSONField(default=dict)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=12, default=JobState.QUEUED, choices=[(s.value, s.value) for s in JobState])
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)  # NULL: not known yet
    note = models.CharField(max_length=200, blank=True)
    rate = models.FloatField(null=True)  # items a second in this attempt
    attempt = models.PositiveSmallIntegerField(default=0)  # also the fencing token: a dead worker's writes are refused
    cancel_requested = models.BooleanField(default=False)
    pause_requested = models.BooleanField(default=False)
    params = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    error_code = models.CharField(max_length=64, blank=True)
    error_message = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    advanced_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["owner", "-id"], name="job_by_owner"),
            models.Index(fields=["state", "-id"], name="job_open", condition=~Q(state__in=sorted(ENDED))),
            models.Index(fields=["kind", "-id"], name="job_by_kind"),
        ]

    @property
    def title_text(self) -> str:
        """The title in the reader's language."""
        from hongyan.jobs.registry import kind_title

        text = gettext(self.title) if self.title else kind_title(self.kind)
        return text % self.title_params if self.title_params else text

    @property
    def state_label(self) -> str:
        return str(STATE_LABELS[self.state])

    @property
    def error_label(self) -> str:
        """Why it failed, in words; empty while it has not."""
        return error_label(self.error_code, self.error_message) if self.error_code else ""

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def percent(self) -> int | None:
        """0 to 100, or None while the total is not known."""
        if not self.total:
            return 100 if self.state == JobState.SUCCEEDED else None
        return min(100, self.done * 100 // self.total)

    @property
    def seconds_left(self) -> int | None:
        if self.state != JobState.RUNNING or not self.total or not self.rate:
            return None
        return max(0, round((self.total - self.done) / self.rate))


class Worker(models.Model):
    """A process that runs lanes and says so every few seconds; one silent for long is dead and swept away."""

    name = models.CharField(max_length=120, unique=True)  # host:pid
    version = models.CharField(max_length=32)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    lanes = models.JSONField(default=dict)  # lane name → what it last did, small
