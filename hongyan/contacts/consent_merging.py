"""What two people's consents come to when they turn out to be one: the stricter, never more than either said.

A record that says nothing about a topic does not speak against it, unless the address that stays is that record's:
then the other's consent was for another mailbox, and nobody agreed to mail for this one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hongyan.contacts.consent import pseudonym_of
from hongyan.contacts.identifiers import contact_id_of
from hongyan.contacts.models import ConsentRecord, ConsentState, Contact
from hongyan.contacts.sealing import open_blob
from hongyan.contacts.types import Channel, ConsentAction
from hongyan.core import clock

Topic = int | None
Held = tuple[str, datetime]  # state, since
States = dict[tuple[str, Topic], Held]  # (channel, topic) →

_STRICTEST: Final = ("withdrawn", "none", "pending", "given")
_ACTION: Final = {
    "given": ConsentAction.GIVEN,
    "withdrawn": ConsentAction.WITHDRAWN,
    "pending": ConsentAction.REQUESTED,
    "none": ConsentAction.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Side:
    """states: as they stand. speaks: whether its silence about mail counts as "not agreed" (its address stays)."""

    states: Mapping[tuple[str, Topic], Held]
    speaks: bool = False


def stricter(one: Side, other: Side, *, at: datetime) -> States:
    """Pure. For every channel and topic that either has, what holds for both."""
    keys = {*one.states, *other.states}
    return {key: _both(key, one, other, at) for key in sorted(keys, key=str)}


def _both(key: tuple[str, Topic], one: Side, other: Side, at: datetime) -> Held:
    said = [held for side in (one, other) if (held := _says(side, *key)) is not None]
    strictest = min((state for state, _ in said), key=_STRICTEST.index)
    # The newest time at which it was said; a refusal that follows from a silence begins now.
    return strictest, max((since or at for state, since in said if state == strictest), default=at)


def _says(side: Side, channel: str, topic: Topic) -> tuple[str, datetime | None] | None:
    """What a record says about a topic, by the rules of sending (``consent.sql``, refusals)."""
    own = side.states.get((channel, topic))
    whole = side.states.get((channel, None)) if topic is not None else None
    if whole is not None and whole[0] == "withdrawn" and (own is None or own[1] <= whole[1]):
        return whole
    if own is not None:
        return own
    if whole is not None:
        return whole
    return ("none", None) if side.speaks and channel == Channel.EMAIL else None


def move(loser_id: int, survivor_id: int) -> dict[str, Any]:
    before = {contact_id: _states(contact_id) for contact_id in (loser_id, survivor_id)}
    gone = not Contact.objects.filter(pk=loser_id).exists()  # late rows are being gathered; consents cannot be late
    if gone or not any(before.values()):
        return {}
    kept = _owner_of_kept_address(loser_id, survivor_id)
    sides = [Side(before[contact_id], speaks=kept == contact_id) for contact_id in (survivor_id, loser_id)]
    after = stricter(*sides, at=clock.now())
    _put(survivor_id, after)
    _write_down(survivor_id, before[survivor_id], after, method="merge")
    ConsentState.objects.filter(contact_id=loser_id).delete()
    return {
        "loser": _plain(before[loser_id]),
        "survivor": _plain(before[survivor_id]),
        "after": _plain(after),
    }


def restore(loser_id: int, survivor_id: int, data: Mapping[str, Any]) -> None:
    """Both as they were; but what the person said since stays with the survivor, and a withdrawal since holds for both:
    nobody can know which of the two records it meant."""
    loser, survivor, after = (_read(data[name]) for name in ("loser", "survivor", "after"))
    current = _states(survivor_id)
    since = {key: held for key, held in current.items() if after.get(key) != held}
    withdrawn = {key: held for key, held in since.items() if held[0] == "withdrawn"}
    ConsentState.objects.filter(contact_id=survivor_id).delete()
    _put(survivor_id, {**survivor, **since})
    _put(loser_id, {**loser, **withdrawn})
    _write_down(survivor_id, current, {**survivor, **since}, method="unmerge")
    _write_down(loser_id, loser, {**loser, **withdrawn}, method="unmerge")


def _owner_of_kept_address(loser_id: int, survivor_id: int) -> int | None:
    """Whose address stays, where the two have different ones. The survivor's fields are decided by now, the identifiers
    have not moved yet."""
    rows = Contact.objects.in_bulk([loser_id, survivor_id])
    kept, lost = (
        open_blob(rows[contact_id].sealed, contact_id=contact_id).email for contact_id in (survivor_id, loser_id)
    )
    if not kept:
        return None
    owner = contact_id_of("email", kept)
    if owner == loser_id:
        return loser_id
    return survivor_id if lost and lost != kept else None


def _states(contact_id: int) -> States:
    rows = ConsentState.objects.filter(contact_id=contact_id).values_list("channel", "topic_id", "state", "since")
    return {(channel, topic): (state, since) for channel, topic, state, since in rows}


def _put(contact_id: int, states: States) -> None:
    ConsentState.objects.filter(contact_id=contact_id).delete()
    ConsentState.objects.bulk_create(
        ConsentState(contact_id=contact_id, channel=channel, topic_id=topic, state=state, since=since)
        for (channel, topic), (state, since) in states.items()
    )


def _write_down(contact_id: int, before: States, after: States, *, method: str) -> None:
    """The ledger says why something else holds now. occurred_at: when the person said it."""
    changed = {key: held for key, held in after.items() if before.get(key) != held}
    changed |= {key: ("none", clock.now()) for key in before if key not in after}
    pseudonym = pseudonym_of(contact_id)
    ConsentRecord.objects.bulk_create(
        ConsentRecord(
            contact_id=contact_id,
            pseudonym=pseudonym,
            channel=channel,
            topic_id=topic,
            action=_ACTION[state],
            method=method,
            occurred_at=since,
            recorded_by="identity",
        )
        for (channel, topic), (state, since) in changed.items()
    )


def _plain(states: States) -> list[list[Any]]:
    return [[channel, topic, state, since.isoformat()] for (channel, topic), (state, since) in states.items()]


def _read(rows: list[list[Any]]) -> States:
    return {(channel, topic): (state, datetime.fromisoformat(since)) for channel, topic, state, since in rows}
