"""Tables of this room. ``delivery_message`` is partitioned by month and made by SQL (see its migration); its model only
maps it. Long statements over it are in ``sql/``."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from hongyan.core.ids import uuid7
from hongyan.delivery.types import MessageState


class Sender(models.Model):
    """Who mails come from, and the company that the law wants named in the footer."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    from_name = models.CharField(_("sender name"), max_length=120)
    from_email = models.CharField(_("sender address"), max_length=254)
    reply_to = models.CharField(_("reply address"), max_length=254, blank=True)
    domain = models.CharField(max_length=253, editable=False)  # of from_email, as an A-label: what DKIM aligns with
    company_name = models.CharField(_("company"), max_length=200)
    postal_address = models.TextField(_("postal address"), max_length=500)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    website = models.CharField(_("website"), max_length=300, blank=True)
    is_default = models.BooleanField(_("default sender"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="delivery_one_default_sender"
            )
        ]


class Message(models.Model):
    """One mail to one person. The recipient's address is not here: it is read from the sealed contact when sending."""

    id = models.BigIntegerField(primary_key=True)
    month = models.DateField()  # of the origin; the partition
    origin_kind = models.TextField()
    origin_id = models.BigIntegerField()
    contact_id = models.BigIntegerField(null=True)  # none: mail to staff, test mails
    content_version_id = models.BigIntegerField(null=True)  # none: DirectContent
    sender_id = models.BigIntegerField()
    topic_id = models.BigIntegerField(null=True)
    variant = models.SmallIntegerField(default=0)
    transactional = models.BooleanField(default=False)
    priority = models.SmallIntegerField()
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    wake_at = models.DateTimeField(null=True)  # when a worker should look again; none while held or finished
    state = models.SmallIntegerField(choices=[(state.value, state.name.lower()) for state in MessageState])
    reason = models.TextField(default="")
    attempts = models.SmallIntegerField(default=0)
    fence = models.BigIntegerField(null=True)  # the claim that may write this row; its lease is in delivery_claim
    claimed_at = models.DateTimeField(null=True)
    dotted_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    message_id = models.TextField(default="")  # the header, without brackets; stable across attempts
    content_sha256 = models.BinaryField(null=True)  # of the exact bytes of the last attempt
    smtp_code = models.SmallIntegerField(null=True)
    smtp_enhanced = models.TextField(default="")
    smtp_text = models.TextField(default="")  # trimmed, addresses removed
    remote_host = models.TextField(default="")
    remote_ip = models.GenericIPAddressField(null=True)
    sending_ip = models.GenericIPAddressField(null=True)
    tls = models.TextField(default="")

    class Meta:
        managed = False
        db_table = "delivery_message"


class Claim(models.Model):
    """The batch a worker holds. ``id`` is the fencing token; when the lease ends, anybody may take the batch apart."""

    id = models.BigAutoField(primary_key=True)
    worker = models.CharField(max_length=200)
    claimed_at = models.DateTimeField()
    lease_until = models.DateTimeField(db_index=True)
    message_ids = ArrayField(models.BigIntegerField())
    months = ArrayField(models.DateField())  # partitions in which they lie


class OriginHold(models.Model):
    """A pause or a cancellation is a record with who and when; "is it paused" asks whether an open one exists."""

    class Action(models.TextChoices):
        PAUSE = "pause"
        CANCEL = "cancel"

    origin_kind = models.CharField(max_length=32)
    origin_id = models.BigIntegerField()
    action = models.CharField(max_length=8, choices=Action)
    begun_at = models.DateTimeField()
    begun_by = models.CharField(max_length=200)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin_kind", "origin_id"],
                condition=models.Q(ended_at=None),
                name="delivery_one_open_hold",
            )
        ]


class DirectContent(models.Model):
    """Address and text of a single mail, sealed (owner: the message), deleted as soon as the message is finished."""

    message_id = models.BigIntegerField(primary_key=True)
    sealed = models.BinaryField()


class Throttle(models.Model):
    """A recipient domain that asked us to wait, or that refuses us for a fault of ours."""

    domain = models.CharField(max_length=253, primary_key=True)
    until = models.DateTimeField()
    level = models.PositiveSmallIntegerField(default=1)  # grows with repeats: minutes, hours, a day
    reason = models.CharField(max_length=32)
    smtp_text = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField()


class CaughtMail(models.Model):
    """What the local catcher took in. A development aid: raw bytes as they came, only the newest are kept."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    received_at = models.DateTimeField(db_index=True)
    mail_from = models.TextField()
    rcpt_to = models.TextField()
    subject = models.TextField()
    from_header = models.TextField(default="")
    size = models.IntegerField()
    raw = models.BinaryField()
