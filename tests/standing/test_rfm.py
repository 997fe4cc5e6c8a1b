"""RFM: equal values score equally, thresholds are exact, tiers take everybody, moves have a history."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hongyan.audience.errors import BadValue
from hongyan.audience.models import RFM, StandingFlow
from hongyan.audience.standing.rfm import rfm_refresh, rfm_renew, rfm_rules, rfm_rules_change
from hongyan.audience.standing.rfm_rules import DEFAULTS, Method, RFMRules, Scale, Tier, as_json, from_json
from hongyan.commerce.models import ContactFacts
from hongyan.contacts.models import Contact
from tests.audience.factory import SYSTEM
from tests.standing.factory import NOW, customer, told

pytestmark = pytest.mark.django_db
QUANTILES = replace(
    DEFAULTS, recency=Scale(Method.QUANTILE), frequency=Scale(Method.QUANTILE), monetary=Scale(Method.QUANTILE)
)


def scores() -> dict[int, tuple[int, int, int]]:
    return {row.contact_id: (row.recency, row.frequency, row.monetary) for row in RFM.objects.all()}


def quantile_score(value: float, everybody: list[float]) -> int:
    """The definition, slowly: one more for each k fifths of all that lie strictly below a value not above this one."""
    reached = [
        k
        for k in (1, 2, 3, 4)
        if any(
            5 * sum(lower < other for lower in everybody) >= k * len(everybody) for other in everybody if other <= value
        )
    ]
    return 1 + len(reached)


def test_rules_survive_storing_and_the_defaults_are_right() -> None:
    assert from_json(as_json(DEFAULTS)) == DEFAULTS
    assert rfm_rules_change(actor=SYSTEM, rules=DEFAULTS) == 1
    assert rfm_rules() == DEFAULTS


def test_every_combination_of_scores_has_one_tier() -> None:
    tiers = {DEFAULTS.tier_of(r, f, m).key for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)}
    assert tiers == {tier.key for tier in DEFAULTS.tiers}  # and none of them stands in the shadow of others


@pytest.mark.django_db(transaction=True)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from([0, 100, 100, 250, 99_999]), st.sampled_from([0, 1, 1, 30, 400])),
        min_size=1,
        max_size=25,
    )
)
def test_quantiles_follow_the_definition_and_never_split_ties(people: list[tuple[int, int, int]]) -> None:
    Contact.objects.all().delete()
    rfm_rules_change(actor=SYSTEM, rules=QUANTILES)
    made = {customer(orders=n, total_minor=total, days_ago=days).pk: (days, n, total) for n, total, days in people}
    rfm_refresh(now=NOW)
    found = scores()
    for contact_id, (days, orders, total) in made.items():
        expected = (
            quantile_score(-days, [-other[0] for other in made.values()]),
            quantile_score(orders, [other[1] for other in made.values()]),
            quantile_score(total, [other[2] for other in made.values()]),
        )
        assert found[contact_id] == expected
        row = RFM.objects.get(contact_id=contact_id)
        assert row.tier == QUANTILES.tier_of(*expected).key


def test_three_fifths_with_one_order_score_one_and_the_next_scores_four() -> None:
    rfm_rules_change(actor=SYSTEM, rules=QUANTILES)
    made = [customer(orders=n, total_minor=n, days_ago=1) for n in (1, 1, 1, 2, 3)]
    rfm_refresh(now=NOW)
    assert [scores()[contact.pk][1] for contact in made] == [1, 1, 1, 4, 5]


def test_fixed_thresholds_are_inclusive_to_the_microsecond() -> None:
    fixed = replace(DEFAULTS, monetary=Scale(Method.FIXED, (10, 20, 30, 40)))
    rfm_rules_change(actor=SYSTEM, rules=fixed)
    exact = customer(orders=2, total_minor=2_000, days_ago=30)
    late = customer(orders=1, total_minor=1_999, days_ago=1)
    ContactFacts.objects.filter(contact_id=late.pk).update(last_at=NOW - timedelta(days=30, microseconds=1))
    rfm_refresh(now=NOW)
    assert scores() == {exact.pk: (5, 2, 3), late.pk: (4, 1, 2)}


def test_who_never_ordered_or_has_no_order_left_has_no_scores() -> None:
    Contact.objects.create()
    once = customer(orders=1, total_minor=500, days_ago=2)
    refunded = customer(orders=0, total_minor=0, days_ago=2)
    rfm_refresh(now=NOW)
    assert set(scores()) == {once.pk}
    ContactFacts.objects.filter(contact_id=once.pk).delete()
    assert rfm_renew([once.pk, refunded.pk], now=NOW) == 1
    assert scores() == {}
    assert told("rfm_changed") == [(once.pk, {"from": "new", "to": None, "cause": "change"})]


def test_an_order_moves_a_customer_at_once_against_the_thresholds_of_the_last_look() -> None:
    someone = customer(orders=1, total_minor=500, days_ago=200)
    customer(orders=1, total_minor=100, days_ago=3)
    rfm_refresh(now=NOW)
    assert told("rfm_changed") == []
    ContactFacts.objects.filter(contact_id=someone.pk).update(orders=12, last_at=NOW, total_minor=900_000)
    assert rfm_renew([someone.pk], now=NOW) == 1
    ((contact_id, properties),) = told("rfm_changed")
    assert contact_id == someone.pk
    assert (properties["from"], properties["to"], properties["cause"]) == ("dormant", "loyal", "change")
    assert StandingFlow.objects.get(kind="rfm", before="dormant", after="loyal").contacts == 1
    assert rfm_renew([someone.pk], now=NOW) == 0


def test_time_lowers_recency() -> None:
    someone = customer(orders=1, total_minor=500, days_ago=1)
    rfm_refresh(now=NOW)
    assert rfm_refresh(now=NOW + timedelta(days=400)) == 1
    assert scores()[someone.pk][0] == 1
    assert told("rfm_changed")[0][1]["cause"] == "time"


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        (replace(DEFAULTS, recency=Scale(Method.FIXED, (30, 90, 180, 365))), "recency"),
        (replace(DEFAULTS, frequency=Scale(Method.FIXED, (1, 1, 2, 3))), "frequency"),
        (replace(DEFAULTS, monetary=Scale(Method.FIXED, (1, 2))), "monetary"),
        (replace(DEFAULTS, tiers=()), "tiers"),
        (replace(DEFAULTS, tiers=(Tier("vip", "贵宾", "", (4, 5)),)), "tiers"),
        (replace(DEFAULTS, tiers=(Tier("VIP!", "贵宾", ""), Tier("rest", "其他", ""))), "tiers/0"),
        (replace(DEFAULTS, tiers=(Tier("a", "甲", "", (5, 4)), Tier("rest", "其他", ""))), "tiers/0"),
        (replace(DEFAULTS, tiers=(Tier("a", "甲", "", (5, 5)), Tier("a", "其他", ""))), "tiers"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules: RFMRules, place: str) -> None:
    with pytest.raises(BadValue) as caught:
        rfm_rules_change(actor=SYSTEM, rules=rules)
    assert caught.value.field == place
