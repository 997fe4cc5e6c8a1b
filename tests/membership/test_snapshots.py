"""A snapshot keeps who was in; its list serves as a condition and is not changed by hand."""

import pytest

from hongyan.audience.errors import Frozen, InUse
from hongyan.audience.lists import list_add, list_remove
from hongyan.audience.membership import selectors, services
from hongyan.audience.models import AudienceSnapshot, ContactList, ListMember
from hongyan.contacts.models import Contact
from hongyan.core import clock
from hongyan.jobs.runner import job_run
from tests.audience.factory import people, person
from tests.membership.factory import NOW, SYSTEM, audience, meant

pytestmark = pytest.mark.django_db(transaction=True)


def taken(name: str = "") -> AudienceSnapshot:
    made = audience("Shanghai", {"field": "city", "op": "=", "value": "上海"})
    snapshot, job = services.snapshot_take(actor=SYSTEM, audience=made, name=name)
    job_run(job_id=job.pk)
    snapshot.refresh_from_db()
    return snapshot


def test_who_was_in_stays_in_whatever_happens_later() -> None:
    one, two = people(2, city="上海")
    with clock.freeze(NOW):
        snapshot = taken()
    Contact.objects.filter(pk=one.pk).update(city="北京")
    person(city="上海")
    assert (snapshot.state, snapshot.size, snapshot.taken_at, snapshot.version) == ("ready", 2, NOW, 1)
    assert snapshot.list.name == "Shanghai · 2026-11-22 12:00"
    assert meant({"list": str(snapshot.list.public_id)}) == {one.pk, two.pk}
    assert snapshot.audience is not None
    assert selectors.snapshots_of(actor=SYSTEM, audience=snapshot.audience) == [snapshot]


def test_nobody_is_put_on_it_or_taken_off() -> None:
    one, _two = people(2, city="上海")
    other = person()
    snapshot = taken("Autumn")
    with pytest.raises(Frozen):
        list_add(actor=SYSTEM, contact_list=snapshot.list, contact_ids=[other.pk])
    with pytest.raises(Frozen):
        list_remove(actor=SYSTEM, contact_list=snapshot.list, contact_ids=[one.pk])
    assert ListMember.objects.filter(list=snapshot.list).count() == 2


def test_it_goes_with_its_list_unless_something_uses_it() -> None:
    people(1, city="上海")
    snapshot = taken("Autumn")
    user = audience("User", {"list": str(snapshot.list.public_id)})
    with pytest.raises(InUse):
        services.snapshot_delete(actor=SYSTEM, snapshot=snapshot)
    user.delete()
    services.snapshot_delete(actor=SYSTEM, snapshot=snapshot)
    assert not ContactList.objects.exists()
    assert not AudienceSnapshot.objects.exists()


def test_two_snapshots_of_one_minute_have_two_names() -> None:
    made = audience("Shanghai", {"field": "city", "op": "=", "value": "上海"})
    with clock.freeze(NOW):
        first, _ = services.snapshot_take(actor=SYSTEM, audience=made)
        second, _ = services.snapshot_take(actor=SYSTEM, audience=made)
    assert second.list.name == f"{first.list.name} (2)"
