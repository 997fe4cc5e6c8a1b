"""Suggested audiences: the rule that is hidden in the data is found, said in the language, and measured honestly."""

import json
import random
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from hongyan.accounts.permissions import Role
from hongyan.audience import saved
from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.rewrite import expand
from hongyan.audience.errors import NotFound
from hongyan.audience.insight.members import member_ids
from hongyan.audience.models import SavedAudience
from hongyan.audience.models_suggest import SuggestionRun
from hongyan.audience.segments import check, checked, explain
from hongyan.audience.suggest import clusters as grouping
from hongyan.audience.suggest.clusters import clusters
from hongyan.audience.suggest.features import LONG_AGO, NEVER, Feature, Kind, above, features, not_above, rounded
from hongyan.audience.suggest.lookalike import TooFew, look_alikes
from hongyan.audience.suggest.reading import common_events, common_kinds, common_values, matrix
from hongyan.audience.suggest.rules import Leaf, Split, branches, rule
from hongyan.audience.suggest.runs import suggestion_save, suggestion_start, suggestion_work
from hongyan.audience.tagging import tags
from hongyan.commerce.models import ContactFacts
from hongyan.contacts.models import Contact
from hongyan.core import clock
from hongyan.events.models_catalogue import EventName, EventProperty
from hongyan.events.services import append
from hongyan.events.types import NewEvent
from hongyan.jobs.runner import job_run
from tests.audience.factory import SYSTEM, actor_of, group, people, tag
from tests.browser import staff

pytestmark = pytest.mark.django_db
VIP = {"tag": "vip"}


def quiet(_done: int) -> None:
    """Nobody looks."""


def event(contact: Contact, name: str, days: float, **properties: Any) -> NewEvent:
    at = clock.now() - timedelta(days=days)
    return NewEvent(
        contact_id=contact.pk, name=name, occurred_at=at, source="test", properties=properties, dedupe_key=None
    )  # fmt: skip


@pytest.fixture
def shop() -> dict[str, list[Contact]]:
    """Three ways of being a customer. VIPs are those of Shanghai who view many products, nine times of ten."""
    chance = random.Random(7)
    keen = people(120, city="上海", country="CN", has_email=True)
    local = people(140, city="上海", country="CN", has_email=True)
    far = people(240, city="Berlin", country="DE", has_email=True)
    happened = []
    for contact in keen:
        happened += [event(contact, "product_viewed", chance.uniform(1, 25)) for _n in range(chance.randint(6, 12))]
    for contact in local:
        happened += [event(contact, "product_viewed", chance.uniform(1, 300)) for _n in range(chance.randint(0, 2))]
    for contact in far:
        happened += [event(contact, "email_opened", chance.uniform(1, 80)) for _n in range(chance.randint(4, 9))]
    append(happened)
    ContactFacts.objects.bulk_create(
        ContactFacts(
            contact=contact,
            orders=3,
            currency="CNY",
            total_minor=chance.randint(50_000, 90_000),
            average_minor=1,
            per_currency={},
            last_at=clock.now() - timedelta(days=chance.randint(1, 200)),
        )
        for contact in local
    )
    vip = tag("vip", group("value"), name_zh="贵宾", name_en="VIP")
    chosen = keen[:108] + local[:6] + far[:6]
    tags.tag_contacts(actor=SYSTEM, tag=vip, contact_ids=[contact.pk for contact in chosen])
    return {"keen": keen, "local": local, "far": far}


def sample_of() -> Any:
    return np.array(sorted(Contact.objects.values_list("pk", flat=True)), dtype=np.int64)


