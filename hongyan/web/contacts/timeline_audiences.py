"""Coming into audiences and going out of them, as lines of a person's time."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from hongyan.audience.membership.types import ENTERED, LEFT, CauseKind
from hongyan.audience.models import SavedAudience
from hongyan.contacts.timeline import Position
from hongyan.events.types import EventRow
from hongyan.web.contacts.timeline import Item

_CHANGES: Final[Mapping[str, Promise]] = {
    "contact": gettext_lazy("the record changed"),
    "consent": gettext_lazy("consent changed"),
    "tag": gettext_lazy("a tag was given or taken"),
    "list": gettext_lazy("put on a list or taken off"),
    "facts": gettext_lazy("orders changed"),
    "company": gettext_lazy("the company changed"),
    "object": gettext_lazy("an object changed"),
    "standing": gettext_lazy("stage or score changed"),
    "forgotten": gettext_lazy("old events were deleted"),
    "contact_merged": gettext_lazy("two records became one"),
    "contact_unmerged": gettext_lazy("a merge was undone"),
}


def is_move(row: EventRow) -> bool:
    return row.name in {ENTERED, LEFT}


def audience_names(rows: Iterable[EventRow]) -> dict[str, str]:
    """Public id → name, of the audiences these rows speak of."""
    wanted = {str(row.properties.get("audience", "")) for row in rows if is_move(row)}
    ids = [number for number in map(_uuid, wanted) if number is not None]
    if not ids:
        return {}
    found = SavedAudience.objects.filter(public_id__in=ids).values_list("public_id", "name")
    return {str(public_id): name for public_id, name in found}


def move_item(position: Position, row: EventRow, names: Mapping[str, str], titles: Mapping[str, Promise]) -> Item:
    public_id = str(row.properties.get("audience", ""))
    name = names.get(public_id) or _("an audience that is gone")
    entered = row.name == ENTERED
    words = _("Entered the audience “%(name)s”") if entered else _("Left the audience “%(name)s”")
    return Item(
        position,
        title=words % {"name": name},
        icon="users-plus" if entered else "users-minus",
        link=(f"/audiences/{public_id}/", pgettext("link", "Open")) if public_id in names else ("", ""),
        lines=[_("Because: %(cause)s") % {"cause": _cause(row, titles)}],
        quiet=True,
    )


def _cause(row: EventRow, titles: Mapping[str, Promise]) -> str:
    cause = str(row.properties.get("cause", ""))
    if cause in _CHANGES:
        return str(_CHANGES[cause])
    if row.properties.get("kind") == CauseKind.TIME:
        return _("time passed")
    if row.properties.get("kind") == CauseKind.DEFINITION:
        return _("the definition of the audience changed")
    return str(titles.get(cause, cause))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
