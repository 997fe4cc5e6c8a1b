"""Rule tags and the movement of tags.

``TagFlow`` is written by statement-level triggers on ``ContactTag`` (migration 0003), one row a statement and tag, so
that whoever writes tags – people, imports, rules, merges, erasure – is counted and nobody waits for a shared counter.
``TagDay`` holds them added up by day.
"""

from django.db import models

from hongyan.core.ids import uuid7


class TagRule(models.Model):
    """Who holds the tag, said as a tree. Only ``live`` writes tags; ``draft`` is what publishing would put there."""

    tag = models.OneToOneField("audience.Tag", primary_key=True, on_delete=models.CASCADE, related_name="rule")
    live = models.JSONField(null=True)  # None: never published, or withdrawn
    draft = models.JSONField(null=True)  # None: the same as live
    published_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)  # when everybody was last held against the live rule
    problem = models.CharField(max_length=40, default="", db_default="")  # why the live rule cannot be followed now
    actor_label = models.CharField(max_length=120)
    changed_at = models.DateTimeField(auto_now=True)


class RuleChange(models.Model):
    """One act on the rules of a group, with what was before: it can be taken back."""

    class Action(models.TextChoices):
        EDIT = "edit"
        ORDER = "order"  # each rule became "rule and none of the earlier ones"
        REST = "rest"  # a tag for everybody whom no rule holds
        PUBLISH = "publish"
        WITHDRAW = "withdraw"
        REPLACE = "replace"  # a stage or tier that went was replaced by another

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    group = models.ForeignKey("audience.TagGroup", on_delete=models.CASCADE, related_name="rule_changes")
    action = models.CharField(max_length=12, choices=Action)
    before = models.JSONField()  # {tag key: {"live": tree | None, "draft": tree | None}} of the rules it changed
    after = models.JSONField()
    made_tag = models.CharField(max_length=64, default="", db_default="")  # key of a tag that this act made
    actor_label = models.CharField(max_length=120)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["group", "-at"], name="rulechange_of_group")]


class TagFlow(models.Model):
    """What one statement did to the holders of a tag; added up into TagDay and gone."""

    tag_id = models.BigIntegerField()
    at = models.DateTimeField()
    added = models.IntegerField(default=0, db_default=0)
    removed = models.IntegerField(default=0, db_default=0)


class TagDay(models.Model):
    """How many contacts came to hold a tag and how many lost it on one day of the organisation's zone."""

    pk = models.CompositePrimaryKey("tag_id", "day")
    tag = models.ForeignKey("audience.Tag", on_delete=models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()
    added = models.IntegerField(default=0, db_default=0)
    removed = models.IntegerField(default=0, db_default=0)


class ReadyAudience(models.Model):
    """A saved audience that came from a ready segment."""

    audience = models.OneToOneField(
        "audience.SavedAudience", primary_key=True, on_delete=models.CASCADE, related_name="ready"
    )
    key = models.CharField(max_length=40)
