"""Custom objects and companies through the API."""

import pytest

from hongyan.accounts.permissions import Permission
from hongyan.accounts.types import system_actor
from hongyan.contacts.models import Company, Contact, ObjectRecord
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues
from tests.api.conftest import NewCaller

pytestmark = pytest.mark.django_db
COURSE = {
    "key": "course",
    "label_zh": "课程",
    "label_en": "Course",
    "title_field": "name",
    "fields": [
        {"key": "name", "type": "text"},
        {"key": "progress", "type": "number"},
        {"key": "fee", "type": "money", "currency": "CNY"},
        {"key": "level", "type": "choice", "options": ["basic", "advanced"]},
        {"key": "id_card", "type": "text", "sensitive": True},
    ],
}


def person(email: str = "ada@example.com") -> Contact:
    values = ContactValues({"email": email, "external_id": email.partition("@")[0]})
    return contact_create(actor=system_actor("test"), values=values, source="test")


def test_define_put_change_list_and_delete(caller_with: NewCaller) -> None:
    admin = caller_with([Permission.SETTINGS_EDIT, Permission.CONTACT_VIEW])
    assert admin("POST", "/objects", COURSE, status=201)["fields"][0]["label_en"] == "name"
    bad = admin("POST", "/objects", {"key": "x", "fields": [{"key": "a", "type": "colour"}]}, status=422)
    assert bad["errors"][0]["pointer"] == "/fields/0/type"
    ada, call = person(), caller_with([Permission.CONTACT_VIEW, Permission.CONTACT_EDIT])
    body = {
        "contact": {"email": "ADA@example.com"},
        "values": {"name": "Python", "fee": {"amount": "99.50"}, "id_card": "Q1"},
    }
    made = call("PUT", "/objects/course/c-1", body)
    assert made["contact"] == str(ada.public_id)
    assert made["values"] == {"name": "Python", "fee": {"amount_minor": 9950, "currency": "CNY"}, "id_card": "***"}
    assert call("PUT", "/objects/course/c-1", {"values": {"progress": 5}})["values"]["progress"] == 5
    assert (
        caller_with([Permission.CONTACT_VIEW, Permission.CONTACT_IDENTITY])("GET", "/objects/course/c-1")["values"][
            "id_card"
        ]
        == "Q1"
    )
    problem = call("PUT", "/objects/course/c-1", {"values": {"progress": "much"}}, status=422)
    assert problem["errors"][0]["pointer"] == "/progress"
    call("PUT", "/objects/course/c-2", {"contact": {"email": "nobody@example.com"}, "values": {}}, status=422)
    call("GET", "/objects/none", status=404)
    assert call.send("DELETE", "/objects/course/c-1").status_code == 204
    call("GET", "/objects/course/c-1", status=404)


def test_a_batch_says_what_became_of_each_row(caller_with: NewCaller) -> None:
    caller_with([Permission.SETTINGS_EDIT, Permission.CONTACT_VIEW])("POST", "/objects", COURSE, status=201)
    ada = person()
    call = caller_with([Permission.CONTACT_VIEW, Permission.CONTACT_EDIT])
    rows = [
        {"external_id": "1", "contact": {"external_id": "ada"}, "values": {"level": "basic"}},
        {"external_id": "2", "contact": {"id": str(ada.public_id)}, "values": {"level": "ultimate"}},
        {"external_id": "3", "contact": {"phone": "+8613800138000"}, "values": {}},
        {"external_id": "4", "values": {}},
    ]
    outcomes = call("POST", "/objects/course/batch", {"rows": rows})["outcomes"]
    assert [row["act"] for row in outcomes] == ["made", "refused", "refused", "refused"]
    assert outcomes[1]["problems"] == {"level": "choice"}
    assert outcomes[2]["problems"] == {"contact": "no_contact"}
    assert [row["act"] for row in call("POST", "/objects/course/batch", {"rows": rows[:1]})["outcomes"]] == ["same"]
    call("POST", "/objects/course/batch", {"rows": rows[3:] * 1001}, status=422)
    for number in range(4):
        row = {"external_id": f"n{number}", "contact": {"id": str(ada.public_id)}, "values": {"name": f"N{number}"}}
        call("POST", "/objects/course/batch", {"rows": [row]})
    first = call("GET", "/objects/course?limit=3")
    second = call("GET", f"/objects/course?limit=3&cursor={first['next']}")
    assert {row["external_id"] for row in first["items"] + second["items"]} == {"1", "n0", "n1", "n2", "n3"}
    assert second["next"] is None
    assert ObjectRecord.objects.count() == 5
    caller_with([Permission.CONTACT_VIEW])("POST", "/objects/course/batch", {"rows": rows}, status=403)


def test_companies(caller_with: NewCaller) -> None:
    ada, call = person(), caller_with([Permission.CONTACT_VIEW, Permission.CONTACT_EDIT])
    made = call(
        "POST", "/companies", {"name": "Acme", "domain": "acme.de", "size": "120", "attributes": {"tier": "gold"}}
    )
    assert (made["size"], made["attributes"]) == ("51-200", {"tier": "gold"})
    assert call("POST", "/companies", {"domain": "acme.de", "city": "Bonn"})["id"] == made["id"]
    assert call("PATCH", f"/companies/{made['id']}", {"industry": "Steel"})["city"] == "Bonn"
    call("PATCH", f"/companies/{made['id']}", {"size": "huge"}, status=422)
    assert call("POST", f"/companies/{made['id']}/people", {"contacts": [str(ada.public_id)]}) == {"changed": 1}
    assert call("GET", "/companies?search=acm")["items"][0]["name"] == "Acme"
    ada.refresh_from_db()
    assert ada.company == Company.objects.get()
    caller_with([Permission.CONTACT_VIEW])("POST", "/companies", {"name": "B"}, status=403)
