"""One click takes the demo away and leaves what people made themselves."""

import pytest
from django.test import Client

from hongyan.accounts.permissions import Role
from hongyan.audit.models import AuditEntry
from hongyan.contacts.models import Contact
from hongyan.jobs.models import Job
from hongyan.jobs.runner import job_run
from tests.browser import staff

pytestmark = pytest.mark.django_db(transaction=True)


def signed_in(role: Role) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(staff(role, language="en"), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_the_demo_goes_and_the_rest_stays() -> None:
    Contact.objects.create(is_demo=True)
    own = Contact.objects.create()
    client = signed_in(Role.ADMINISTRATOR)
    assert "Remove the demo data…" in client.get("/settings/system/").content.decode()
    assert client.post("/settings/system/demo-removal").status_code == 302
    job = Job.objects.get(kind="demo_remove")
    job_run(job_id=job.pk)
    assert list(Contact.objects.values_list("pk", flat=True)) == [own.pk]
    assert AuditEntry.objects.filter(action="demo.removed").count() == 1
    assert "Remove the demo data…" not in client.get("/settings/system/").content.decode()


def test_a_marketer_cannot() -> None:
    Contact.objects.create(is_demo=True)
    client = signed_in(Role.MARKETER)
    assert "Remove the demo data…" not in client.get("/settings/system/").content.decode()
    assert client.post("/settings/system/demo-removal").status_code == 403
    assert not Job.objects.filter(kind="demo_remove").exists()
