"""Companies in the interface, owners, and the export of what the list shows."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from hongyan.accounts.models import User
from hongyan.accounts.permissions import Role
from hongyan.contacts.companies import company_assign, company_create
from hongyan.contacts.models import Company, Contact
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues
from hongyan.core import clock
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.ingest.exports import export_run
from hongyan.ingest.models import Export
from hongyan.jobs.models import Job
from hongyan.jobs.runner import job_run
from hongyan.web.contacts.company_mail import CompanyMail
from tests.audience.factory import SYSTEM
from tests.browser import staff
from tests.web_contacts.test_timeline import signed_in

pytestmark = pytest.mark.django_db


def person(name: str, email: str, **values: str) -> Contact:
    given = {"full_name": name, "email": email, **values}
    return contact_create(actor=SYSTEM, values=ContactValues(given), source="test")


def test_a_company_is_made_changed_merged_and_parted() -> None:
    sales = signed_in(Role.SALES)
    assert "No companies yet" in sales.get(reverse("contacts:companies")).content.decode()
    assert sales.post(reverse("contacts:company_create"), {"name": "", "domain": "x"}).status_code == 422
    url = sales.post(reverse("contacts:company_create"), {"name": "Acme", "domain": "acme.de", "size": "51-200"})[
        "Location"
    ]
    sales.post(url + "edit/", {"name": "Acme", "domain": "acme.de", "size": "51-200", "industry": "Steel"})
    assert "Steel" in sales.get(url).content.decode()
    other = company_create(actor=SYSTEM, values={"name": "ACME", "city": "Bonn"})
    company_assign(actor=SYSTEM, company_id=other.pk, contact_ids=[person("Ada", "ada@b.de").pk])
    assert "may be the same company" in sales.get(url).content.decode()
    sales.post(url + "merges/", {"other": str(other.public_id)})
    shown = sales.get(url).content.decode()
    assert "Ada" in shown
    assert "Bonn" in shown
    gone = reverse("contacts:company", args=[other.public_id])
    assert sales.get(gone)["Location"] == url
    undo = sales.get(url).context["merges"][0].pk
    sales.post(url + "merges/", {"undo": undo})
    assert sales.get(gone).status_code == 200
    assert signed_in(Role.ANALYST).post(url + "merges/", {"other": str(other.public_id)}).status_code == 403


def test_people_are_linked_by_domain_and_name() -> None:
    by_domain, by_name = person("Ada", "ada@acme.de"), person("Bob", "bob@gmail.com", company="ACME  gmbh")
    nobody, unknown = person("Cy", "cy@gmail.com"), person("Di", "di@new.example", company="New Ltd")
    acme = company_create(actor=SYSTEM, values={"name": "Acme GmbH", "domain": "acme.de"})
    sales = signed_in(Role.SALES)
    menu = reverse("contacts:choices", args=[by_domain.public_id, "company"])
    assert "Suggested: Acme GmbH" in sales.get(menu).content.decode()
    sales.post(reverse("contacts:companies_link"), {"make": "1"})
    job_run(job_id=Job.objects.get(kind="companies.link").pk)
    found = dict(Contact.objects.values_list("pk", "company__name"))
    assert found == {by_domain.pk: "Acme GmbH", by_name.pk: "Acme GmbH", nobody.pk: None, unknown.pk: "New Ltd"}
    listed = sales.get(reverse("contacts:index") + f"?company={acme.public_id}")
    assert {line.row.id for line in listed.context["lines"]} == {by_domain.pk, by_name.pk}
    sales.post(reverse("contacts:contact_company", args=[nobody.public_id]), {"name": "Third Inc"})
    assert Company.objects.get(name="Third Inc").people.get() == nobody


def test_owners_one_by_one_and_many_at_once() -> None:
    people = [person(f"P{n}", f"p{n}@example.com") for n in range(3)]
    colleague = staff(Role.SALES)
    client = signed_in(Role.SUPPORT)
    client.post(reverse("contacts:contact_owner", args=[people[0].public_id]), {"owner": str(colleague.public_id)})
    ids = [str(one.public_id) for one in people]
    client.post(reverse("contacts:bulk"), {"ids": ids, "act": "owner", "owner": str(colleague.public_id)})
    assert set(Contact.objects.values_list("owner_id", flat=True)) == {colleague.pk}
    page = client.get(reverse("contacts:index") + f"?owner={colleague.public_id}")
    assert len(page.context["lines"]) == 3
    client.post(reverse("contacts:bulk"), {"ids": ids[:1], "act": "owner", "owner": "nobody"})
    assert len(client.get(reverse("contacts:index") + f"?owner={colleague.public_id}").context["lines"]) == 2
    client.post(reverse("contacts:bulk"), {"ids": ids, "act": "owner", "owner": "x"})
    assert Contact.objects.filter(owner=colleague).count() == 2
    assert User.objects.count() >= 2


def test_an_export_takes_the_filters_or_who_is_ticked() -> None:
    one, two = person("Ada", "ada@example.com", city="上海"), person("Bob", "bob@example.com", city="北京")
    client, url = signed_in(Role.PRIVACY_OFFICER), reverse("contacts:export")
    data = {"columns": ["email"], "reason": "audit", "format": "csv"}
    client.post(url, {**data, "query": "city=上海"})
    client.post(url, {**data, "ids": [str(two.public_id)]})
    client.post(url, data)
    assert [row.filters for row in Export.objects.order_by("pk")] == [
        {"contact_ids": [one.pk]}, {"contact_ids": [two.pk]}, {"everyone": True}
    ]  # fmt: skip
    assert [export_run(row.pk, lambda _done, _total: None) for row in Export.objects.order_by("pk")] == [1, 1, 2]
    assert "1 person" in client.get(url + "?city=上海").content.decode()
    assert client.post(url, {**data, "reason": " "}).status_code == 422
    assert signed_in(Role.SALES).get(url).status_code == 403


def test_the_copy_of_a_person_is_whole_and_readable() -> None:
    somebody = person("Ada", "ada@example.com")
    url, client = reverse("contacts:contact_export", args=[somebody.public_id]), signed_in(Role.PRIVACY_OFFICER)
    client.post(reverse("contacts:note_new", args=[somebody.public_id]), {"text": "likes silk"})
    archive = zipfile.ZipFile(io.BytesIO(client.post(url, {"format": "zip"}).content))
    assert set(archive.namelist()) == {"index.html", "data.json"}
    page, held = archive.read("index.html").decode(), json.loads(archive.read("data.json"))
    assert "ada@example.com" in page
    assert "likes silk" in page
    assert held["contact"]["staff_notes"][0]["text"] == "likes silk"
    assert {"contact", "events", "mails", "tags_and_lists", "commerce", "identity"} <= set(held)


def test_a_company_shows_what_became_of_the_mails_to_its_people(django_assert_max_num_queries: Any) -> None:
    acme = company_create(actor=SYSTEM, values={"name": "Acme"})
    people = [person("Ada", "ada@acme.de"), person("Bob", "bob@acme.de")]
    company_assign(actor=SYSTEM, company_id=acme.pk, contact_ids=[one.pk for one in people])
    stranger, now = person("Cy", "cy@other.de"), clock.now()

    def mail(who: Contact, number: int, *names: str, machine: str | None = None, days: int = 3) -> None:
        properties = {"origin_kind": "campaign", "origin_id": 7, "message_id": number, "machine": machine}
        at = now - timedelta(days=days)
        append([NewEvent(who.pk, name, at, "delivery", dict(properties), f"{number}:{name}") for name in names])

    mail(people[0], 1, "email_sent", "email_opened", "email_clicked")
    mail(people[0], 2, "email_sent")
    mail(people[0], 2, "email_opened", "email_clicked", machine="scanner")
    mail(people[1], 3, "email_sent", "email_clicked")  # who clicked has looked, pictures or not
    mail(people[1], 4, "email_bounced")
    mail(people[1], 5, "email_sent", "email_bounced")  # taken first, sent back later
    mail(people[1], 6, "email_sent", "email_opened", days=120)
    mail(stranger, 8, "email_sent", "email_opened")
    sales, url = signed_in(Role.SALES), reverse("contacts:company", args=[acme.public_id])
    sales.get(url)
    with django_assert_max_num_queries(21):  # the budget of fifteen, and sign-in
        answer = sales.get(url)
    assert answer.context["mail"] == CompanyMail(delivered=3, opened=2, clicked=2, bounced=2)
    assert "2 bounced" in answer.content.decode()
