"""Visits to the demo shop, and where its people stand: stages, RFM and a published group of rule tags, with a past of
some weeks – worked out by the real acts as of each of those days."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from hongyan.accounts.types import Actor
from hongyan.audience.models import Tag, TagGroup
from hongyan.audience.models_rules import RuleChange
from hongyan.audience.standing.rfm import rfm_refresh
from hongyan.audience.standing.stages import stages_refresh
from hongyan.audience.tagging.applying import rules_refresh
from hongyan.audience.tagging.mece import fix_apply, fix_order, fix_rest
from hongyan.audience.tagging.rules import drafts_store, rules_publish
from hongyan.audience.tagging.taxonomy import tag_create, tag_group_create
from hongyan.audience.types import GroupValues, TagValues
from hongyan.config.demo.contacts import Loaded
from hongyan.config.demo.shop import category_of
from hongyan.core import clock
from hongyan.core.batching import batched
from hongyan.events.services import append
from hongyan.events.types import NewEvent

_SEED = 20261122
_PAST_DAYS, _STEP_DAYS, _RFM_DAYS = 21, 1, 7
_PAGES = (
    ("/", "首页"),
    ("/sale", "优惠专区"),
    ("/help/shipping", "配送说明"),
    ("/help/returns", "退换货"),
    ("/guide/materials", "材质指南"),
    ("/guide/care", "保养指南"),
)
_HELP = _PAGES[2:]
Report = Callable[[int], None]


def _reacted(days: int) -> dict[str, Any]:
    names = ("email_opened", "email_clicked", "page_viewed", "product_viewed", "order_completed")
    return {"any": [{"event": name, "within_days": days} for name in names]}


GROUP = GroupValues("activity", "活跃度", "Activity", exclusive=True)
TAGS: tuple[tuple[TagValues, dict[str, Any]], ...] = (
    (TagValues("active", "活跃", "Active", "green"), _reacted(14)),
    (TagValues("cooling", "降温", "Cooling", "amber"), _reacted(45)),
    (TagValues("silent", "沉默", "Silent", "grey"), {"event": "email_sent", "within_days": 90}),
)


def visits_make(loaded: Loaded, *, now: datetime, report: Report) -> None:
    """Part of the people looked around in the past two months: most at products, some only at the guides."""
    done = 0
    for block in batched(_visits(loaded, now), 5_000):
        append(block)
        done += len(block)
        report(done)


def _visits(loaded: Loaded, now: datetime) -> Iterator[NewEvent]:
    dice = random.Random(_SEED + 2)
    goods = [line for _contact, history in loaded.buyers[:200] for order in history.orders for line in order.lines]
    for contact_id in loaded.contact_ids:
        kind = dice.random()
        if kind > 0.22:
            continue
        for _visit in range(dice.randrange(1, 4)):
            at = now - timedelta(days=dice.expovariate(1 / 20), minutes=dice.randrange(1440))
            if now - at > timedelta(days=60) or at < loaded.since.get(contact_id, at):
                continue
            for step in range(dice.randrange(1, 5)):
                moment = at + timedelta(seconds=40 * step)
                if kind > 0.06 and goods and step:
                    line = dice.choice(goods)
                    category = category_of(str(line["name"]))
                    properties = {"sku": line["sku"], "name": line["name"], "category": category, "currency": "GBP"}
                    name = "product_added" if dice.random() < 0.06 else "product_viewed"
                    yield NewEvent(contact_id, name, moment, "demo-shop", properties)
                    continue
                path, title = dice.choice(_HELP if kind <= 0.06 else _PAGES)
                yield NewEvent(contact_id, "page_viewed", moment, "demo-shop", {"path": path, "title": title})


def standing_make(*, actor: Actor, now: datetime, report: Report) -> None:
    """As of one day after the other, so that moves have a past. RFM once a week: sums of orders are those of today, so
    what moves is what time alone moves."""
    group = _group(actor)
    moments = [now - timedelta(days=days) for days in range(_PAST_DAYS, 0, -_STEP_DAYS)]
    for number, moment in enumerate([*moments, clock.now()]):
        with clock.freeze(moment):
            stages_refresh(now=moment)
            rules_refresh(now=moment, group_ids=[group.pk])
            if not (len(moments) - number) % _RFM_DAYS:
                rfm_refresh(now=moment)
        report(number + 1)


def steps() -> int:
    return len(range(_PAST_DAYS, 0, -_STEP_DAYS)) + 1


def _group(actor: Actor) -> TagGroup:
    """Rules that overlap as people would write them, put in order and completed by the two fixes, then published."""
    found = TagGroup.objects.filter(key=GROUP.key).first()
    if found is not None:
        return found
    group = tag_group_create(actor=actor, values=GROUP)
    for values, _tree in TAGS:
        if not Tag.objects.filter(key=values.key).exists():
            tag_create(actor=actor, group=group, values=values)
    mine = set(group.tags.values_list("key", flat=True))
    trees = {values.key: tree for values, tree in TAGS if values.key in mine}
    drafts_store(actor=actor, group=group, trees=trees, action=RuleChange.Action.EDIT)
    for fix in (fix_order, fix_rest):
        fix_apply(actor=actor, group=group, fix=fix(actor=actor, group=group))
    rules_publish(actor=actor, group=group)
    return group
