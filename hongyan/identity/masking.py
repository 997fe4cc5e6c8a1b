"""Values of fields for those who may not see identities."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from hongyan.contacts.masking import STARS, masked_email, masked_name, masked_phone
from hongyan.contacts.profiles import SEALED
from hongyan.contacts.types import IDENTITY_FIELDS
from hongyan.identity.types import Decision

_MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    "email": masked_email,
    "phone": masked_phone,
    **dict.fromkeys(("full_name", "family_name", "given_name"), masked_name),
    "company": str,
}


def masked_value(field: str, value: Any) -> Any:
    if value is None or (field not in IDENTITY_FIELDS and not field.startswith(SEALED)):
        return value
    mask = _MASKS.get(field)
    return mask(str(value)) if mask else STARS


def masked(made: Decision) -> Decision:
    """Whether two values differ stays to be seen, not what they are."""
    values = {name: masked_value(made.field, getattr(made, name)) for name in ("survivor", "loser", "value")}
    return replace(made, **values)
