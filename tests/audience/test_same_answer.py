"""The SQL and the plain Python meaning give the same people, for trees and data nobody would think of."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hongyan.audience import rows
from hongyan.audience.compiler.canonical import canonical, digest
from hongyan.audience.compiler.catalogue import Catalogue, ListSpec, TagGroupSpec
from hongyan.audience.compiler.check import check
from hongyan.audience.compiler.emit import emit
from hongyan.audience.compiler.evaluate import Facts, Happened, evaluate
from hongyan.audience.compiler.parse import parse
from hongyan.audience.compiler.rewrite import rewrite
from hongyan.audience.models import ContactList, ContactTag, ListMember
from hongyan.commerce.models import ContactFacts
from hongyan.contacts.models import Company, ConsentState, Contact, Topic
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from tests.audience.catalogue import AUDIENCE_ID, FIELDS, LIST_ID, small_catalogue
from tests.audience.factory import NOW, group, tag

pytestmark = pytest.mark.django_db(transaction=True)

# Few and near one another, so that values and conditions really meet; with the traps of text, case and zones.
TEXTS = ["", "上海", "北京", "Ab%c_", "aB%C_", "AÄ", "aä", "a", "\\", "'"]
NUMBERS = [0, 1, 2, -1, 0.1, 2.5, 1e-7, 12]
DAYS = ["2026-11-21", "2026-11-22", "2026-11-23", "2026-10-23", "2025-02-28"]
INSTANTS = [
    NOW,
    NOW - timedelta(microseconds=1),
    NOW + timedelta(hours=3),
    NOW - timedelta(days=1),
    NOW - timedelta(days=30),
    NOW - timedelta(days=30, microseconds=1),
    datetime(2026, 11, 21, 16, 0, tzinfo=UTC),  # midnight in Shanghai
    datetime(2026, 11, 21, 15, 59, 59, 999_999, tzinfo=UTC),
]
MOMENTS = [*DAYS, "2026-11-22T04:00:00+00:00", "2026-11-21T12:00:00-05:00"]
EVENTS = ["email_opened", "order_completed"]
JSON_VALUES = st.one_of(
    st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.booleans(), st.none(), st.just(["tea"]), st.just({"a": 1})
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


COLUMNS = st.fixed_dictionaries(
    {
        "city": st.sampled_from(TEXTS),
        "birth_month": maybe(st.integers(1, 3)),
        "has_email": st.booleans(),
        "created_at": st.sampled_from(INSTANTS),
        "last_activity_at": maybe(st.sampled_from(INSTANTS)),
        "sex": st.sampled_from([0, 1, 2, 9]),
    }
)
ATTRIBUTES = st.dictionaries(st.sampled_from(["note", "points", "member", "level"]), JSON_VALUES, max_size=4).flatmap(
    lambda base: st.fixed_dictionaries(
        {
            "seen": st.one_of(st.sampled_from([at.isoformat() for at in INSTANTS]), st.sampled_from(["", None, 5])),
            "renewal": st.sampled_from([*DAYS, "", None, 5]),
            "likes": st.one_of(st.lists(st.sampled_from(["tea", "wine"]), max_size=2), st.none(), st.just("tea")),
        }
    ).map(lambda more: {**base, **more})
)
HAPPENED = st.builds(
    Happened,
    name=st.sampled_from(EVENTS),
    at=st.sampled_from(INSTANTS),
    properties=st.dictionaries(st.sampled_from(["x", "y"]), JSON_VALUES, max_size=2),
)
RELATED = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "orders.count": st.integers(0, 3),
            "orders.total": st.sampled_from([Decimal("0.10"), Decimal(2), Decimal("2.50"), Decimal(12)]),
            "orders.last_at": maybe(st.sampled_from(INSTANTS)),
        },
        optional={"company.name": st.sampled_from(TEXTS)},
    ),
)
FACTS = st.builds(
    Facts,
    columns=COLUMNS,
    attributes=ATTRIBUTES,
    related=RELATED,
    filled=st.frozensets(st.sampled_from(["full_name"])),
    tag_ids=st.frozensets(st.sampled_from([1, 2])),
    list_ids=st.frozensets(st.just(1)),
    consents=st.dictionaries(
        st.sampled_from([("email", None), ("email", "promotion")]), st.sampled_from(["given", "none", "withdrawn"])
    ),
    events=st.lists(HAPPENED, max_size=4).map(tuple),
)


def _field_condition(key: str, kind: str) -> st.SearchStrategy[dict[str, Any]]:
    def with_value(op: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        return st.builds(lambda v: {"field": key, "op": op, "value": v}, value)

    def without_value(op: str) -> st.SearchStrategy[dict[str, Any]]:
        return st.just({"field": key, "op": op})

    texts = st.sampled_from([text for text in TEXTS if text])
    numbers = st.sampled_from(NUMBERS)
    days = st.sampled_from(DAYS)
    moments = st.sampled_from(MOMENTS)
    spans = st.integers(1, 40)
    presence = [without_value("is_set"), without_value("is_not_set")]
    match kind:
        case "text":
            exact = [with_value(op, texts) for op in ("=", "!=", "contains", "starts_with")]
            return st.one_of(*presence, *exact, *_lists(with_value, texts))
        case "number":
            exact = [with_value(op, numbers) for op in ("=", "!=", ">", ">=", "<", "<=")]
            pairs = st.lists(numbers, min_size=2, max_size=2).map(sorted)
            return st.one_of(*presence, *exact, *_lists(with_value, numbers), with_value("between", pairs))
        case "boolean":
            return st.one_of(*presence, with_value("=", st.booleans()))
        case "date":
            exact = [with_value(op, days) for op in ("=", "!=", "before", "after")]
            return st.one_of(*presence, *exact, *_windows(with_value, days, spans))
        case "time":
            exact = [with_value(op, moments) for op in ("before", "after")]
            return st.one_of(*presence, *exact, *_windows(with_value, days, spans))
        case "choice":
            choices = st.sampled_from([1, 2] if key == "sex" else ["gold", "silver"])
            return st.one_of(
                *presence, with_value("=", choices), with_value("!=", choices), *_lists(with_value, choices)
            )
        case "sealed":
            return st.one_of(*presence)
        case _:
            return st.one_of(*presence, with_value("contains", st.sampled_from(["tea", "wine"])))


def _lists(with_value: Any, values: st.SearchStrategy[Any]) -> list[st.SearchStrategy[Any]]:
    several = st.lists(values, min_size=1, max_size=3)
    return [with_value("in", several), with_value("not_in", several)]


def _windows(with_value: Any, days: st.SearchStrategy[str], spans: st.SearchStrategy[int]) -> list[Any]:
    pairs = st.lists(days, min_size=2, max_size=2).map(sorted)
    return [
        with_value("between", pairs),
        with_value("within_last_days", spans),
        with_value("within_next_days", spans),
    ]


def _property_condition() -> st.SearchStrategy[dict[str, Any]]:
    def build(key: str, part: dict[str, Any]) -> dict[str, Any]:
        return {"property": key, **{name: value for name, value in part.items() if name != "field"}}

    kinds = st.one_of(_field_condition("", "text"), _field_condition("", "number"))
    flags = st.builds(lambda v: {"op": "=", "value": v}, st.booleans())
    return st.builds(build, st.sampled_from(["x", "y"]), st.one_of(kinds, flags))


def _nested(leaves: st.SearchStrategy[Any], max_leaves: int) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda items: {"all": items}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda items: {"any": items}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda item: {"not": item}, inner),
        ),
        max_leaves=max_leaves,
    )


@st.composite
def _event_condition(draw: st.DrawFn) -> dict[str, Any]:
    tree: dict[str, Any] = {"event": draw(st.sampled_from(EVENTS))}
    op = draw(st.sampled_from([None, "=", "!=", ">", ">=", "<", "<="]))
    if op is not None:
        tree |= {"op": op, "count": draw(st.integers(1 if op in {">=", "<"} else 0, 3))}
    window = draw(st.sampled_from(["", "days", "from", "to", "both"]))
    if window == "days":
        tree["within_days"] = draw(st.integers(1, 40))
    first, last = sorted(draw(st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS))))
    tree |= {"from": first} if window in {"from", "both"} else {}
    tree |= {"to": last} if window in {"to", "both"} else {}
    if draw(st.booleans()):
        tree["where"] = draw(_nested(_property_condition(), 3))
    return tree


LEAVES = st.one_of(
    *(_field_condition(spec.key, spec.type.value) for spec in FIELDS),
    st.just({"everyone": True}),
    st.sampled_from([{"tag": "vip"}, {"tag": "new"}, {"tag_group": "value"}]),
    st.just({"list": LIST_ID}),
    st.just({"audience": AUDIENCE_ID}),
    st.builds(
        lambda topic, state: {"consent": {"channel": "email", "state": state} | ({"topic": topic} if topic else {})},
        st.sampled_from([None, "promotion"]),
        st.sampled_from(["given", "none"]),
    ),
    _event_condition(),
    _event_condition(),
)
TREES = _nested(LEAVES, 6)


@contextmanager
def world(everybody: list[Facts]) -> Iterator[tuple[Catalogue, list[int]]]:
    """The facts as rows, in a transaction that is taken back."""
    with transaction.atomic():
        yield _write(everybody)
        transaction.set_rollback(True)


def _write(everybody: list[Facts]) -> tuple[Catalogue, list[int]]:
    in_group = group("value")
    tags = {1: tag("vip", in_group), 2: tag("new", in_group)}
    made = ContactList.objects.create(name="Fair 2026")
    topic, _ = Topic.objects.get_or_create(key="promotion", defaults={"name_zh": "促销", "name_en": "Promotion"})
    base = small_catalogue()
    catalogue = small_catalogue(
        tags={key: type(spec)(tags[spec.id].pk, key, spec.label) for key, spec in base.tags.items()},
        tag_groups={"value": TagGroupSpec("value", base.tag_groups["value"].label, tuple(t.pk for t in tags.values()))},
        lists={LIST_ID: ListSpec(made.pk, LIST_ID, "Fair 2026")},
        topic_ids={"promotion": topic.pk},
    )
    ids = []
    for facts in everybody:
        contact = Contact.objects.create(
            **facts.columns, attributes=dict(facts.attributes), filled=sorted(facts.filled)
        )
        ids.append(contact.pk)
        _relate(contact, facts)
        for number in facts.tag_ids:
            ContactTag.objects.create(contact=contact, tag=tags[number], group=in_group, source="test", at=NOW)
        for _number in facts.list_ids:
            ListMember.objects.create(contact=contact, list=made, source="test", at=NOW)
        for (channel, about), state in facts.consents.items():
            ConsentState.objects.create(
                contact=contact, channel=channel, topic=topic if about else None, state=state, since=NOW
            )
        append([NewEvent(contact.pk, e.name, e.at, "test", dict(e.properties)) for e in facts.events])
    # An event of somebody erased belongs to nobody and must change nothing.
    append([NewEvent(None, name, NOW, "test") for name in EVENTS])
    return catalogue, ids


def _relate(contact: Contact, facts: Facts) -> None:
    if "orders.count" in facts.related:
        total = int(facts.related["orders.total"] * 100)
        ContactFacts.objects.create(
            contact=contact,
            orders=facts.related["orders.count"],
            currency="CNY",
            total_minor=total,
            average_minor=total,
            per_currency={},
            last_at=facts.related["orders.last_at"],
        )
    if "company.name" in facts.related:
        name = facts.related["company.name"]
        contact.company = Company.objects.create(name=name, name_key=name)
        contact.save()


def _renumbered(facts: Facts, catalogue: Catalogue) -> Facts:
    """The evaluator sees the ids the database gave."""
    numbers = {1: catalogue.tags["vip"].id, 2: catalogue.tags["new"].id}
    tag_ids = frozenset(numbers[number] for number in facts.tag_ids)
    list_ids = frozenset(catalogue.lists[LIST_ID].id for _ in facts.list_ids)
    return replace(facts, tag_ids=tag_ids, list_ids=list_ids)


# Shrinking against a database takes minutes; the failing tree is printed as it is.
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(everybody=st.lists(FACTS, min_size=1, max_size=4), trees=st.lists(TREES, min_size=4, max_size=8))
def test_database_and_meaning_agree(everybody: list[Facts], trees: list[dict[str, Any]]) -> None:
    with world(everybody) as (catalogue, ids):
        seen = [_renumbered(facts, catalogue) for facts in everybody]
        for tree in trees:
            node = parse(tree)
            assert check(node, catalogue) == []
            expected = {
                contact_id
                for contact_id, facts in zip(ids, seen, strict=True)
                if evaluate(node, facts, catalogue, now=NOW)
            }
            sql = emit(rewrite(node, catalogue), catalogue, now=NOW)
            assert {row[0] for row in rows.query(sql.text, sql.params)} == expected, tree


@settings(max_examples=300, deadline=None)
@given(tree=TREES, facts=FACTS)
def test_canonical_spelling_keeps_meaning_and_is_stable(tree: dict[str, Any], facts: Facts) -> None:
    catalogue = small_catalogue()
    node = parse(tree)
    again = parse(canonical(node))
    assert digest(again) == digest(node)
    assert evaluate(again, facts, catalogue, now=NOW) == evaluate(node, facts, catalogue, now=NOW)
    steps = rewrite(node, catalogue)
    assert evaluate(steps, facts, catalogue, now=NOW) == evaluate(node, facts, catalogue, now=NOW)
