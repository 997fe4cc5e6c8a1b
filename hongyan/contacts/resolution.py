"""Who a set of exact keys speaks of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from hongyan.contacts.identifiers import blind_of
from hongyan.contacts.models import Identifier

# Strongest first: the sender's own id of a person is said of one person; an address is shared now and then, a number
# more often, and an anonymous id is a browser, which a family may share.
STRENGTH: Final = (
    Identifier.Kind.EXTERNAL_ID,
    Identifier.Kind.EMAIL,
    Identifier.Kind.PHONE,
    Identifier.Kind.ANONYMOUS_ID,
)


@dataclass(frozen=True, slots=True)
class Key:
    """value: normalised (``contacts.normalise``)."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another contact that some of the keys point to. conflicting: it has an external id of its own that is not among
    the keys, so it may be somebody else: for a person to decide, not for a rule."""

    contact_id: int
    kinds: tuple[str, ...]
    conflicting: bool


@dataclass(frozen=True, slots=True)
class Resolved:
    """contact_id: whom the strongest key names; None when no key is known. others: strongest first."""

    contact_id: int | None
    kinds: tuple[str, ...]
    others: tuple[Other, ...]


def resolve(keys: Sequence[Key]) -> Resolved:
    """One look-up for all keys (two when they disagree). System use: the caller has checked its actor."""
    wanted = {(key.kind, blind_of(key.kind, key.value)) for key in keys if key.value}
    found = _owners(wanted)
    if not found:
        return Resolved(None, (), ())
    first, *rest = sorted(found, key=lambda contact_id: (_rank(found[contact_id]), contact_id))
    foreign = _with_foreign_external_id(rest, wanted)
    others = tuple(Other(contact_id, found[contact_id], contact_id in foreign) for contact_id in rest)
    return Resolved(first, found[first], others)


def _owners(wanted: set[tuple[str, bytes]]) -> dict[int, tuple[str, ...]]:
    """Contact → the kinds of keys that name it, strongest first."""
    if not wanted:
        return {}
    either = Q()
    for kind, blind in wanted:
        either |= Q(kind=kind, blind=blind)
    kinds: dict[int, list[str]] = {}
    for contact_id, kind in Identifier.objects.filter(either).values_list("contact_id", "kind"):
        kinds.setdefault(contact_id, []).append(kind)
    return {contact_id: tuple(sorted(set(named), key=_strength)) for contact_id, named in kinds.items()}


def _with_foreign_external_id(contact_ids: Sequence[int], wanted: set[tuple[str, bytes]]) -> set[int]:
    """Of these, who has an external id that was not asked for, while one was asked for."""
    asked = {blind for kind, blind in wanted if kind == Identifier.Kind.EXTERNAL_ID}
    if not contact_ids or not asked:
        return set()
    rows = Identifier.objects.filter(contact_id__in=contact_ids, kind=Identifier.Kind.EXTERNAL_ID)
    return {contact_id for contact_id, blind in rows.values_list("contact_id", "blind") if bytes(blind) not in asked}


def _rank(kinds: Sequence[str]) -> int:
    return min(map(_strength, kinds))


def _strength(kind: str) -> int:
    return STRENGTH.index(Identifier.Kind(kind))
