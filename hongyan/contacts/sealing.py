"""The codec of identity blobs: JSON without empty fields, sealed with the contact's id."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.db import connection, transaction

from hongyan.contacts.types import IDENTITY_FIELDS, Identity
from hongyan.core.crypto.keyring import forget_keyring, keyring
from hongyan.core.crypto.sealing import SealBroken, Sealer
from hongyan.core.sql import statement


def encode(identity: Identity) -> bytes:
    """Empty fields are left out: an unknown person is ``{}``."""
    data: dict[str, Any] = {name: value for name in IDENTITY_FIELDS if (value := getattr(identity, name))}
    extra = {key: value for key, value in sorted(identity.extra.items()) if value}
    if extra:
        data["extra"] = extra
    return orjson.dumps(data)


def decode(plain: bytes) -> Identity:
    """Keys that this version does not know are ignored, so that old and new code can run beside each other."""
    data = orjson.loads(plain)
    known = {name: data[name] for name in IDENTITY_FIELDS if name in data}
    return Identity(**known, extra=data.get("extra", {}))


def seal(identity: Identity, *, contact_id: int) -> tuple[bytes, int]:
    """The blob and its key version."""
    sealer = keyring().contacts
    return sealer.seal(encode(identity), owner_id=contact_id), sealer.current


def open_fields(blob: bytes | memoryview | None, *, contact_id: int) -> Mapping[str, Any]:
    """As ``open_blob``, for readers of a few fields: filled fields by name, sensitive custom ones under ``extra``."""
    if blob is None:
        return {}
    fields: dict[str, Any] = orjson.loads(_opened(keyring().contacts, bytes(blob), contact_id))
    return fields


def open_blob(blob: bytes | memoryview | None, *, contact_id: int) -> Identity:
    """Raises SealBroken when the blob was altered or belongs to somebody else."""
    if blob is None:
        return Identity()
    raw = bytes(blob)
    return decode(_opened(keyring().contacts, raw, contact_id))


def open_record(blob: bytes | memoryview, *, owner_id: int) -> bytes:
    """A blob of the ``records`` sealer (evidence, sign-up values)."""
    raw = bytes(blob)
    try:
        return keyring().records.open(raw, owner_id=owner_id)
    except SealBroken:
        forget_keyring()
        return keyring().records.open(raw, owner_id=owner_id)


def _opened(sealer: Sealer, raw: bytes, contact_id: int) -> bytes:
    try:
        return sealer.open(raw, owner_id=contact_id)
    except SealBroken:
        # Another process may have rotated: read the ring again, once. A truly broken blob fails again below.
        if Sealer.version_of(raw) <= sealer.current:
            raise
        forget_keyring()
        return keyring().contacts.open(raw, owner_id=contact_id)


def filled(identity: Identity) -> list[str]:
    """Which identifying fields have a value, sensitive custom fields by their key: what segments may ask."""
    standard = [name for name in IDENTITY_FIELDS if getattr(identity, name)]
    return standard + sorted(key for key, value in identity.extra.items() if value)


def reseal_batch(*, limit: int = 1000) -> int:
    """Seal up to ``limit`` blobs of old key versions with the current one; 0 when none is left.

    Runs beside everything else: rows that somebody changes at the moment are skipped and come in a later batch.
    """
    forget_keyring()
    ring = keyring()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            statement("hongyan.contacts", "seal.sql", "old_blobs"), {"version": ring.seal_version, "limit": limit}
        )
        rows = cursor.fetchall()
        fresh = [(row_id, _again(row_id, blob)) for row_id, blob in rows]
        cursor.executemany(
            statement("hongyan.contacts", "seal.sql", "put_blob"),
            [{"id": row_id, "sealed": blob, "version": ring.seal_version} for row_id, blob in fresh],
        )
    return len(rows)


def _again(contact_id: int, blob: bytes) -> bytes:
    ring = keyring()
    return ring.contacts.seal(ring.contacts.open(bytes(blob), owner_id=contact_id), owner_id=contact_id)
