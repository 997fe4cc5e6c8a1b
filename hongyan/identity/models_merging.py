"""Tables of merging. Values stand in sealed columns only."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from hongyan.core.ids import uuid7
from hongyan.identity.types import MergeReason, Rule


class Merge(models.Model):
    """Two records became one. Ids without foreign keys: the loser is gone, and the record outlives the survivor."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    survivor_id = models.BigIntegerField(db_index=True)
    survivor_public_id = models.UUIDField()
    loser_id = models.BigIntegerField(db_index=True)
    loser_public_id = models.UUIDField()
    reason = models.CharField(max_length=24, choices=[(reason.value, reason.value) for reason in MergeReason])
    evidence = models.JSONField(default=dict)  # no personal values: weights, kinds of keys, ids of candidates
    choices = models.JSONField(default=dict)  # field → "survivor" | "loser", as a person chose
    # Both profiles before and after, and what every room needs to give its rows back; zlib, owner_id = id of this row.
    # None: undone, or one of the two was erased.
    sealed = models.BinaryField(null=True)
    merged_at = models.DateTimeField()
    merged_by = models.CharField(max_length=160)
    merged_by_id = models.BigIntegerField(null=True)  # a user
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=160, blank=True)
    erased = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["-merged_at", "-id"], name="merge_newest"),
            models.Index(fields=["merged_at"], name="merge_open", condition=Q(undone_at__isnull=True)),
        ]
        constraints = [
            # A record can be merged away once at a time.
            models.UniqueConstraint(fields=["loser_id"], name="merge_once", condition=Q(undone_at__isnull=True)),
            models.CheckConstraint(condition=~Q(survivor_id=models.F("loser_id")), name="merge_two"),
        ]


class KeptValues(models.Model):
    """Why the values of a merged contact are what they are, and the values that lost; owner_id = id of the contact."""

    contact = models.OneToOneField(
        "contacts.Contact", primary_key=True, on_delete=models.CASCADE, related_name="kept_values"
    )
    sealed = models.BinaryField()


class SurvivorshipRule(models.Model):
    """Which of two values stays. field "*": all fields without a rule of their own."""

    field = models.CharField(max_length=64, unique=True)
    rule = models.CharField(max_length=12, choices=[(rule.value, rule.value) for rule in Rule])
    sources = ArrayField(models.CharField(max_length=64), default=list)  # for Rule.SOURCE: the best first
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=160)
