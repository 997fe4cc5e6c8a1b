"""People in pages: filtered, newest first, by keyset, masked for those who may not see identities.

A filter that few fulfil and one that many fulfil need different plans, and the planner cannot tell them apart: tokens
are hashes, conditions come from other rooms. So the first ``CAP`` matches are looked up without order. When that is all
of them, the page is cut from those; else matches are so frequent that walking along the order finds a page soon.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.contacts.conditions import Conditions, conditions_of
from hongyan.contacts.masking import masked_identity
from hongyan.contacts.models import Contact
from hongyan.contacts.sealing import open_blob
from hongyan.contacts.types import ContactFilters, ContactRow, Count, Cursor, Identity, Order, Page
from hongyan.core.sql import any_of, statement

CAP: Final = 10_000
_COLUMNS: Final = {
    Order.NEWEST: "created_at",
    Order.CHANGED: "updated_at",
    Order.ACTIVE: "last_activity_at",
}


def contact_page(
    *, actor: Actor, filters: ContactFilters, after: Cursor | None, limit: int, order: Order = Order.NEWEST
) -> Page[ContactRow]:
    """At most ``limit`` people, the latest first; ``after`` is the cursor of the page before. Raises PermissionRefused.

    Those who have no value in the column of the order (never active) come last, the newest first.
    """
    actor.require(Permission.CONTACT_VIEW)
    found = conditions_of(actor, filters)
    few = _first_matches(found) if found.clauses else None
    return _page(actor, _narrowed(found, few), after, limit, order)


def contact_page_counted(
    *, actor: Actor, filters: ContactFilters, after: Cursor | None, limit: int, order: Order = Order.NEWEST
) -> tuple[Page[ContactRow], Count]:
    """As ``contact_page`` and ``contact_count`` together, looking the matches up once."""
    actor.require(Permission.CONTACT_VIEW)
    found = conditions_of(actor, filters)
    few = _first_matches(found) if found.clauses else None
    count = _counted(len(few)) if few is not None else _count_all()
    return _page(actor, _narrowed(found, few), after, limit, order), count


def _narrowed(found: Conditions, few: list[int] | None) -> Conditions:
    if few is None or len(few) > CAP:
        return found
    narrowed = Conditions()
    narrowed.add("c.id = ANY({ids}::bigint[])", ids=few)
    return narrowed


def _page(actor: Actor, found: Conditions, after: Cursor | None, limit: int, order: Order) -> Page[ContactRow]:
    keys = _keys(found, after, limit + 1, _COLUMNS[order])
    following = Cursor(keys[limit - 1][1], keys[limit - 1][0]) if len(keys) > limit else None
    return Page(contact_rows(actor=actor, contact_ids=[pk for pk, _ in keys[:limit]]), following)


def contact_count(*, actor: Actor, filters: ContactFilters) -> Count:
    """Exact up to ``CAP``. Beyond: without filters the planner's estimate, with filters ``CAP`` as a lower bound."""
    actor.require(Permission.CONTACT_VIEW)
    found = conditions_of(actor, filters)
    return _counted(len(_first_matches(found))) if found.clauses else _count_all()


def _count_all() -> Count:
    estimate = _scalar(statement("hongyan.contacts", "contacts.sql", "estimate"), {})
    return Count(estimate, exact=False) if estimate > CAP else _counted(len(_first_matches(Conditions())))


def _counted(matches: int) -> Count:
    return Count(min(matches, CAP), exact=matches <= CAP)


def contact_ids_matching(*, actor: Actor, filters: ContactFilters, limit: int) -> list[int]:
    """Ids of everybody the filters let through, in order; at most ``limit`` + 1, which tells that it is more."""
    actor.require(Permission.CONTACT_VIEW)
    found = conditions_of(actor, filters)
    text = f"SELECT c.id FROM contacts_contact c WHERE {found.text} LIMIT {limit + 1:d}"
    with connection.cursor() as cursor:
        cursor.execute(text, found.params)
        return sorted(pk for (pk,) in cursor.fetchall())


def contact_rows(*, actor: Actor, contact_ids: Sequence[int]) -> list[ContactRow]:
    """These people as lines of a list, in this order; three statements however many. Erased ones are missing."""
    actor.require(Permission.CONTACT_VIEW)
    clear = actor.may(Permission.CONTACT_IDENTITY)
    contacts = Contact.objects.filter(pk__in=any_of(contact_ids)).defer("search_tokens", "provenance").in_bulk()
    consents, suppressions = _standings(contact_ids), _suppressions(contact_ids)
    rows = []
    for pk in contact_ids:
        if (contact := contacts.get(pk)) is not None:
            identity = open_blob(contact.sealed, contact_id=pk)
            shown = identity if clear else masked_identity(identity)
            rows.append(_row(contact, shown, not clear, consents.get(pk, "none"), suppressions.get(pk, ())))
    return rows


