"""Two records become one, for many pairs by the same few statements: what is decided, written, moved and kept of it.

Callers (``merging``) have checked their actor, and hold all contacts locked in a transaction.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from hongyan.accounts.types import Actor
from hongyan.audit.services import record_many
from hongyan.contacts import merging as rooms
from hongyan.contacts.models import Contact
from hongyan.contacts.models_merging import MergedAway
from hongyan.contacts.profiles import (
    LOCKED,
    origin_of,
    provenance_key,
    save_many,
    set_values,
    snapshots,
    values_of,
)
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import numbers
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.identity import pairs_merging
from hongyan.identity.kept import after_merge, keep_many, kept_of_many
from hongyan.identity.models_merging import Merge
from hongyan.identity.rules import rules
from hongyan.identity.survivorship import Side, decide
from hongyan.identity.types import Decision, MergeReason, Why

MERGED, UNMERGED = "contact_merged", "contact_unmerged"  # events, for readers by cursor


@dataclass(frozen=True, slots=True)
class Wanted:
    """Two records to be one. evidence: without personal values. choices: field → "survivor" | "loser"."""

    survivor_id: int
    loser_id: int
    evidence: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)


def join(actor: Actor, reason: MergeReason, pairs: Sequence[Wanted], contacts: Mapping[int, Contact]) -> list[Merge]:
    """pairs: nobody is in two of them. contacts: all of them, locked; the survivors' objects are changed, too."""
    at, ruled = now(), rules()
    both = [(pair.loser_id, pair.survivor_id) for pair in pairs]
    concerned = [contacts[number] for pair in both for number in pair]
    before, kept = snapshots(concerned), kept_of_many([contact.pk for contact in concerned])
    after: dict[int, dict[str, Any]] = {}
    for pair in pairs:
        survivor, loser = contacts[pair.survivor_id], contacts[pair.loser_id]
        mine, theirs = kept.get(survivor.pk, {}), kept.get(loser.pk, {})
        sides = side_of(survivor, before[survivor.pk]["values"]), side_of(loser, before[loser.pk]["values"])
        decisions = decide(*sides, rules=ruled, choices=pair.choices)
        after[survivor.pk] = after_merge(decisions, survivor, loser, mine=mine, theirs=theirs, at=at)
        _decided(survivor, loser, decisions, at)
    survivors = [contacts[pair.survivor_id] for pair in pairs]
    save_many(survivors)
    keep_many({**after, **{loser: {} for loser, _ in both}}, before=kept)
    moved = rooms.move_all_many(both)
    MergedAway.objects.bulk_create(
        [
            MergedAway(contact_id=loser, public_id=contacts[loser].public_id, into_id=survivor, at=at)
            for loser, survivor in both
        ]
    )
    _remove([loser for loser, _ in both])
    pairs_merging.merged(actor, both)
    now_there = snapshots(survivors)
    made = [
        Merge(
            pk=number,
            survivor_id=pair.survivor_id,
            survivor_public_id=contacts[pair.survivor_id].public_id,
            loser_id=pair.loser_id,
            loser_public_id=contacts[pair.loser_id].public_id,
            reason=reason,
            evidence=dict(pair.evidence),
            choices=dict(pair.choices),
            merged_at=at,
            merged_by=actor.label[:160],
            merged_by_id=actor.id if actor.kind == "user" else None,
            sealed=sealed(
                number,
                {
                    "survivor": {**before[pair.survivor_id], "kept": kept.get(pair.survivor_id, {})},
                    "loser": {**before[pair.loser_id], "kept": kept.get(pair.loser_id, {})},
                    "after": {**now_there[pair.survivor_id], "kept": after[pair.survivor_id]},
                    "rooms": [moved[pair.loser_id]],
                },
            ),
        )
        for number, pair in zip(_fresh_numbers(len(pairs)), pairs, strict=True)
    ]
    Merge.objects.bulk_create(made)
    tell(actor, made, MERGED, {"reason": str(reason)})
    return made


def side_of(contact: Contact, values: Mapping[str, Any] | None = None) -> Side:
    held = values_of(contact) if values is None else values
    return Side(held, contact.provenance, contact.last_activity_at, contact.updated_at)


def _decided(survivor: Contact, loser: Contact, decisions: Sequence[Decision], at: datetime) -> None:
    """On the survivor's object only."""
    provenance = dict(survivor.provenance)
    for made in decisions:
        origin = origin_of((loser if made.winner == "loser" else survivor).provenance, made.field)
        if made.why is Why.CHOSEN:
            source, stated = (origin or ["", None])[:2]
            provenance[provenance_key(made.field)] = [source, stated, LOCKED]
        elif made.winner == "loser" and origin:
            provenance[provenance_key(made.field)] = origin
    employer = next((made.winner for made in decisions if made.field == "company"), "survivor")
    first, second = (loser, survivor) if employer == "loser" else (survivor, loser)
    set_values(survivor, {made.field: made.value for made in decisions})
    survivor.provenance = provenance
    survivor.company_id = first.company_id or second.company_id
    survivor.owner_id = survivor.owner_id or loser.owner_id
    survivor.is_demo = survivor.is_demo and loser.is_demo
    survivor.created_at = min(survivor.created_at, loser.created_at)
    survivor.last_activity_at = max(
        (seen for seen in (survivor.last_activity_at, loser.last_activity_at) if seen), default=None
    )
    survivor.updated_at = at


def _remove(contact_ids: Sequence[int]) -> None:
    """Not by Django, whose cascade would take along rows that a room forgot to move: those refuse here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM contacts_contact WHERE id = ANY(%s::bigint[]);"
            " SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED",
            [numbers(contact_ids)],
        )


def _fresh_numbers(count: int) -> list[int]:
    """Taken first: what a merge keeps is sealed with its own number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('identity_merge', 'id')) FROM generate_series(1, %s)", [count]
        )
        return [number for (number,) in cursor.fetchall()]


def sealed(number: int, taken: Mapping[str, Any]) -> bytes:
    """What the merge of this number keeps."""
    return keyring().records.seal(zlib.compress(orjson.dumps(taken), level=3), owner_id=number)


def tell(actor: Actor, merges: Sequence[Merge], name: str, more: dict[str, Any]) -> None:
    facts = [
        {"merge": str(made.public_id), "survivor_id": made.survivor_id, "loser_id": made.loser_id, **more}
        for made in merges
    ]
    at = now()
    append([NewEvent(made.survivor_id, name, at, "identity", known) for made, known in zip(merges, facts, strict=True)])
    record_many(
        actor=actor,
        action=name.replace("_", ".", 1),
        subject_kind="contact",
        entries=[
            (
                str(made.survivor_public_id),
                {"merge": str(made.public_id), "other": str(made.loser_public_id), **more},
            )
            for made in merges
        ],
    )
