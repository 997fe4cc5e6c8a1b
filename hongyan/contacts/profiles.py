"""A contact as one flat set of values, for rooms that weigh field against field.

Keys: those of identity and plain fields, ``custom.<key>``, and ``sealed.<key>`` for sensitive custom fields. Empty
values are left out. System use: callers have checked what their actor may see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection

from hongyan.contacts.models import Contact
from hongyan.contacts.owned import insert_rows
from hongyan.contacts.sealing import filled, open_blob, seal
from hongyan.contacts.search import search_tokens
from hongyan.contacts.types import IDENTITY_FIELDS, PLAIN_FIELDS, Identity, Provenance
from hongyan.core.crypto.keyring import keyring
from hongyan.core.sql import numbers

CUSTOM: Final = "custom."
SEALED: Final = "sealed."
LOCKED: Final = "locked"  # third part of an origin: a person fixed the value, sources may not change it
_DERIVED: Final = (
    *("filled", "search_tokens", "email_domain", "birth_month", "birth_day", "has_email", "has_phone"),
)  # from the identity
_MANAGED: Final = {"id", "public_id", "sealed", "seal_version", "updated_at"}


def values_of(contact: Contact) -> dict[str, Any]:
    identity = open_blob(contact.sealed, contact_id=contact.pk)
    values: dict[str, Any] = {name: getattr(identity, name) for name in IDENTITY_FIELDS}
    values |= {name: getattr(contact, name) or None for name in PLAIN_FIELDS}  # 0 is the unknown sex
    values |= {CUSTOM + key: value for key, value in contact.attributes.items()}
    values |= {SEALED + key: value for key, value in identity.extra.items()}
    return {key: value for key, value in values.items() if not is_empty(value)}


def set_values(contact: Contact, values: Mapping[str, Any]) -> None:
    """All of them, on the object only; saving is the caller's."""
    values = {key: value for key, value in values.items() if not is_empty(value)}
    identity = Identity(
        **{name: values.get(name, "") for name in IDENTITY_FIELDS},
        extra={key.removeprefix(SEALED): value for key, value in values.items() if key.startswith(SEALED)},
    )
    for name in PLAIN_FIELDS:
        setattr(contact, name, values.get(name, 0 if name == "sex" else ""))
    contact.attributes = {key.removeprefix(CUSTOM): value for key, value in values.items() if key.startswith(CUSTOM)}
    contact.sealed, contact.seal_version = seal(identity, contact_id=contact.pk)
    contact.filled = filled(identity)
    contact.search_tokens = search_tokens(asdict(identity), keyring().blind)
    contact.email_domain = identity.email.rpartition("@")[2]
    contact.has_email, contact.has_phone = bool(identity.email), bool(identity.phone)
    born = identity.birth_date.split("-")
    contact.birth_month, contact.birth_day = (int(born[1]), int(born[2])) if len(born) == 3 else (None, None)


def is_empty(value: Any) -> bool:
    """Of custom fields the number 0 and a "no" are values."""
    return value is None or value in ("", [])


def provenance_key(field: str) -> str:
    return field.removeprefix(CUSTOM).removeprefix(SEALED)


def origin_of(provenance: Mapping[str, Any], field: str) -> list[Any] | None:
    """[source, time] or [source, time, "locked"]; bulk writers may have recorded one origin for all fields: ``*``."""
    key = provenance_key(field)
    found: list[Any] | None = provenance.get(key) or provenance.get(CUSTOM + key) or provenance.get("*")
    return found


def provenance_in(provenance: Mapping[str, Any], field: str) -> Provenance | None:
    entry = origin_of(provenance, field)
    if not entry:
        return None
    return Provenance(entry[0], datetime.fromisoformat(entry[1]) if entry[1] else None)


def is_locked(provenance: Mapping[str, Any], field: str) -> bool:
    entry = provenance.get(provenance_key(field))
    return entry is not None and len(entry) > 2


