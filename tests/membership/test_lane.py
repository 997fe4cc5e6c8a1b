"""Whoever does something, changes, or lets time pass comes and goes, once, and for a reason."""

from datetime import datetime, timedelta

import pytest

from hongyan.audience.membership import gathering, passing
from hongyan.audience.membership.lane import Lane, settle
from hongyan.audience.membership.types import ENTERED, LEFT
from hongyan.audience.models import Following, MemberDay, MemberMove
from hongyan.audience.saved import audience_delete, audience_update
from hongyan.contacts.fields import field_create
from hongyan.contacts.models import Contact, FieldDefinition
from hongyan.core import clock
from hongyan.events.models import Event
from tests.audience.factory import group, people, person, tag
from tests.membership.factory import NOW, SYSTEM, audience, check_all, happen, members

pytestmark = pytest.mark.django_db(transaction=True)


def told() -> list[tuple[str, int | None, str]]:
    rows = Event.objects.filter(name__in=[ENTERED, LEFT]).order_by("id")
    return [(row.name, row.contact_id, row.properties["cause"]) for row in rows]


def test_an_audience_is_filled_without_telling_anybody() -> None:
    with clock.freeze(NOW):
        one, two = people(2, city="上海")
        person(city="北京")
        made = audience("Shanghai", {"field": "city", "op": "=", "value": "上海"})
        settle()
        assert members(made) == {one.pk, two.pk}
        row = Following.objects.get(audience=made)
        assert (row.state, row.size, row.version) == (Following.State.CURRENT, 2, 1)
        assert told() == []
        assert MemberMove.objects.count() == 0


def test_an_event_lets_people_in_and_another_out() -> None:
    with clock.freeze(NOW):
        one, _other = people(2)
        tree = {"all": [{"event": "email_opened"}, {"not": {"event": "order_completed"}}]}
        made = audience("Readers", tree)
        lane = settle()
        happen(one.pk, "email_opened")
        settle(lane)
        assert members(made) == {one.pk}
        happen(one.pk, "order_completed")
        settle(lane)
        assert members(made) == set()
        assert told() == [(ENTERED, one.pk, "email_opened"), (LEFT, one.pk, "order_completed")]
        day = MemberDay.objects.get(audience=made)
        assert (day.entered, day.left, day.size) == (1, 1, 0)
        assert day.causes == {"event:email_opened": [1, 0], "event:order_completed": [0, 1]}


def test_time_alone_lets_people_out_and_in() -> None:
    with clock.freeze(NOW):
        one = person()
        fresh = audience("Fresh", {"event": "email_opened", "within_days": 30})
        asleep = audience("Asleep", {"not": {"event": "email_opened", "within_days": 30}})
        lane = settle()
        assert members(asleep) == {one.pk}
        happen(one.pk, "email_opened", NOW)
        settle(lane)
        assert (members(fresh), members(asleep)) == ({one.pk}, set())
    with clock.freeze(NOW + timedelta(days=30)):
        settle(lane)
        assert (members(fresh), members(asleep)) == ({one.pk}, set())
    with clock.freeze(NOW + timedelta(days=30, microseconds=1)):
        settle(lane)
        assert (members(fresh), members(asleep)) == (set(), {one.pk})
        assert told()[-2:] == [(LEFT, one.pk, "time"), (ENTERED, one.pk, "time")] or told()[-2:] == [
            (ENTERED, one.pk, "time"),
            (LEFT, one.pk, "time"),
        ]


def test_a_person_s_own_dates_let_people_in_and_out_and_follow_what_is_changed() -> None:
    def on(day: int) -> datetime:
        return NOW + timedelta(days=day)

    with clock.freeze(NOW):
        field_create(actor=SYSTEM, key="renewal", label_zh="续费", label_en="Renewal", type=FieldDefinition.Type.DATE)
        dates = {"renewal": "2026-12-10"}
        one, other = (Contact.objects.create(attributes=dates, created_at=NOW) for _ in range(2))
        soon = audience("soon", {"field": "custom.renewal", "op": "within_next_days", "value": 7})
        young = audience("young", {"field": "created_at", "op": "within_last_days", "value": 20})
        lane = settle()
        assert (members(soon), members(young)) == (set(), {one.pk, other.pk})
        Contact.objects.filter(pk=other.pk).update(attributes={"renewal": "2026-12-20"})  # ten days later
        # One who had no date, so that nothing else would bring it back to mind.
        third = Contact.objects.create(created_at=NOW - timedelta(days=99))
        lane.turn()
        Contact.objects.filter(pk=third.pk).update(attributes=dates)
        lane.turn()
    for day, there in (
        (9, set()),
        (12, {one.pk, third.pk}),
        (18, {one.pk, third.pk}),
        (19, set()),
        (22, {other.pk}),
        (29, set()),
    ):
        with clock.freeze(on(day)):
            lane.turn()
            assert members(soon) == there, day
            assert members(young) == ({one.pk, other.pk} if day <= 20 else set())
            assert lane.turn().looked == 0  # nobody is asked again before a next moment


