"""The sealed place beside a merged contact: why each value stands, and the values that lost."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import orjson

from hongyan.contacts.models import Contact
from hongyan.contacts.profiles import origin_of
from hongyan.contacts.sealing import open_record
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import any_of
from hongyan.identity.models_merging import KeptValues
from hongyan.identity.types import Decision, Why

Entry = dict[str, Any]  # why, at, lost: [{value, source, at}]
Kept = dict[str, Entry]  # field →


def kept_of(contact_id: int) -> Kept:
    return kept_of_many([contact_id]).get(contact_id, {})


def kept_of_many(contact_ids: Collection[int]) -> dict[int, Kept]:
    """Those of whom anything is kept."""
    rows = KeptValues.objects.filter(pk__in=any_of(contact_ids)).values_list("contact_id", "sealed")
    return {number: opened(sealed, number) for number, sealed in rows}


def opened(sealed: bytes | memoryview, contact_id: int) -> Kept:
    found: Kept = orjson.loads(open_record(sealed, owner_id=contact_id))
    return found


def keep(contact_id: int, kept: Mapping[str, Entry]) -> None:
    keep_many({contact_id: kept}, before={contact_id})


def keep_many(kept: Mapping[int, Mapping[str, Entry]], *, before: Collection[int]) -> None:
    """In place of what was kept of each; nothing where it is empty. before: of whom anything may be kept already."""
    seal = keyring().records.seal
    if emptied := [number for number, values in kept.items() if not values and number in before]:
        KeptValues.objects.filter(pk__in=any_of(emptied)).delete()
    rows = [
        KeptValues(contact_id=number, sealed=seal(orjson.dumps(dict(values)), owner_id=number))
        for number, values in kept.items()
        if values
    ]
    if rows:
        KeptValues.objects.bulk_create(rows, update_conflicts=True, unique_fields=["contact"], update_fields=["sealed"])


def after_merge(
    decisions: list[Decision], survivor: Contact, loser: Contact, *, mine: Kept, theirs: Kept, at: datetime
) -> Kept:
    """What is known about the values of the two together, the losing value last."""
    kept: Kept = {}
    for made in decisions:
        lost = [*mine.get(made.field, {}).get("lost", []), *theirs.get(made.field, {}).get("lost", [])]
        if made.conflicts and made.winner != "both":
            side, value = (loser, made.loser) if made.winner == "survivor" else (survivor, made.survivor)
            lost.append(lost_value(value, origin_of(side.provenance, made.field)))
        lost = _once(lost, made.value)
        before = (mine if made.winner != "loser" else theirs).get(made.field)
        if made.why is Why.SAME and before:
            kept[made.field] = {**before, "lost": lost}
        elif made.why is not Why.SAME or lost:
            kept[made.field] = {"why": str(made.why), "at": at.isoformat(), "lost": lost}
    return kept


def lost_value(value: Any, origin: list[Any] | None) -> dict[str, Any]:
    source, stated = (origin[0], origin[1]) if origin else ("", None)
    return {"value": value, "source": source, "at": stated}


def taken_back(current: Kept, *, before: Kept, after: Kept) -> Kept:
    """After a merge is undone: entries that nobody touched since become what they were."""
    kept = {}
    for field in {*current, *before}:
        entry = before.get(field) if current.get(field) == after.get(field) else current.get(field)
        if entry:
            kept[field] = entry
    return kept


def _once(lost: list[dict[str, Any]], standing: Any) -> list[dict[str, Any]]:
    """Each value once, the newest mention; not the one that stands."""
    seen: list[Any] = [standing]
    newest = []
    for item in reversed(lost):
        if item["value"] not in seen:
            seen.append(item["value"])
            newest.append(item)
    return newest[::-1]
