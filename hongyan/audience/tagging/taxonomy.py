"""Tag groups (three levels) and the tags in them."""

import re

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience import rows
from hongyan.audience.errors import BadValue, HoldsSeveral, InUse
from hongyan.audience.models import TAG_COLOURS, Tag, TagGroup, TagRule
from hongyan.audience.types import GroupValues, TagValues, UsedKind
from hongyan.audience.usage import where_used
from hongyan.audit.services import record

MAX_LEVEL = 3
_KEY = re.compile(r"[\w.-]{1,64}")


def key_of(text: str) -> str:
    """A key from a name or from an import cell: lower case, blanks to hyphens. May be empty when nothing is left."""
    words = re.sub(r"[^\w.-]+", "-", text.strip().lower(), flags=re.UNICODE)
    return words.strip("-")[:64]


@transaction.atomic
def tag_group_create(*, actor: Actor, values: GroupValues, parent: TagGroup | None = None) -> TagGroup:
    actor.require(Permission.AUDIENCE_EDIT)
    _check_names(values.key, values.name_zh or values.name_en)
    level = 1 if parent is None else parent.level + 1
    if level > MAX_LEVEL:
        raise BadValue("parent", _("Tag groups are at most three levels deep."))
    if TagGroup.objects.filter(key=values.key).exists():
        raise BadValue("key", _("There is already a tag group with this key."))
    group = TagGroup.objects.create(
        key=values.key,
        name_zh=values.name_zh.strip() or values.name_en.strip(),
        name_en=values.name_en.strip(),
        parent=parent,
        level=level,
        exclusive=values.exclusive,
        position=_next(TagGroup.objects.filter(parent=parent).aggregate(last=Max("position"))["last"]),
    )
    record(actor=actor, action="tag_group.created", subject_kind="tag_group", subject_id=str(group.public_id))
    return group


@transaction.atomic
def tag_group_update(*, actor: Actor, group: TagGroup, name_zh: str, name_en: str, exclusive: bool) -> TagGroup:
    """Raises HoldsSeveral when the group should become exclusive while some contacts hold several of its tags.

    The key stays: conditions and imports speak of it.
    """
    actor.require(Permission.AUDIENCE_EDIT)
    _check_names(group.key, name_zh or name_en)
    group.name_zh, group.name_en = name_zh.strip() or name_en.strip(), name_en.strip()
    becomes_exclusive = exclusive and not group.exclusive
    group.exclusive = exclusive
    try:
        with transaction.atomic():
            # The foreign key carries the flag into ContactTag; its unique index refuses where someone holds two.
            group.save(update_fields=["name_zh", "name_en", "exclusive"])
    except IntegrityError as error:
        group.exclusive = False
        if not becomes_exclusive:
            raise
        raise HoldsSeveral(rows.scalar("holding_several", group_id=group.pk)) from error
    data = {"exclusive": exclusive}
    record(
        actor=actor, action="tag_group.changed", subject_kind="tag_group", subject_id=str(group.public_id), data=data
    )
    return group


@transaction.atomic
def tag_group_delete(*, actor: Actor, group: TagGroup) -> None:
    """Only an empty group that no audience speaks of."""
    actor.require(Permission.AUDIENCE_EDIT)
    if group.tags.exists() or group.children.exists():
        raise BadValue("group", _("This group still has tags or groups in it. Move or delete them first."))
    uses = where_used(UsedKind.TAG_GROUP, group.key)
    if uses:
        raise InUse(uses)
    record(actor=actor, action="tag_group.deleted", subject_kind="tag_group", subject_id=str(group.public_id))
    group.delete()


@transaction.atomic
def tag_create(*, actor: Actor, group: TagGroup, values: TagValues) -> Tag:
    actor.require(Permission.AUDIENCE_EDIT)
    _check_names(values.key, values.name_zh or values.name_en)
    if values.colour not in TAG_COLOURS:
        raise BadValue("colour", _("This colour is not one of the tag colours."))
    if Tag.objects.filter(key=values.key).exists():
        raise BadValue("key", _("There is already a tag with this key."))
    tag = Tag.objects.create(
        group=group,
        key=values.key,
        name_zh=values.name_zh.strip() or values.name_en.strip(),
        name_en=values.name_en.strip(),
        colour=values.colour,
        position=_next(group.tags.aggregate(last=Max("position"))["last"]),
    )
    record(actor=actor, action="tag.created", subject_kind="tag", subject_id=str(tag.public_id))
    return tag


