"""What suggesting audiences has found. Rules and figures only, nothing about single people."""

from django.db import models

from hongyan.core.ids import uuid7
from hongyan.jobs.models import Job


class SuggestionRun(models.Model):
    class Kind(models.TextChoices):
        LOOK_ALIKE = "look_alike"  # people like those of a group
        CLUSTERS = "clusters"  # groups that people fall into

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=Kind)
    target = models.CharField(max_length=120)  # "audience:<public id>", "list:<public id>", "tag:<key>", "everyone"
    target_name = models.CharField(max_length=120, blank=True)  # as it was called then
    tree = models.JSONField()  # of the target
    with_kin = models.BooleanField(default=False)  # the rule may use what defines the group
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    found = models.JSONField(null=True)  # suggest.types.Found
    problem = models.CharField(max_length=40, default="", db_default="")
    actor_label = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-created_at"], name="suggestion_newest")]
