from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from hongyan.campaigns.states import Act, State
from hongyan.campaigns.types import Stage, Timing
from hongyan.content.types import MailType
from hongyan.core.ids import uuid7


class Campaign(models.Model):
    """One mail to one audience. ``state`` is moved by ``transitions.move`` only."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=160)
    stage = models.CharField(max_length=16, choices=[(s.value, s.value) for s in Stage])
    mail_type = models.CharField(max_length=24, choices=[(t.value, t.value) for t in MailType])
    goal = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in State], default=State.DRAFT.value)
    revision = models.PositiveIntegerField(default=1)  # grows with every edit; two editors cannot overwrite each other

    # to whom
    audience = models.JSONField(null=True, blank=True)
    exclusions = models.JSONField(null=True, blank=True)
    topic = models.ForeignKey("contacts.Topic", null=True, on_delete=models.PROTECT, related_name="+")
    # what
    template = models.ForeignKey("content.Template", null=True, on_delete=models.PROTECT, related_name="+")
    subject = models.TextField(blank=True)  # empty: the template's
    preheader = models.TextField(blank=True)
    choices = models.JSONField(default=dict, blank=True)  # field path -> {"choice": …, "text": …}
    # from whom, when
    sender = models.ForeignKey("delivery.Sender", null=True, on_delete=models.PROTECT, related_name="+")
    timing = models.CharField(max_length=8, choices=[(t.value, t.value) for t in Timing], default=Timing.NOW.value)
    send_at = models.DateTimeField(null=True, blank=True)

    # what was approved or cleared, and is therefore what goes out
    content_version = models.ForeignKey("content.ContentVersion", null=True, on_delete=models.PROTECT, related_name="+")
    content_hash = models.CharField(max_length=64, blank=True)
    audience_hash = models.CharField(max_length=64, blank=True)
    approval = models.ForeignKey("accounts.ApprovalRequest", null=True, on_delete=models.SET_NULL, related_name="+")

    # what happened
    origin_month = models.DateField(null=True)  # part of the origin of its messages; fixed when freezing begins
    matched = models.PositiveIntegerField(null=True)  # people of the audience when it was frozen
    frozen_outside = models.JSONField(default=dict)  # those without a message, by reason
    recipients = models.PositiveIntegerField(null=True)  # messages written to the outbox
    failure = models.CharField(max_length=64, blank=True)  # code of what made it fail
    freezing_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    is_demo = models.BooleanField(default=False)
    author_ids = ArrayField(models.BigIntegerField(), default=list)  # whoever wrote at it: may not approve it
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="campaign_newest_first"),
            models.Index(fields=["state", "send_at"], name="campaign_by_state"),
            models.Index(fields=["mail_type", "-started_at"], name="campaign_history_of_type"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=State.SCHEDULED.value) | Q(send_at__isnull=False), name="campaign_scheduled_has_time"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[State.SENDING.value, State.PAUSED.value, State.FINISHED.value])
                | Q(content_version__isnull=False, recipients__isnull=False, origin_month__isnull=False),
                name="campaign_sending_is_frozen",
            ),
        ]


class Progress(models.Model):
    """How far the sending is, counted every few seconds by one follower instead of by everybody who looks."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="progress", primary_key=True)
    states = models.JSONField(default=dict)  # message state -> count
    reasons = models.JSONField(default=list)  # [[state, reason, count], …]
    first_sent_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    per_second = models.FloatField(null=True)  # mails sent a second, smoothed; none while nothing moves
    counted_at = models.DateTimeField()
    cost_ms = models.PositiveIntegerField(default=0)  # of counting; dear counts are made less often
    settled = models.BooleanField(default=False)  # nothing can change any more


class Transition(models.Model):
    """One step of a campaign's life: who, when, from where to where, with what words."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="transitions")
    act = models.CharField(max_length=20, choices=[(a.value, a.value) for a in Act])
    from_state = models.CharField(max_length=20)
    to_state = models.CharField(max_length=20)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=200)
    note = models.TextField(blank=True)  # a comment, or the code of a reason
    data = models.JSONField(default=dict)  # exact counts at that moment

    class Meta:
        indexes = [models.Index(fields=["campaign", "at", "id"], name="transition_of_campaign")]
