"""Tables of matching: runs, the weights they used, pairs of records that may be one person, tokens that find them.

None of them holds personal data in clear: a pair's evidence is the name of a level and a weight for each comparison.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from hongyan.core.ids import uuid7
from hongyan.identity.models_merging import KeptValues, Merge, SurvivorshipRule
from hongyan.jobs.models import Job

__all__ = [
    "Candidate",
    "Frequency",
    "KeptValues",
    "Merge",
    "Model",
    "Profile",
    "Run",
    "SourceRecord",
    "SurvivorshipRule",
]


class Model(models.Model):
    """A trained model, kept for good so that an old decision can still be explained."""

    version = models.PositiveIntegerField(unique=True)
    weights = models.JSONField()  # matching.weights.Weights: comparisons, levels, m, u, term frequencies, lambda
    precision_target = models.FloatField()
    merge_threshold = models.FloatField()  # match probability from which records are merged without asking
    review_threshold = models.FloatField()  # … from which a person is asked
    records = models.BigIntegerField(default=0)  # it was trained on
    trained_at = models.DateTimeField(db_default=Now())


class Run(models.Model):
    class Kind(models.TextChoices):
        FULL = "full"  # every record with every other, new weights
        INCREMENTAL = "incremental"  # new and changed records against all, with the weights there are
        FILES = "files"  # files compared on the command line; nothing is merged

    class State(models.TextChoices):
        RUNNING = "running"
        FINISHED = "finished"
        CANCELLED = "cancelled"
        FAILED = "failed"

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=12, choices=State, default=State.RUNNING)
    model = models.ForeignKey(Model, null=True, on_delete=models.PROTECT, related_name="runs")
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    merge_threshold = models.FloatField(default=1.0)
    review_threshold = models.FloatField(default=1.0)
    counts = models.JSONField(default=dict)  # records, pairs, merged, review, …
    until = models.DateTimeField(null=True)  # changes up to here have been seen; where the next incremental run starts
    seconds = models.FloatField(default=0.0)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-id"], name="identity_run_newest")]


class Candidate(models.Model):
    """Two contacts that may be one person. The pair is stored with the smaller id first."""

    class Verdict(models.TextChoices):
        PENDING = "pending"  # above the review threshold, waits for a person
        MERGED = "merged"
        APART = "apart"  # a person said that these are two people; never asked again
        REVIEW = "review"  # would be merged, but something speaks against it: a person decides

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    contact_low = models.BigIntegerField()
    contact_high = models.BigIntegerField()
    probability = models.FloatField()
    weight = models.FloatField()  # log2 of the odds
    evidence = models.JSONField(default=list)  # [{"comparison", "level", "weight"}, …], no values
    verdict = models.CharField(max_length=8, choices=Verdict, default=Verdict.PENDING)
    value = models.FloatField(default=0.0)  # how much a human answer is worth; highest first
    reason = models.CharField(max_length=40, blank=True)  # of REVIEW: which guard held the pair back
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="candidates")
    model = models.ForeignKey(Model, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact_low", "contact_high"], name="candidate_once"),
            models.CheckConstraint(
                condition=models.Q(contact_low__lt=models.F("contact_high")), name="candidate_in_order"
            ),
        ]
        indexes = [
            models.Index(
                fields=["-value", "id"], name="candidate_open", condition=models.Q(verdict__in=["pending", "review"])
            ),
            models.Index(fields=["contact_high"], name="candidate_high"),
        ]


class Frequency(models.Model):
    """How common a value is among the records the newest model was trained on: a keyed token of it and its share. Only
    values above the floor of the model."""

    column = models.CharField(max_length=24)
    token = models.BigIntegerField()
    share = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["column", "token"], name="frequency_once")]


class Profile(models.Model):
    """What finds a contact among a million: keyed tokens of its blocking keys, see ``online``."""

    contact_id = models.BigIntegerField(primary_key=True)
    tokens = ArrayField(models.BigIntegerField(), default=list)
    updated_at = models.DateTimeField()  # of the contact when the tokens were made

    class Meta:
        indexes = [GinIndex(fields=["tokens"], name="identity_profile_tokens", fastupdate=False)]


class SourceRecord(models.Model):
    """Which contact a row of an input file became. The row's own id is personal data by reference: sealed, and never
    used for matching. ``fingerprint`` finds the row again when a file is imported twice, ``named`` by its id."""

    id = models.BigAutoField(primary_key=True)
    import_id = models.BigIntegerField()  # ingest.Import; that room is above this one
    line = models.BigIntegerField()
    sealed = models.BinaryField()  # the row's id as the file has it; owner_id = contact_id
    fingerprint = models.BinaryField(max_length=16, null=True)
    named = models.BinaryField(max_length=16, null=True)  # blind index of the row's id; NULL: not known yet
    contact_id = models.BigIntegerField()  # as imported; merges are followed when it is read

    class Meta:
        indexes = [
            models.Index(fields=["import_id", "line"], name="source_record_in_file"),
            models.Index(fields=["contact_id"], name="source_record_contact"),
            models.Index(
                fields=["fingerprint"], name="source_record_again", condition=models.Q(fingerprint__isnull=False)
            ),
            models.Index(fields=["named"], name="source_record_named", condition=models.Q(named__isnull=False)),
            models.Index(fields=["id"], name="source_record_unnamed", condition=models.Q(named__isnull=True)),
        ]
