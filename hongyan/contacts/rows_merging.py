"""How this room's own rows, and those of the fact log below it, follow a merge."""

from typing import Any

from hongyan.contacts import consent_merging
from hongyan.contacts.merging import Place, by_loser, register_mover, register_staying
from hongyan.contacts.models import ConfirmationRequest, Identifier
from hongyan.contacts.owned import Owned, Pairs, move_rows, nothing_in, restore_rows
from hongyan.contacts.sealing import open_record
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import any_of
from hongyan.events import ownership as events

_IDENTIFIERS = Owned("contacts_identifier", whole=True)
_SIGNPOSTS = Owned("contacts_mergedaway", column="into_id")
_REQUESTS = "contacts_confirmationrequest"


def register() -> None:
    register_mover(
        "consent",
        None,
        consent_merging.restore,
        tables=[Place("contacts_consentstate", both=True)],
        many=consent_merging.move_many,
    )
    register_mover(
        "contacts",
        None,
        _restore,
        tables=["contacts_identifier", Place("contacts_mergedaway", ("into_id",)), _REQUESTS],
        many=_move,
    )
    register_mover("events", None, _restore_events, tables=["events_event"], many=_move_events)
    register_staying("contacts_consentrecord", "The ledger is only added to; it is read through ids_of.")
    register_staying("contacts_touched", "A log of what changed, by the number they had then.")
    register_staying("events_historystale", "Work the history's writer has to do; it is done with both numbers.")
    register_staying("contacts_tombstone", "Of contacts that are erased; they cannot be merged.")


def _move(pairs: Pairs) -> dict[int, dict[str, Any]]:
    return by_loser(
        {
            "identifiers": move_rows(_IDENTIFIERS, pairs),
            "signposts": move_rows(_SIGNPOSTS, pairs),
            "requests": {} if nothing_in(_REQUESTS, pairs) else _move_requests(dict(pairs)),
        }
    )


def _restore(loser_id: int, survivor_id: int, data: dict[str, Any]) -> None:
    if "signposts" in data:
        restore_rows(_SIGNPOSTS, data["signposts"], loser=loser_id, survivor=survivor_id)
    if "identifiers" in data:
        restore_rows(_IDENTIFIERS, data["identifiers"], loser=loser_id, survivor=survivor_id)
    if "requests" in data:
        rows = list(ConfirmationRequest.objects.filter(pk__in=data["requests"], contact_id=survivor_id))
        for row in rows:
            _seal_anew(row, loser_id)
        ConfirmationRequest.objects.bulk_update(rows, ["sealed", "contact"])


def _move_requests(survivor_of: dict[int, int]) -> dict[int, list[int]]:
    moved: dict[int, list[int]] = {}
    rows = list(ConfirmationRequest.objects.filter(contact_id__in=any_of(survivor_of)).order_by("pk"))
    for row in rows:
        moved.setdefault(row.contact_id, []).append(row.pk)
        _seal_anew(row, survivor_of[row.contact_id])
    ConfirmationRequest.objects.bulk_update(rows, ["sealed", "contact"])
    return moved


def _seal_anew(row: ConfirmationRequest, contact_id: int) -> None:
    """What was typed is sealed with its contact's number."""
    if row.sealed is not None:
        row.sealed = keyring().records.seal(open_record(row.sealed, owner_id=row.contact_id), owner_id=contact_id)
    row.contact_id = contact_id


def lost_identifiers(loser_id: int, data: dict[str, Any]) -> list[str]:
    """After a restore: kinds of identifiers that somebody else has taken meanwhile. A phone may be shared."""
    rows = data.get("contacts", {}).get("identifiers", {}).get("moved", [])
    there = set(Identifier.objects.filter(contact_id=loser_id).values_list("pk", flat=True))
    return sorted({row["kind"] for row in rows if row["id"] not in there and row["kind"] != Identifier.Kind.PHONE})


def _move_events(pairs: Pairs) -> dict[int, dict[str, Any]]:
    return {loser: {"ids": ids} for loser, ids in events.hand_over(pairs).items()}


def _restore_events(loser_id: int, survivor_id: int, data: dict[str, Any]) -> None:
    events.hand_back(data["ids"], contact_id=survivor_id, to=loser_id)
