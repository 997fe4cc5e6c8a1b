"""Choosing an audience by ticking saved audiences, lists and tags: the simple half of what a tree can say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from hongyan.audience.models import ContactList, SavedAudience, Tag

EVERYONE = "everyone"
_KINDS = ("audience", "list", "tag")


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    detail: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    kind: str
    label: str
    options: list[Option]

    @property
    def chosen(self) -> int:
        return sum(option.chosen for option in self.options)


def tree_of(values: Sequence[str]) -> dict[str, Any] | None:
    """Anybody of any of these; None when nothing is ticked."""
    leaves: list[dict[str, Any]] = []
    for value in values:
        if value == EVERYONE:
            return {"everyone": True}
        kind, _colon, key = value.partition(":")
        if kind in _KINDS and key:
            leaves.append({kind: key})
    if not leaves:
        return None
    return leaves[0] if len(leaves) == 1 else {"any": leaves}


def with_conditions(values: Sequence[str], conditions: dict[str, Any] | None) -> dict[str, Any] | None:
    """Anybody of the ticked ones, or who meets the conditions."""
    ticked = tree_of(values)
    if ticked is None or conditions is None:
        return conditions if ticked is None else ticked
    if ticked == {"everyone": True}:
        return ticked
    return {"any": [*ticked.get("any", [ticked]), conditions]}


def picks_of(tree: Mapping[str, Any] | None) -> list[str] | None:
    """The ticks that say the same as the tree; None when only conditions can say it.

    >>> picks_of({"any": [{"tag": "vip"}, {"list": "0b"}]})
    ['tag:vip', 'list:0b']
    >>> picks_of({"field": "city", "op": "=", "value": "上海"}) is None
    True
    """
    if tree is None:
        return []
    if tree == {"everyone": True}:
        return [EVERYONE]
    leaves = tree["any"] if set(tree) == {"any"} else [tree]
    found = []
    for leaf in leaves:
        if not isinstance(leaf, Mapping) or len(leaf) != 1:
            return None
        ((kind, key),) = leaf.items()
        if kind not in _KINDS or not isinstance(key, str):
            return None
        found.append(f"{kind}:{key}")
    return found


def groups(chosen: Sequence[str]) -> list[Group]:
    ticked = set(chosen)
    chinese = (get_language() or "zh").startswith("zh")

    def option(value: str, label: str, detail: str = "") -> Option:
        return Option(value, label, detail, value in ticked)

    saved = [option(f"audience:{row.public_id}", row.name, row.description) for row in SavedAudience.objects.all()]
    lists = [option(f"list:{row.public_id}", row.name, row.description) for row in ContactList.objects.all()]
    tags = [
        option(
            f"tag:{row.key}",
            (row.name_zh if chinese else row.name_en) or row.name_zh,
            (row.group.name_zh if chinese else row.group.name_en) or row.group.name_zh,
        )
        for row in Tag.objects.select_related("group").order_by("group__position", "group_id", "position", "id")
    ]
    named = (("audience", _("Saved audiences"), saved), ("list", _("Lists"), lists), ("tag", _("Tags"), tags))
    return [Group(kind, label, options) for kind, label, options in named if options]
