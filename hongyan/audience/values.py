"""Values that really occur in events and objects, offered while somebody types a condition."""

from collections.abc import Mapping
from typing import Any, Final

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audience import rows
from hongyan.audience.compiler.catalogue import Catalogue, FieldType
from hongyan.audience.compiler.emit import fold
from hongyan.audience.compiler.nodes import in_list
from hongyan.audience.types import Suggestion
from hongyan.core.sql import statement

_NEWEST: Final = 5000  # rows looked at
_SHOWN: Final = 20


def values_of_property(*, actor: Actor, catalogue: Catalogue, event: str, key: str, text: str) -> list[Suggestion]:
    """The commonest first; nothing of a sealed property, nor of one that only holds lists or objects. The key
    ``products[].category`` is of the things of a list."""
    actor.require(Permission.CONTACT_VIEW)
    spec = catalogue.events.get(event)
    if spec is None or not key:
        return []
    among = in_list(key)
    known = (spec.properties or {}).get(among[0] if among else key)
    if known is not None and (known.sealed or (among is None and not known.kinds)):
        return []
    if among:
        return _found("values_in_list", text, {"event": event, "list": among[0], "key": among[1]})
    return _found("values_of_property", text, {"event": event, "key": key})


def values_of_object(*, actor: Actor, catalogue: Catalogue, type_key: str, key: str, text: str) -> list[Suggestion]:
    actor.require(Permission.CONTACT_VIEW)
    spec = catalogue.objects.get(type_key)
    field = spec.fields.get(key) if spec is not None else None
    if spec is None or field is None or field.type is not FieldType.TEXT:
        return []
    return _found("values_of_object", text, {"type_id": spec.id, "key": field.attribute or key})


def _found(name: str, text: str, values: Mapping[str, Any]) -> list[Suggestion]:
    query = statement("hongyan.audience", "values.sql", name)
    found = rows.query(query, {**values, "text": fold(text), "newest": _NEWEST, "n": _SHOWN})
    return [Suggestion(value, value, contacts) for value, contacts in found]
