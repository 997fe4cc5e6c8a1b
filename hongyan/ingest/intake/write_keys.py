"""Write keys: who may send events. Made, rotated and archived by staff; looked up by the edge through their hash."""

import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.utils.text import slugify

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.core.clock import now
from hongyan.core.crypto.keyring import keyring
from hongyan.ingest.errors import IngestRefused
from hongyan.ingest.models_intake import WriteKey

OVERLAP: Final = timedelta(days=7)  # a replaced key goes on working this long, for pages and apps already out there
MOST_RATE: Final = 1_000_000
DEFAULT_RATES: Final = {  # events a second; servers also send what they have kept for days
    WriteKey.Kind.BROWSER: 1_000,
    WriteKey.Kind.APP: 1_000,
    WriteKey.Kind.SERVER: 10_000,
}
_CAP = 200
_ORIGINS = 50
_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


class WriteKeyRefused(IngestRefused):
    """An input is at fault; ``params["input"]`` names it."""


class WriteKeyNotFound(IngestRefused):
    """There is no such write key."""

    status = 404

    def __init__(self) -> None:
        super().__init__("write_key_not_found")


@dataclass(frozen=True, slots=True)
class NewKey:
    """The only time a server's key can be read."""

    row: WriteKey
    secret: str


def write_key_create(
    *, actor: Actor, name: str, kind: str, origins: Sequence[str] = (), rate_limit: int | None = None
) -> NewKey:
    """rate_limit: events a second; 0 is no limit, None what suits the kind."""
    actor.require(Permission.SOURCE_EDIT)
    name = _name(name)
    if kind not in WriteKey.Kind.values:
        raise WriteKeyRefused("kind_unknown", input="kind")
    allowed = _origins(kind, origins)
    rate = DEFAULT_RATES[WriteKey.Kind(kind)] if rate_limit is None else _rate(rate_limit)
    with transaction.atomic():
        if WriteKey.objects.filter(archived_at=None).count() >= _CAP:
            raise WriteKeyRefused("too_many_keys", input="name", most=_CAP)
        secret = _new_secret()
        row = WriteKey.objects.create(
            key=_free_slug(name),
            name=name,
            kind=kind,
            origins=allowed,
            hash=hash_of(secret),
            hint=secret[-4:],
            rate_limit=rate,
        )
        _seal(row, secret)
        _note(actor, "write_key.created", row)
    return NewKey(row, secret)


def write_key_update(
    *, actor: Actor, public_id: UUID, name: str, origins: Sequence[str], rate_limit: int | None = None
) -> WriteKey:
    """rate_limit None: as it is."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        row = _locked(public_id)
        row.name, row.origins = _name(name), _origins(row.kind, origins)
        if rate_limit is not None:
            row.rate_limit = _rate(rate_limit)
        row.save(update_fields=["name", "origins", "rate_limit"])
        _note(actor, "write_key.changed", row)
    return row


def write_key_rotate(*, actor: Actor, public_id: UUID) -> NewKey:
    """A new key; the old one works for ``OVERLAP`` longer, an older one ends at once."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        row = _locked(public_id)
        secret = _new_secret()
        row.old_hash, row.old_until = row.hash, now() + OVERLAP
        row.hash, row.hint, row.rotated_at = hash_of(secret), secret[-4:], now()
        row.save(update_fields=["old_hash", "old_until", "hash", "hint", "rotated_at"])
        _seal(row, secret)
        _note(actor, "write_key.rotated", row)
    return NewKey(row, secret)


def write_key_archive(*, actor: Actor, public_id: UUID) -> WriteKey:
    """It ends at once, in every web process within seconds; what it sent stays."""
    actor.require(Permission.SOURCE_EDIT)
    with transaction.atomic():
        row = _locked(public_id)
        if row.archived_at is None:
            row.archived_at = now()
            row.old_hash = row.old_until = None
            row.save(update_fields=["archived_at", "old_hash", "old_until"])
            _note(actor, "write_key.archived", row)
    return row


def write_keys(*, actor: Actor, archived: bool = False) -> list[WriteKey]:
    actor.require(Permission.SOURCE_EDIT)
    return list(WriteKey.objects.filter(archived_at__isnull=not archived).order_by("name", "id"))


