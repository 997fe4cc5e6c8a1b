"""Consent of many people at once: ledger records and states as ``consent.consent_record`` writes them one by one."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.backends.utils import CursorWrapper

from hongyan.contacts.bulk_copy import InOrder, copy_binary
from hongyan.contacts.bulk_rows import timestamp_microseconds, uuid7_block
from hongyan.contacts.types import Channel, ConsentAction
from hongyan.core import clock
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import statement

# contact id, blind index of the e-mail address, whether the contact is new, whether an address is suppressed
Taken = tuple[int, bytes | None, bool, bool]
_NULL = b"\xff\xff\xff\xff"
_RECORD = (
    "record_id", "contact_id", "pseudonym", "topic_id", "channel", "action", "legal_basis", "wording",
    "wording_version", "wording_sha256", "method", "source_url", "occurred_at", "recorded_at", "recorded_by",
)  # fmt: skip
_RECORD_HEAD = struct.Struct(
    ">hi16siqi16s"
)  # number of columns; record id, contact id and pseudonym with their lengths
_STATE_HEAD = struct.Struct(">hiq")
_STATE = ("contact_id", "topic_id", "channel", "state", "since")


@dataclass(frozen=True, slots=True)
class Grant:
    """What is recorded about the people taken. Without topics: that they came without a lawful basis.

    A withdrawal, and whatever is suppressed, is never overridden; nobody becomes a confirmed double opt-in by this.
    """

    topic_ids: tuple[int, ...]
    wording: str
    wording_version: str
    recorded_by: str


States = dict[tuple[int, int | None], str]  # by contact and topic


def states(cursor: CursorWrapper, grant: Grant, taken: Sequence[Taken]) -> States:
    """What those who were here before have said about e-mail, for ``record``."""
    known = [contact_id for contact_id, _, new, _ in taken if not new]
    if not known or not grant.topic_ids:
        return {}
    cursor.execute(statement("hongyan.contacts", "bulk.sql", "consent_states"), {"ids": known})
    return {(contact_id, topic_id): state for contact_id, topic_id, state in cursor.fetchall()}


def record(
    order: InOrder, cursor: CursorWrapper, grant: Grant, taken: Sequence[Taken], known: States, *, at: datetime
) -> int:
    """known: from ``states``. Returns how many consents were newly given."""
    fresh = {contact_id for contact_id, _, new, _ in taken if new}
    if not grant.topic_ids:
        people = [(contact_id, blind, None) for contact_id, blind, new, _ in taken if new]
        _write(order, cursor, grant, people, ConsentAction.IMPORTED_NONE, "none", at, fresh)
        return 0
    given = [
        (contact_id, blind, topic_id)
        for contact_id, blind, new, suppressed in taken
        if blind is not None and not suppressed
        for topic_id in grant.topic_ids
        if new
        or (
            known.get((contact_id, None)) != "withdrawn"
            and known.get((contact_id, topic_id)) not in {"given", "withdrawn", "pending"}
        )
    ]
    _write(order, cursor, grant, given, ConsentAction.GIVEN, "given", at, fresh)
    return len(given)


def _write(  # noqa: PLR0917 - one caller, all of it needed
    order: InOrder,
    cursor: CursorWrapper,
    grant: Grant,
    people: Sequence[tuple[int, bytes | None, int | None]],
    action: ConsentAction,
    state: str,
    at: datetime,
    fresh: set[int],
) -> None:
    if not people:
        return
    index = keyring().blind.index
    digest = hashlib.sha256(grant.wording.encode()).digest() if grant.wording else None
    constant = b"".join(
        (
            _text(Channel.EMAIL),
            _text(action),
            _text("consent" if action is ConsentAction.GIVEN else ""),
            _text(grant.wording),
            _text(grant.wording_version),
            _NULL if digest is None else _bytes(digest),
            _text("import"),
            _text(""),
            _time(at),
            _time(clock.now()),
            _text(grant.recorded_by[:120]),
        )
    )
    topics = {topic_id: _NULL if topic_id is None else _int8(topic_id) for _, _, topic_id in people}
    pack, columns = _RECORD_HEAD.pack, len(_RECORD)
    records = [
        pack(columns, 16, record_id, 8, contact_id, 16, blind or index("contact", str(contact_id)))
        + topics[topic_id]
        + constant
        for record_id, (contact_id, blind, topic_id) in zip(uuid7_block(len(people)), people, strict=True)
    ]
    order.then(copy_binary, cursor, "contacts_consentrecord", _RECORD, records)
    if new := [person for person in people if person[0] in fresh]:
        order.then(copy_binary, cursor, "contacts_consentstate", _STATE, _new_states(new, state, at))
    if old := [person for person in people if person[0] not in fresh]:
        order.then(_set_states, cursor, old, state, at)


def _new_states(people: Sequence[tuple[int, bytes | None, int | None]], state: str, at: datetime) -> list[bytes]:
    """New people have no state that could be in the way."""
    constant = _text(Channel.EMAIL) + _text(state) + _time(at)
    ends = {topic_id: (_NULL if topic_id is None else _int8(topic_id)) + constant for _, _, topic_id in people}
    pack, columns = _STATE_HEAD.pack, len(_STATE)
    return [pack(columns, 8, contact_id) + ends[topic_id] for contact_id, _, topic_id in people]


def _set_states(
    cursor: CursorWrapper, people: Sequence[tuple[int, bytes | None, int | None]], state: str, at: datetime
) -> None:
    cursor.execute(
        statement("hongyan.contacts", "consent.sql", "set_states"),
        {
            "contact_ids": [contact_id for contact_id, _, _ in people],
            "channels": [str(Channel.EMAIL)] * len(people),
            "topic_ids": [topic_id for _, _, topic_id in people],
            "states": [state] * len(people),
            "since": [at] * len(people),
        },
    )


def _text(value: str) -> bytes:
    return _bytes(str(value).encode())


def _bytes(raw: bytes) -> bytes:
    return len(raw).to_bytes(4, "big") + raw


def _int8(value: int) -> bytes:
    return b"\x00\x00\x00\x08" + value.to_bytes(8, "big", signed=True)


def _time(at: datetime) -> bytes:
    return _int8(timestamp_microseconds(at))