def test_every_feature_says_in_the_language_what_its_number_says(shop: dict[str, list[Contact]]) -> None:
    """The matrix and the compiled conditions agree on who is above a threshold and who is not."""
    now, catalogue, sample = clock.now(), catalogue_now(), sample_of()
    made = features(catalogue, events=common_events(sample, now=now), values=common_values(sample, catalogue))
    values = matrix(made, sample, catalogue, now=now)
    told = 0
    for place, item in enumerate(made):
        column = values[:, place]
        if column.min() == column.max():
            continue
        steps = np.unique(column)
        low, high = (float(value) for value in steps[[steps.size // 2 - 1, steps.size // 2]])
        threshold = rounded(item, (low + high) / 2, low, high)
        for tree, expected in (
            (above(item, threshold), column >= high),
            (not_above(item, threshold), column <= low),
        ):
            assert not check(tree, catalogue=catalogue), item
            assert member_ids(tree, catalogue=catalogue, now=now).tolist() == sample[expected].tolist(), (
                item,
                threshold,
            )
        told += 1
    assert told > 8


@pytest.fixture
def tastes(shop: dict[str, list[Contact]]) -> set[int]:
    """Who likes tea: by what they look at, order, and through which channel they came. Everybody does as much."""
    chance = random.Random(11)
    everyone = [contact for one in shop.values() for contact in one]
    tea = {contact.pk for contact in chance.sample(everyone, 150)}
    happened = []
    for contact in everyone:
        for _n in range(5):
            kind = "茶" if (contact.pk in tea) == (chance.random() < 0.9) else chance.choice(["杯", "书"])
            happened.append(event(contact, "product_viewed", chance.uniform(1, 80), category=kind))
        goods = [{"category": chance.choice(["茶", "杯"])} for _n in range(3)] + [{"category": 7}, "odd"]
        happened.append(event(contact, "order_completed", chance.uniform(1, 300), products=goods))
        channel: Any = chance.choice(["search", "mail", "", 5, None])
        happened.append(event(contact, "page_viewed", chance.uniform(1, 300), channel=channel))
    append(happened)
    for name, key, kind in (
        ("product_viewed", "category", "text"),
        ("order_completed", "products", "list"),
        ("page_viewed", "channel", "text"),
    ):
        made, _new = EventName.objects.get_or_create(name=name)
        EventProperty.objects.create(event=made, key=key, types={kind: 1})
    return tea


def test_kinds_of_things_and_channels_are_features_that_say_what_they_count(tastes: set[int]) -> None:
    now, catalogue, sample = clock.now(), catalogue_now(), sample_of()
    events = common_events(sample, now=now)
    kinds = common_kinds(sample, events, catalogue, now=now)
    assert {
        ("product_viewed", "category", "茶"), ("product_viewed", "category", "书"),
        ("order_completed", "products[].category", "杯"), ("page_viewed", "channel", "search"),
    } <= set(kinds)  # fmt: skip
    made = [item for item in features(catalogue, events=events, values={}, kinds=kinds) if item.part and item.event]
    values = matrix(made, sample, catalogue, now=now)
    for place, item in enumerate(made):
        for threshold in (0.5, 1.5):
            for tree, expected in (
                (above(item, threshold), values[:, place] > threshold),
                (not_above(item, threshold), values[:, place] < threshold),
            ):
                assert not check(tree, catalogue=catalogue), item
                found = member_ids(tree, catalogue=catalogue, now=now).tolist()
                assert found == sample[expected].tolist(), (item, threshold)
    said = next(item for item in made if item.part["value"] == "茶" and item.event == "product_viewed")
    assert "浏览商品（类别：茶）" in said.label("zh-hans")


def test_look_alikes_tell_people_apart_by_the_kinds_of_things_they_look_at(tastes: set[int]) -> None:
    liking = tag("tea", group("taste"))
    tags.tag_contacts(actor=SYSTEM, tag=liking, contact_ids=sorted(tastes))
    catalogue = catalogue_now()
    node = checked({"tag": "tea"}, catalogue=catalogue)
    found = look_alikes({"tag": "tea"}, left_out=[node], catalogue=catalogue, now=clock.now(), progress=quiet)
    best = max(found.suggestions, key=lambda item: item.precision * item.recall)
    assert "茶" in json.dumps(best.tree, ensure_ascii=False)
    assert (best.precision > 0.85, best.recall > 0.85) == (True, True)


def test_sealed_properties_are_no_features(tastes: set[int]) -> None:
    EventProperty.objects.filter(key="category").update(handling=EventProperty.Handling.SEAL)
    kinds = common_kinds(sample_of(), ["product_viewed"], catalogue_now(), now=clock.now())
    assert kinds == []


def test_no_identifying_field_becomes_a_feature(shop: dict[str, list[Contact]]) -> None:
    made = features(catalogue_now(), events=["product_viewed"], values={"city": ["上海"]})
    text = json.dumps([item.to_json() for item in made], ensure_ascii=False)
    for word in ("full_name", "email_domain", "birth", "sealed"):
        assert word not in text


def test_look_alikes_find_the_hidden_rule_without_the_tag_itself(shop: dict[str, list[Contact]]) -> None:
    catalogue = catalogue_now()
    node = checked(VIP, catalogue=catalogue)
    found = look_alikes(VIP, left_out=[expand(node, catalogue)], catalogue=catalogue, now=clock.now(), progress=quiet)
    best = max(found.suggestions, key=lambda item: item.precision * item.recall)
    assert "product_viewed" in json.dumps(best.tree)
    assert "vip" not in json.dumps([item.tree for item in found.suggestions])
    assert (best.precision > 0.8, best.recall > 0.75) == (True, True)
    assert found.base == pytest.approx(120 / 500)
    group = set(member_ids(VIP, catalogue=catalogue).tolist())
    for item in found.suggestions:  # over everybody, exactly
        members = set(member_ids(item.tree, catalogue=catalogue).tolist())
        assert (item.exact, item.size, item.found, item.own) == (True, len(members), len(members), len(group))
        assert (item.hits, item.fresh) == (len(members & group), len(members - group))
        assert (item.precision, item.recall) == (item.hits / item.found, item.hits / item.own)
    for language in ("zh-hans", "en"):
        assert len(explain(best.tree, language, catalogue=catalogue)) < 400


def test_what_was_learnt_by_heart_shows_on_people_not_seen(shop: dict[str, list[Contact]]) -> None:
    """The group is a toss of a coin: nothing is promised that holds for the learnt half only."""
    chance = random.Random(3)
    everyone = [contact for one in shop.values() for contact in one]
    coin = tag("coin", group("other"))
    tags.tag_contacts(actor=SYSTEM, tag=coin, contact_ids=[one.pk for one in everyone if chance.random() < 0.5])
    catalogue = catalogue_now()
    node = checked({"tag": "coin"}, catalogue=catalogue)
    found = look_alikes({"tag": "coin"}, left_out=[node], catalogue=catalogue, now=clock.now(), progress=quiet)
    for item in found.suggestions:
        assert item.unseen_precision < 0.65


def test_a_definition_is_not_found_again_through_its_kin(shop: dict[str, list[Contact]]) -> None:
    catalogue = catalogue_now()
    tree = {"any": [{"field": "orders.total", "op": ">", "value": 600}, {"field": "city", "op": "=", "value": "上海"}]}
    made = features(
        catalogue,
        events=["product_viewed", "order_completed"],
        values={"city": ["上海"], "country": ["CN"]},
        left_out=[checked(tree, catalogue=catalogue)],
    )
    keys = {item.key or item.part.get("field", "") for item in made}
    assert not [key for key in keys if key.startswith(("orders.", "rfm.", "lifecycle."))]
    assert not keys & {"city", "country", "region"}
    assert {item.event for item in made if item.event} == {"product_viewed"}


def test_clusters_are_the_three_ways_of_being_a_customer(shop: dict[str, list[Contact]]) -> None:
    catalogue = catalogue_now()
    found = clusters({"everyone": True}, catalogue=catalogue, now=clock.now(), progress=quiet)
    keen = {contact.pk for contact in shop["keen"]}
    assert 3 <= len(found.suggestions) <= 7
    assert len({item.name_en for item in found.suggestions}) == len(found.suggestions)
    overlaps = []
    for item in found.suggestions:
        members = set(member_ids(item.tree, catalogue=catalogue).tolist())
        assert item.size == len(members)
        overlaps.append(len(members & keen) / len(members | keen))
        assert item.differences
    assert max(overlaps) > 0.8
    assert all(item.exact for item in found.suggestions), "all 500 are in the sample"
    assert max(item.precision for item in found.suggestions) > 0.8


def test_groups_among_more_people_than_are_drawn_are_measured_on_those_not_seen(
    shop: dict[str, list[Contact]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "PEOPLE", 300)
    found = clusters({"everyone": True}, catalogue=catalogue_now(), now=clock.now(), progress=quiet)
    assert (found.population, found.sampled) == (500, 300)
    for item in found.suggestions:
        assert (item.exact, item.tested) == (False, 150)
        assert (item.precision, item.recall) == (item.unseen_precision, item.unseen_recall)
        assert item.own <= item.tested


def test_too_few_people_are_a_reason_not_a_failure() -> None:
    tag("vip", group("value"))
    people(30)
    with pytest.raises(TooFew):
        look_alikes(VIP, left_out=[], catalogue=catalogue_now(), now=clock.now(), progress=quiet)
    run = suggestion_start(actor=SYSTEM, kind=SuggestionRun.Kind.LOOK_ALIKE, target="tag:vip")
    suggestion_work(run.pk, quiet)
    run.refresh_from_db()
    assert run.problem == "too_few"


def test_splits_whose_sides_are_both_chosen_fall_away_and_bounds_are_drawn_together() -> None:
    views = Feature(Kind.COUNT, "浏览", "views", event="product_viewed", days=90)
    city = Feature(Kind.FLAG, "上海", "Shanghai", part={"field": "city", "op": "=", "value": "上海"})
    root = Split(0, 2.5, Leaf(1), Split(1, 0.5, Split(0, 5.5, Leaf(2), Leaf(3)), Leaf(4)))
    many = {"event": "product_viewed", "op": ">=", "count": 6, "within_days": 90}
    some = {"event": "product_viewed", "op": ">=", "count": 3, "within_days": 90}
    assert rule(root, {3}, [views, city]) == {"all": [many, {"not": city.part}]}
    assert rule(root, {2, 3, 4}, [views, city]) == some
    assert rule(root, {1, 2, 3, 4}, [views, city]) == {"everyone": True}
    assert rule(root, set(), [views, city]) is None


@given(st.lists(st.one_of(st.none(), st.integers(1, 5_000)), min_size=4, max_size=30))
def test_a_split_from_those_who_never_did_is_no_number(ages: list[int | None]) -> None:
    """What parts people with a value from people without one is said so, whatever the values are."""
    last = Feature(Kind.AGO, "最近购买", "last order", key="orders.last_at")
    spent = Feature(Kind.NUMBER, "消费", "spent", key="orders.amount")
    known = [age is not None for age in ages]
    for feature, column in (
        (last, [LONG_AGO if age is None else -float(age) for age in ages]),
        (spent, [NEVER if age is None else age * 1.37 for age in ages]),
    ):
        values = np.array(column).reshape(-1, 1)
        fitted = DecisionTreeClassifier(random_state=0).fit(values, known)
        chosen = {int(leaf) for leaf in fitted.apply(values)[np.array(known)]}
        assert rule(branches(fitted.tree_, [feature], values), chosen, [feature]) == (
            {"everyone": True} if all(known) else {"field": feature.key, "op": "is_set"} if any(known) else None
        )


def test_thresholds_lie_anywhere_in_their_gap() -> None:
    spent = Feature(Kind.NUMBER, "消费", "spent", key="orders.amount")
    values = np.array([[3.0], [181.0], [447.0], [512.0]])
    fitted = DecisionTreeClassifier(random_state=0).fit(values, [0, 0, 1, 1])
    split = branches(fitted.tree_, [spent], values)
    assert isinstance(split, Split)
    assert split.threshold == 300  # 314 would part them no better


def test_a_run_goes_through_the_queue_and_becomes_an_audience(shop: dict[str, list[Contact]]) -> None:
    run = suggestion_start(actor=SYSTEM, kind=SuggestionRun.Kind.LOOK_ALIKE, target="tag:vip")
    assert run.job is not None
    job_run(job_id=run.job.pk)
    run = SuggestionRun.objects.select_related("job").get(pk=run.pk)
    assert run.job is not None
    assert run.job.state == "succeeded"
    assert run.found is not None
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(staff(Role.MARKETER, language="en"))
    page = reverse("audiences:suggestion", args=[run.public_id])
    text = client.get(page).content.decode()
    assert "viewed a product" in text
    client.post(reverse("audiences:suggestion_save", args=[run.public_id, 0]), {"name": "Keen"})
    assert SavedAudience.objects.get(name="Keen").versions.get().tree == run.found["suggestions"][0]["tree"]
    with pytest.raises(NotFound):
        suggestion_save(actor=SYSTEM, run=run, place=99, name="X")


def test_suggestions_are_for_those_who_may_make_audiences(shop: dict[str, list[Contact]]) -> None:
    from hongyan.accounts.errors import PermissionRefused

    with pytest.raises(PermissionRefused):
        suggestion_start(actor=actor_of(Role.ANALYST), kind=SuggestionRun.Kind.CLUSTERS, target="everyone")
    for target in ("tag:nope", "audience:x", "list:x", "everyone", "", "everyone:1"):
        with pytest.raises(NotFound):
            suggestion_start(actor=SYSTEM, kind=SuggestionRun.Kind.LOOK_ALIKE, target=target)
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(staff(Role.MARKETER, language="en"))
    saved.audience_create(actor=SYSTEM, name="Shanghai", tree={"field": "city", "op": "=", "value": "上海"})
    text = client.get(reverse("audiences:suggest")).content.decode()
    assert "Shanghai" in text
    client.post(reverse("audiences:suggest"), {"kind": "look_alike", "target": "tag:vip"})
    run = SuggestionRun.objects.get()
    assert "hx-trigger" in client.get(reverse("audiences:suggestion", args=[run.public_id])).content.decode()
    client.post(reverse("audiences:suggestion_cancel", args=[run.public_id]))
    assert run.job is not None
    run.job.refresh_from_db()
    assert run.job.cancel_requested or run.job.state == "cancelled"
