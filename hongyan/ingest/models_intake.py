"""Tables of records that arrive one by one: quarantine for those that could not be taken."""

from django.db import models
from django.db.models.functions import Now

from hongyan.core.ids import uuid7


class QuarantinedRecord(models.Model):
    """A record that could not be taken, as it came, with the reason. Sealed: it may hold anything about anybody."""

    class State(models.TextChoices):
        WAITING = "waiting"
        TAKEN = "taken"  # a later try succeeded; the payload is gone
        DISCARDED = "discarded"  # by a person; the payload is gone

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    source = models.CharField(max_length=80)  # key of the source it came from
    kind = models.CharField(max_length=40)  # which retrier understands the payload
    reference = models.CharField(max_length=64, blank=True, db_default="")  # the run or request it was part of
    payload = models.BinaryField()  # sealed, owner_id = id
    reason = models.CharField(max_length=64)  # stable code; sentences are made by whoever owns the kind
    place = models.CharField(max_length=200, blank=True, db_default="")  # where in the record: a pointer or a column
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["state", "source", "-id"], name="quarantine_by_source"),
            models.Index(fields=["state", "-id"], name="quarantine_newest"),
            models.Index(fields=["created_at"], name="quarantine_by_age"),
        ]
