"""Pages of tags, rules, stages, RFM and ready segments, through the test client."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hongyan.accounts.permissions import Role
from hongyan.audience.models import SavedAudience, StandingRules, Tag, TagGroup, TagRule
from hongyan.audience.ready import READY
from hongyan.audience.saved import audience_create
from hongyan.audience.standing.rfm import rfm_refresh, rfm_rules
from hongyan.audience.standing.rfm_rules import DEFAULTS, Method
from hongyan.audience.standing.stages import stage_rules, stage_rules_change, stages_refresh
from hongyan.audience.tagging.applying import rules_refresh
from hongyan.audience.tagging.rules import rule_draft
from hongyan.audience.types import Stage
from hongyan.campaigns.models import Campaign
from hongyan.campaigns.services import campaign_create
from hongyan.campaigns.states import State
from hongyan.campaigns.types import CampaignValues
from tests.audience.factory import SYSTEM, group, held, people, tag
from tests.browser import staff
from tests.standing.factory import customer

pytestmark = pytest.mark.django_db
SHANGHAI = {"field": "city", "op": "=", "value": "上海"}
BEIJING = {"field": "city", "op": "in", "value": ["上海", "北京"]}


def signed_in(role: Role, language: str = "en") -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE=language)
    client.force_login(staff(role, language=language))
    return client


@pytest.fixture
def overlapping() -> TagGroup:
    where = group("where", exclusive=True)
    rule_draft(actor=SYSTEM, tag=tag("one", where, name_en="One", name_zh="甲"), tree=SHANGHAI)
    rule_draft(actor=SYSTEM, tag=tag("two", where, name_en="Two", name_zh="乙"), tree=BEIJING)
    people(3, city="上海")
    people(2, city="北京")
    people(4, city="成都")
    return where


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def test_every_page_opens_in_both_languages(overlapping: TagGroup) -> None:
    customer(orders=2, total_minor=300, days_ago=1)
    stages_refresh()
    rfm_refresh()
    one = Tag.objects.get(key="one")
    pages = [
        reverse("audiences:tags"),
        reverse("audiences:tag_edit", args=[one.public_id]),
        reverse("audiences:rule_edit", args=[one.public_id]),
        reverse("audiences:group_check", args=[overlapping.public_id]),
        reverse("audiences:group_check", args=[overlapping.public_id]) + "?fix=order",
        reverse("audiences:group_check", args=[overlapping.public_id]) + "?fix=rest",
        reverse("audiences:stages"),
        reverse("audiences:stage_rules"),
        reverse("audiences:stage_rule", args=["lost"]),
        reverse("audiences:rfm"),
        reverse("audiences:rfm_rules"),
        reverse("audiences:ready"),
    ]
    for language in ("en", "zh-hans"):
        client = signed_in(Role.MARKETER, language)
        for page in pages:
            text_of(client, page)


def test_empty_shops_see_helpful_pages() -> None:
    client = signed_in(Role.ANALYST)
    assert "No orders yet" in text_of(client, reverse("audiences:rfm"))
    assert "No tags yet" in text_of(client, reverse("audiences:tags"))
    assert "Nobody has moved yet" in text_of(client, reverse("audiences:stages"))


def test_the_check_shows_overlap_and_gap_then_fixes_publishes_and_undoes(overlapping: TagGroup) -> None:
    client = signed_in(Role.MARKETER)
    page = reverse("audiences:group_check", args=[overlapping.public_id])
    assert "Rules overlap" in text_of(client, page)
    refused = client.post(reverse("audiences:group_publish", args=[overlapping.public_id]), follow=True)
    assert "3 contacts fall under more than one rule" in refused.content.decode()

    for kind in ("order", "rest"):
        shown = client.get(f"{page}?fix={kind}").context["fix"]
        stale = client.post(
            reverse("audiences:group_fix", args=[overlapping.public_id]), {"fix": kind, "seal": "0" * 32}
        )
        assert stale.url.endswith(f"?fix={kind}")  # type: ignore[attr-defined]
        client.post(reverse("audiences:group_fix", args=[overlapping.public_id]), {"fix": kind, "seal": shown["seal"]})
    assert "Everyone falls under exactly one rule" in text_of(client, page)
    client.post(reverse("audiences:group_publish", args=[overlapping.public_id]))
    rules_refresh()
    sizes = {row.key: len(held(row)) for row in overlapping.tags.all()}
    assert sizes == {"one": 3, "two": 2, "where-rest": 4}


def test_undoing_a_fix_from_the_page(overlapping: TagGroup) -> None:
    client = signed_in(Role.MARKETER)
    page = reverse("audiences:group_check", args=[overlapping.public_id])
    seal = client.get(f"{page}?fix=order").context["fix"]["seal"]
    client.post(reverse("audiences:group_fix", args=[overlapping.public_id]), {"fix": "order", "seal": seal})
    newest = overlapping.rule_changes.order_by("-id")[0]
    client.post(reverse("audiences:rule_undo", args=[newest.public_id]))
    assert TagRule.objects.get(tag__key="two").draft == BEIJING


def test_a_rule_is_written_published_and_withdrawn_from_the_pages() -> None:
    here = tag("here", group())
    people(2, city="上海")
    client = signed_in(Role.MARKETER)
    edit = reverse("audiences:rule_edit", args=[here.public_id])
    wrong = client.post(edit, {"tree": json.dumps({"tag": "here"})})
    assert wrong.status_code == 422
    client.post(edit, {"tree": json.dumps(SHANGHAI)})
    shown = text_of(client, reverse("audiences:tag_edit", args=[here.public_id]))
    assert "2 contacts would get the tag" in shown
    client.post(reverse("audiences:rule_publish", args=[here.public_id]))
    rules_refresh()
    assert len(held(here)) == 2
    client.post(reverse("audiences:rule_withdraw", args=[here.public_id]))
    assert TagRule.objects.get(tag=here).live is None
    client.post(reverse("audiences:rule_discard", args=[here.public_id]))
    assert not TagRule.objects.exists()


def test_the_order_of_rules_is_changed_from_the_page(overlapping: TagGroup) -> None:
    client = signed_in(Role.MARKETER)
    two = Tag.objects.get(key="two")
    client.post(reverse("audiences:tag_move", args=[two.public_id]), {"to": "up"})
    assert [row.key for row in overlapping.tags.all()] == ["two", "one"]
    client.post(reverse("audiences:tag_move", args=[two.public_id]), {"to": "up"})
    assert [row.key for row in overlapping.tags.all()] == ["two", "one"]


def test_rules_of_stages_are_edited_ordered_left_out_and_put_back() -> None:
    client = signed_in(Role.MARKETER)
    client.post(reverse("audiences:stage_rule", args=["attraction"]), {"tree": json.dumps(SHANGHAI)})
    assert next(rule.tree for rule in stage_rules().rules if rule.stage is Stage.ATTRACTION) == SHANGHAI
    wrong = client.post(reverse("audiences:stage_rule", args=["attraction"]), {"tree": "{"})
    assert wrong.status_code == 422
    client.post(reverse("audiences:stage_order"), {"stage": "churn_risk", "to": "up"})
    assert stage_rules().rules[0].stage is Stage.CHURN_RISK
    client.post(reverse("audiences:stage_order"), {"stage": "lost", "to": "out"})
    assert Stage.LOST not in stage_rules().stages
    client.post(reverse("audiences:stage_rules"))
    assert stage_rules().rules[0].stage is Stage.LOST
    assert client.get(reverse("audiences:stage_rule", args=["awareness"])).status_code == 404
    assert client.get(reverse("audiences:stage_rule", args=["nothing"])).status_code == 404


def form_of(client: Client) -> dict[str, Any]:
    context = client.get(reverse("audiences:rfm_rules")).context
    fields = [field for row in (*context["scales"], *context["tiers"]) for field in row["form"]]
    return {field.html_name: field.value() or "" for field in fields}


def test_scores_and_tiers_are_changed_from_the_page() -> None:
    client = signed_in(Role.MARKETER)
    values = form_of(client)
    client.post(reverse("audiences:rfm_rules"), values)
    assert rfm_rules() == DEFAULTS
    values |= {"recency-method": "quantile", "frequency-cuts": "2，4，6，8", "t0-recency": "5"}
    assert client.post(reverse("audiences:rfm_rules"), values).status_code == 302
    rules = rfm_rules()
    assert (rules.recency.method, rules.frequency.cuts, rules.tiers[0].recency) == (
        Method.QUANTILE,
        (2, 4, 6, 8),
        (5, 5),
    )
    for wrong in ({"frequency-cuts": "2, x"}, {"frequency-cuts": "4, 3, 2, 1"}, {"t0-recency": "9"}, {"t1-key": "A!"}):
        assert client.post(reverse("audiences:rfm_rules"), values | wrong).status_code == 422
    client.post(reverse("audiences:rfm_rules"), {"defaults": "1"})
    assert rfm_rules() == DEFAULTS


def test_a_tier_that_something_uses_does_not_go_without_a_word() -> None:
    vip, loyal = DEFAULTS.tiers[0].key, DEFAULTS.tiers[2].key
    audience_create(actor=SYSTEM, name="Best ones", tree={"field": "rfm.tier", "op": "in", "value": [vip, loyal]})
    best = tag("best", group("value"))
    rule_draft(actor=SYSTEM, tag=best, tree={"not": {"field": "rfm.tier", "op": "=", "value": vip}})
    client, url = signed_in(Role.MARKETER), reverse("audiences:rfm_rules")
    said = form_of(client)
    for changes in ({"t0-key": "best_of_all"}, {"t0-key": "", "t0-name_zh": ""}):
        page = client.post(url, said | changes)
        assert page.status_code == 422
        text = page.content.decode()
        assert "Best ones" in text
        assert "/audiences/tags/" in text
        assert rfm_rules() == DEFAULTS
    # Another name, other scores and other tiers beside it are nobody's trouble.
    assert client.post(url, said | {"t0-name_en": "Stars", "t4-key": "maybe"}).status_code == 302
    assert [tier.key for tier in rfm_rules().tiers][:5] == [*(tier.key for tier in DEFAULTS.tiers[:4]), "maybe"]
    refused = signed_in(Role.MARKETER, "zh-hans").post(url, said | {"t0-key": "other"})
    assert "有地方在用的层级不能直接删去" in refused.content.decode()
    assert '<option value="other" selected>' in refused.content.decode(), "what stands in its row now"


def test_another_takes_the_place_of_a_tier_wherever_it_is_named() -> None:
    vip, loyal = DEFAULTS.tiers[0].key, DEFAULTS.tiers[2].key
    saved = audience_create(actor=SYSTEM, name="Best", tree={"field": "rfm.tier", "op": "in", "value": [vip, loyal]})
    best = tag("best", group("value"))
    rule_draft(actor=SYSTEM, tag=best, tree={"not": {"field": "rfm.tier", "op": "=", "value": vip}})
    at_vip = {"any": [{"field": "rfm.tier", "op": "=", "value": vip}, {"event": "order_completed"}]}
    first, *others = stage_rules().rules
    stages = replace(stage_rules(), rules=(*others, replace(first, tree=at_vip)))
    stage_rules_change(actor=SYSTEM, rules=stages)
    draft = campaign_create(actor=SYSTEM, values=CampaignValues(name="Draft", audience=at_vip))
    away = campaign_create(actor=SYSTEM, values=CampaignValues(name="On its way", audience=at_vip))
    Campaign.objects.filter(pk=away.pk).update(state=State.APPROVED.value)
    client, url = signed_in(Role.MARKETER), reverse("audiences:rfm_rules")
    gone = form_of(client) | {"t0-key": "", "t0-name_zh": "", f"replace-{vip}": loyal}
    page = client.post(url, gone)
    assert (page.status_code, rfm_rules()) == (422, DEFAULTS)
    assert "On its way" in page.content.decode(), "what cannot be changed from here, and nothing else"
    assert "Draft" not in page.content.decode()
    assert SavedAudience.objects.get().current == 1, "nothing of it was kept"
    Campaign.objects.filter(pk=away.pk).update(state=State.CANCELLED.value)
    assert client.post(url, gone).status_code == 302
    assert vip not in {tier.key for tier in rfm_rules().tiers}
    saved.refresh_from_db()
    assert saved.versions.get(number=2).tree == {"field": "rfm.tier", "op": "in", "value": [loyal]}
    at_loyal = {"any": [{"field": "rfm.tier", "op": "=", "value": loyal}, {"event": "order_completed"}]}
    assert stage_rules().rules[-1].tree == at_loyal
    assert Campaign.objects.get(pk=draft.pk).audience == at_loyal
    assert TagRule.objects.get().draft == {"not": {"field": "rfm.tier", "op": "=", "value": loyal}}
    assert "Stage or tier replaced" in text_of(client, reverse("audiences:group_check", args=[best.group.public_id]))


def test_a_stage_that_something_uses_is_not_left_out() -> None:
    tree = {"field": "lifecycle.stage", "op": "=", "value": "churn_risk"}
    audience_create(actor=SYSTEM, name="At risk", tree=tree)
    client, url = signed_in(Role.MARKETER), reverse("audiences:stage_order")
    asked = {"stage": "churn_risk", "to": "out"}
    page = client.post(url, asked)
    assert page.status_code == 422
    assert "At risk" in page.content.decode()
    assert Stage.CHURN_RISK in stage_rules().stages
    client.post(url, {"stage": "lost", "to": "out"})
    assert Stage.LOST not in stage_rules().stages
    assert client.post(url, asked | {"replace-churn_risk": "lost"}).status_code == 422, "not among what is left"
    assert client.post(url, asked | {"replace-churn_risk": "retention"}).status_code == 302
    assert Stage.CHURN_RISK not in stage_rules().stages
    assert SavedAudience.objects.get().versions.get(number=2).tree == {**tree, "value": "retention"}


def test_ready_segments_count_and_save() -> None:
    customer(orders=1, total_minor=100, days_ago=3)
    client = signed_in(Role.MARKETER)
    for segment in READY:
        assert client.get(reverse("audiences:ready_count", args=[segment.key])).status_code == 200
    assert "1" in text_of(client, reverse("audiences:ready_count", args=["one_time"]))
    client.post(reverse("audiences:ready_save", args=["one_time"]))
    assert SavedAudience.objects.get().name == "One-time buyers"
    assert "One-time buyers" in text_of(client, reverse("audiences:ready"))
    assert client.get(reverse("audiences:ready_count", args=["nothing"])).status_code == 404


def test_readers_see_and_do_not_change(overlapping: TagGroup) -> None:
    client = signed_in(Role.ANALYST)
    two = Tag.objects.get(key="two")
    for name in ("tags", "stages", "rfm", "ready"):
        assert client.get(reverse(f"audiences:{name}")).status_code == 200
    assert client.get(reverse("audiences:group_check", args=[overlapping.public_id])).status_code == 200
    for name, args in (
        ("rule_edit", [two.public_id]),
        ("stage_rules", []),
        ("stage_rule", ["lost"]),
        ("rfm_rules", []),
    ):
        assert client.get(reverse(f"audiences:{name}", args=args)).status_code == 403, name
    for name, args in (
        ("rule_publish", [two.public_id]),
        ("rule_withdraw", [two.public_id]),
        ("rule_discard", [two.public_id]),
        ("tag_move", [two.public_id]),
        ("group_fix", [overlapping.public_id]),
        ("group_publish", [overlapping.public_id]),
        ("stage_order", []),
        ("ready_save", ["vip"]),
    ):
        answer = client.post(reverse(f"audiences:{name}", args=args), {"stage": "lost", "to": "up", "fix": "order"})
        assert answer.status_code in {302, 403}, name
    assert not StandingRules.objects.exists()
    assert not TagRule.objects.filter(live__isnull=False).exists()