def standing_of(contact_id: int) -> tuple[str, tuple[str, ...]]:
    """What holds for e-mail as a whole, and why nothing is sent at all, if so. The caller has checked."""
    return _standings([contact_id]).get(contact_id) or "none", _suppressions([contact_id]).get(contact_id, ())


def places_in_use(*, actor: Actor, limit: int = 300) -> tuple[list[str], list[str]]:
    """Countries and cities that occur, for menus; the first ``limit`` of each by their letters."""
    actor.require(Permission.CONTACT_VIEW)
    found: dict[str, list[str]] = {"country": [], "city": []}
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.contacts", "listing.sql", "places"), {"limit": limit})
        for kind, value in cursor.fetchall():
            found[kind].append(value)
    return found["country"], found["city"]


def display_name(identity: Identity) -> str:
    return identity.full_name or " ".join(filter(None, (identity.given_name, identity.family_name)))


def _first_matches(found: Conditions) -> list[int]:
    """Ids of matches, at most one more than ``CAP``, in no order. Reading the whole table is the last resort: what it
    would save on frequent matches is less than what it costs on rare ones."""
    text = f"SELECT c.id FROM contacts_contact c WHERE {found.text} LIMIT {CAP + 1}"
    with transaction.atomic(), connection.cursor() as cursor:
        if "search_tokens" in found.text:
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(text, found.params)
        ids = [pk for (pk,) in cursor.fetchall()]
        if "search_tokens" in found.text:
            cursor.execute("SET LOCAL enable_seqscan = on")
    return ids


def _keys(found: Conditions, after: Cursor | None, limit: int, column: str) -> list[tuple[int, datetime | None]]:
    """(id, value of the order column) of one page. People without a value are a second stretch of the same index."""
    keys: list[tuple[int, datetime | None]] = []
    if after is None or after.at is not None:
        clause, params = f"c.{column} IS NOT NULL", dict[str, Any]()
        if after is not None:
            clause, params = f"(c.{column}, c.id) < (%(k_at)s, %(k_id)s)", {"k_at": after.at, "k_id": after.id}
        keys = _stretch(found, clause, params, limit, column)
    if column == _COLUMNS[Order.ACTIVE] and len(keys) < limit:
        clause, params = f"c.{column} IS NULL", dict[str, Any]()
        if after is not None and after.at is None:
            clause, params = f"c.{column} IS NULL AND c.id < %(k_id)s", {"k_id": after.id}
        keys += _stretch(found, clause, params, limit - len(keys), column)
    return keys


def _stretch(
    found: Conditions, clause: str, params: dict[str, Any], limit: int, column: str
) -> list[tuple[int, datetime | None]]:
    text = (
        f"SELECT c.id, c.{column} FROM contacts_contact c WHERE {clause} AND {found.text}"
        f" ORDER BY c.{column} DESC, c.id DESC LIMIT {limit:d}"
    )
    with connection.cursor() as cursor:
        cursor.execute(text, {**found.params, **params})
        return list(cursor.fetchall())


def _standings(ids: Sequence[int]) -> dict[int, str]:
    standing = statement("hongyan.contacts", "listing.sql", "standing")
    text = f"SELECT c.id, ({standing}) FROM unnest(%(ids)s::bigint[]) AS c (id)"
    with connection.cursor() as cursor:
        cursor.execute(text, {"ids": list(ids)})
        return dict(cursor.fetchall())


def _suppressions(ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.contacts", "listing.sql", "suppressed"), {"ids": list(ids)})
        found: dict[int, tuple[str, ...]] = {}
        for pk, reason in cursor.fetchall():
            found[pk] = (*found.get(pk, ()), reason)
    return found


def _scalar(text: str, params: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _row(contact: Contact, identity: Identity, masked: bool, consent: str, suppressed: tuple[str, ...]) -> ContactRow:  # noqa: FBT001
    return ContactRow(
        id=contact.pk,
        public_id=contact.public_id,
        name=display_name(identity),
        email=identity.email,
        phone=identity.phone,
        company=identity.company,
        masked=masked,
        sex=contact.sex,
        language=contact.language,
        country=contact.country,
        region=contact.region,
        city=contact.city,
        source=contact.source,
        is_demo=contact.is_demo,
        attributes=contact.attributes,
        created_at=contact.created_at,
        updated_at=contact.updated_at,
        last_activity_at=contact.last_activity_at,
        consent=consent,
        suppressed=suppressed,
        company_id=contact.company_id,
        owner_id=contact.owner_id,
    )
