"""Rolled-up facts. All rows are written by ``fold`` and can be rebuilt from the fact log."""

from django.db import models

from hongyan.analytics.types import Mark

MARKS = [(mark.value, mark.name.lower()) for mark in Mark]


class MessageMark(models.Model):
    """One message reached one outcome. link: index in the content version, or -1 for the mail as a whole."""

    pk = models.CompositePrimaryKey("origin_kind", "origin_id", "mark", "link", "message_id")
    origin_kind = models.CharField(max_length=32)
    origin_id = models.BigIntegerField()
    mark = models.SmallIntegerField(choices=MARKS)
    link = models.SmallIntegerField(default=-1)
    message_id = models.BigIntegerField()
    contact_id = models.BigIntegerField(null=True)
    first_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["contact_id"], name="messagemark_of_contact")]


class Figure(models.Model):
    """Counts of one origin. messages: distinct messages with the mark; hits: events."""

    pk = models.CompositePrimaryKey("origin_kind", "origin_id", "mark", "link")
    origin_kind = models.CharField(max_length=32)
    origin_id = models.BigIntegerField()
    mark = models.SmallIntegerField(choices=MARKS)
    link = models.SmallIntegerField(default=-1)
    messages = models.BigIntegerField(default=0)
    hits = models.BigIntegerField(default=0)


class Slot(models.Model):
    """Counts per quarter of an hour (UTC), so that hours of every zone can be added up exactly."""

    pk = models.CompositePrimaryKey("origin_kind", "origin_id", "starts_at", "mark")
    origin_kind = models.CharField(max_length=32)
    origin_id = models.BigIntegerField()
    starts_at = models.DateTimeField()
    mark = models.SmallIntegerField(choices=MARKS)
    messages = models.BigIntegerField(default=0)
    hits = models.BigIntegerField(default=0)
