"""The timeline of a person: every source once, in order, by keyset; search, kinds, masking; 100,000 events."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hongyan.accounts.permissions import Role
from hongyan.audience.lists import list_add, list_create
from hongyan.audience.tagging.tags import tag_contacts
from hongyan.contacts.consent import consent_record
from hongyan.contacts.models import Contact, ContactNote
from hongyan.contacts.services import contact_assign, contact_create, contact_update
from hongyan.contacts.types import ConsentAction, ContactChanges, ContactValues, Evidence
from hongyan.core import clock
from hongyan.core.sql import statement
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.audience.factory import SYSTEM, group, tag
from tests.browser import staff

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def signed_in(role: Role, language: str = "en") -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    client.force_login(staff(role, language=language))
    return client


def person(**values: Any) -> Contact:
    given = {"full_name": "王小明", "email": "xm@example.com", **values}
    return contact_create(actor=SYSTEM, values=ContactValues(given), source="api")


def url_of(contact: Contact) -> str:
    return reverse("contacts:timeline", args=[contact.public_id])


def titles(client: Client, contact: Contact, **asked: str) -> list[str]:
    """Of all pages, as the reader scrolls."""
    found: list[str] = []
    for _page in range(60):
        page = client.post(url_of(contact), asked).context["page"]
        found += [item.title for day in page.days for item in day.items]
        if not page.cursor:
            return found
        asked = {**asked, "before": page.cursor}
    raise AssertionError("no end")


def everything(somebody: Contact) -> None:
    at = clock.now()
    append([NewEvent(somebody.pk, "page_viewed", at, "web", {"title": "Silk scarves", "email": "hidden@example.com"})])
    append([NewEvent(somebody.pk, "order_completed", at, "shop", {"total_minor": 9900, "currency": "CNY"})])
    tag_contacts(actor=SYSTEM, tag=tag("vip", group(), name_en="VIP"), contact_ids=[somebody.pk])
    list_add(actor=SYSTEM, contact_list=list_create(actor=SYSTEM, name="Fair"), contact_ids=[somebody.pk])
    evidence = Evidence(method="staff", wording="said so")
    action = ConsentAction.GIVEN
    consent_record(
        actor=SYSTEM, contact_id=somebody.pk, channel="email", topic_key=None, action=action, evidence=evidence
    )
    contact_update(actor=SYSTEM, contact_id=somebody.pk, changes=ContactChanges({"city": "杭州"}), source="staff")
    contact_assign(actor=SYSTEM, contact_id=somebody.pk, owner_id=staff(Role.SALES).pk)


def test_every_source_is_there_and_kinds_part_them() -> None:
    somebody = person()
    everything(somebody)
    client = signed_in(Role.SALES)
    client.post(reverse("contacts:note_new", args=[somebody.public_id]), {"text": "Called, likes silk"})
    shown = client.post(url_of(somebody)).content.decode()
    for words in ("Silk scarves", "Placed an order: 99.00 CNY", "Tag given: VIP", "Put on the list", "Consent given",
                  "Changed: City", "Now the customer of", "Called, likes silk", "Added to Hongyan"):  # fmt: skip
        assert words in shown, words
    whole = titles(client, somebody)
    kinds = ["mails", "orders", "activity", "notes", "objects", "consent", "tags", "profile"]
    parts = [title for kind in kinds for title in titles(client, somebody, kind=kind)]
    assert sorted(parts) == sorted(whole)
    assert titles(client, somebody, kind="orders") == ["Placed an order: 99.00 CNY"]


def test_pages_show_everything_once_in_order() -> None:
    somebody = person()
    everything(somebody)
    same = NOW - timedelta(days=3)
    append([NewEvent(somebody.pk, f"step_{n}", same, "web") for n in range(70)])
    append([NewEvent(somebody.pk, f"later_{n}", same + timedelta(minutes=n), "web") for n in range(40)])
    found = titles(signed_in(Role.SALES), somebody)
    assert len(found) == len(set(found)) == 70 + 40 + 8
    assert found[-1] != "Added to Hongyan" or found.index("step_69") < found.index("step_0")


def test_search_finds_names_as_people_know_them_and_properties() -> None:
    somebody = person()
    everything(somebody)
    append(
        [NewEvent(somebody.pk, "page_viewed", NOW - timedelta(days=n), "web", {"path": f"/p/{n}"}) for n in range(50)]
    )
    client = signed_in(Role.SALES)
    assert titles(client, somebody, q="scarves") == ["Viewed a page"]
    assert titles(client, somebody, q="placed order") == ["Placed an order: 99.00 CNY"]
    assert titles(signed_in(Role.SALES, "zh-hans"), somebody, q="浏览页面 /p/49") == ["浏览页面"]
    assert titles(client, somebody, q="said so") == ["Consent given: E-mail"]
    assert titles(client, somebody, q="100%_of nothing") == []
    days = client.post(url_of(somebody), {"on": "2026-10-20"}).context["page"].days
    assert max(day.on.isoformat() for day in days) <= "2026-10-20"


def test_masked_roles_see_no_free_details_and_find_none() -> None:
    somebody = person()
    everything(somebody)
    sales, marketer = signed_in(Role.SALES), signed_in(Role.MARKETER)
    sales.post(reverse("contacts:note_new", args=[somebody.public_id]), {"text": "Secret of 王小明"})
    assert "hidden@example.com" in sales.post(url_of(somebody)).content.decode()
    shown = marketer.post(url_of(somebody)).content.decode()
    for word in ("hidden@example.com", "Silk scarves", "Secret of", "王小明"):
        assert word not in shown, word
    assert "***" in shown
    assert titles(marketer, somebody, q="hidden") == []
    assert titles(marketer, somebody, q="secret") == []
    marketer.post(reverse("contacts:note_new", args=[somebody.public_id]), {"text": "x"})
    assert ContactNote.objects.count() == 1


def test_a_note_is_changed_and_deleted_by_its_author_only() -> None:
    somebody = person()
    sales, support = signed_in(Role.SALES), signed_in(Role.SUPPORT)
    new = reverse("contacts:note_new", args=[somebody.public_id])
    sales.post(new, {"text": "   "})
    assert not ContactNote.objects.exists()
    sales.post(new, {"text": "First words"})
    note = ContactNote.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM contacts_contactnote n WHERE n::text LIKE '%%First words%%'")
        assert cursor.fetchone()[0] == 0
    url = reverse("contacts:note", args=[somebody.public_id, note.public_id])
    assert url in sales.post(url_of(somebody)).content.decode()
    assert url not in support.post(url_of(somebody)).content.decode()
    support.post(url, {"text": "Others' words"})
    support.post(url, {"act": "delete"})
    assert "First words" in sales.post(url_of(somebody)).content.decode()
    sales.post(url, {"text": "Second words"})
    shown = sales.post(url_of(somebody)).content.decode()
    assert "Second words" in shown
    assert "changed later" in shown
    sales.post(url, {"act": "delete"})
    assert not ContactNote.objects.exists()


@pytest.fixture
def busy() -> Contact:
    """100,000 events of one person over three years, as many of others between them."""
    somebody, other = person(), person(email="other@example.com")
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO events_event (contact_id, name, occurred_at, source, properties)
            SELECT CASE WHEN n %% 2 = 0 THEN %s ELSE %s END, 'page_viewed', %s::timestamptz - n * interval '8 minutes',
                   'web', jsonb_build_object('title', 'Page ' || n, 'path', '/shop/' || n)
              FROM generate_series(1, 200000) AS n""",
            [somebody.pk, other.pk, NOW],
        )
        cursor.execute("ANALYZE events_event")
    append([NewEvent(somebody.pk, "order_completed", NOW - timedelta(days=1000), "shop", {"number": "needle"})])
    return somebody