def locked_fields(provenance: Mapping[str, Any]) -> set[str]:
    """Keys of the provenance, that is without prefixes."""
    return {key for key, entry in provenance.items() if len(entry) > 2}


def snapshot(contact: Contact) -> dict[str, Any]:
    """Everything about the row, opened, as JSON. It is personal data: to be sealed."""
    return snapshots([contact])[contact.pk]


def snapshots(contacts: Sequence[Contact]) -> dict[int, dict[str, Any]]:
    """The same for many, by number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.id, (to_jsonb(c) - 'sealed')::text FROM contacts_contact c WHERE id = ANY(%s::bigint[])",
            [numbers(contact.pk for contact in contacts)],
        )
        rows = {number: orjson.loads(text) for number, text in cursor.fetchall()}
    return {contact.pk: {"row": rows.get(contact.pk, {}), "values": values_of(contact)} for contact in contacts}


def save_many(contacts: Sequence[Contact]) -> None:
    """As ``save`` of each, in one statement."""
    fields = [field for field in Contact._meta.concrete_fields if field.attname not in {"id", "public_id"}]  # noqa: SLF001 - Django's own way to ask
    rows = [{"id": contact.pk, **{field.column: _plain(contact, field) for field in fields}} for contact in contacts]
    columns = ", ".join(f'"{field.column}" = row."{field.column}"' for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE contacts_contact c SET {columns}"
            " FROM jsonb_populate_recordset(NULL::contacts_contact, %s::jsonb) AS row WHERE c.id = row.id",
            [orjson.dumps(rows).decode()],
        )


def _plain(contact: Contact, field: Any) -> Any:
    value = getattr(contact, field.attname)
    return "\\x" + bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def bring_back(taken: Mapping[str, Any], *, at: datetime) -> Contact:
    """A contact that is gone, from its snapshot, under its old ids."""
    row = dict(taken["row"])
    row["sealed"], row["updated_at"] = None, at.isoformat()
    for column, table in (("owner_id", "accounts_user"), ("company_id", "contacts_company")):
        if row.get(column) is not None and not _exists(table, row[column]):
            row[column] = None  # went away meanwhile
    insert_rows("contacts_contact", [row])
    contact = Contact.objects.get(pk=row["id"])
    derived = {name: getattr(contact, name) for name in _DERIVED}
    set_values(contact, taken["values"])
    for name, value in derived.items():
        setattr(contact, name, value)
    contact.save()
    return contact


def take_back(contact: Contact, *, before: Mapping[str, Any], after: Mapping[str, Any], at: datetime) -> None:
    """What a merge wrote into a contact becomes again what stood there before; what somebody wrote since stays."""
    now_values, now_row = values_of(contact), snapshot(contact)["row"]
    old, new, values = before["row"], after["row"], dict(now_values)
    for key in {*before["values"], *after["values"]}:
        touched = now_values.get(key) != after["values"].get(key)
        if not touched and origin_of(now_row["provenance"], key) == origin_of(new["provenance"], key):
            _put(values, key, before["values"].get(key))
    provenance = dict(contact.provenance)
    for key in {*old["provenance"], *new["provenance"]}:
        if provenance.get(key) == new["provenance"].get(key):
            _put(provenance, key, old["provenance"].get(key))
    set_values(contact, values)
    if {key: values.get(key) for key in values} == before["values"]:
        for name in _DERIVED:
            setattr(contact, name, old[name])
    contact.provenance = provenance
    for name, value in old.items():
        plain = (
            name not in _MANAGED and name not in _DERIVED and name not in {"attributes", "provenance", *PLAIN_FIELDS}
        )
        if plain and now_row[name] == new[name] != value:
            setattr(contact, name, datetime.fromisoformat(value) if name.endswith("_at") and value else value)
    contact.updated_at = at
    contact.save()


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value


def _exists(table: str, number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}" WHERE id = %s)', [number])
        row = cursor.fetchone()
    return bool(row and row[0])
