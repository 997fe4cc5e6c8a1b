"""Credentials of sources: sealed in the row, opened only to read from the place they belong to."""

import orjson

from hongyan.core.crypto.keyring import keyring
from hongyan.ingest.models_sources import Source


def secrets_of(source: Source) -> dict[str, str]:
    if not source.secrets:
        return {}
    opened: dict[str, str] = orjson.loads(keyring().records.open(bytes(source.secrets), owner_id=source.pk))
    return opened


def seal_secrets(source: Source, secrets: dict[str, str]) -> None:
    """The caller saves."""
    source.secrets = keyring().records.seal(orjson.dumps(secrets), owner_id=source.pk) if secrets else b""
