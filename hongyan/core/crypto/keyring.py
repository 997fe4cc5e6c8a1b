"""The keys of this installation: data keys from the database, unwrapped with the master key, cached per process.

A process that meets a key version it does not know (another process rotated) reads the ring again.
"""

import os
import threading
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection, transaction

from hongyan.core.crypto import master
from hongyan.core.crypto.blind import BlindIndexer
from hongyan.core.crypto.sealing import Sealer
from hongyan.core.crypto.tokens import TokenSigner
from hongyan.core.models import DataKey

_KEYRING_LOCK = 7_105_001  # advisory lock: one process makes missing keys


@dataclass(frozen=True, slots=True)
class Keyring:
    contacts: Sealer  # identifying data of contacts, owner_id = contact id
    records: Sealer  # other sealed rows (secrets of integrations, evidence), owner_id = row id
    blind: BlindIndexer
    signer: TokenSigner
    seal_version: int


_ring: Keyring | None = None
_ring_lock = threading.Lock()


def keyring() -> Keyring:
    """The ring of this process. Raises MasterKeyProblem with a remedy."""
    global _ring
    ring = _ring
    if ring is not None:  # asked several times for each mail: no lock on the usual way
        return ring
    with _ring_lock:
        if _ring is None:
            _ring = _load()
        return _ring


def forget_keyring() -> None:
    """Read the ring again on next use (after a rotation, or between tests)."""
    global _ring
    with _ring_lock:
        _ring = None


def new_seal_version() -> int:
    """Add a data key; new blobs are sealed with it at once here, and elsewhere when the ring is read again."""
    with transaction.atomic():
        _lock()
        version = (DataKey.objects.filter(purpose="seal").order_by("-version").values_list("version", flat=True))[0] + 1
        _make(_master_key(), "seal", version)
    forget_keyring()
    return version


def rewrap(*, old_master: bytes, new_master: bytes) -> int:
    """Wrap every data key with another master key, in one transaction. Returns how many."""
    with transaction.atomic():
        _lock()
        keys = list(DataKey.objects.select_for_update())
        for key in keys:
            plain = _unwrap(old_master, key)
            key.wrapped = _wrap(new_master, key.purpose, key.version, plain)
            key.save(update_fields=["wrapped"])
    forget_keyring()
    return len(keys)


def _load() -> Keyring:
    key = _master_key()
    rows = list(DataKey.objects.all())
    if {row.purpose for row in rows} != {"seal", "index", "sign"}:
        rows = _create_missing(key)
    plain = {(row.purpose, row.version): _unwrap(key, row) for row in rows}
    seal = {version: value for (purpose, version), value in plain.items() if purpose == "seal"}
    sign = {version: value for (purpose, version), value in plain.items() if purpose == "sign"}
    return Keyring(
        contacts=Sealer(kind=b"contact", keys=seal, current=max(seal)),
        records=Sealer(kind=b"record", keys=seal, current=max(seal)),
        blind=BlindIndexer(plain["index", 1]),
        signer=TokenSigner(keys=sign, current=max(sign)),
        seal_version=max(seal),
    )


def _create_missing(key: bytes) -> list[DataKey]:
    with transaction.atomic():
        _lock()
        present = set(DataKey.objects.values_list("purpose", flat=True))
        for purpose in ("seal", "index", "sign"):
            if purpose not in present:
                _make(key, purpose, 1)
        return list(DataKey.objects.all())


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_KEYRING_LOCK])


def _make(key: bytes, purpose: str, version: int) -> None:
    DataKey.objects.create(purpose=purpose, version=version, wrapped=_wrap(key, purpose, version, os.urandom(32)))


def _wrap(key: bytes, purpose: str, version: int, plain: bytes) -> bytes:
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, plain, f"{purpose}:{version}".encode())


def _unwrap(key: bytes, row: DataKey) -> bytes:
    wrapped = bytes(row.wrapped)
    try:
        return AESGCM(key).decrypt(wrapped[:12], wrapped[12:], f"{row.purpose}:{row.version}".encode())
    except InvalidTag as error:
        raise master.MasterKeyProblem(
            "this master key does not open the keys in this database; "
            "restore the master.key file that belongs to it, or set HONGYAN_MASTER_KEY"
        ) from error


def _master_key() -> bytes:
    if settings.HONGYAN_MASTER_KEY:
        return master.parse(settings.HONGYAN_MASTER_KEY)
    return master.read_or_create(settings.HONGYAN_DATA_DIR / "master.key")
