"""Rows for the bulk writer, in the binary form PostgreSQL copies fastest. Pure: other processes can prepare them.

Format: PostgreSQL manual, COPY, "Binary Format"; arrays as in src/backend/utils/adt/arrayfuncs.c (array_recv).
"""

import os
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from hongyan.contacts.search import search_token_bytes
from hongyan.core.crypto.blind import BlindIndexer

KINDS = ("email", "phone", "external_id")
PLAIN = ("sex", "language", "country", "region", "city", "time_zone")
HEAD = ("id", "public_id", "sealed", "seal_version")
TAIL = (
    "filled", "search_tokens", *PLAIN, "email_domain", "birth_month", "birth_day", "has_email", "has_phone",
    "attributes", "provenance", "source", "is_demo", "created_at", "updated_at",
)  # fmt: skip
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_NULL = b"\xff\xff\xff\xff"
_INT2, _INT8 = struct.Struct(">ih"), struct.Struct(">iq")
_TRUE, _FALSE = b"\x00\x00\x00\x01\x01", b"\x00\x00\x00\x01\x00"


class UpsertPolicy(StrEnum):
    """What happens to a contact that exists already."""

    UPDATE = "update"  # values of the row win, empty cells change nothing
    SKIP = "skip"
    FILL_EMPTY = "fill_empty"  # only fields that have no value yet


class ContactRowIn(NamedTuple):
    """One person to write. Values are normalised; make it with ``contact_row``.

    ref: the caller's name for the row (a line number). blinds: blind indexes in the order of ``KINDS``.
    identity, attributes: JSON. plain: values in the order of ``PLAIN``, None where the row says nothing.
    """

    ref: int
    blinds: tuple[bytes | None, bytes | None, bytes | None]
    identity: bytes
    plain: tuple[Any, ...]
    attributes: bytes
    tail: bytes  # the columns of ``TAIL`` in case the contact is new


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    MERGED = "merged"  # a further row of a contact that these rows had already brought
    REJECTED = "rejected"


class RowOutcome(NamedTuple):
    """code: why a row was rejected. suppressed: an address of the row is suppressed and stays so."""

    ref: int
    outcome: Outcome
    contact_id: int | None = None
    fields: tuple[str, ...] = ()
    code: str = ""
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class RowMaker:
    """What all rows of one run share. source, at: the provenance of every value written."""

    blind: BlindIndexer
    source: str
    at: datetime
    is_demo: bool = False

    def contact_row(
        self,
        *,
        ref: int,
        identity: dict[str, Any],
        plain: Mapping[str, Any],
        attributes: Mapping[str, Any],
    ) -> ContactRowIn:
        """identity: keys of ``types.Identity`` that have a value, ``extra`` a mapping of its own."""
        values = tuple(plain.get(name) for name in PLAIN)
        return ContactRowIn(
            ref,
            self.blinds(identity),
            orjson.dumps(identity),
            values,
            orjson.dumps(attributes) if attributes else b"{}",
            self.tail(identity, values, attributes, None),
        )

    def blinds(self, identity: Mapping[str, Any]) -> tuple[bytes | None, bytes | None, bytes | None]:
        """In the order of ``KINDS``. Letter case of an address never tells people apart."""
        email, phone, external_id = identity.get("email"), identity.get("phone"), identity.get("external_id")
        index = self.blind.index
        return (
            index("email", email.casefold()) if email else None,
            index("phone", phone) if phone else None,
            index("external_id", external_id) if external_id else None,
        )

    def tail(
        self,
        identity: Mapping[str, Any],
        plain: Sequence[Any],
        attributes: Mapping[str, Any],
        provenance: Mapping[str, Any] | None,
    ) -> bytes:
        """The columns of ``TAIL``. provenance None: everything comes from this run."""
        email = identity.get("email") or ""
        return b"".join(
            (
                _text_array(_filled(identity)),
                _token_array(search_token_bytes(identity, self.blind)),
                _plain(tuple(plain)),
                _text(email.rpartition("@")[2]),
                _birthday(identity.get("birth_date") or ""),
                _TRUE if email else _FALSE,
                _TRUE if identity.get("phone") else _FALSE,
                _jsonb(orjson.dumps(attributes)) if attributes else _EMPTY_OBJECT,
                _provenance(self.source, self.at) if provenance is None else _jsonb(orjson.dumps(provenance)),
                _constant(self.source, self.at, self.is_demo),
            )
        )


def _filled(identity: Mapping[str, Any]) -> tuple[str, ...]:
    names = [name for name, value in identity.items() if value and name != "extra"]
    extra = identity.get("extra")
    return (*names, *(name for name, value in extra.items() if value)) if extra else tuple(names)


@lru_cache(maxsize=16_384)
def _plain(values: tuple[Any, ...]) -> bytes:
    """Sex, languages and places: few combinations, however long the file."""
    sex, *texts = values
    return _INT2.pack(2, sex or 0) + b"".join(_text(text or "") for text in texts)


@lru_cache(maxsize=65_536)
def _birthday(birth: str) -> bytes:
    """Month and day of ISO 8601 ``YYYY-MM-DD``."""
    return _INT2.pack(2, int(birth[5:7])) + _INT2.pack(2, int(birth[8:10])) if birth else _NULL + _NULL


@lru_cache(maxsize=16)
def _provenance(source: str, at: datetime) -> bytes:
    """One origin for every field, see ``selectors.provenance_of``."""
    return _jsonb(orjson.dumps({"*": [source, at.isoformat()]}))


@lru_cache(maxsize=16)
def _constant(source: str, at: datetime, is_demo: bool) -> bytes:  # noqa: FBT001 - one caller
    stamp = _INT8.pack(8, timestamp_microseconds(at))
    return _text(source) + (_TRUE if is_demo else _FALSE) + stamp + stamp


def timestamp_microseconds(at: datetime) -> int:
    delta = at - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def uuid7_block(count: int) -> list[bytes]:
    """As ``core.ids.uuid7``, many at once and ascending: one reading of the clock, one of the random source."""
    stamp = (time.time_ns() // 1_000_000).to_bytes(6, "big")
    noise = os.urandom(10 * count)
    return sorted(
        b"%b%c%c%c%b"
        % (stamp, 0x70 | noise[at] & 0x0F, noise[at + 1], 0x80 | noise[at + 2] & 0x3F, noise[at + 3 : at + 10])
        for at in range(0, 10 * count, 10)
    )


def _jsonb(raw: bytes) -> bytes:
    return (len(raw) + 1).to_bytes(4, "big") + b"\x01" + raw


_EMPTY_OBJECT = _jsonb(b"{}")


@lru_cache(maxsize=16_384)
def _text(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(4, "big") + raw


@lru_cache(maxsize=4096)
def _text_array(values: tuple[str, ...]) -> bytes:
    """Sorted."""
    if not values:
        return struct.pack(">iiii", 12, 0, 0, 25)
    body = b"".join(_text(value) for value in sorted(values))
    return struct.pack(">iiiiii", 20 + len(body), 1, 0, 25, len(values), 1) + body


_TOKEN_ARRAY = struct.Struct(">iiiiii")
_LENGTH_8 = b"\x00\x00\x00\x08"


def _token_array(tokens: Sequence[bytes]) -> bytes:
    """bigint[] of values of 8 bytes."""
    count = len(tokens)
    if not count:
        return struct.pack(">iiii", 12, 0, 0, 20)
    return _TOKEN_ARRAY.pack(20 + 12 * count, 1, 0, 20, count, 1) + _LENGTH_8 + _LENGTH_8.join(tokens)
