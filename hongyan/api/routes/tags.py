"""Tags: the taxonomy, who holds one, giving and taking in batches."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Router, Schema, Status

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.api.auth import actor
from hongyan.api.bodies import Body
from hongyan.api.lookup import contact_ids_by_keys, contact_ids_of
from hongyan.api.paging import Listing, capped, read_cursor, write_cursor
from hongyan.api.problems import Part, Problem
from hongyan.audience.models import ContactTag, TagGroup, TagRule
from hongyan.audience.selectors import tag_sizes, tag_tree
from hongyan.audience.tagging.tags import tag_by_key, tag_contacts, untag_contacts
from hongyan.audience.tagging.taxonomy import key_of, tag_create, tag_group_create
from hongyan.audience.types import GroupValues, OnOtherTag, TagValues

router = Router()
MOST = 1_000


class TagOut(Schema):
    """decided_by: "hand" (people, imports, this API) or "rule"."""

    key: str
    name_zh: str
    name_en: str
    colour: str
    group: str
    exclusive: bool
    decided_by: str
    contacts: int


class GroupOut(Schema):
    key: str
    name_zh: str
    name_en: str
    parent: str | None
    exclusive: bool


class NewTag(Body):
    """group: key of the group. key: what conditions say; made from the name when left out."""

    group: str
    name_zh: str
    name_en: str = ""
    key: str = ""
    colour: str = "grey"


class NewGroup(Body):
    """parent: key of the group above; at most three levels. exclusive: a contact holds at most one tag of it."""

    name_zh: str
    name_en: str = ""
    key: str = ""
    parent: str | None = None
    exclusive: bool = False


class People(Body):
    """Whom: public ids, e-mail addresses and external ids, together at most 1,000 a call. Unknown ones are passed over;
    ``unknown`` counts them for callers who may see identities (null for others: it would tell who is a contact)."""

    contacts: list[UUID] = []
    emails: list[str] = []
    external_ids: list[str] = []


class Members(People):
    on_other: OnOtherTag = Field(
        default=OnOtherTag.REPLACE,
        description="People with another tag of an exclusive group: replace it, or keep it and leave them out.",
    )


class Given(Schema):
    added: int
    replaced: int
    kept: int
    already: int
    unknown: int | None


class Taken(Schema):
    removed: int
    unknown: int | None


class Holder(Schema):
    contact: UUID
    source: str
    at: datetime


@router.get("", response=list[TagOut], summary="All tags with their sizes")
def tags_list(request: HttpRequest) -> list[TagOut]:
    who = actor(request)
    who.require(Permission.CONTACT_VIEW)
    sizes = tag_sizes(actor=who)
    ruled = set(TagRule.objects.filter(live__isnull=False).values_list("tag_id", flat=True))
    return [
        TagOut(
            key=tag.key,
            name_zh=tag.name_zh,
            name_en=tag.name_en,
            colour=tag.colour,
            group=group.key,
            exclusive=group.exclusive,
            decided_by="rule" if tag.pk in ruled else "hand",
            contacts=sizes.get(tag.pk, 0),
        )
        for group, tags in tag_tree(actor=who)
        for tag in tags
    ]


@router.post("", response={201: TagOut}, summary="Make a tag")
def tag_make(request: HttpRequest, data: NewTag) -> Status[TagOut]:
    who = actor(request)
    who.require(Permission.AUDIENCE_EDIT)
    group = _group(data.group, "/group")
    key = key_of(data.key or data.name_en or data.name_zh)
    values = TagValues(key, data.name_zh, data.name_en, data.colour)
    tag = tag_create(actor=who, group=group, values=values)
    made = TagOut(
        key=tag.key,
        name_zh=tag.name_zh,
        name_en=tag.name_en,
        colour=tag.colour,
        group=group.key,
        exclusive=group.exclusive,
        decided_by="hand",
        contacts=0,
    )
    return Status(201, made)


@router.get("/groups", response=list[GroupOut], summary="The groups of tags, each followed by those inside it")
def groups_list(request: HttpRequest) -> list[GroupOut]:
    tree = tag_tree(actor=actor(request))
    keys = {group.pk: group.key for group, _tags in tree}
    return [_group_out(group, keys.get(group.parent_id) if group.parent_id else None) for group, _tags in tree]


@router.post("/groups", response={201: GroupOut}, summary="Make a group of tags")
def group_make(request: HttpRequest, data: NewGroup) -> Status[GroupOut]:
    who = actor(request)
    who.require(Permission.AUDIENCE_EDIT)
    parent = _group(data.parent, "/parent") if data.parent else None
    key = key_of(data.key or data.name_en or data.name_zh)
    values = GroupValues(key, data.name_zh, data.name_en, data.exclusive)
    made = tag_group_create(actor=who, values=values, parent=parent)
    return Status(201, _group_out(made, data.parent))


@router.get("/{key}/members", response=Listing[Holder], summary="Who holds the tag, in the order of the records")
def tag_holders(request: HttpRequest, key: str, cursor: str | None = None, limit: int = 200) -> Listing[Holder]:
    actor(request).require(Permission.CONTACT_VIEW)
    after, most = _after(cursor), capped(limit)
    held = ContactTag.objects.filter(tag=tag_by_key(key), contact_id__gt=after).select_related("contact")
    rows = list(held.order_by("contact_id")[: most + 1])
    items = [Holder(contact=row.contact.public_id, source=row.source, at=row.at) for row in rows[:most]]
    following = rows[most - 1].contact_id if len(rows) > most else None
    return Listing[Holder](items=items, next=write_cursor(["holders", following]) if following else None)


@router.post("/{key}/members", response=Given, summary="Give the tag to contacts")
def tag_give(request: HttpRequest, key: str, data: Members) -> Given:
    who = actor(request)
    who.require(Permission.AUDIENCE_EDIT)
    tag = tag_by_key(key)
    ids, unknown = _ids(who, data)
    outcome = tag_contacts(actor=who, tag=tag, contact_ids=ids, source="api", on_other=data.on_other)
    return Given(
        added=outcome.added,
        replaced=outcome.replaced,
        kept=outcome.kept,
        already=outcome.already,
        unknown=unknown,
    )


@router.post("/{key}/members/removal", response=Taken, summary="Take the tag from contacts")
def tag_take(request: HttpRequest, key: str, data: People) -> Taken:
    who = actor(request)
    who.require(Permission.AUDIENCE_EDIT)
    tag = tag_by_key(key)
    ids, unknown = _ids(who, data)
    outcome = untag_contacts(actor=who, tag=tag, contact_ids=ids, source="api")
    return Taken(removed=outcome.removed, unknown=unknown)


def _ids(who: Actor, data: People) -> tuple[list[int], int | None]:
    """Contacts, each once, and how many of the names led nowhere."""
    given = len(set(data.contacts)) + len(set(data.emails)) + len(set(data.external_ids))
    if given > MOST:
        raise Problem(422, "too-many", _("At most %(most)s entries are allowed.") % {"most": MOST})
    by_id = contact_ids_of(data.contacts)
    by_key = contact_ids_by_keys(emails=data.emails, external_ids=data.external_ids)
    found = len(by_id) + len(by_key)
    return list({*by_id, *by_key.values()}), max(given - found, 0) if who.may(Permission.CONTACT_IDENTITY) else None


def _group(key: str, pointer: str) -> TagGroup:
    group = TagGroup.objects.filter(key=key).first()
    if group is None:
        message = _("There is no tag group with this key.")
        raise Problem(422, "unknown-group", message, [Part(pointer=pointer, code="unknown", message=message)])
    return group


def _group_out(group: TagGroup, parent: str | None) -> GroupOut:
    return GroupOut(
        key=group.key, name_zh=group.name_zh, name_en=group.name_en, parent=parent, exclusive=group.exclusive
    )


def _after(cursor: str | None) -> int:
    place = read_cursor(cursor)
    if place is None:
        return 0
    if not isinstance(place, list) or len(place) != 2 or place[0] != "holders":
        raise Problem.bad_cursor()
    return int(place[1])
