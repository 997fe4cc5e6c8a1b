"""The tracking plan: what is known of each event name. Counted from the facts by a reader of its own."""

from django.db import models
from django.db.models.functions import Now


class EventName(models.Model):
    """An event name that has been seen or is planned. No partition of its own: a name is a row, whatever its volume."""

    name = models.TextField(unique=True)
    about = models.CharField(max_length=300, blank=True, db_default="")
    planned = models.BooleanField(default=False, db_default=False)  # somebody said: this is as it should be
    closed = models.BooleanField(default=False, db_default=False)  # properties outside the plan are violations
    keep_days = models.IntegerField(null=True)  # None: as all events
    first_seen_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    total = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now())


class EventProperty(models.Model):
    class Type(models.TextChoices):
        TEXT = "text"
        NUMBER = "number"
        BOOLEAN = "boolean"
        TIME = "time"
        LIST = "list"
        OBJECT = "object"

    class Handling(models.TextChoices):
        AUTO = ""  # in the open, unless the name gives away that it is about a person
        OPEN = "open"  # whatever it is called
        DROP = "drop"  # never stored
        SEAL = "seal"  # stored encrypted; no condition can look inside

    event = models.ForeignKey(EventName, on_delete=models.CASCADE, related_name="properties")
    key = models.TextField()
    types = models.JSONField(default=dict, db_default={})  # type → how often it was seen
    type = models.CharField(max_length=8, choices=Type, blank=True, db_default="")  # declared; "": not yet
    required = models.BooleanField(default=False, db_default=False)
    handling = models.CharField(max_length=8, choices=Handling, blank=True, default="", db_default="")
    last_seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "key"], name="event_property_once")]


class EventVolume(models.Model):
    """How many were received a day (UTC)."""

    event = models.ForeignKey(EventName, on_delete=models.CASCADE, related_name="volumes")
    day = models.DateField()
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "day"], name="event_volume_once")]


class EventViolation(models.Model):
    """Facts that were kept although they break the plan."""

    class Code(models.TextChoices):
        MISSING = "missing"  # a required property is not there
        WRONG_TYPE = "wrong_type"
        UNPLANNED = "unplanned"  # a property the closed plan does not know
        IN_FUTURE = "in_future"  # the client's time was ahead; the time of arrival was taken

    event = models.ForeignKey(EventName, on_delete=models.CASCADE, related_name="violations")
    key = models.TextField()
    code = models.CharField(max_length=12, choices=Code)
    count = models.BigIntegerField(default=0)
    sample = models.CharField(max_length=120, blank=True)  # the shape of a value, masked: never the value
    source = models.CharField(max_length=80, blank=True)
    first_at = models.DateTimeField(db_default=Now())
    last_at = models.DateTimeField(db_default=Now())
    event_id_seen = models.BigIntegerField(null=True)  # the newest fact at fault

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "key", "code"], name="event_violation_once")]


class EventPolicy(models.Model):
    """At most one row: how long facts are kept unless their name says otherwise. Without it, the defaults hold."""

    keep_days = models.IntegerField(default=760)  # 25 months: a full year can be compared with the one before
    keep_anonymous_days = models.IntegerField(default=395)
