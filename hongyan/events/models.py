"""``events_event`` is partitioned by month of ``occurred_at``; the table is made by SQL, the model only reads it."""

from django.db import models

from hongyan.events.models_catalogue import EventName, EventPolicy, EventProperty, EventViolation, EventVolume
from hongyan.events.models_history import HistoryFile, HistoryName, HistoryProperty, HistoryStale, HistoryState

__all__ = [
    "EventName",
    "EventPolicy",
    "EventProperty",
    "EventViolation",
    "EventVolume",
    "HistoryFile",
    "HistoryName",
    "HistoryProperty",
    "HistoryStale",
    "HistoryState",
]


class Event(models.Model):
    id = models.BigIntegerField(primary_key=True)
    contact_id = models.BigIntegerField(null=True)
    name = models.TextField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    source = models.TextField()
    properties = models.JSONField(default=dict)

    class Meta:
        managed = False
        db_table = "events_event"


class ReaderCursor(models.Model):
    """How far a named reader has read; moved in the same transaction as what the reader wrote."""

    name = models.CharField(max_length=64, primary_key=True)
    tx = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(auto_now=True)
