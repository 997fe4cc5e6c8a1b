"""Tables of records that arrive one by one: write keys, requests that wait, and quarantine for what was not taken."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from hongyan.core.ids import uuid7


class QuarantinedRecord(models.Model):
    """A record that could not be taken, as it came, with the reason. Sealed: it may hold anything about anybody."""

    class State(models.TextChoices):
        WAITING = "waiting"
        TAKEN = "taken"  # a later try succeeded; the payload is gone
        DISCARDED = "discarded"  # by a person; can be put back until the payload is deleted

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


class WriteKey(models.Model):
    """A place that sends events: a website, an app, a server. The key itself is not kept, only its hash; a browser's
    key, which stands in the open in every page anyway, is also kept sealed so that the snippet can be shown again."""

    class Kind(models.TextChoices):
        BROWSER = "browser"
        SERVER = "server"
        APP = "app"

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    key = models.SlugField(max_length=60, unique=True)  # the ``source`` of its events; never changes
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=Kind)
    origins = ArrayField(models.TextField(), default=list)  # of websites; https://*.example.com for all below
    hash = models.BinaryField(max_length=32, unique=True)  # SHA-256 of the key: 192 random bits need no salt
    hint = models.CharField(max_length=8)  # its last characters, for people to tell keys apart
    sealed = models.BinaryField(null=True)  # owner_id = id; browsers only
    old_hash = models.BinaryField(max_length=32, null=True, unique=True)  # valid a little longer after a rotation
    old_until = models.DateTimeField(null=True)
    rate_limit = models.IntegerField(default=1_000, db_default=1_000)  # events a second of a web process; 0: any number
    created_at = models.DateTimeField(db_default=Now())
    rotated_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    # Written by the lane with each batch.
    first_seen_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    calls = models.BigIntegerField(default=0, db_default=0)
    repeats = models.BigIntegerField(default=0, db_default=0)  # dropped by messageId
    quarantined = models.BigIntegerField(default=0, db_default=0)
    # Written by the edge, seconds late.
    refused = models.BigIntegerField(default=0, db_default=0)  # over the limit: answered 429, not kept
    refused_at = models.DateTimeField(null=True)


class IntakeRequest(models.Model):
    """A request that was answered "accepted" and waits, for seconds, to become contacts and facts. Deleted then."""

    id = models.BigAutoField(primary_key=True)
    write_key_id = models.IntegerField()  # no constraint: a check at each commit would cost more than the row
    received_at = models.DateTimeField()
    kind = models.CharField(max_length=10)  # type of its one call; "" for a batch
    calls = models.IntegerField()
    packed = models.BooleanField()  # gzip inside the seal
    checked = models.BooleanField(default=False, db_default=False)  # the edge found no fault in any of its calls
    body = models.BinaryField()  # sealed, owner_id = write_key_id


class SharedDevice(models.Model):
    """An anonymous id that more than one known person has used: it proves nothing about anybody any more."""

    blind = models.BinaryField(max_length=16, primary_key=True)
    since = models.DateTimeField(db_default=Now())


class LooseTraits(models.Model):
    """Traits of a person for which there is no field yet. Sealed JSON; they move when somebody makes the field."""

    contact_id = models.BigIntegerField(primary_key=True)
    sealed = models.BinaryField()  # owner_id = contact_id
    keys = ArrayField(models.TextField(), default=list)
    changed_at = models.DateTimeField(db_default=Now())
