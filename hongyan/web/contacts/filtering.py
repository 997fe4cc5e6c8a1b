"""The filters of the list of people: from its address to conditions, and back to words."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from hongyan.accounts.models import User
from hongyan.accounts.types import Actor
from hongyan.audience.models import ContactList, Tag
from hongyan.contacts.models import Company, Contact
from hongyan.contacts.types import ContactFilters
from hongyan.core.sql import SQL
from hongyan.web.contacts.words import STANDINGS
from hongyan.web.sealed_search import open_search

KEPT = ("q", "country", "city", "tag", "list", "consent", "company", "owner", "order")


def asked_of(given: Mapping[str, str]) -> dict[str, str]:
    return {key: given.get(key, "")[:2000] for key in KEPT}


def kept_of(query: str) -> dict[str, str]:
    return {key: value for key, value in parse_qsl(query[:4000].lstrip("?")) if key in KEPT and value}


def filters_of(actor: Actor, asked: Mapping[str, str]) -> ContactFilters | None:
    """None: nothing is asked for. What no longer exists means nobody, not everybody."""
    consent = asked["consent"]
    filters = ContactFilters(
        search=open_search(asked["q"], actor),
        country=asked["country"],
        city=asked["city"],
        consent=("email", "", consent) if consent in STANDINGS else None,
        company_id=_company_id(asked["company"]),
        owner_id=_owner_id(asked["owner"]),
        within=_within(asked),
    )
    return None if filters == ContactFilters() else filters


def chosen_ids(public_ids: Sequence[str]) -> list[int]:
    chosen = [value for text in public_ids if (value := uuid_of(text)) is not None]
    return list(Contact.objects.filter(public_id__in=chosen).values_list("pk", flat=True))


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _company_id(text: str) -> int | None:
    if not text:
        return None
    chosen = uuid_of(text)
    found = Company.objects.filter(public_id=chosen).values_list("pk", flat=True).first() if chosen else None
    return found if found is not None else 0


def _owner_id(text: str) -> int | None:
    if not text:
        return None
    chosen = uuid_of(text)
    found = User.objects.filter(public_id=chosen).values_list("pk", flat=True).first() if chosen else None
    return found if found is not None else 0


def _within(asked: Mapping[str, str]) -> SQL | None:
    parts: list[str] = []
    params: dict[str, Any] = {}
    if asked["tag"]:
        params["a0"] = Tag.objects.filter(key=asked["tag"]).values_list("pk", flat=True).first() or 0
        parts.append("SELECT contact_id AS id FROM audience_contacttag WHERE tag_id = %(a0)s")
    if asked["list"]:
        chosen = uuid_of(asked["list"])
        found = ContactList.objects.filter(public_id=chosen).values_list("pk", flat=True).first() if chosen else None
        params["a1"] = found or 0
        parts.append("SELECT contact_id AS id FROM audience_listmember WHERE list_id = %(a1)s")
    return SQL(" INTERSECT ".join(parts), params) if parts else None
