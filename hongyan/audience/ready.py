"""Ready segments: descriptions that suit most shops, saved with one click and then changed like any other audience."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_noop

from hongyan.accounts.types import Actor
from hongyan.audience.errors import NotFound
from hongyan.audience.models import SavedAudience
from hongyan.audience.models_rules import ReadyAudience
from hongyan.audience.saved import audience_create
from hongyan.audience.standing.versions import day_of
from hongyan.contacts.models import Topic
from hongyan.core import clock

Tree = dict[str, Any]
Build = Callable[[datetime, Sequence[str]], Tree]


@dataclass(frozen=True, slots=True)
class ReadySegment:
    """Names go into saved audiences as they are; hint is a msgid. build: as of a moment (birthdays look at it), with
    the keys of the topics there are."""

    key: str
    area: str  # msgid: where the page puts it
    name_zh: str
    name_en: str
    hint: str
    build: Build

    def tree(self, now: datetime, *, topics: Iterable[str] | None = None) -> Tree:
        """topics: of the catalogue, where it is at hand."""
        known = Topic.objects.order_by("position", "id").values_list("key", flat=True) if topics is None else topics
        return self.build(now, tuple(known))

    def name(self, language: str) -> str:
        return self.name_zh if language.startswith("zh") else self.name_en


def _did(event: str, days: int | None = None, *, times: int = 1, where: Tree | None = None) -> Tree:
    part: Tree = {"event": event}
    if times != 1:
        part |= {"op": ">=", "count": times}
    if days is not None:
        part["within_days"] = days
    return part | ({"where": where} if where else {})


def _not(part: Tree) -> Tree:
    return {"not": part}


def _is(key: str, op: str, value: Any) -> Tree:
    return {"field": key, "op": op, "value": value}


def _reacted(days: int) -> Tree:
    names = ("email_opened", "email_clicked", "page_viewed", "product_viewed", "order_completed")
    return {"any": [_did(name, days) for name in names]}


def _never_bought(_now: datetime, topics: Sequence[str]) -> Tree:
    """Agreed to mail as a whole or to any of the topics there are: most people agree to topics."""
    said: Tree = {"channel": "email", "state": "given"}
    agreed = [{"consent": said}, *({"consent": {**said, "topic": key}} for key in topics)]
    return {"all": [{"any": agreed} if topics else agreed[0], _not(_did("order_completed"))]}


def _always(tree: Tree) -> Build:
    return lambda _now, _topics: tree


def _path(*starts: str) -> Tree:
    return {"any": [{"property": "path", "op": "starts_with", "value": start} for start in starts]}


_ENGAGEMENT, _BUYING, _PEOPLE = gettext_noop("Engagement"), gettext_noop("Buying"), gettext_noop("Kinds of people")
READY: Final = (
    ReadySegment(
        "high_intent",
        _BUYING,
        "高意向未转化",
        "High intent, not converted",
        gettext_noop(
            "Looked at products again and again or clicked in several mails within 30 days and bought nothing."
        ),
        _always(
            {
                "all": [
                    {"any": [_did("product_viewed", 30, times=3), _did("email_clicked", 30, times=2)]},
                    _not(_did("order_completed", 30)),
                ]
            }
        ),
    ),
    ReadySegment(
        "cart_left",
        _BUYING,
        "放弃购物车",
        "Left a cart",
        gettext_noop("Put something into the cart or began the checkout within 7 days and did not order."),
        _always(
            {
                "all": [
                    {"any": [_did("product_added", 7), _did("checkout_started", 7)]},
                    _not(_did("order_completed", 7)),
                ]
            }
        ),
    ),
    ReadySegment(
        "vip",
        _BUYING,
        "贵宾客户",
        "VIP customers",
        gettext_noop("Bought lately, often and for much: 4 or 5 in all three RFM scores."),
        _always({"all": [_is(f"rfm.{score}", ">=", 4) for score in ("recency", "frequency", "monetary")]}),
    ),
    ReadySegment(
        "at_risk",
        _BUYING,
        "有流失风险的老客",
        "Regulars at risk",
        gettext_noop("Ordered at least twice, and have been away so long that they count as at risk."),
        _always({"all": [_is("lifecycle.stage", "=", "churn_risk"), _is("orders.count", ">=", 2)]}),
    ),
    ReadySegment(
        "win_back",
        _BUYING,
        "值得挽回的高价值客户",
        "Valuable, but gone",
        gettext_noop("Spent more than most and have not ordered for long: high monetary score, low recency score."),
        _always({"all": [_is("rfm.recency", "<=", 2), _is("rfm.monetary", ">=", 4)]}),
    ),
    ReadySegment(
        "one_time",
        _BUYING,
        "只买过一次的客户",
        "One-time buyers",
        gettext_noop("Exactly one order so far."),
        _always(_is("orders.count", "=", 1)),
    ),
    ReadySegment(
        "first_order",
        _BUYING,
        "近 30 天首次下单",
        "First order in 30 days",
        gettext_noop("Became customers within the last 30 days: time for a welcome."),
        _always(_is("orders.first_at", "within_last_days", 30)),
    ),
    ReadySegment(
        "engaged_30",
        _ENGAGEMENT,
        "近 30 天活跃",
        "Engaged in 30 days",
        gettext_noop("Opened, clicked, visited or ordered within 30 days."),
        _always(_reacted(30)),
    ),
    ReadySegment(
        "engaged_90",
        _ENGAGEMENT,
        "近 90 天活跃",
        "Engaged in 90 days",
        gettext_noop("Opened, clicked, visited or ordered within 90 days."),
        _always(_reacted(90)),
    ),
    ReadySegment(
        "engaged_180",
        _ENGAGEMENT,
        "近 180 天活跃",
        "Engaged in 180 days",
        gettext_noop("Opened, clicked, visited or ordered within 180 days."),
        _always(_reacted(180)),
    ),
    ReadySegment(
        "sleeping",
        _ENGAGEMENT,
        "沉睡联系人",
        "Sleeping",
        gettext_noop("Got at least three mails in 90 days and neither opened, clicked, visited nor ordered."),
        _always({"all": [_did("email_sent", 90, times=3), _not(_reacted(90))]}),
    ),
    ReadySegment(
        "docs_readers",
        _ENGAGEMENT,
        "不看促销、爱看文档",
        "Ignores promotions, reads docs",
        gettext_noop("Got mails in 90 days without clicking in any, but read pages of help or documentation twice."),
        _always(
            {
                "all": [
                    _did("email_sent", 90, times=2),
                    _not(_did("email_clicked", 90)),
                    _did("page_viewed", 90, times=2, where=_path("/docs", "/help", "/guide")),
                ]
            }
        ),
    ),
    ReadySegment(
        "new",
        _PEOPLE,
        "近 30 天新增",
        "New in 30 days",
        gettext_noop("Added within the last 30 days."),
        _always(_is("created_at", "within_last_days", 30)),
    ),
    ReadySegment(
        "never_bought",
        _PEOPLE,
        "已订阅未购买",
        "Subscribed, never bought",
        gettext_noop("Agreed to mail and has not ordered yet."),
        _never_bought,
    ),
    ReadySegment(
        "birthday_month",
        _PEOPLE,
        "本月生日",
        "Birthday this month",
        gettext_noop("Born in the present month. Saved, it moves on by itself when the month does."),
        lambda now, _topics: _is("birth_month", "=", day_of(now).month),
    ),
)
_BY_KEY: Final = {segment.key: segment for segment in READY}


def ready_segment(key: str) -> ReadySegment:
    """Raises NotFound."""
    if key not in _BY_KEY:
        raise NotFound
    return _BY_KEY[key]


@transaction.atomic
def ready_save(*, actor: Actor, key: str, language: str) -> SavedAudience:
    """As a saved audience under its name; a name that is taken gets a number."""
    segment = ready_segment(key)
    name, number = segment.name(language), 1
    while SavedAudience.objects.filter(name=name).exists():
        number += 1
        name = f"{segment.name(language)} {number}"
    made = audience_create(actor=actor, name=name, tree=segment.tree(clock.now()))
    ReadyAudience.objects.create(audience=made, key=key)
    return made


def saved_from_ready() -> dict[str, SavedAudience]:
    """Key → the latest audience saved from it."""
    rows = ReadyAudience.objects.select_related("audience").order_by("audience_id")
    return {row.key: row.audience for row in rows}


def ready_turn(*, actor: Actor) -> int:
    """Let saved segments whose description looks at the calendar follow it; those that somebody changed are left alone.
    Returns how many changed."""
    from datetime import timedelta

    from hongyan.audience.saved import audience_update

    now, turned = clock.now(), 0
    fresh = _BY_KEY["birthday_month"].tree(now, topics=())
    # What it said before the month turned; a worker may have been away for some months.
    earlier = [_BY_KEY["birthday_month"].tree(now - timedelta(days=days), topics=()) for days in range(20, 340, 20)]
    for row in ReadyAudience.objects.filter(key="birthday_month").select_related("audience"):
        audience = row.audience
        tree = audience.versions.get(number=audience.current).tree
        if tree != fresh and tree in earlier:
            audience_update(
                actor=actor, audience=audience, name=audience.name, tree=fresh, description=audience.description
            )
            turned += 1
    return turned
