"""Tables of this room. Identifying data is one sealed blob a contact; what segments need stands in plain columns."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from hongyan.contacts.models_merging import MergedAway
from hongyan.contacts.models_objects import (
    Company,
    CompanyMerge,
    ContactNote,
    ObjectRecord,
    ObjectType,
    RecentContact,
)
from hongyan.contacts.models_touched import TouchedReader
from hongyan.core.ids import uuid7

__all__ = [
    "Company",
    "CompanyMerge",
    "ConfirmationRequest",
    "ConsentRecord",
    "ConsentState",
    "Contact",
    "ContactNote",
    "FieldDefinition",
    "Identifier",
    "MergedAway",
    "ObjectRecord",
    "ObjectType",
    "RecentContact",
    "SignupForm",
    "Suppression",
    "Tombstone",
    "Topic",
    "TouchedReader",
]


class Contact(models.Model):
    """The person. ``id`` is dense and comes from a sequence, so that bulk writers can take blocks of ids first."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    sealed = models.BinaryField(null=True)  # Identity as JSON, AES-256-GCM, owner_id = id
    seal_version = models.PositiveSmallIntegerField(default=0, db_index=True)
    filled = ArrayField(models.TextField(), default=list, db_default=[])  # keys of identifying fields that have a value
    search_tokens = ArrayField(models.BigIntegerField(), default=list, db_default=[])
    # plain, segmentable, not identifying
    sex = models.SmallIntegerField(default=0, db_default=0)  # ISO/IEC 5218: 0, 1, 2, 9
    language = models.CharField(max_length=35, default="", db_default="")  # BCP 47
    country = models.CharField(max_length=2, default="", db_default="")  # ISO 3166-1 alpha-2
    region = models.CharField(max_length=120, default="", db_default="")
    city = models.CharField(max_length=120, default="", db_default="")
    time_zone = models.CharField(max_length=64, default="", db_default="")  # IANA
    email_domain = models.CharField(max_length=253, default="", db_default="")
    birth_month = models.SmallIntegerField(null=True)
    birth_day = models.SmallIntegerField(null=True)
    has_email = models.BooleanField(default=False, db_default=False)
    has_phone = models.BooleanField(default=False, db_default=False)
    attributes = models.JSONField(default=dict, db_default={})  # custom fields that are not sensitive
    provenance = models.JSONField(default=dict, db_default={})  # {field: [source, observed_at]}
    source = models.CharField(max_length=64, default="", db_default="")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    company = models.ForeignKey(Company, null=True, on_delete=models.SET_NULL, related_name="people", db_index=False)
    is_demo = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    last_activity_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            GinIndex(fields=["search_tokens"], name="contact_search"),
            models.Index(fields=["created_at", "id"], name="contact_by_created"),
            models.Index(fields=["updated_at", "id"], name="contact_by_updated"),
            models.Index(fields=["last_activity_at", "id"], name="contact_by_activity"),
            models.Index(fields=["country", "city"], name="contact_by_place"),
            models.Index(fields=["city", "created_at", "id"], name="contact_by_city"),
            models.Index(fields=["source", "created_at", "id"], name="contact_by_source"),
            GinIndex(fields=["attributes"], name="contact_attributes", opclasses=["jsonb_path_ops"]),
            # Partial: most files bring people without either, and their rows must not pay for it.
            models.Index(
                fields=["company", "created_at", "id"],
                name="contact_by_company",
                condition=models.Q(company__isnull=False),
            ),
            models.Index(
                fields=["owner", "created_at", "id"],
                name="contact_by_owner",
                condition=models.Q(owner__isnull=False),
            ),
        ]


class Identifier(models.Model):
    """References to contacts and topics, here and in the consents, are checked a statement at a time by triggers
    (migration ``references_checked_a_statement_at_a_time``): a check a row was a fifth of an import's work."""

    class Kind(models.TextChoices):
        EMAIL = "email"
        PHONE = "phone"
        EXTERNAL_ID = "external_id"
        ANONYMOUS_ID = "anonymous_id"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="identifiers", db_constraint=False)
    kind = models.CharField(max_length=16, choices=Kind)
    blind = models.BinaryField(max_length=16)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "blind"], name="identifier_once")]


class FieldDefinition(models.Model):
    class Type(models.TextChoices):
        TEXT = "text"
        NUMBER = "number"
        BOOLEAN = "boolean"
        DATE = "date"
        DATETIME = "datetime"
        CHOICE = "choice"
        CHOICES = "choices"
        URL = "url"

    key = models.CharField(max_length=48, unique=True)
    label_zh = models.CharField(max_length=80)
    label_en = models.CharField(max_length=80)
    type = models.CharField(max_length=12, choices=Type)
    sensitive = models.BooleanField(default=False)  # lives in the sealed blob
    options = models.JSONField(default=list)
    position = models.IntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True)


