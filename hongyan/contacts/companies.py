"""Companies: making, changing, merging, and who belongs to them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor
from hongyan.audit.services import record
from hongyan.contacts import normalise
from hongyan.contacts.companies_values import FIELDS, company_values, is_free_mail, name_key
from hongyan.contacts.errors import CompanyNotFound, InvalidValues
from hongyan.contacts.models import Company, CompanyMerge, Contact
from hongyan.core.clock import now
from hongyan.core.sql import any_of
from hongyan.events.services import append
from hongyan.events.types import NewEvent

__all__ = [
    "company_assign",
    "company_by_public_id",
    "company_create",
    "company_find",
    "company_merge",
    "company_unmerge",
    "company_update",
    "company_upsert",
    "is_free_mail",
]
_BATCH: Final = 5_000


def company_create(
    *, actor: Actor, values: Mapping[str, Any], source: str = "staff", owner_id: int | None = None
) -> Company:
    """values: ``FIELDS`` and ``attributes``. Raises InvalidValues; a domain or external id somebody has is one."""
    actor.require(Permission.CONTACT_EDIT)
    fresh = company_values(values)
    if not fresh.get("name"):
        raise InvalidValues({"name": "empty"})
    with transaction.atomic():
        company = _insert(fresh, source, owner_id=owner_id)
        _audit(actor, "company.created", company)
    return company


def company_update(*, actor: Actor, company_id: int, values: Mapping[str, Any], source: str = "staff") -> Company:
    """Only the fields named change. Raises CompanyNotFound, InvalidValues."""
    actor.require(Permission.CONTACT_EDIT)
    fresh = company_values(values)
    if "name" in fresh and not fresh["name"]:
        raise InvalidValues({"name": "empty"})
    with transaction.atomic():
        company = _locked(company_id)
        if _write(company, fresh, source):
            _audit(actor, "company.changed", company, fields=sorted(fresh))
    return company


def company_upsert(
    *,
    actor: Actor,
    source: str,
    external_id: str = "",
    name: str = "",
    domain: str = "",
    values: Mapping[str, Any] | None = None,
) -> Company:
    """The company with this external id, else this domain, else this name; made when there is none (then it needs a
    name, a domain or an external id). values: more of ``FIELDS``, and ``attributes``, which are merged into those held.

    What is found by name alone keeps an external id and a domain it already has. Raises InvalidValues.
    """
    actor.require(Permission.CONTACT_EDIT)
    fresh = company_values({**(values or {}), **_given(external_id=external_id, name=name, domain=domain)})
    if not any(fresh.get(key) for key in ("external_id", "domain", "name")):
        raise InvalidValues({"name": "nothing"})
    try:
        with transaction.atomic():
            return _upsert(actor, fresh, source)
    except (IntegrityError, InvalidValues):
        # Somebody made it at the same moment: now it is found. A value truly taken is refused again.
        with transaction.atomic():
            return _upsert(actor, fresh, source)


def company_assign(*, actor: Actor, company_id: int | None, contact_ids: Sequence[int], source: str = "staff") -> int:
    """Whom these people belong to; None: to nobody. Returns how many changed. Raises CompanyNotFound."""
    actor.require(Permission.CONTACT_EDIT)
    company = None if company_id is None else _current(company_id)
    at, changed = now(), 0
    for start in range(0, len(contact_ids), _BATCH):
        with transaction.atomic():
            people = Contact.objects.select_for_update().filter(pk__in=any_of(contact_ids[start : start + _BATCH]))
            others = people.filter(~Q(company=company) | Q(company=None)) if company else people.exclude(company=None)
            ids = list(others.order_by("pk").values_list("pk", flat=True))
            Contact.objects.filter(pk__in=any_of(ids)).update(company=company, updated_at=at)
            append([_event(pk, company, source, at) for pk in ids])
            changed += len(ids)
    if changed:
        record(
            actor=actor,
            action="company.assigned",
            subject_kind="company",
            subject_id=str(company.public_id) if company else "",
            data={"contacts": changed},
        )
    return changed


def company_merge(*, actor: Actor, survivor_id: int, loser_id: int) -> CompanyMerge:
    """The loser's people go over, what the survivor lacks is taken from it. Raises CompanyNotFound, InvalidValues."""
    actor.require(Permission.CONTACT_EDIT)
    if survivor_id == loser_id:
        raise InvalidValues({"company": "choice"})
    with transaction.atomic():
        first, second = sorted((survivor_id, loser_id))  # always in this order, so that two cannot wait for each other
        pair = {first: _locked(first), second: _locked(second)}
        survivor, loser = pair[survivor_id], pair[loser_id]
        at = now()
        people = Contact.objects.filter(company=loser)
        ids = list(people.order_by("pk").values_list("pk", flat=True))
        people.update(company=survivor)
        plain = [key for key in FIELDS if key not in {"name", "domain", "external_id"}]
        filled = {key: "" for key in plain if not getattr(survivor, key) and getattr(loser, key)}
        for key in filled:
            setattr(survivor, key, getattr(loser, key))
        before = dict(survivor.attributes)
        survivor.attributes = {**loser.attributes, **survivor.attributes}
        survivor.updated_at = loser.updated_at = at
        survivor.save()
        loser.merged_into = survivor
        loser.save(update_fields=["merged_into", "updated_at"])
        merge = CompanyMerge.objects.create(
            survivor=survivor,
            loser=loser,
            contact_ids=ids,
            filled={"fields": sorted(filled), "attributes": before},
            by_label=actor.label[:160],
            at=at,
        )
        record(
            actor=actor,
            action="company.merged",
            subject_kind="company",
            subject_id=str(survivor.public_id),
            data={"other": str(loser.public_id), "contacts": len(ids)},
        )
    return merge