def test_changes_of_the_record_and_tags_count() -> None:
    with clock.freeze(NOW):
        vip = tag("vip", group())
        made = audience("Both", {"all": [{"tag": "vip"}, {"field": "city", "op": "=", "value": "上海"}]})
        newcomers = audience("Without", {"not": {"tag": "vip"}})
        lane = settle()
        one = person(city="上海")
        settle(lane)
        assert members(newcomers) == {one.pk}
        vip.contact_tags.create(contact=one, group_id=vip.group_id, source="test", at=NOW)
        settle(lane)
        assert members(made) == {one.pk}
        assert members(newcomers) == set()
        one.city = "北京"
        one.save()
        settle(lane)
        assert members(made) == set()
        causes = [row[2] for row in told()]
        assert sorted(causes) == ["contact", "contact", "tag", "tag"]
        check_all()


def test_a_new_definition_moves_only_the_difference() -> None:
    with clock.freeze(NOW):
        one, two, three = person(city="A"), person(city="B"), person(city="C")
        made = audience("Cities", {"field": "city", "op": "in", "value": ["A", "B"]})
        lane = settle()
        audience_update(
            actor=SYSTEM, audience=made, name="Cities", tree={"field": "city", "op": "in", "value": ["B", "C"]}
        )
        settle(lane)
        assert members(made) == {two.pk, three.pk}
        assert sorted(told()) == [(ENTERED, three.pk, "definition"), (LEFT, one.pk, "definition")]
        assert Following.objects.get(audience=made).version == 2


def test_a_deleted_audience_is_forgotten() -> None:
    with clock.freeze(NOW):
        person(city="A")
        made = audience("A", {"field": "city", "op": "=", "value": "A"})
        lane = settle()
        number = made.pk
        audience_delete(actor=SYSTEM, audience=made)
        settle(lane)
        from hongyan.audience.models import Member

        assert not Member.objects.filter(audience_id=number).exists()


def test_an_event_of_the_future_counts_when_its_time_has_come() -> None:
    with clock.freeze(NOW):
        one = person()
        made = audience("Did", {"event": "email_opened"})
        lane = settle()
        happen(one.pk, "email_opened", NOW + timedelta(hours=1))
        settle(lane)
        assert members(made) == set()
    with clock.freeze(NOW + timedelta(hours=1)):
        settle(lane)
        assert members(made) == {one.pk}


def test_a_lane_that_begins_later_goes_on_where_the_last_one_stood() -> None:
    with clock.freeze(NOW):
        one = person()
        made = audience("Did", {"event": "email_opened"})
        settle()
        happen(one.pk, "email_opened")
        settle(Lane())
        assert members(made) == {one.pk}
        assert len(told()) == 1


def test_a_great_change_is_taken_in_portions_and_keeps_nothing_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "TOUCHED", 4)
    with clock.freeze(NOW):
        people = [one.pk for one in Contact.objects.bulk_create([Contact(city="A") for _ in range(10)])]
        there = audience("there", {"field": "city", "op": "=", "value": "B"})
        opened = audience("opened", {"event": "email_opened"})
        lane = settle()
        Contact.objects.update(city="B")  # one row of the change log
        happen(people[0], "email_opened")
        done = lane.turn()
        assert (len(members(there)), members(opened), done.touches, done.drained) == (4, {people[0]}, 4, False)
        lane.turn()
        assert len(members(there)) == 8
        other = Lane()  # one that takes over knows nothing of portions and begins the row anew
        assert [other.turn().came for _ in range(3)] == [0, 0, 2]
        check_all()
        Contact.objects.filter(pk__in=people[:4]).update(city="A")
        Contact.objects.filter(pk__in=people[4:]).update(city="C")
        settle(other)
        check_all()


def test_what_concerns_nobody_does_not_fill_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing, "EVENTS", 2)
    with clock.freeze(NOW):
        one = Contact.objects.create()
        opened = audience("opened", {"event": "email_opened", "op": ">=", "count": 3})
        lane = settle()
        for name in ["a", "b", "c", "email_opened", "d", "email_opened", "email_opened", "e"]:
            happen(one.pk, name)
        # With the second that concerns somebody the pass is full; of the next one is ``audience_entered``.
        assert [(done.events, done.drained) for done in (lane.turn(), lane.turn())] == [(6, False), (3, True)]
        assert members(opened) == {one.pk}
        for _ in range(9):
            happen(one.pk, "a")
        assert [lane.turn().events for _ in range(3)] == [8, 1, 0]