@transaction.atomic
def tag_update(*, actor: Actor, tag: Tag, name_zh: str, name_en: str, colour: str, group: TagGroup) -> Tag:
    """Moving a tag into an exclusive group raises HoldsSeveral when its holders hold another tag there."""
    actor.require(Permission.AUDIENCE_EDIT)
    _check_names(tag.key, name_zh or name_en)
    if colour not in TAG_COLOURS:
        raise BadValue("colour", _("This colour is not one of the tag colours."))
    tag.name_zh, tag.name_en, tag.colour = name_zh.strip() or name_en.strip(), name_en.strip(), colour
    moves = tag.group_id != group.pk
    if moves:
        if TagRule.objects.filter(tag=tag, live__isnull=False).exists():
            raise BadValue("group", _("A rule decides who holds this tag. Withdraw the rule before moving the tag."))
        overlap = rows.scalar("overlap", tag_id=tag.pk, group_id=group.pk) if group.exclusive else 0
        if overlap:
            raise HoldsSeveral(overlap)
        _move(tag, group)
    tag.save(update_fields=["name_zh", "name_en", "colour"])
    record(actor=actor, action="tag.changed", subject_kind="tag", subject_id=str(tag.public_id), data={"moved": moves})
    return tag


def _move(tag: Tag, group: TagGroup) -> None:
    """Both copies change in one statement: (tag, group) by cascade, (group, exclusive) with it."""
    tag.group = group
    rows.run("move_tag", tag_id=tag.pk, group_id=group.pk, exclusive=group.exclusive)


@transaction.atomic
def tag_delete(*, actor: Actor, tag: Tag) -> int:
    """Refused while something uses it; else everyone loses it. Returns how many contacts held it."""
    actor.require(Permission.AUDIENCE_EDIT)
    uses = where_used(UsedKind.TAG, tag.key)
    if uses:
        raise InUse(uses)
    held = rows.run("drop_tag", tag_id=tag.pk)
    data = {"contacts": held}
    record(actor=actor, action="tag.deleted", subject_kind="tag", subject_id=str(tag.public_id), data=data)
    tag.delete()
    return held


def tag_for_key(*, actor: Actor, key: str, name: str = "") -> Tag:
    """The tag of this key, made in the group "imported" when there is none: imports and the API may bring new ones.
    Raises BadValue when nothing of the key is left after cleaning."""
    actor.require(Permission.AUDIENCE_EDIT)
    clean = key_of(key)
    found = Tag.objects.select_related("group").filter(key=clean).first()
    if found is not None:
        return found
    group = TagGroup.objects.filter(key="imported").first() or tag_group_create(
        actor=actor, values=GroupValues(key="imported", name_zh="导入的标签", name_en="Imported tags")
    )
    shown = (name or key).strip()[:80]
    return tag_create(actor=actor, group=group, values=TagValues(key=clean, name_zh=shown, name_en=shown))


def _check_names(key: str, name: str) -> None:
    if not name.strip():
        raise BadValue("name_zh", _("A name is needed."))
    if len(name) > 80:
        raise BadValue("name_zh", _("The name is too long."))
    if not _KEY.fullmatch(key) or key != key.lower():
        raise BadValue("key", _("A key is made of small letters, digits, Han characters, hyphens and dots."))


def _next(last: int | None) -> int:
    return 0 if last is None else last + 1


@transaction.atomic
def tag_move(*, actor: Actor, tag: Tag, up: bool) -> None:
    """One place up or down among the tags of its group; the order decides between rules of an exclusive group."""
    actor.require(Permission.AUDIENCE_EDIT)
    tags = list(Tag.objects.select_for_update().filter(group_id=tag.group_id))
    place = next(number for number, other in enumerate(tags) if other.pk == tag.pk)
    to = place - 1 if up else place + 1
    if not 0 <= to < len(tags):
        return
    tags[place], tags[to] = tags[to], tags[place]
    for number, other in enumerate(tags):
        other.position = number
    Tag.objects.bulk_update(tags, ["position"])
    record(actor=actor, action="tag.moved", subject_kind="tag", subject_id=str(tag.public_id), data={"place": to})
