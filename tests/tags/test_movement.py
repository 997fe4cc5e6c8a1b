"""Whoever writes tags, what came and went is counted by day."""

from datetime import timedelta

import pytest

from hongyan.audience.models import ContactTag, TagDay, TagFlow
from hongyan.audience.selectors import tag_sizes
from hongyan.audience.tagging.movement import TagMovement, movements, tag_flows_fold
from hongyan.audience.tagging.tags import tag_change_undo, tag_contacts, untag_contacts
from hongyan.audience.types import OnOtherTag
from hongyan.core import clock
from tests.audience.factory import SYSTEM, group, people, tag

pytestmark = pytest.mark.django_db


def movement(named: object) -> TagMovement:
    sizes = tag_sizes(actor=SYSTEM)
    return movements(actor=SYSTEM, sizes={named.pk: sizes.get(named.pk, 0)}, days=7)[named.pk]  # type: ignore[attr-defined]


def test_adding_removing_replacing_undoing_and_erasing_are_counted() -> None:
    where = group(exclusive=True)
    one, two = tag("one", where), tag("two", where)
    ids = [contact.pk for contact in people(5)]
    tag_contacts(actor=SYSTEM, tag=one, contact_ids=ids)
    untag_contacts(actor=SYSTEM, tag=one, contact_ids=ids[:1])
    replaced = tag_contacts(actor=SYSTEM, tag=two, contact_ids=ids[1:3], on_other=OnOtherTag.REPLACE)
    assert (movement(one).came, movement(one).went) == (5, 3)
    assert movement(two).net == 2
    assert replaced.change_id is not None
    tag_change_undo(actor=SYSTEM, public_id=replaced.change_id)
    assert (movement(two).net, movement(one).net) == (0, 4)
    ContactTag.objects.filter(contact_id=ids[1]).get().contact.delete()
    assert movement(one).net == 3
    before = movement(one)
    tag_flows_fold()
    assert movement(one) == before
    assert not TagFlow.objects.exists()
    tag_flows_fold()
    assert movement(one) == before
    assert TagDay.objects.get(tag=one).added == before.came


def test_sizes_are_counted_back_from_the_present_one() -> None:
    one = tag("one", group())
    ids = [contact.pk for contact in people(6)]
    now = clock.now()
    for days, some in ((5, ids[:3]), (2, ids[3:])):
        with clock.freeze(now - timedelta(days=days)):
            tag_contacts(actor=SYSTEM, tag=one, contact_ids=some)
    assert movement(one).sizes == [0, 3, 3, 3, 6, 6, 6]
    assert movement(one).added == [0, 3, 0, 0, 3, 0, 0]


def test_moving_a_tag_to_another_group_moves_nobody() -> None:
    from hongyan.audience.tagging.taxonomy import tag_update

    one, other = tag("one", group()), group("other", exclusive=True)
    tag_contacts(actor=SYSTEM, tag=one, contact_ids=[contact.pk for contact in people(2)])
    tag_update(actor=SYSTEM, tag=one, name_zh="一", name_en="", colour="teal", group=other)
    assert (movement(one).came, movement(one).went) == (2, 0)
