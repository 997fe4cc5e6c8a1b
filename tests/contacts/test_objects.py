"""Custom objects: types, values, upserts, what is sealed, and what becomes an event."""

from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hongyan.accounts.errors import PermissionRefused
from hongyan.accounts.permissions import ROLE_PERMISSIONS, Role
from hongyan.accounts.types import Actor, system_actor
from hongyan.contacts.erasure import contact_erase
from hongyan.contacts.errors import DefinitionRefused, InvalidValues, NormaliseProblem, ObjectNotFound
from hongyan.contacts.merging import move_all, restore_all
from hongyan.contacts.models import Contact, ObjectRecord, ObjectType
from hongyan.contacts.objects import (
    ObjectIn,
    object_remove,
    object_type_create,
    object_type_update,
    object_upsert,
    objects_upsert,
)
from hongyan.contacts.objects_selectors import object_by_external_id, object_page, objects_of_contacts
from hongyan.contacts.objects_values import ObjectField, ObjectFieldType, money_text, value_of
from hongyan.contacts.privacy import export
from hongyan.contacts.services import contact_create
from hongyan.contacts.types import ContactValues
from hongyan.events.models import Event

pytestmark = pytest.mark.django_db
SYSTEM = system_actor("test")
FIELDS: list[dict[str, Any]] = [
    {"key": "name", "label_zh": "课程名", "label_en": "Course", "type": "text"},
    {"key": "progress", "label_zh": "进度", "label_en": "Progress", "type": "number"},
    {"key": "fee", "label_zh": "学费", "label_en": "Fee", "type": "money", "currency": "CNY"},
    {"key": "ends_on", "label_zh": "结束日", "label_en": "Ends on", "type": "date"},
    {"key": "level", "label_zh": "级别", "label_en": "Level", "type": "choice", "options": ["basic", "advanced"]},
    {"key": "done", "label_zh": "完成", "label_en": "Done", "type": "boolean"},
    {"key": "id_card", "label_zh": "证件号", "label_en": "Document", "type": "text", "sensitive": True},
]


def course(**changes: Any) -> ObjectType:
    given: dict[str, Any] = {
        "key": "course",
        "label_zh": "课程",
        "label_en": "Course",
        "title_field": "name",
        **changes,
    }
    return object_type_create(actor=SYSTEM, fields=given.pop("fields", FIELDS), **given)


def person(email: str = "a@example.com") -> Contact:
    return contact_create(actor=SYSTEM, values=ContactValues({"email": email}), source="test")


def role(name: Role) -> Actor:
    return Actor(kind="user", id=None, label=name.value, permissions=ROLE_PERMISSIONS[name])


def put(contact: Contact | None, external_id: str = "c-1", **values: Any) -> Any:
    return object_upsert(
        actor=SYSTEM,
        type_key="course",
        external_id=external_id,
        contact_id=contact.pk if contact else None,
        values=values,
    )


def events_of(contact: Contact) -> list[dict[str, Any]]:
    return [row.properties for row in Event.objects.filter(contact_id=contact.pk, name="object_updated").order_by("id")]


def test_an_upsert_makes_then_changes_then_does_nothing() -> None:
    course()
    somebody = person()
    assert put(somebody, name="Python 入门", progress="40", fee="1,299.00", ends_on="2027-01-31").act == "made"
    again = put(None, progress=60, name="Python 入门")
    assert (again.act, again.keys) == ("changed", ["progress"])
    assert put(somebody, progress=60).act == "same"
    row = ObjectRecord.objects.get()
    assert (row.title, row.external_id, row.contact_id) == ("Python 入门", "c-1", somebody.pk)
    assert row.attributes["fee"] == {"amount_minor": 129900, "currency": "CNY"}
    assert row.attributes["ends_on"] == "2027-01-31"
    assert [(event["act"], event["keys"]) for event in events_of(somebody)] == [
        ("made", ["name", "progress", "fee", "ends_on"]),
        ("changed", ["progress"]),
    ]


def test_sensitive_values_are_sealed_and_named_nowhere() -> None:
    course()
    somebody = person()
    put(somebody, name="A", id_card="Q7788-secret")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(o)::text FROM contacts_objectrecord o")
        assert "Q7788" not in cursor.fetchone()[0]
    assert "Q7788" not in orjson.dumps(events_of(somebody)).decode()
    clear = object_by_external_id(actor=role(Role.SALES), type_key="course", external_id="c-1")
    masked = object_by_external_id(actor=role(Role.MARKETER), type_key="course", external_id="c-1")
    assert (clear.values["id_card"], masked.values["id_card"]) == ("Q7788-secret", "***")
    assert put(None, id_card="Q7788-secret").act == "same"
    assert put(None, id_card="").keys == ["id_card"]
    assert ObjectRecord.objects.get().sealed is None


