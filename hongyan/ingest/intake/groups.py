"""Group calls: the company is made or changed, the person belongs to it."""

from collections.abc import Mapping
from typing import Any

from hongyan.accounts.types import Actor
from hongyan.contacts.companies import company_assign, company_upsert
from hongyan.contacts.companies_values import FIELDS
from hongyan.contacts.errors import InvalidValues
from hongyan.ingest.intake.traits import snake
from hongyan.ingest.intake.work import Item
from hongyan.ingest.quarantine import Trouble

_NAMES = {"employees": "size", "website": "domain"}


def join(item: Item, *, actor: Actor) -> None:
    """Values that cannot be read are left out and told; a company without any is still one, by its id."""
    call = item.call
    values = _values(call.traits)
    while True:
        try:
            company = company_upsert(actor=actor, source=item.sender.key, external_id=call.group_id, values=values)
            break
        except InvalidValues as error:
            wrong = [key for key in error.problems if key in values]
            item.troubles.append(Trouble("company_unreadable", f"/traits/{min(error.problems)}"))
            if not wrong:
                return
            for key in wrong:
                del values[key]
    if item.contact_id is not None and not item.dropped:
        company_assign(actor=actor, company_id=company.pk, contact_ids=[item.contact_id], source=item.sender.key)


def _values(traits: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for name, value in traits.items():
        key = snake(name)
        key = _NAMES.get(key, key)
        if key in FIELDS and key != "external_id":
            found.setdefault(key, value)
        elif isinstance(value, str | int | float | bool):
            attributes[key] = value
    if attributes:
        found["attributes"] = attributes
    return found