def senders(*, actor: Actor) -> list[tuple[str, str]]:
    """(source of its events, name) of the keys in use, for whoever may see what arrives."""
    actor.require(Permission.REPORT_VIEW)
    return list(WriteKey.objects.filter(archived_at=None).order_by("name", "id").values_list("key", "name"))


def write_key_by_public_id(*, actor: Actor, public_id: UUID) -> WriteKey:
    actor.require(Permission.SOURCE_EDIT)
    row = WriteKey.objects.filter(public_id=public_id).first()
    if row is None:
        raise WriteKeyNotFound
    return row


def shown_secret(*, actor: Actor, row: WriteKey) -> str:
    """A browser's key in clear, as it stands in its pages; "" for the others, whose keys were never kept."""
    actor.require(Permission.SOURCE_EDIT)
    if row.sealed is None:
        return ""
    return keyring().records.open(bytes(row.sealed), owner_id=row.pk).decode()


def hash_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


@dataclass(frozen=True, slots=True)
class KnownKey:
    """What the edge needs to judge a request."""

    id: int
    kind: str
    origins: tuple[str, ...]
    rate_limit: int = 0  # events a second; 0: any number


def origin_allowed(origin: str, allowed: Collection[str]) -> bool:
    """origin: of a browser, ``scheme://host[:port]``.

    >>> origin_allowed("https://www.shop.cn", ["https://*.shop.cn"]), origin_allowed("https://shop.cn.evil.com", ["https://*.shop.cn"])
    (True, False)
    """
    if origin in allowed:
        return True
    scheme, _, host = origin.partition("://")
    for pattern in allowed:
        wanted, _, domain = pattern.partition("://*.")
        if domain and scheme == wanted and (host.endswith("." + domain) or host == domain):
            return True
    return False


def _origins(kind: str, texts: Sequence[str]) -> list[str]:
    if kind != WriteKey.Kind.BROWSER:
        return []
    found = list(dict.fromkeys(_origin(text) for text in texts if text.strip()))
    if not found:
        raise WriteKeyRefused("origin_needed", input="origins")
    if len(found) > _ORIGINS:
        raise WriteKeyRefused("too_many_origins", input="origins", most=_ORIGINS)
    return found


def _origin(text: str) -> str:
    """The origin of an address; a bare host is taken as https."""
    text = text.strip().lower()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise WriteKeyRefused("origin_bad", input="origins", origin=text[:80]) from error
    try:
        host = host if host.startswith("*.") else host.encode("idna").decode()
    except UnicodeError as error:
        raise WriteKeyRefused("origin_bad", input="origins", origin=text[:80]) from error
    if (
        parts.scheme not in {"https", "http"}
        or not _HOST.fullmatch(host)
        or (host.startswith("*.") and "." not in host[2:])
    ):
        raise WriteKeyRefused("origin_bad", input="origins", origin=text[:80])
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != usual else "")


def _rate(number: int) -> int:
    if not 0 <= number <= MOST_RATE:
        raise WriteKeyRefused("rate_bad", input="rate_limit", most=MOST_RATE)
    return number


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > 80 or not name.isprintable():
        raise WriteKeyRefused("name_bad", input="name")
    return name


def _free_slug(name: str) -> str:
    base = slugify(name)[:40] or "events"
    slug = base
    while WriteKey.objects.filter(key=slug).exists():
        slug = f"{base}-{secrets.token_hex(2)}"
    return slug


def _new_secret() -> str:
    return "hyw_" + secrets.token_urlsafe(24)


def _seal(row: WriteKey, secret: str) -> None:
    if row.kind == WriteKey.Kind.BROWSER:
        row.sealed = keyring().records.seal(secret.encode(), owner_id=row.pk)
        row.save(update_fields=["sealed"])


def _locked(public_id: UUID) -> WriteKey:
    row = WriteKey.objects.select_for_update().filter(public_id=public_id).first()
    if row is None:
        raise WriteKeyNotFound
    return row


def _note(actor: Actor, action: str, row: WriteKey) -> None:
    record(actor=actor, action=action, subject_kind="write_key", subject_id=str(row.public_id), data={"kind": row.kind})
