"""The chain itself, pure: rows in, hashes out."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any

GENESIS = bytes(32)  # what the first entry points back to

# id, at, actor_kind, actor_id, actor_label, ip, action, subject_kind, subject_id, data (JSON text)
EntryRow = tuple[Any, ...]
_FIELDS = ("id", "at", "actor_kind", "actor_id", "actor_label", "ip", "action", "subject_kind", "subject_id", "data")


def entry_hash(row: EntryRow, *, seq: int, prev_hash: bytes) -> bytes:
    """SHA-256 over canonical JSON (sorted keys, no spaces, ASCII) of the entry, its place and the hash before it."""
    values = dict(zip(_FIELDS, row, strict=True))
    values["at"] = values["at"].astimezone(UTC).isoformat(timespec="microseconds")
    values["data"] = json.loads(values["data"])
    values |= {"seq": seq, "prev_hash": prev_hash.hex()}
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).digest()


def linked(rows: Iterable[EntryRow], *, seq: int, prev_hash: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """(entry id, seq, prev_hash, hash) of each row, going on from the given head."""
    for row in rows:
        seq += 1
        digest = entry_hash(row, seq=seq, prev_hash=prev_hash)
        yield row[0], seq, prev_hash, digest
        prev_hash = digest
