"""Custom objects, companies, notes, and whom each user looked at last."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from hongyan.core.ids import uuid7


class Company(models.Model):
    """An organisation that people belong to. A merged one stays as a signpost to the survivor."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200)  # folded, for finding it again
    domain = models.CharField(max_length=253, blank=True, db_default="")
    external_id = models.CharField(max_length=120, blank=True, db_default="")
    industry = models.CharField(max_length=120, blank=True, db_default="")
    size = models.CharField(max_length=12, blank=True, db_default="")  # a band of head counts: "51-200"
    country = models.CharField(max_length=2, blank=True, db_default="")
    city = models.CharField(max_length=120, blank=True, db_default="")
    attributes = models.JSONField(default=dict, db_default={})
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    source = models.CharField(max_length=64, blank=True, db_default="")
    merged_into = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="absorbed")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"], name="company_external_id_once", condition=~Q(external_id="")
            ),
            models.UniqueConstraint(fields=["domain"], name="company_domain_once", condition=~Q(domain="")),
        ]
        indexes = [
            models.Index(fields=["name_key", "id"], name="company_by_name"),
            models.Index(fields=["updated_at", "id"], name="company_by_updated"),
        ]


class CompanyMerge(models.Model):
    """Two companies became one; whose people moved and what the survivor took over, so that it can be undone."""

    survivor = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="merges")
    loser = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    contact_ids = ArrayField(models.BigIntegerField(), default=list)
    filled = models.JSONField(default=dict)  # field: value the survivor had before
    by_label = models.CharField(max_length=160)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)


class ObjectType(models.Model):
    """A kind of thing people have: a course, a contract, a device. ``fields``: as ``objects_values``."""

    key = models.CharField(max_length=40, unique=True)
    label_zh = models.CharField(max_length=80)
    label_en = models.CharField(max_length=80)
    icon = models.CharField(max_length=40, default="box")
    title_field = models.CharField(max_length=40, blank=True)  # "": the external id stands for it
    fields = models.JSONField(default=list)
    position = models.IntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    archived_at = models.DateTimeField(null=True)


class ObjectRecord(models.Model):
    """One thing of one person. Sensitive values are sealed with the row's id and stand nowhere else."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    type = models.ForeignKey(ObjectType, on_delete=models.PROTECT, related_name="records", db_index=False)
    external_id = models.CharField(max_length=120)
    contact = models.ForeignKey(
        "contacts.Contact", on_delete=models.CASCADE, related_name="objects_held", db_index=False
    )
    title = models.CharField(max_length=200, blank=True)
    attributes = models.JSONField(default=dict, db_default={})
    sealed = models.BinaryField(null=True)
    filled = ArrayField(models.TextField(), default=list, db_default=[])  # keys of sensitive fields with a value
    source = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["type", "external_id"], name="object_once")]
        indexes = [
            models.Index(fields=["contact", "type", "updated_at"], name="object_of_contact"),
            models.Index(fields=["type", "updated_at", "id"], name="object_by_updated"),
            GinIndex(fields=["attributes"], name="object_attributes", opclasses=["jsonb_path_ops"]),
        ]


class ContactNote(models.Model):
    """What staff wrote about a person; sealed with the row's id."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    contact = models.ForeignKey("contacts.Contact", on_delete=models.CASCADE, related_name="+", db_index=False)
    sealed = models.BinaryField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    author_label = models.CharField(max_length=160)
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["contact", "-created_at", "-id"], name="note_of_contact")]


class RecentContact(models.Model):
    """Whom a user opened last, for finding the way back."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    contact = models.ForeignKey("contacts.Contact", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "contact"], name="recent_contact_once")]
        indexes = [models.Index(fields=["user", "-at"], name="recent_contact_of_user")]
