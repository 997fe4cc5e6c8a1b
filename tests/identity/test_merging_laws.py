"""Merging and undoing it leaves everything as it was, whatever the two records are."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hongyan.audience.lists import list_add, list_create
from hongyan.audience.models import Tag, TagGroup
from hongyan.audience.tagging.tags import tag_contacts
from hongyan.audience.types import OnOtherTag
from hongyan.contacts.consent import refusals
from hongyan.contacts.models import ConfirmationRequest, Contact
from hongyan.contacts.suppression import suppress
from hongyan.contacts.types import ConsentAction, SuppressionReason
from hongyan.core import clock
from hongyan.core.crypto.keyring import keyring
from hongyan.delivery.models import Message
from hongyan.delivery.outbox import dispatch
from hongyan.delivery.types import MessageState, Origin
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.identity.merging import merge, unmerge
from hongyan.identity.types import MergeReason
from tests.delivery import factory
from tests.identity.people import ACTOR, START, consent, dump, example, person, topic_id

NAMES = ["王小明", "单雄信", "Ada Lovelace", ""]
values = st.fixed_dictionaries(
    {},
    optional={
        "full_name": st.sampled_from(NAMES),
        "phone": st.sampled_from(["+8613800138000", "+8613900139000"]),
        "city": st.sampled_from(["上海", "Leeds"]),
        "street": st.sampled_from(["南京路 1 号", "Park Row 7"]),
        "country": st.sampled_from(["CN", "FR"]),
        "sex": st.sampled_from(["1", "2"]),
        "birth_date": st.sampled_from(["1990-01-02", "1971-12-31"]),
        "notes": st.sampled_from(["早上好联系", "likes tea"]),
        "company": st.sampled_from(["鸿雁商贸", "Lovelace Ltd"]),
    },
)
consents = st.lists(
    st.tuples(
        st.sampled_from(["promotion", "newsletter", None]),
        st.sampled_from([ConsentAction.GIVEN, ConsentAction.WITHDRAWN, ConsentAction.REQUESTED, ConsentAction.EXPIRED]),
        st.integers(0, 9),
    ),
    max_size=4,
)
record = st.fixed_dictionaries(
    {
        "values": values,
        "consents": consents,
        "tags": st.sets(st.sampled_from(["vip", "gold", "silver"]), max_size=2),
        "listed": st.booleans(),
        "events": st.integers(0, 4),
        "messages": st.dictionaries(
            st.sampled_from([1, 2, 3]),
            st.sampled_from([MessageState.QUEUED, MessageState.SENT, MessageState.DEFERRED, MessageState.BOUNCED]),
            max_size=3,
        ),
        "requested": st.booleans(),
        "active": st.one_of(st.none(), st.integers(0, 9)),
        "suppressed": st.booleans(),
    }
)


# Shrinking would run for minutes: every example makes people in a database.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@pytest.fixture
def world(db: None) -> dict[str, Any]:
    group = TagGroup.objects.create(key="tier", name_zh="等级", exclusive=True)
    free = TagGroup.objects.create(key="free", name_zh="自由")
    for key in ("gold", "silver"):
        Tag.objects.create(key=key, name_zh=key, group=group)
    Tag.objects.create(key="vip", name_zh="vip", group=free)
    return {
        "list": list_create(actor=ACTOR, name="会员"),
        "content": factory.content().pk,
        "sender": factory.sender().pk,
    }


def _make(world: dict[str, Any], place: int, facts: dict[str, Any]) -> Contact:
    made = person(**{"email": f"p{place}@example.com", **facts["values"]})
    for topic, action, day in facts["consents"]:
        consent(made, action, topic=topic, day=day)
    for key in sorted(facts["tags"]):
        tag_contacts(
            actor=ACTOR, tag=Tag.objects.get(key=key), contact_ids=[made.pk], source="test", on_other=OnOtherTag.REPLACE
        )
    if facts["listed"]:
        list_add(actor=ACTOR, contact_list=world["list"], contact_ids=[made.pk], source="test")
    append(
        [NewEvent(made.pk, f"e{n}", START + timedelta(days=n * 20), "web", {"n": n}) for n in range(facts["events"])]
    )
    for origin, state in facts["messages"].items():
        _message(world, made, origin, state)
    if facts["requested"]:
        ConfirmationRequest.objects.create(
            contact=made,
            topic_keys=["promotion"],
            token_sha256=bytes([place]) * 32,
            language="zh-hans",
            requested_at=START,
            expires_at=START + timedelta(days=30),
            sealed=keyring().records.seal(b'{"a":1}', owner_id=made.pk),
        )
    if facts["active"] is not None:
        Contact.objects.filter(pk=made.pk).update(last_activity_at=START + timedelta(days=facts["active"]))
    if facts["suppressed"]:
        suppress(actor=ACTOR, kind="email", value=f"p{place}@example.com", reason=SuppressionReason.COMPLAINED)
    return Contact.objects.get(pk=made.pk)


def _message(world: dict[str, Any], contact: Contact, origin: int, state: MessageState) -> None:
    from hongyan.core.sql import SQL

    dispatch(
        origin=Origin.starting("campaign", origin, at=START),
        content_version_id=world["content"],
        sender_id=world["sender"],
        topic_id=topic_id(),
        members=SQL("SELECT id FROM contacts_contact WHERE id = %(a0)s", {"a0": contact.pk}),
        due_at=START,
    )
    waits = state in (MessageState.QUEUED, MessageState.DEFERRED)
    Message.objects.filter(contact_id=contact.pk, origin_id=origin).update(
        state=state, wake_at=START if waits else None, finished_at=None if waits else START
    )


@settings(max_examples=15, deadline=None, phases=_PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=record, second=record, swap=st.sampled_from([1, -1]))
def test_undoing_a_merge_restores_both(world: dict[str, Any], first: Any, second: Any, swap: int) -> None:
    with example():
        one, two = _make(world, 1, first), _make(world, 2, second)
        survivor, loser = (one, two)[::swap]
        before = dump()
        made = merge(actor=ACTOR, survivor_id=survivor.pk, loser_id=loser.pk, reason=MergeReason.MANUAL)
        assert not Contact.objects.filter(pk=loser.pk).exists()
        unmerge(actor=ACTOR, merge_id=made.pk)
        after = dump()
        for table, rows in before.items():
            assert after[table] == rows, table


@settings(max_examples=15, deadline=None, phases=_PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=record, second=record)
def test_consent_is_never_more_than_either_said(world: dict[str, Any], first: Any, second: Any) -> None:
    with example():
        one, two = _make(world, 1, first), _make(world, 2, second)
        topics = {key: topic_id(key) for key in ("promotion", "newsletter", "care")}
        before = {
            key: [refusals([person.pk], topic_id=number, transactional=False)[person.pk] for person in (one, two)]
            for key, number in topics.items()
        }
        merge(actor=ACTOR, survivor_id=one.pk, loser_id=two.pk, reason=MergeReason.MANUAL)
        for key, number in topics.items():
            now = refusals([one.pk], topic_id=number, transactional=False)[one.pk]
            spoke = [why for why in before[key] if why is not None and why != "no_consent"]
            if spoke:
                assert now is not None, (key, before[key])
            if all(before[key]):
                assert now is not None, key


@settings(max_examples=8, deadline=None, phases=_PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.tuples(record, record, record))
def test_a_chain_is_undone_from_the_top(world: dict[str, Any], records: Any) -> None:
    with example():
        one, two, three = (_make(world, number, facts) for number, facts in enumerate(records, start=1))
        before = dump()
        first = merge(actor=ACTOR, survivor_id=one.pk, loser_id=two.pk, reason=MergeReason.MANUAL)
        middle = dump()
        second = merge(actor=ACTOR, survivor_id=three.pk, loser_id=one.pk, reason=MergeReason.MANUAL)
        unmerge(actor=ACTOR, merge_id=second.pk)
        between = dump()
        for table, rows in middle.items():
            assert between[table] == rows, table
        unmerge(actor=ACTOR, merge_id=first.pk)
        after = dump()
        for table, rows in before.items():
            assert after[table] == rows, table


def test_a_person_of_a_hundred_thousand_events_merges_in_seconds(world: dict[str, Any]) -> None:
    one, two = person(email="a@example.com"), person(email="b@example.com")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO events_event (contact_id, name, occurred_at, source)"
            " SELECT %s, 'page_viewed', %s::timestamptz + n * interval '1 minute', 'web'"
            " FROM generate_series(1, 100000) n",
            [two.pk, START],
        )
    begun = clock.now()
    made = merge(actor=ACTOR, survivor_id=one.pk, loser_id=two.pk, reason=MergeReason.MANUAL)
    merged_s = (clock.now() - begun).total_seconds()
    begun = clock.now()
    unmerge(actor=ACTOR, merge_id=made.pk)
    undone_s = (clock.now() - begun).total_seconds()
    assert merged_s < 30
    assert undone_s < 30
    with connection.cursor() as cursor:
        cursor.execute("SELECT contact_id, count(*) FROM events_event WHERE name = 'page_viewed' GROUP BY 1")
        assert cursor.fetchall() == [(two.pk, 100_000)]
