"""Writing entries, sealing them, verifying the chain."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection, transaction

from hongyan.audit.chain import GENESIS, entry_hash, linked
from hongyan.audit.errors import UnfitAuditData
from hongyan.audit.models import AuditEntry
from hongyan.audit.types import ActorLike, Break, ChainHead, Verification
from hongyan.core.clock import now
from hongyan.core.sql import statement

_SEALER_LOCK = 7_105_003  # advisory lock: one sealer at a time
_BATCH = 2_000
_MAX_DATA = 2_000  # characters of JSON
_ACTION = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


def record(
    *, actor: ActorLike, action: str, subject_kind: str, subject_id: str, data: dict[str, Any] | None = None
) -> None:
    """Write an entry in the caller's transaction: the act and its record come into being together or not at all.

    action: dotted, noun first ("contact.viewed"). subject_id: a public id. data: small and never personal: ids,
    counts, names of fields, not their values. Raises UnfitAuditData (a mistake of the caller).
    """
    _entry(actor, action, subject_kind, subject_id, data or {}).save(force_insert=True)


def record_many(
    *, actor: ActorLike, action: str, subject_kind: str, entries: Iterable[tuple[str, dict[str, Any]]]
) -> None:
    """The same act on many subjects; entries: subject_id and data of each."""
    AuditEntry.objects.bulk_create(
        [_entry(actor, action, subject_kind, subject_id, data) for subject_id, data in entries]
    )


def _entry(actor: ActorLike, action: str, subject_kind: str, subject_id: str, data: dict[str, Any]) -> AuditEntry:
    _check(action, data)
    return AuditEntry(
        at=now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:160],
        ip=actor.ip,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        data=data,
    )


def _check(action: str, data: dict[str, Any]) -> None:
    if not _ACTION.fullmatch(action):
        raise UnfitAuditData(f"an action is dotted lower-case words, not {action[:80]!r}")
    text = json.dumps(data)
    if len(text) > _MAX_DATA:
        raise UnfitAuditData(f"{action}: data is longer than {_MAX_DATA} characters")
    if "@" in text:
        raise UnfitAuditData(f"{action}: data holds an address")


def seal(*, limit: int | None = None) -> int:
    """Chain what has been committed; returns how many entries. Safe to call from anywhere at any time.

    Entries of a transaction still open, and those that a transaction still open might have preceded, wait for the next
    call: a long import delays sealing, never anybody's work.
    """
    sealed = 0
    while limit is None or sealed < limit:
        size = _BATCH if limit is None else min(_BATCH, limit - sealed)
        count = _seal_batch(size)
        sealed += count
        if count < size:
            break
    return sealed


def _seal_batch(size: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SEALER_LOCK])
        if not cursor.fetchone()[0]:
            return 0  # another sealer is at work
        cursor.execute(statement("hongyan.audit", "audit.sql", "head"))
        head = cursor.fetchone()
        seq, prev = (head[0], bytes(head[1])) if head else (0, GENESIS)
        cursor.execute(statement("hongyan.audit", "audit.sql", "sealable"), {"limit": size})
        links = list(linked(cursor.fetchall(), seq=seq, prev_hash=prev))
        if not links:
            return 0
        ids, seqs, prevs, hashes = (list(column) for column in zip(*links, strict=True))
        cursor.execute(
            statement("hongyan.audit", "audit.sql", "seal"),
            {"ids": ids, "seqs": seqs, "prevs": prevs, "hashes": hashes},
        )
        return len(links)


def chain_head() -> ChainHead | None:
    """The newest sealed place; print it, mail it, keep it elsewhere, and give it to ``verify`` later."""
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.audit", "audit.sql", "head"))
        row = cursor.fetchone()
    return ChainHead(row[0], bytes(row[1]).hex(), row[2]) if row else None


def verify(*, kept_head: ChainHead | None = None) -> Verification:
    """Recompute the whole chain and report the first place that does not fit; some 70,000 entries a second.

    kept_head: a head kept elsewhere; must still stand at its place with its hash.
    """
    entries, broken = 0, None
    expected_seq, prev = 1, GENESIS
    kept_seen = kept_head is None
    for row in _chain():
        entries += 1
        broken = _check_row(row, expected_seq, prev)
        if broken is not None:
            break
        prev = bytes(row[12])
        if kept_head is not None and expected_seq == kept_head.seq:
            kept_seen = prev.hex() == kept_head.hash
        expected_seq += 1
    if broken is None and not kept_seen and kept_head is not None:
        broken = Break(kept_head.seq, None, "head")
    unsealed = AuditEntry.objects.filter(seq=None).count()
    return Verification(entries, unsealed, broken, chain_head())


def _check_row(row: tuple[Any, ...], expected_seq: int, prev: bytes) -> Break | None:
    entry_id, seq, prev_hash, digest = row[0], row[10], bytes(row[11] or b""), bytes(row[12] or b"")
    if seq != expected_seq:
        return Break(expected_seq, None, "missing")
    if prev_hash != prev:
        return Break(seq, entry_id, "unlinked")
    if entry_hash(row[:10], seq=seq, prev_hash=prev_hash) != digest:
        return Break(seq, entry_id, "altered")
    return None


def _chain() -> Iterator[tuple[Any, ...]]:
    after = -(2**62)  # an entry given a place before the first must be seen too
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement("hongyan.audit", "audit.sql", "chain"), {"after": after, "limit": 5_000})
            rows = cursor.fetchall()
        yield from rows
        if len(rows) < 5_000:
            return
        after = rows[-1][10]