def test_a_batch_refuses_rows_not_the_whole_and_costs_the_same_for_ten_and_for_two_hundred() -> None:
    course()
    somebody = person()

    def batch(size: int, start: int) -> list[ObjectIn]:
        return [
            ObjectIn(f"n-{start + place}", somebody.pk, {"progress": place, "id_card": "x"}) for place in range(size)
        ]

    with CaptureQueriesContext(
        connection,
    ) as few:
        objects_upsert(actor=SYSTEM, type_key="course", rows=batch(10, 0), source="api")
    with CaptureQueriesContext(connection) as many:
        objects_upsert(actor=SYSTEM, type_key="course", rows=batch(200, 100), source="api")
    assert len(few) == len(many)
    mixed = [
        ObjectIn("ok", somebody.pk, {"progress": 1}),
        ObjectIn("bad", somebody.pk, {"progress": "much", "colour": "red"}),
        ObjectIn("", somebody.pk, {}),
        ObjectIn("alone", None, {}),
        ObjectIn("ok", None, {"level": "ADVANCED"}),
    ]
    outcomes = objects_upsert(actor=SYSTEM, type_key="course", rows=mixed, source="api")
    assert [item.act for item in outcomes] == ["made", "refused", "refused", "refused", "changed"]
    assert outcomes[1].problems == {"progress": "number", "colour": "unknown_field"}
    assert ObjectRecord.objects.get(external_id="ok").attributes == {"progress": 1, "level": "advanced"}
    before = ObjectRecord.objects.count()
    dry = objects_upsert(
        actor=SYSTEM, type_key="course", rows=[ObjectIn("z", somebody.pk, {})], source="x", write=False
    )
    assert (dry[0].act, ObjectRecord.objects.count()) == ("made", before)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("12.5 usd", {"amount_minor": 1250, "currency": "USD"}),
        ({"amount": "3", "currency": "JPY"}, {"amount_minor": 3, "currency": "JPY"}),
        ({"amount_minor": 5}, {"amount_minor": 5, "currency": "CNY"}),
        ("0.015", None),
        ("1.5 JPY", None),
        (True, None),
        ("12 shells", None),
    ],
)
def test_money(given: Any, stored: Any) -> None:
    item = ObjectField("fee", "学费", "Fee", ObjectFieldType.MONEY, currency="CNY")
    if stored is None:
        with pytest.raises(NormaliseProblem):
            value_of(item, given)
    else:
        assert value_of(item, given) == stored
    assert money_text({"amount_minor": 129900, "currency": "CNY"}) == "1,299.00 CNY"


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ([{"key": "Bad Key", "type": "text"}], "fields.0.key"),
        ([{"key": "a", "type": "text"}, {"key": "a", "type": "text"}], "fields.1.key"),
        ([{"key": "a", "type": "colour"}], "fields.0.type"),
        ([{"key": "a", "type": "choice"}], "fields.0.options"),
        ([{"key": "a", "type": "money", "currency": "shells"}], "fields.0.currency"),
        ([{"key": "external_id", "type": "text"}], "fields.0.key"),
    ],
)
def test_a_bad_definition_names_its_place(fields: list[dict[str, Any]], place: str) -> None:
    with pytest.raises(DefinitionRefused) as refused:
        course(fields=fields, title_field="")
    assert refused.value.field == place
    assert not ObjectType.objects.exists()


def test_a_sensitive_field_is_no_title_and_fields_in_use_stay() -> None:
    with pytest.raises(DefinitionRefused):
        course(title_field="id_card")
    course()
    put(person(), name="A", level="basic", id_card="1")
    labels = {"label_zh": "课程", "label_en": "Course"}

    def update(fields: list[dict[str, Any]], title: str = "name") -> None:
        object_type_update(actor=SYSTEM, key="course", fields=fields, title_field=title, **labels)

    for kept_out in ("name", "id_card"):
        with pytest.raises(DefinitionRefused):
            update([item for item in FIELDS if item["key"] != kept_out], title="")
    with pytest.raises(DefinitionRefused):
        update([{**item, "options": ["advanced"]} if item["key"] == "level" else item for item in FIELDS])
    update([item for item in FIELDS if item["key"] != "done"], title="level")
    assert ObjectRecord.objects.get().title == "basic"


def test_erasure_export_and_merging() -> None:
    course()
    one, two = person(), person("b@example.com")
    put(one, name="A", id_card="77")
    held = export(actor=SYSTEM, contact_id=one.pk)
    assert held["objects"]["course"][0]["values"]["id_card"] == "77"
    moved = move_all(loser_id=one.pk, survivor_id=two.pk)
    assert set(objects_of_contacts([one.pk, two.pk])[two.pk]) == {"course"}
    restore_all(loser_id=one.pk, survivor_id=two.pk, data=moved)
    assert set(objects_of_contacts([one.pk, two.pk])[one.pk]) == {"course"}
    assert contact_erase(actor=SYSTEM, contact_id=one.pk, reason="request").removed["objects_and_notes"] == 1
    assert not ObjectRecord.objects.exists()


def test_removal_paging_and_permissions() -> None:
    kind = course()
    somebody = person()
    for number in range(7):
        put(somebody, f"c-{number}", name=f"Course {number}")
    seen, after = list[str](), None
    while True:
        rows, after = object_page(actor=SYSTEM, kind=kind, after=after, limit=3)
        seen += [row.external_id for row in rows]
        if after is None:
            break
    assert sorted(seen) == [f"c-{number}" for number in range(7)]
    assert [row.title for row in object_page(actor=SYSTEM, kind=kind, after=None, limit=9, search="rse 4")[0]] == [
        "Course 4"
    ]
    object_remove(actor=SYSTEM, type_key="course", external_id="c-3")
    assert events_of(somebody)[-1]["act"] == "removed"
    with pytest.raises(ObjectNotFound):
        object_remove(actor=SYSTEM, type_key="course", external_id="c-3")
    with pytest.raises(PermissionRefused):
        object_upsert(actor=role(Role.ANALYST), type_key="course", external_id="x", contact_id=somebody.pk, values={})
    with pytest.raises(InvalidValues):
        put(None, "new")


def test_reading_many_people_is_one_statement() -> None:
    course()
    people = [person(f"p{number}@example.com") for number in range(6)]
    for number, somebody in enumerate(people):
        put(somebody, f"c-{number}", name="A")
    with CaptureQueriesContext(connection) as queries:
        found = objects_of_contacts([somebody.pk for somebody in people], ["course"])
    assert len(queries) == 1
    assert all(len(found[somebody.pk]["course"]) == 1 for somebody in people)
