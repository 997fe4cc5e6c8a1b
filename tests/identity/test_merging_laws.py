"""Merging and undoing it leaves everything as it was, whatever the two records are."""

from typing import Any

from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hongyan.contacts.consent import refusals
from hongyan.contacts.models import Contact
from hongyan.core import clock
from hongyan.identity.merging import merge, unmerge
from hongyan.identity.types import MergeReason
from tests.identity.lives import PHASES, made_of, record
from tests.identity.people import ACTOR, START, dump, example, person, topic_id


@settings(max_examples=15, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=record, second=record, swap=st.sampled_from([1, -1]))
def test_undoing_a_merge_restores_both(world: dict[str, Any], first: Any, second: Any, swap: int) -> None:
    with example():
        one, two = made_of(world, 1, first), made_of(world, 2, second)
        survivor, loser = (one, two)[::swap]
        before = dump()
        made = merge(actor=ACTOR, survivor_id=survivor.pk, loser_id=loser.pk, reason=MergeReason.MANUAL)
        assert not Contact.objects.filter(pk=loser.pk).exists()
        unmerge(actor=ACTOR, merge_id=made.pk)
        after = dump()
        for table, rows in before.items():
            assert after[table] == rows, table


@settings(max_examples=15, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=record, second=record)
def test_consent_is_never_more_than_either_said(world: dict[str, Any], first: Any, second: Any) -> None:
    with example():
        one, two = made_of(world, 1, first), made_of(world, 2, second)
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


@settings(max_examples=8, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.tuples(record, record, record))
def test_a_chain_is_undone_from_the_top(world: dict[str, Any], records: Any) -> None:
    with example():
        one, two, three = (made_of(world, number, facts) for number, facts in enumerate(records, start=1))
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