def company_unmerge(*, actor: Actor, merge_id: int) -> Company:
    """The loser is back with the people it had who are still at the survivor. Raises CompanyNotFound."""
    actor.require(Permission.CONTACT_EDIT)
    with transaction.atomic():
        merge = CompanyMerge.objects.select_for_update().filter(pk=merge_id, undone_at=None).first()
        if merge is None or merge.loser.merged_into_id != merge.survivor_id:
            raise CompanyNotFound
        survivor, loser, at = merge.survivor, merge.loser, now()
        loser.merged_into, loser.updated_at = None, at
        loser.save(update_fields=["merged_into", "updated_at"])
        for key in merge.filled.get("fields", []):
            if getattr(survivor, key) == getattr(loser, key):  # not changed since
                setattr(survivor, key, "")
        held = merge.filled.get("attributes", {})
        taken = {
            key for key in loser.attributes if key not in held and survivor.attributes.get(key) == loser.attributes[key]
        }
        survivor.attributes = {key: value for key, value in survivor.attributes.items() if key not in taken}
        survivor.updated_at = at
        survivor.save()
        Contact.objects.filter(pk__in=any_of(merge.contact_ids), company=survivor).update(company=loser)
        merge.undone_at = at
        merge.save(update_fields=["undone_at"])
        record(
            actor=actor,
            action="company.unmerged",
            subject_kind="company",
            subject_id=str(survivor.public_id),
            data={"other": str(loser.public_id)},
        )
    return loser


def company_by_public_id(*, actor: Actor, public_id: UUID) -> Company:
    """A merged one too: see ``merged_into``. Raises CompanyNotFound."""
    actor.require(Permission.CONTACT_VIEW)
    found = Company.objects.select_related("owner", "merged_into").filter(public_id=public_id).first()
    if found is None:
        raise CompanyNotFound
    return found