def test_a_hundred_thousand_entries(busy: Contact) -> None:
    """Counts of statements and rows read, not times: this holds on any machine."""
    client = signed_in(Role.SALES)
    client.post(url_of(busy))
    with CaptureQueriesContext(connection) as queries:
        page = client.post(url_of(busy)).context["page"]
    own = [item["sql"] for item in queries if "session" not in item["sql"] and "SAVEPOINT" not in item["sql"]]
    assert len(own) <= 15
    assert page.count == 30
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("contacts:contact", args=[busy.public_id]))
    own = [item["sql"] for item in queries if "session" not in item["sql"] and "SAVEPOINT" not in item["sql"]]
    assert len(own) <= 15
    window = statement("hongyan.contacts", "timeline.sql", "window").replace("/*match*/", "true")
    with connection.cursor() as cursor:
        params: dict[str, Any] = {
            "contact_id": busy.pk,
            "before_at": NOW - timedelta(days=200),
            "before_id": 0,
            "reach": 20000,
            "limit": 31,
        }
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) " + window, params)
        plan = cursor.fetchone()[0]
    nodes = list(_nodes(plan[0]["Plan"] if isinstance(plan, list) else json.loads(plan)[0]["Plan"]))
    assert not [node for node in nodes if node["Node Type"] in {"Seq Scan", "Sort"} and node["Actual Rows"]]
    scans = [node for node in nodes if "contact" in node.get("Index Name", "")]
    assert scans
    assert sum(node["Actual Rows"] for node in scans) <= 40 * len(scans)
    _a_needle_is_found_by_bounded_reads(client, busy)


def _a_needle_is_found_by_bounded_reads(client: Client, busy: Contact) -> None:
    first = client.post(url_of(busy), {"q": "needle"}).context["page"]
    assert first.count == 0
    assert first.cursor
    assert first.searched_to is not None
    assert titles(client, busy, q="needle") == ["Placed an order"]


def _nodes(node: dict[str, Any]) -> Any:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)
