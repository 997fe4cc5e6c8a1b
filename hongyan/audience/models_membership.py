"""Who belongs to which saved audience, kept current by the membership lane.

Rows about people (``Member``, ``MemberMove``, ``MemberDue``) go when the contact goes: a trigger of migration
``membership`` deletes them a statement at a time, so inserting a million members costs no million checks.
"""

from django.db import models
from django.db.models import Q

from hongyan.core.ids import uuid7


class Following(models.Model):
    """How the members of one saved audience stand. Without a row the lane has not met the audience yet: it is live."""

    class State(models.TextChoices):
        WAITING = "waiting"  # to be filled, or to be filled anew after its definition changed
        BUILDING = "building"
        CURRENT = "current"
        BROKEN = "broken"  # the definition is no longer right; members stay as they were
        OFF = "off"  # on demand: no members are kept

    audience = models.OneToOneField(
        "audience.SavedAudience", primary_key=True, on_delete=models.CASCADE, related_name="following"
    )
    live = models.BooleanField(default=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    version = models.PositiveIntegerField(default=0)  # of the definition the members follow
    fingerprint = models.BinaryField(max_length=32, null=True)  # of all the members follow: definition and catalogue
    filled_at = models.DateTimeField(null=True)  # since when moves are told
    computed_at = models.DateTimeField(null=True)  # when everybody was last looked at
    seconds = models.FloatField(default=0)  # that took
    size = models.BigIntegerField(default=0)
    problem = models.CharField(max_length=40, default="", db_default="")  # code, when broken


class Member(models.Model):
    pk = models.CompositePrimaryKey("audience_id", "contact_id")
    audience = models.ForeignKey(
        "audience.SavedAudience", on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    contact = models.ForeignKey(
        "contacts.Contact", on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    since = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["contact", "audience"], name="member_of_contact")]


class MemberMove(models.Model):
    """Somebody came or went. The same stands in the fact log as ``audience_entered`` or ``audience_left``."""

    class Kind(models.TextChoices):
        EVENT = "event"  # cause: its name
        CHANGE = (
            "change"  # of the record; cause: contact, consent, tag, list, facts, company, object, standing, forgotten
        )
        TIME = "time"
        DEFINITION = "definition"

    audience = models.ForeignKey(
        "audience.SavedAudience", on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    contact = models.ForeignKey("contacts.Contact", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    entered = models.BooleanField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind)
    cause = models.TextField(default="", db_default="")

    class Meta:
        indexes = [models.Index(fields=["audience", "-at", "-id"], name="membermove_of_audience")]


class MemberDay(models.Model):
    """One day of the organisation's zone: size at its end (or now), who came and went, and through what."""

    pk = models.CompositePrimaryKey("audience_id", "day")
    audience = models.ForeignKey("audience.SavedAudience", on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    size = models.BigIntegerField(default=0)
    entered = models.BigIntegerField(default=0)
    left = models.BigIntegerField(default=0)
    causes = models.JSONField(default=dict)  # {"event:email_opened": [entered, left]}


class MemberClock(models.Model):
    """A condition that turns with time by a value of the contact's: every contact has the next moment it may turn.
    reader: the lane that asks, of memberships or of standing."""

    reader = models.CharField(max_length=16, default="membership", db_default="membership")
    key = models.CharField(max_length=200)
    by_day = models.BooleanField(default=False)  # moments are days of the organisation's zone, written as UTC midnights
    filled = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reader", "key"], name="clock_once_a_reader")]


class MemberDue(models.Model):
    """A clock of one contact goes off: its audiences are evaluated for the contact, then the next moment is noted."""

    pk = models.CompositePrimaryKey("clock_id", "due_at", "contact_id")
    clock = models.ForeignKey(MemberClock, on_delete=models.CASCADE, related_name="+", db_index=False)
    contact = models.ForeignKey("contacts.Contact", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    due_at = models.DateTimeField()


class MemberLane(models.Model):
    """One row: up to when conditions that turn with time have been looked at."""

    turned_until = models.DateTimeField()
    passed_at = models.DateTimeField()  # what had been committed by then is in the members
    lag_s = models.FloatField(default=0)  # of the newest event of the last batch, from its commit to its members


class AudienceSnapshot(models.Model):
    """Who was in at one moment, as a list that nothing changes any more (but erasure and merging of people)."""

    class State(models.TextChoices):
        TAKING = "taking"
        READY = "ready"

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    audience = models.ForeignKey("audience.SavedAudience", null=True, on_delete=models.SET_NULL, related_name="+")
    list = models.OneToOneField("audience.ContactList", on_delete=models.CASCADE, related_name="snapshot")
    name = models.CharField(max_length=120)  # of the audience then
    version = models.PositiveIntegerField()
    tree = models.JSONField()
    state = models.CharField(max_length=8, choices=State, default=State.TAKING)
    taken_at = models.DateTimeField(null=True)  # the moment it speaks of
    size = models.BigIntegerField(default=0)
    actor_label = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["audience", "-created_at"], name="snapshot_of_audience")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="taking") | Q(taken_at__isnull=False), name="snapshot_ready_has_a_moment"
            )
        ]
