"""What two people's consents come to when they turn out to be one: the stricter, never more than either said.

A record that says nothing about a topic does not speak against it, unless the address that stays is that record's:
then the other's consent was for another mailbox, and nobody agreed to mail for this one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hongyan.contacts.consent import pseudonym_of
from hongyan.contacts.identifiers import contact_ids_of
from hongyan.contacts.models import ConsentRecord, ConsentState, Contact
from hongyan.contacts.owned import Pairs
from hongyan.contacts.sealing import open_blob
from hongyan.contacts.types import Channel, ConsentAction
from hongyan.core import clock
from hongyan.core.sql import any_of

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


def move_many(pairs: Pairs) -> dict[int, dict[str, Any]]:
    before = _states({contact_id for pair in pairs for contact_id in pair})
    pairs = [pair for pair in pairs if pair[0] in before or pair[1] in before]
    rows = Contact.objects.in_bulk([contact_id for pair in pairs for contact_id in pair])
    # A loser that is gone: late rows are being gathered; consents cannot be late.
    pairs = [pair for pair in pairs if pair[0] in rows]
    kept = _owners_of_kept_addresses(pairs, rows)
    at, moved, after, old = clock.now(), {}, {}, {}
    for loser, survivor in pairs:
        mine, theirs = before.get(survivor, {}), before.get(loser, {})
        sides = [
            Side(states, speaks=kept.get(loser) == number) for number, states in ((survivor, mine), (loser, theirs))
        ]
        old[survivor], after[survivor] = mine, stricter(*sides, at=at)
        moved[loser] = {"loser": _plain(theirs), "survivor": _plain(mine), "after": _plain(after[survivor])}
    if gone := [loser for loser, _ in pairs if loser in before]:
        ConsentState.objects.filter(contact_id__in=any_of(gone)).delete()
    _put({survivor: states for survivor, states in after.items() if states != old[survivor]})
    _write_down(old, after, method="merge")
    return moved


def restore(loser_id: int, survivor_id: int, data: Mapping[str, Any]) -> None:
    """Both as they were; but what the person said since stays with the survivor, and a withdrawal since holds for both:
    nobody can know which of the two records it meant."""
    loser, survivor, after = (_read(data[name]) for name in ("loser", "survivor", "after"))
    current = _states([survivor_id]).get(survivor_id, {})
    since = {key: held for key, held in current.items() if after.get(key) != held}
    withdrawn = {key: held for key, held in since.items() if held[0] == "withdrawn"}
    apart = {survivor_id: {**survivor, **since}, loser_id: {**loser, **withdrawn}}
    _put(apart)
    _write_down({survivor_id: current, loser_id: loser}, apart, method="unmerge")


def _owners_of_kept_addresses(pairs: Pairs, rows: Mapping[int, Contact]) -> dict[int, int | None]:
    """Loser → whose address stays, where the two have different ones. The survivor's fields are decided by now, the
    identifiers have not moved yet."""
    emails = {number: open_blob(row.sealed, contact_id=number).email for number, row in rows.items()}
    kept = {loser: email for loser, survivor in pairs if (email := emails[survivor])}
    owners = contact_ids_of("email", set(kept.values()))
    found: dict[int, int | None] = {}
    for loser, survivor in pairs:
        stays, lost = kept.get(loser), emails[loser]
        if stays is None:
            found[loser] = None
        elif owners.get(stays) == loser:
            found[loser] = loser
        else:
            found[loser] = survivor if lost and lost != stays else None
    return found


def _states(contact_ids: Collection[int]) -> dict[int, States]:
    """Those who have any."""
    found: dict[int, States] = {}
    rows = ConsentState.objects.filter(contact_id__in=any_of(contact_ids))
    for number, channel, topic, state, since in rows.values_list("contact_id", "channel", "topic_id", "state", "since"):
        found.setdefault(number, {})[channel, topic] = (state, since)
    return found


def _put(states: Mapping[int, States]) -> None:
    if not states:
        return
    ConsentState.objects.filter(contact_id__in=any_of(states)).delete()
    ConsentState.objects.bulk_create(
        ConsentState(contact_id=contact_id, channel=channel, topic_id=topic, state=state, since=since)
        for contact_id, held in states.items()
        for (channel, topic), (state, since) in held.items()
    )


def _write_down(before: Mapping[int, States], after: Mapping[int, States], *, method: str) -> None:
    """The ledger says why something else holds now. occurred_at: when the person said it."""
    records = []
    for contact_id, states in after.items():
        old = before.get(contact_id, {})
        changed = {key: held for key, held in states.items() if old.get(key) != held}
        changed |= {key: ("none", clock.now()) for key in old if key not in states}
        pseudonym = pseudonym_of(contact_id) if changed else b""
        records += [
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
        ]
    ConsentRecord.objects.bulk_create(records)


def _plain(states: States) -> list[list[Any]]:
    return [[channel, topic, state, since.isoformat()] for (channel, topic), (state, since) in states.items()]


def _read(rows: list[list[Any]]) -> States:
    return {(channel, topic): (state, datetime.fromisoformat(since)) for channel, topic, state, since in rows}
