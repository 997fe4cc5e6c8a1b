"""Two records become one, and two again; people are erased. Nobody comes or goes by that alone."""

import pytest

from hongyan.audience.membership.lane import settle
from hongyan.audience.membership.types import ENTERED, LEFT
from hongyan.audience.models import Following, Member, MemberMove
from hongyan.contacts.erasure import contact_erase
from hongyan.core import clock
from hongyan.events.models import Event
from hongyan.identity.merging import merge, unmerge
from hongyan.identity.types import MergeReason
from tests.audience.factory import people
from tests.membership.factory import NOW, SYSTEM, audience, check_all, happen, members

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_survivor_is_in_since_then_and_nobody_moves() -> None:
    with clock.freeze(NOW):
        survivor, loser = people(2)
        made = audience("Readers", {"event": "email_opened"})
        lane = settle()
        happen(loser.pk, "email_opened")
        settle(lane)
        done = merge(actor=SYSTEM, survivor_id=survivor.pk, loser_id=loser.pk, reason=MergeReason.MANUAL)
        settle(lane)
        assert members(made) == {survivor.pk}
        assert Following.objects.get(audience=made).size == 1
        assert Event.objects.filter(name__in=[ENTERED, LEFT]).count() == 1  # the loser's, when it read
        unmerge(actor=SYSTEM, merge_id=done.pk)
        settle(lane)
        assert members(made) == {loser.pk}
        assert Event.objects.filter(name__in=[ENTERED, LEFT]).count() == 1
        check_all()


def test_what_both_did_counts_together_after_a_merge() -> None:
    with clock.freeze(NOW):
        survivor, loser = people(2)
        made = audience("Twice", {"event": "email_opened", "op": ">=", "count": 2})
        lane = settle()
        happen(survivor.pk, "email_opened")
        happen(loser.pk, "email_opened")
        settle(lane)
        assert members(made) == set()
        done = merge(actor=SYSTEM, survivor_id=survivor.pk, loser_id=loser.pk, reason=MergeReason.MANUAL)
        settle(lane)
        assert members(made) == {survivor.pk}
        assert MemberMove.objects.get(audience=made).cause == "contact_merged"
        unmerge(actor=SYSTEM, merge_id=done.pk)
        settle(lane)
        assert members(made) == set()


def test_who_is_erased_is_nowhere_and_has_not_left() -> None:
    with clock.freeze(NOW):
        one, two = people(2, city="上海")
        made = audience("Shanghai", {"field": "city", "op": "=", "value": "上海"})
        lane = settle()
        contact_erase(actor=SYSTEM, contact_id=one.pk, reason="request")
        assert not Member.objects.filter(contact_id=one.pk).exists()
        settle(lane)
        assert members(made) == {two.pk}
        assert Following.objects.get(audience=made).size == 1
        assert not MemberMove.objects.exists()
        assert not Event.objects.filter(name=LEFT).exists()