def company_find(*, external_id: str = "", domain: str = "", name: str = "") -> Company | None:
    """By what names it best; of a merged one, the survivor. Two external ids or two domains are two companies, however
    they are called."""
    if external_id and (found := Company.objects.filter(external_id=external_id).first()) is not None:
        return _survivor(found)
    same = Company.objects.filter(external_id="") if external_id else Company.objects.all()
    if domain and (found := same.filter(domain=domain.lower()).first()) is not None:
        return _survivor(found)
    same = same.filter(domain="") if domain else same
    if name and (found := same.filter(name_key=name_key(name)).order_by("id").first()) is not None:
        return _survivor(found)
    return None


def _given(**values: str) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}


def _upsert(actor: Actor, fresh: dict[str, Any], source: str) -> Company:
    found = company_find(
        external_id=fresh.get("external_id", ""), domain=fresh.get("domain", ""), name=fresh.get("name", "")
    )
    if found is None:
        made = {**fresh, "name": fresh.get("name") or fresh.get("domain") or fresh["external_id"]}
        if made.get("domain") and Company.objects.filter(domain=made["domain"]).exists():
            made["domain"] = ""  # of a company with another external id: a group and its parts share one
        company = _insert(made, source)
        _audit(actor, "company.created", company)
        return company
    company = _locked(found.pk)
    kept = [key for key in ("external_id", "domain") if getattr(company, key)]
    changes = {key: value for key, value in fresh.items() if key not in kept and value not in ("", None)}
    for key in ("external_id", "domain"):  # of another company, or of one that was merged into this
        if changes.get(key) and Company.objects.filter(**{key: changes[key]}).exists():
            del changes[key]
    if "attributes" in changes:
        changes["attributes"] = {**company.attributes, **changes["attributes"]}
    _write(company, changes, source)
    return company


def _insert(fresh: Mapping[str, Any], source: str, *, owner_id: int | None = None) -> Company:
    at = now()
    company = Company(source=source[:64], owner_id=owner_id, created_at=at, updated_at=at)
    for key, value in fresh.items():
        setattr(company, key, value)
    company.name_key = name_key(company.name)
    _save(company)
    return company


def _write(company: Company, fresh: Mapping[str, Any], source: str) -> bool:
    changed = {key: value for key, value in fresh.items() if getattr(company, key) != value}
    if not changed:
        return False
    for key, value in changed.items():
        setattr(company, key, value)
    company.name_key = name_key(company.name)
    company.source, company.updated_at = source[:64], now()
    _save(company)
    return True


def _save(company: Company) -> None:
    try:
        with transaction.atomic():
            company.save()
    except IntegrityError as error:
        for key in ("external_id", "domain"):
            value = getattr(company, key)
            if value and Company.objects.filter(**{key: value}).exclude(pk=company.pk).exists():
                raise InvalidValues({key: "company_taken"}) from error
        raise


def _survivor(company: Company) -> Company:
    """Merges can follow each other; a ring cannot come about, since only companies in use are merged."""
    while company.merged_into is not None:
        company = company.merged_into
    return company


def _current(company_id: int) -> Company:
    found = Company.objects.filter(pk=company_id, merged_into=None).first()
    if found is None:
        raise CompanyNotFound
    return found


def _locked(company_id: int) -> Company:
    found = Company.objects.select_for_update().filter(pk=company_id, merged_into=None).first()
    if found is None:
        raise CompanyNotFound
    return found


def _event(contact_id: int, company: Company | None, source: str, at: datetime) -> NewEvent:
    properties = {"company": str(company.public_id), "name": company.name} if company else {"company": None}
    return NewEvent(contact_id, "company_assigned", at, source, properties)


def _audit(actor: Actor, action: str, company: Company, *, fields: Sequence[str] = ()) -> None:
    data = {"fields": list(fields)} if fields else None
    record(actor=actor, action=action, subject_kind="company", subject_id=str(company.public_id), data=data)


def domain_of(email: str) -> str:
    """The domain of an address as companies are found by; "" where everybody may have an address."""
    host = email.rpartition("@")[2].lower()
    return "" if not host or is_free_mail(host) else normalise.domain(host)
