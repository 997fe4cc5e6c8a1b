"""What of this installation may be spoken of: properties by the tracking plan, custom objects by their types."""

import re
from pathlib import Path
from typing import Any

import pytest

from hongyan.audience import segments
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import FieldType
from hongyan.audience.property_labels import PROPERTIES
from hongyan.contacts.objects import object_type_create
from hongyan.contacts.objects_values import ObjectField, ObjectFieldType
from hongyan.events.models_catalogue import EventName, EventProperty
from tests.audience.factory import SYSTEM

pytestmark = pytest.mark.django_db


def problems_of(tree: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in segments.check(tree)]


def asked(op: str, value: Any, key: str = "price") -> dict[str, Any]:
    return {"event": "course_viewed", "where": {"property": key, "op": op, "value": value}}


@pytest.fixture
def planned() -> EventName:
    name = EventName.objects.create(name="course_viewed")
    seen = {
        "price": {"number": 5},
        "level": {"text": 3, "number": 1},
        "tags": {"list": 2},
        "at": {"time": 1},
        "unknown": {},
    }
    for key, types in seen.items():
        EventProperty.objects.create(event=name, key=key, types=types)
    EventProperty.objects.create(event=name, key="address", types={"text": 1}, handling="seal")
    EventProperty.objects.create(event=name, key="secret", types={"text": 1}, handling="drop")
    return name


@pytest.mark.parametrize(
    ("tree", "problems"),
    [
        (asked(">", 5), []),
        (asked("=", "5"), [("/where/value", "type_mismatch")]),
        (asked("contains", "5"), [("/where/value", "type_mismatch")]),
        (asked("in", ["5", "6"]), [("/where/value", "type_mismatch")]),
        (asked("=", True), [("/where/value", "type_mismatch")]),
        (asked("=", "a", "level"), []),
        (asked(">", 1, "level"), []),
        (asked("=", "a", "prize"), [("/where/property", "unknown_property")]),
        (asked("=", "a", "secret"), [("/where/property", "unknown_property")]),
        (asked("=", "a", "address"), [("/where/op", "operator_mismatch")]),
        (asked("=", "a", "tags"), [("/where/op", "operator_mismatch")]),
        (asked("starts_with", "2026", "at"), []),
        (asked("before", "2026-01-31", "at"), []),
        (asked("within_next_days", 30, "at"), []),
        (asked("between", ["2026-01-31", "2026-02-01T10:00:00+08:00"], "at"), []),
        (asked("between", ["2026-02-01", "2026-01-31"], "at"), [("/where/value", "wrong_order")]),
        (asked("between", [1, 2], "at"), [("/where/value", "type_mismatch")]),
        (asked("after", "tomorrow", "at"), [("/where/value", "type_mismatch")]),
        (asked("after", "2026-01-31T10:00:00", "at"), [("/where/value", "type_mismatch")]),
        (asked(">", "2026-01-31", "at"), [("/where/op", "operator_mismatch")]),
        (asked("after", "2026-01-31", "level"), [("/where/op", "operator_mismatch")]),
        (asked("within_last_days", 3, "price"), [("/where/op", "operator_mismatch")]),
        (asked("between", ["2026-01-31", "2026-02-01"]), [("/where/value", "type_mismatch")]),
        (asked("between", ["2026-01-31", "2026-02-01"], "level"), [("/where/value", "type_mismatch")]),
        (asked("before", "2026-01-31", "unknown"), []),
        (asked("before", "2026-01-31", "address"), [("/where/op", "operator_mismatch")]),
        ({"event": "course_viewed", "measure": "last", "property": "at", "op": "within_last_days", "value": 9}, []),
        (
            {"event": "course_viewed", "measure": "max", "property": "at", "op": "after", "value": "2026-01-31"},
            [("/op", "operator_mismatch")],
        ),
        (asked("=", 5, "unknown"), []),
        ({"event": "course_viewed", "where": {"property": "address", "op": "is_set"}}, []),
        ({"event": "course_viewed", "measure": "sum", "property": "price", "op": ">", "value": 5}, []),
        (
            {"event": "course_viewed", "measure": "sum", "property": "tags", "op": ">", "value": 5},
            [("/property", "not_a_number")],
        ),
        (
            {"event": "course_viewed", "measure": "max", "property": "prize", "op": ">", "value": 5},
            [("/property", "unknown_property")],
        ),
        (
            {"event": "course_viewed", "measure": "last", "property": "price", "op": "=", "value": "x"},
            [("/value", "type_mismatch")],
        ),
        (
            {"event": "order_completed", "measure": "sum", "property": "coupon", "op": ">", "value": 5},
            [],  # never seen: only the vocabulary knows it, so nothing is held against the question
        ),
    ],
)
@pytest.mark.usefixtures("planned")
def test_properties_are_typed_by_the_tracking_plan(tree: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    assert problems_of(tree) == problems


def test_what_the_vocabulary_knows_may_be_asked_before_it_was_seen() -> None:
    name = EventName.objects.create(name="product_viewed")
    EventProperty.objects.create(event=name, key="campaign", types={"text": 1})
    properties = catalogue_now().events["product_viewed"].properties
    assert properties is not None
    assert properties["price"].kinds == {FieldType.NUMBER}
    assert {"campaign", "category"} <= set(properties)


def test_objects_bring_their_fields_with_their_types() -> None:
    fields = [
        ObjectField("ends_on", "到期日", "Ends on", ObjectFieldType.DATE),
        ObjectField("amount", "金额", "Amount", ObjectFieldType.MONEY, currency="JPY"),
        ObjectField("holder", "持有人", "Holder", ObjectFieldType.TEXT, sensitive=True),
        ObjectField(
            "kind", "类型", "Kind", ObjectFieldType.CHOICE, options=({"value": "a", "label_zh": "甲", "label_en": "A"},)
        ),
    ]
    object_type_create(
        actor=SYSTEM, key="contract", label_zh="合同", label_en="Contract", fields=[item.as_json() for item in fields]
    )
    spec = catalogue_now().objects["contract"]
    assert spec.label.text("zh-hans") == "合同"
    assert {key: field.type for key, field in spec.fields.items()} == {
        "ends_on": FieldType.DATE,
        "amount": FieldType.NUMBER,
        "holder": FieldType.SEALED,
        "kind": FieldType.CHOICE,
    }
    assert (spec.fields["amount"].digits, spec.fields["amount"].currency) == (0, "JPY")
    soon = {"object": "contract", "where": {"property": "ends_on", "op": "within_next_days", "value": 30}}
    assert problems_of(soon) == []
    wrong = {"object": "contract", "where": {"property": "kind", "op": "=", "value": "b"}}
    assert problems_of(wrong) == [("/where/value", "type_mismatch")]
    assert problems_of({"object": "contrakt"}) == [("/object", "unknown_object")]


def test_the_builder_calls_properties_as_sentences_do() -> None:
    text = (Path(__file__).parents[2] / "frontend/src/audience/vocabulary.ts").read_text("utf-8")
    block = text[text.index("const PROPERTIES") : text.index("/** `products[].category` asks")]
    said = dict(re.findall(r'^  (\w+): say\("([^"]+)", ', block, re.MULTILINE))
    assert said.items() <= {key: label.zh for key, label in PROPERTIES.items()}.items()
    assert len(said) > 25
