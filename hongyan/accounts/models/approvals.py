from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from hongyan.accounts.approval_states import ApprovalState, RuleKind
from hongyan.accounts.models.users import User
from hongyan.core.ids import uuid7


class ApprovalRule(models.Model):
    """When a send needs other people's consent, and of how many. The strictest matching rule counts."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in RuleKind])
    min_size = models.PositiveIntegerField(null=True)  # audience_size: from so many people on
    tag = models.CharField(max_length=80, blank=True)  # audience_tag: somebody in it has this tag
    approvers = models.PositiveSmallIntegerField(default=1)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(approvers__in=[1, 2]), name="approval_rule_one_or_two"),
            models.CheckConstraint(
                condition=~Q(kind="audience_size") | Q(min_size__isnull=False), name="approval_rule_has_size"
            ),
            models.CheckConstraint(condition=~Q(kind="audience_tag") | ~Q(tag=""), name="approval_rule_has_tag"),
        ]


class ApprovalRequest(models.Model):
    """Asks for consent to one content going to one audience; both are named by their hashes."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    content_hash = models.BinaryField()
    audience_hash = models.BinaryField()
    audience_size = models.PositiveIntegerField()
    required = models.PositiveSmallIntegerField()
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    author_ids = ArrayField(models.BigIntegerField())  # whoever asked or wrote it: may not approve it
    comment = models.TextField(blank=True, max_length=2000)
    state = models.CharField(
        max_length=12, default=ApprovalState.PENDING, choices=[(s.value, s.value) for s in ApprovalState]
    )
    reason = models.CharField(max_length=64, blank=True)  # why it became void
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id"],
                condition=Q(state__in=["pending", "approved"]),
                name="one_open_approval_per_subject",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["subject_kind", "subject_id", "-id"], name="approval_by_subject")
        ]


class ApprovalDecision(models.Model):
    request = models.ForeignKey(ApprovalRequest, on_delete=models.CASCADE, related_name="decisions")
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    approved = models.BooleanField()
    comment = models.TextField(blank=True, max_length=2000)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "by"], name="one_decision_per_person")]