class Topic(models.Model):
    class LegalClass(models.TextChoices):
        COMMERCIAL = "commercial"
        RELATIONSHIP = "relationship"
        TRANSACTIONAL = "transactional"

    key = models.SlugField(max_length=48, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    about_zh = models.CharField(max_length=300, blank=True)
    about_en = models.CharField(max_length=300, blank=True)
    legal_class = models.CharField(max_length=16, choices=LegalClass)
    position = models.IntegerField(default=0)
    active = models.BooleanField(default=True)


class ConsentRecord(models.Model):
    """The ledger: only added to (a trigger refuses UPDATE and DELETE)."""

    class Action(models.TextChoices):
        REQUESTED = "requested"  # double opt-in asked, not yet confirmed
        GIVEN = "given"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"
        EXPIRED = "expired"
        IMPORTED_NONE = "imported_none"  # imported without a lawful basis

    record_id = models.UUIDField(default=uuid7, unique=True)
    contact_id = models.BigIntegerField(null=True)
    pseudonym = models.BinaryField(max_length=16)  # blind index of the address, or of the contact where there is none
    channel = models.CharField(max_length=24)  # email | tracking_open | tracking_click
    # none: the channel as a whole
    topic = models.ForeignKey(Topic, null=True, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    action = models.CharField(max_length=16, choices=Action)
    legal_basis = models.CharField(max_length=32, blank=True)
    wording = models.TextField(blank=True)
    wording_version = models.CharField(max_length=64, blank=True)
    wording_sha256 = models.BinaryField(max_length=32, null=True)
    method = models.CharField(max_length=32)  # form | confirmation | import | staff | preferences | one_click | api
    source_url = models.CharField(max_length=500, blank=True)
    form_id = models.BigIntegerField(null=True)
    sealed_evidence = models.BinaryField(null=True)  # IP address and user agent
    requested_at = models.DateTimeField(null=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    recorded_by = models.CharField(max_length=120)

    class Meta:
        indexes = [models.Index(fields=["contact_id", "-id"], name="consent_of_contact")]


class ConsentState(models.Model):
    """Derived from the ledger in the same transaction: what holds now."""

    class State(models.TextChoices):
        PENDING = "pending"
        GIVEN = "given"
        WITHDRAWN = "withdrawn"
        NONE = "none"

    # Its index is the constraint below, which begins with the contact.
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="consents", db_constraint=False, db_index=False
    )
    channel = models.CharField(max_length=24)
    topic = models.ForeignKey(Topic, null=True, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    state = models.CharField(max_length=12, choices=State)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "channel", "topic"], name="consent_state_once", nulls_distinct=False
            )
        ]
        # What few have, so that lists find them without reading what the many have.
        indexes = [
            models.Index(
                fields=["state", "contact"],
                name="consent_state_rare",
                condition=models.Q(state__in=["pending", "withdrawn"]),
            )
        ]


class Suppression(models.Model):
    """By blind index, so that it outlives erasure and meets the address again at the next import."""

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed"
        COMPLAINED = "complained"
        HARD_BOUNCE = "hard_bounce"
        MANUAL = "manual"
        ERASED = "erased"
        IMPORT = "import"

    kind = models.CharField(max_length=16)  # email | phone | domain
    blind = models.BinaryField(max_length=16)
    domain = models.CharField(max_length=253, blank=True, db_default="")  # in clear for kind domain: it names nobody
    reason = models.CharField(max_length=16, choices=Reason)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "blind", "reason"], name="suppression_once")]
        indexes = [models.Index(fields=["created_at", "id"], name="suppression_by_time")]


class Tombstone(models.Model):
    """What stays of an erased contact: that there was one, so that figures of the past still add up."""

    contact_id = models.BigIntegerField(unique=True)
    public_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField()  # of the contact
    erased_at = models.DateTimeField()
    reason = models.CharField(max_length=16)  # request | retention | staff
    digest = models.CharField(max_length=64)  # of the receipt


class SignupForm(models.Model):
    """A form for double opt-in, hosted and embeddable. ``texts``: language → title, intro, consent, button, done."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=80)
    topics = models.ManyToManyField(Topic)
    fields = models.JSONField(default=list)  # keys of standard and custom fields asked besides the address
    texts = models.JSONField(default=dict)
    wording_version = models.PositiveIntegerField(default=1)  # goes up when the consent text changes
    redirect_hosts = ArrayField(models.CharField(max_length=253), default=list)
    honeypot = models.CharField(max_length=24)  # name of the input that people never see
    hourly_limit = models.PositiveIntegerField(default=20)  # submissions an hour from one address
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")


class ConfirmationRequest(models.Model):
    """A double opt-in that waits for its click. What the person typed is sealed and used only once confirmed."""

    form = models.ForeignKey(SignupForm, null=True, on_delete=models.SET_NULL)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE)
    topic_keys = ArrayField(models.CharField(max_length=48))
    token_sha256 = models.BinaryField(max_length=32, unique=True)
    language = models.CharField(max_length=16)
    wording = models.TextField(blank=True)
    wording_version = models.CharField(max_length=64, blank=True)
    sealed = models.BinaryField(null=True)  # values, address of the page, IP and user agent; owner_id = contact id
    ip_blind = models.BinaryField(max_length=16, null=True)  # for counting only
    created_contact = models.BooleanField(default=False)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["ip_blind", "requested_at"], name="confirmation_by_ip"),
            models.Index(fields=["contact", "requested_at"], name="confirmation_by_contact"),
        ]
