"""API keys: ``hy_<prefix>_<secret>``. The secret is shown once; only its hash is kept."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from hongyan.accounts.errors import BadValue, NotFound
from hongyan.accounts.models import ApiKey
from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.core.clock import now

_FORM = re.compile(r"hy_([0-9a-z]{10})_([0-9A-Za-z_-]{43})")
_NO_HASH = bytes(32)  # compared with when there is no such key, so that both take the same time
# What a program may be allowed: everything but what must stay with people.
GRANTABLE = frozenset(Permission) - {Permission.USERS_EDIT, Permission.CAMPAIGN_APPROVE}


@dataclass(frozen=True, slots=True)
class NewKey:
    row: ApiKey
    secret: str  # the whole key; shown now and never again


def api_key_create(
    *, actor: Actor, name: str, scopes: Iterable[Permission], expires_at: datetime | None = None
) -> NewKey:
    """Only with permissions the maker has. Raises BadValue."""
    actor.require(Permission.USERS_EDIT)
    wanted = frozenset(scopes)
    if not name.strip():
        raise BadValue("name")
    if not wanted or not wanted <= (GRANTABLE & actor.permissions):
        raise BadValue("scopes")
    if actor.kind != "user" or actor.id is None:
        raise BadValue("created_by")
    if expires_at is not None and expires_at <= now():
        raise BadValue("expires_at")
    prefix = "".join(secrets.choice("0123456789abcdefghijklmnopqrstuvwxyz") for _ in range(10))
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        row = ApiKey.objects.create(
            name=name.strip()[:80],
            prefix=prefix,
            secret_hash=_hash(secret),
            scopes=sorted(wanted),
            created_by_id=actor.id,
            expires_at=expires_at,
        )
        _audit(actor, "api_key.created", row, scopes=sorted(wanted))
    return NewKey(row, f"hy_{prefix}_{secret}")


def api_key_revoke(*, actor: Actor, key_id: UUID) -> ApiKey:
    """At once and for good. Raises NotFound."""
    actor.require(Permission.USERS_EDIT)
    with transaction.atomic():
        row = ApiKey.objects.select_for_update().filter(public_id=key_id).first()
        if row is None:
            raise NotFound
        if row.revoked_at is None:
            row.revoked_at = now()
            row.save(update_fields=["revoked_at"])
            _audit(actor, "api_key.revoked", row)
    return row


def api_keys(*, actor: Actor) -> list[ApiKey]:
    """All of them, newest first."""
    actor.require(Permission.USERS_EDIT)
    return list(ApiKey.objects.select_related("created_by").order_by("-id"))


def authenticate(key: str, *, ip: str | None = None) -> Actor | None:
    """The actor of a key, or None: unknown, wrong, expired, revoked, or its maker was deactivated.

    The same work is done whether the key exists or not, and the comparison takes constant time.
    """
    match = _FORM.fullmatch(key)
    prefix, secret = match.groups() if match else ("", "")
    row = ApiKey.objects.select_related("created_by").filter(prefix=prefix).first()
    same = hmac.compare_digest(bytes(row.secret_hash) if row else _NO_HASH, _hash(secret))
    at = now()
    if row is None or not same or row.revoked_at or (row.expires_at and row.expires_at <= at):
        return None
    allowed = frozenset(Permission(scope) for scope in row.scopes if scope in set(Permission))
    permissions = allowed & GRANTABLE & row.created_by.permissions
    if not permissions:
        return None
    _note_use(row, at)
    return Actor(kind="api_key", id=row.pk, label=f"{row.name} ({row.prefix})", permissions=permissions, ip=ip)


def _note_use(row: ApiKey, at: datetime) -> None:
    """To the minute, so that a busy key does not write a row per request."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=at - timedelta(minutes=1))
    if row.last_used_at is None or row.last_used_at < at - timedelta(minutes=1):
        ApiKey.objects.filter(stale, pk=row.pk).update(last_used_at=at)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _audit(actor: Actor, action: str, row: ApiKey, **data: object) -> None:
    record(actor=actor, action=action, subject_kind="api_key", subject_id=str(row.public_id), data=data)
