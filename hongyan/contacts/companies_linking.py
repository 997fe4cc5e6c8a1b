"""Linking people to companies: by the domain of their address, else by the company their profile names.

The name stands in the sealed blob, so a job opens blobs batch by batch; nothing is read while somebody waits.
"""

from collections.abc import Callable
from typing import Final

from django.utils.translation import gettext_noop

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import Actor, system_actor
from hongyan.contacts.companies import company_assign, company_upsert, is_free_mail
from hongyan.contacts.companies_values import name_key
from hongyan.contacts.errors import InvalidValues
from hongyan.contacts.models import Company, Contact
from hongyan.contacts.sealing import open_blob
from hongyan.jobs.models import Job
from hongyan.jobs.services import job_start

KIND: Final = "companies.link"
_BATCH: Final = 2_000


def link_start(*, actor: Actor, make: bool = False, source: str = "") -> Job:
    """make: a company that is named but not there yet is made. source: only people of this source ("import:12")."""
    actor.require(Permission.CONTACT_EDIT)
    params = {"make": make, "source": source}
    return job_start(actor=actor, kind=KIND, params=params, title=gettext_noop("Linking people to companies"))


def link_run(*, make: bool, source: str, progress: Callable[[int, int | None], None]) -> dict[str, int]:
    """Everybody without a company, in the order of ids. Companies are learned once and kept while it runs."""
    actor = system_actor("companies.link")
    known = _Known()
    looked = linked = after = 0
    people = Contact.objects.filter(company=None)
    if source:
        people = people.filter(source=source)
    total = people.count()
    while True:
        batch = list(people.filter(pk__gt=after).order_by("pk").only("pk", "sealed", "email_domain", "filled")[:_BATCH])
        if not batch:
            return {"looked": looked, "linked": linked, "made": known.made}
        found: dict[int, list[int]] = {}
        for person in batch:
            company_id = known.of(person, make=make, actor=actor)
            if company_id is not None:
                found.setdefault(company_id, []).append(person.pk)
        for company_id, ids in found.items():
            linked += company_assign(actor=actor, company_id=company_id, contact_ids=ids, source="companies.link")
        looked += len(batch)
        after = batch[-1].pk
        progress(looked, total)


class _Known:
    def __init__(self) -> None:
        self.made = 0
        rows = Company.objects.values_list("pk", "domain", "name_key", "merged_into_id").order_by("-id")
        survivors: dict[int, int] = {}
        self._by_domain: dict[str, int] = {}
        self._by_name: dict[str, int] = {}
        for pk, domain, key, into in rows:
            if into is not None:
                survivors[pk] = into
            if domain:
                self._by_domain[domain] = pk
            self._by_name[key] = pk
        self._survivors = survivors

    def of(self, person: Contact, *, make: bool, actor: Actor) -> int | None:
        domain = person.email_domain.lower()
        if domain and not is_free_mail(domain) and domain in self._by_domain:
            return self._current(self._by_domain[domain])
        if "company" not in person.filled:
            return None
        name = open_blob(person.sealed, contact_id=person.pk).company
        try:
            key = name_key(name)
        except ValueError:
            return None
        if key in self._by_name:
            return self._current(self._by_name[key])
        return self._make(actor, name, key) if make and key else None

    def _make(self, actor: Actor, name: str, key: str) -> int | None:
        try:
            company = company_upsert(actor=actor, source="companies.link", name=name)
        except InvalidValues:
            return None
        self.made += 1
        self._by_name[key] = company.pk
        return company.pk

    def _current(self, pk: int) -> int:
        while pk in self._survivors:
            pk = self._survivors[pk]
        return pk
