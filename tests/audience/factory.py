"""People, tags and events for tests, written straight into the tables."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hongyan.accounts.permissions import ROLE_PERMISSIONS, Role
from hongyan.accounts.types import Actor, system_actor
from hongyan.audience.models import Tag, TagGroup
from hongyan.audience.tagging.taxonomy import tag_create, tag_group_create
from hongyan.audience.types import GroupValues, TagValues
from hongyan.contacts.models import Contact

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SYSTEM = system_actor("test")


def actor_of(role: Role) -> Actor:
    return Actor(kind="user", id=None, label=role.value, permissions=ROLE_PERMISSIONS[role])


def person(**values: Any) -> Contact:
    return Contact.objects.create(**values)


def people(n: int, **values: Any) -> list[Contact]:
    return Contact.objects.bulk_create(Contact(**values) for _ in range(n))


def group(key: str = "value", *, exclusive: bool = False, parent: TagGroup | None = None) -> TagGroup:
    values = GroupValues(key=key, name_zh=f"{key} 组", name_en=key.title(), exclusive=exclusive)
    return tag_group_create(actor=SYSTEM, values=values, parent=parent)


def tag(key: str, in_group: TagGroup, **names: str) -> Tag:
    return tag_create(actor=SYSTEM, group=in_group, values=TagValues(key=key, **{"name_zh": key, **names}))


def held(tag_: Tag) -> set[int]:
    return set(tag_.contact_tags.values_list("contact_id", flat=True))


Tree = Mapping[str, Any]
