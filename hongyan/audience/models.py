"""Tags, lists and saved audiences.

The rows about people (``ContactTag``, ``ListMember``, ``TagChangeItem``) go when the contact goes: their foreign keys
are made by migration 0002 and cascade in the database, so bulk statements need not know these tables.
"""

from django.db import models
from django.db.models import F, Q

from hongyan.audience.models_membership import (
    AudienceSnapshot,
    Following,
    Member,
    MemberClock,
    MemberDay,
    MemberDue,
    MemberLane,
    MemberMove,
)
from hongyan.audience.models_population import PopulationFile, PopulationState
from hongyan.audience.models_rules import RuleChange, TagDay, TagFlow, TagRule
from hongyan.audience.models_standing import RFM, Lifecycle, StandingFlow, StandingRules, StandingState
from hongyan.audience.models_suggest import SuggestionRun
from hongyan.contacts.models import Contact
from hongyan.core.ids import uuid7

__all__ = [
    "RFM",
    "TAG_COLOURS",
    "AudienceSnapshot",
    "AudienceVersion",
    "ContactList",
    "ContactTag",
    "Following",
    "Lifecycle",
    "ListMember",
    "Member",
    "MemberClock",
    "MemberDay",
    "MemberDue",
    "MemberLane",
    "MemberMove",
    "PopulationFile",
    "PopulationState",
    "RuleChange",
    "SavedAudience",
    "StandingFlow",
    "StandingRules",
    "StandingState",
    "SuggestionRun",
    "Tag",
    "TagChange",
    "TagChangeItem",
    "TagDay",
    "TagFlow",
    "TagGroup",
    "TagRule",
    "current_versions",
]
TAG_COLOURS = ("teal", "blue", "violet", "pink", "red", "orange", "amber", "green", "grey")


class TagGroup(models.Model):
    """A level of the taxonomy, at most three deep. In an exclusive group a contact holds at most one tag."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    key = models.CharField(max_length=64, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    level = models.PositiveSmallIntegerField(default=1)
    exclusive = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(level=1, parent=None) | Q(level__in=(2, 3), parent__isnull=False),
                name="taggroup_three_levels",
            ),
            # Target of the foreign key that carries ``exclusive`` into ContactTag.
            models.UniqueConstraint(fields=["id", "exclusive"], name="taggroup_id_exclusive"),
        ]


class Tag(models.Model):
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    key = models.CharField(max_length=64, unique=True)  # lower case; what conditions and imports say
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    colour = models.CharField(max_length=16, default="grey", choices=[(c, c) for c in TAG_COLOURS])
    group = models.ForeignKey(TagGroup, on_delete=models.PROTECT, related_name="tags")
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "id"]
        # Target of the foreign key that carries ``group`` into ContactTag.
        constraints = [models.UniqueConstraint(fields=["id", "group"], name="tag_id_group")]


class ContactTag(models.Model):
    """A contact holds a tag. ``group`` and ``exclusive`` are copies kept true by foreign keys that cascade updates, so
    that a partial unique index can refuse a second tag of an exclusive group whoever writes it."""

    pk = models.CompositePrimaryKey("contact_id", "tag_id")
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="contact_tags", db_index=False, db_constraint=False
    )
    tag = models.ForeignKey(
        Tag, on_delete=models.CASCADE, related_name="contact_tags", db_index=False, db_constraint=False
    )
    group = models.ForeignKey(TagGroup, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    exclusive = models.BooleanField(default=False)
    source = models.CharField(max_length=64)  # "user", "import", "api", "rule", "demo"
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["tag", "contact"], name="contacttag_members")]
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "group"], condition=Q(exclusive=True), name="contacttag_one_of_exclusive_group"
            )
        ]


class TagChange(models.Model):
    """One act of tagging or untagging, of one person or a million; it can be undone as one."""

    class Action(models.TextChoices):
        ADD = "add"
        REMOVE = "remove"

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="changes")
    action = models.CharField(max_length=8, choices=Action)
    source = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=120)
    at = models.DateTimeField()
    affected = models.PositiveIntegerField(default=0)
    reached = models.BigIntegerField(default=0)  # a bulk act has dealt with contacts up to this id
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["tag", "-at"], name="tagchange_of_tag")]


class TagChangeItem(models.Model):
    """What the act really changed for one contact; ``previous`` is the tag an exclusive group gave up for it."""

    pk = models.CompositePrimaryKey("change_id", "contact_id")
    change = models.ForeignKey(TagChange, on_delete=models.CASCADE, related_name="items", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    previous = models.ForeignKey(Tag, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)


class ContactList(models.Model):
    """People put together by hand or by an import."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=120, unique=True)
    description = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]


class ListMember(models.Model):
    pk = models.CompositePrimaryKey("list_id", "contact_id")
    list = models.ForeignKey(ContactList, on_delete=models.CASCADE, related_name="members", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="list_memberships", db_constraint=False)
    source = models.CharField(max_length=64)
    at = models.DateTimeField()


class SavedAudience(models.Model):
    """A named audience. Its definition is the tree of its newest version."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=120, unique=True)
    description = models.CharField(max_length=400, blank=True)
    current = models.PositiveIntegerField(default=1)  # number of the newest version
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]


class AudienceVersion(models.Model):
    """A definition as it stood; never changed."""

    audience = models.ForeignKey(SavedAudience, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    tree = models.JSONField()
    digest = models.BinaryField(max_length=32)  # SHA-256 of the canonical form
    actor_label = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["audience", "number"], name="audience_version_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="audience_version_counts_from_one"),
        ]


def current_versions() -> models.QuerySet[AudienceVersion]:
    """The newest version of every saved audience."""
    return AudienceVersion.objects.filter(number=F("audience__current")).select_related("audience")
