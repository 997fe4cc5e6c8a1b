"""Where each contact stands: lifecycle stage and RFM scores, the rules they follow from, and the moves.

Rows about people go when the contact goes: the foreign keys are made by migration 0003 and cascade in the database.
"""

from django.db import models
from django.db.models import Q

from hongyan.contacts.models import Contact


class StandingKind(models.TextChoices):
    STAGES = "stages"
    RFM = "rfm"


class StandingRules(models.Model):
    """A definition as it stood; the newest of its kind is in force. Without any, the defaults are."""

    kind = models.CharField(max_length=8, choices=StandingKind)
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    actor_label = models.CharField(max_length=120)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "number"], name="standing_rules_once")]


class StandingState(models.Model):
    """What was last computed, one row a kind. data of RFM: the thresholds in force (see ``audience.rfm``)."""

    kind = models.CharField(max_length=8, primary_key=True, choices=StandingKind)
    number = models.PositiveIntegerField(default=0)  # of the rules it followed; 0: the defaults
    computed_at = models.DateTimeField(null=True)  # when everybody was last looked at
    contacts = models.IntegerField(default=0)
    seconds = models.FloatField(default=0)
    problem = models.CharField(max_length=40, default="", db_default="")
    data = models.JSONField(default=dict)


class Lifecycle(models.Model):
    """The one stage of a contact."""

    contact = models.OneToOneField(
        Contact, primary_key=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    stage = models.CharField(max_length=16)  # audience.types.Stage
    since = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["stage", "contact"], name="lifecycle_of_stage")]


class RFM(models.Model):
    """Scores 1 (worst) to 5 (best) of a contact who ordered at least once."""

    contact = models.OneToOneField(
        Contact, primary_key=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    recency = models.SmallIntegerField()
    frequency = models.SmallIntegerField()
    monetary = models.SmallIntegerField()
    tier = models.CharField(max_length=32)  # key of the tier in the rules
    scored_at = models.DateTimeField()  # since when these scores hold

    class Meta:
        indexes = [models.Index(fields=["tier", "contact"], name="rfm_of_tier")]
        constraints = [
            models.CheckConstraint(
                condition=Q(recency__range=(1, 5), frequency__range=(1, 5), monetary__range=(1, 5)),
                name="rfm_scores_one_to_five",
            )
        ]


class StandingFlow(models.Model):
    """Moves of one day of the organisation's zone from one stage (or tier) to another; "" before: new here."""

    pk = models.CompositePrimaryKey("kind", "day", "before", "after")
    kind = models.CharField(max_length=8, choices=StandingKind)
    day = models.DateField()
    before = models.CharField(max_length=32)
    after = models.CharField(max_length=32)
    contacts = models.IntegerField()
