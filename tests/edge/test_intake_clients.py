"""The official client libraries, unmodified, against the real server."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hongyan.accounts.types import system_actor
from hongyan.contacts.models import Company, Contact
from hongyan.contacts.selectors import identities
from hongyan.events.models import Event
from hongyan.ingest.intake import lane
from hongyan.ingest.intake.write_keys import write_key_create
from hongyan.ingest.models import QuarantinedRecord
from tests.browser import Site

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = Path(__file__).parents[1] / "clients"


@pytest.fixture
def secret() -> str:
    return write_key_create(actor=system_actor("test"), name="Server", kind="server").secret


def digest() -> None:
    while lane.take_calls():
        pass
    assert not QuarantinedRecord.objects.exists(), list(QuarantinedRecord.objects.values_list("reason", "place"))


def check(prefix: str) -> None:
    """All six calls have become one person with a company, and what the visitor did is theirs."""
    digest()
    (contact,) = Contact.objects.all()
    person = identities([contact.pk])[contact.pk]
    assert (person.external_id, person.email) == (f"{prefix}-user", f"{prefix}@example.com")
    facts = sorted(Event.objects.exclude(source="").values_list("name", "contact_id"))
    assert [fact for fact in facts if fact[0] in {"page_viewed", "product_viewed", "screen_viewed"}] == [
        ("page_viewed", contact.pk),
        ("product_viewed", contact.pk),
        ("screen_viewed", contact.pk),
    ]
    assert contact.company_id == Company.objects.get(external_id=f"{prefix}-company").pk


def speak(client: Any, prefix: str) -> None:
    client.track(anonymous_id=f"{prefix}-visitor", event="Product Viewed", properties={"sku": "S1"})
    client.page(anonymous_id=f"{prefix}-visitor", name="Home", properties={"path": "/"})
    client.identify(f"{prefix}-user", {"email": f"{prefix}@example.com"}, anonymous_id=f"{prefix}-visitor")
    client.screen(f"{prefix}-user", name="Basket")
    client.group(f"{prefix}-user", f"{prefix}-company", {"name": "Python AG"})
    client.alias(f"{prefix}-visitor-2", f"{prefix}-user")
    client.flush()
    client.shutdown()


@pytest.mark.parametrize("gzip", [False, True])
def test_segment_for_python(site: Site, secret: str, gzip: bool) -> None:  # noqa: FBT001  a parameter of the test
    from segment.analytics.client import Client

    errors: list[Any] = []
    client = Client(secret, host=site.url, gzip=gzip, max_retries=1, on_error=lambda *told: errors.append(told))
    speak(client, "python")
    assert errors == []
    check("python")


def test_rudderstack_for_python(site: Site, secret: str) -> None:
    from rudderstack.analytics.client import Client

    errors: list[Any] = []
    client = Client(secret, host=site.url, max_retries=1, on_error=lambda *told: errors.append(told))
    speak(client, "python")
    assert errors == []
    check("python")


@pytest.mark.parametrize("script", ["segment.mjs", "rudderstack.mjs"])
def test_node_clients(site: Site, secret: str, script: str) -> None:
    node = shutil.which("node")
    assert node is not None, "Node is needed for the tests of its clients"
    done = subprocess.run(
        [node, str(CLIENTS / script), site.url, secret], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    check("node")


def test_a_refused_key_is_told_to_the_client(site: Site) -> None:
    from segment.analytics.client import Client

    errors: list[Any] = []
    client = Client("hyw_wrong", host=site.url, max_retries=1, on_error=lambda *told: errors.append(told))
    client.track("u", "Product Viewed")
    client.flush()
    client.shutdown()
    assert errors[0][0].status == 401
    assert errors[0][0].code == "key_unknown"
