"""How this room's own rows, and those of the fact log below it, follow a merge."""

from typing import Any

from hongyan.contacts import consent_merging
from hongyan.contacts.merging import register_mover, register_staying
from hongyan.contacts.models import ConfirmationRequest, Identifier
from hongyan.contacts.owned import Owned, move_rows, restore_rows
from hongyan.contacts.sealing import open_record
from hongyan.core.crypto.keyring import keyring
from hongyan.events import ownership as events

_IDENTIFIERS = Owned("contacts_identifier", whole=True)
_SIGNPOSTS = Owned("contacts_mergedaway", column="into_id")


def register() -> None:
    register_mover("consent", consent_merging.move, consent_merging.restore, tables=["contacts_consentstate"])
    register_mover(
        "contacts",
        _move,
        _restore,
        tables=["contacts_identifier", "contacts_mergedaway", "contacts_confirmationrequest"],
    )
    register_mover("events", _move_events, _restore_events, tables=["events_event"])
    register_staying("contacts_consentrecord", "The ledger is only added to; it is read through ids_of.")
    register_staying("contacts_touched", "A log of what changed, by the number they had then.")
    register_staying("events_historystale", "Work the history's writer has to do; it is done with both numbers.")
    register_staying("contacts_tombstone", "Of contacts that are erased; they cannot be merged.")


def _move(loser_id: int, survivor_id: int) -> dict[str, Any]:
    data = {
        "identifiers": move_rows(_IDENTIFIERS, loser=loser_id, survivor=survivor_id),
        "signposts": move_rows(_SIGNPOSTS, loser=loser_id, survivor=survivor_id),
        "requests": _move_requests(loser_id, survivor_id),
    }
    return {name: rows for name, rows in data.items() if rows}


def _restore(loser_id: int, survivor_id: int, data: dict[str, Any]) -> None:
    if "signposts" in data:
        restore_rows(_SIGNPOSTS, data["signposts"], loser=loser_id, survivor=survivor_id)
    if "identifiers" in data:
        restore_rows(_IDENTIFIERS, data["identifiers"], loser=loser_id, survivor=survivor_id)
    if "requests" in data:
        ids = ConfirmationRequest.objects.filter(pk__in=data["requests"], contact_id=survivor_id)
        _seal_anew(list(ids), loser_id)


def _move_requests(loser_id: int, survivor_id: int) -> list[int]:
    rows = list(ConfirmationRequest.objects.filter(contact_id=loser_id))
    _seal_anew(rows, survivor_id)
    return [row.pk for row in rows]


def _seal_anew(rows: list[ConfirmationRequest], contact_id: int) -> None:
    """What was typed is sealed with its contact's number."""
    for row in rows:
        if row.sealed is not None:
            row.sealed = keyring().records.seal(open_record(row.sealed, owner_id=row.contact_id), owner_id=contact_id)
        row.contact_id = contact_id
    ConfirmationRequest.objects.bulk_update(rows, ["sealed", "contact"])


def lost_identifiers(loser_id: int, data: dict[str, Any]) -> list[str]:
    """After a restore: kinds of identifiers that somebody else has taken meanwhile. A phone may be shared."""
    rows = data.get("contacts", {}).get("identifiers", {}).get("moved", [])
    there = set(Identifier.objects.filter(contact_id=loser_id).values_list("pk", flat=True))
    return sorted({row["kind"] for row in rows if row["id"] not in there and row["kind"] != Identifier.Kind.PHONE})


def _move_events(loser_id: int, survivor_id: int) -> dict[str, Any]:
    ids = events.hand_over(contact_id=loser_id, to=survivor_id)
    return {"ids": ids} if ids else {}


def _restore_events(loser_id: int, survivor_id: int, data: dict[str, Any]) -> None:
    events.hand_back(data["ids"], contact_id=survivor_id, to=loser_id)
