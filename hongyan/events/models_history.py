"""The manifest of the history: which files count, how far they reach, whose rows in them do not."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class HistoryState(models.Model):
    """One row (pk 1), made by the first writer."""

    tx = models.BigIntegerField(default=0, db_default=0)  # events of transactions below are in files
    caught_up_at = models.DateTimeField(null=True)  # when the writer last looked and left nothing behind
    cluster = models.CharField(
        max_length=32, blank=True, default="", db_default=""
    )  # whose transaction numbers these are
    generation = models.BigIntegerField(default=0, db_default=0)  # moved by whoever throws everything away
    left_out = models.BooleanField(default=False, db_default=False)  # some names are not in files: see HistoryName
    built_at = models.DateTimeField(null=True)  # the first time all of PostgreSQL was in files


class HistoryFile(models.Model):
    """Immutable once written. It counts from the commit of this row until ``retired_at``; then the file is kept a while
    for those who are still reading."""

    path = models.TextField(unique=True)
    name = models.TextField()
    month = models.DateField()
    rows = models.IntegerField()
    events = models.BigIntegerField()
    bytes = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    low = models.BigIntegerField()
    high = models.BigIntegerField()
    properties = models.JSONField(default=dict)  # key → [kinds, precision, scale]
    odd = ArrayField(models.BigIntegerField(), default=list)  # contacts left out: a number that no file holds exactly
    made_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["name", "month"], name="history_file_that_counts", condition=models.Q(retired_at=None))
        ]


class HistoryStale(models.Model):
    """Written by the triggers of ``events_event``, one row a statement that changed or deleted facts: either contacts,
    or a cell (name and month). Deleted when the files are right again."""

    tx = models.BigIntegerField()
    contact_ids = ArrayField(models.BigIntegerField(), null=True)
    name = models.TextField(blank=True, default="", db_default="")
    month = models.DateField(null=True)
    at = models.DateTimeField(db_default=Now())


class HistoryProperty(models.Model):
    """A property somebody asked for that the plan alone would not have put into files."""

    name = models.TextField()
    key = models.TextField()
    asked_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "key"], name="history_property_once")]


class HistoryName(models.Model):
    """An event name whose facts stand in files. Whoever puts numbers into names must not fill a store with files: past
    a bound new names are left to PostgreSQL, as a whole."""

    name = models.TextField(unique=True)
    added_at = models.DateTimeField(db_default=Now())
