"""RFM: scores and tiers from what contacts bought (``rfm_rules`` says how).

Everybody is scored every hour and after new rules; whoever's orders change is scored again within seconds, against the
thresholds of the last hour. Moves between tiers are the event ``rfm_changed`` with ``from``, ``to`` (null: no longer a
customer), the scores, and ``cause``: "change", "time" or "rules". Becoming a customer is no move: the order says that.
"""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from hongyan.accounts.types import Actor
from hongyan.audience.errors import BadValue
from hongyan.audience.models_standing import RFM, StandingKind, StandingRules
from hongyan.audience.replacing import Replacements, uses_replace
from hongyan.audience.standing.rfm_rules import DEFAULTS, MOST_TIERS, Method, RFMRules, Scale, as_json, from_json
from hongyan.audience.standing.versions import (
    SPAN,
    day_of,
    fetch,
    note_moves,
    rules_in_force,
    rules_store,
    sql,
    state_of,
    state_set,
)
from hongyan.audience.types import UsedKind
from hongyan.audience.usage import refuse_while_used
from hongyan.commerce.settings import commerce_settings
from hongyan.core import clock
from hongyan.core.money import exponent
from hongyan.core.sql import numbers, texts

EVENT: Final = "rfm_changed"
SOURCE: Final = "rfm"
_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KEY = re.compile(r"[a-z0-9_]{1,32}")
Thresholds = Mapping[str, Sequence[str | None]]  # by scale, four each, ascending; times as seconds since 1970, exact


def rfm_rules() -> RFMRules:
    return rfm_rules_of(rules_in_force(StandingKind.RFM))


def rfm_rules_of(version: StandingRules | None) -> RFMRules:
    return from_json(version.definition) if version else DEFAULTS


@transaction.atomic
def rfm_rules_change(*, actor: Actor, rules: RFMRules, replace: Replacements | None = None) -> int:
    """A new version of the rules; returns its number. Raises BadValue; its field is a place: "recency", "tiers/2".
    replace: of tiers that go, which takes their place wherever conditions name them. Raises InUse when a tier would go
    (or change its key) that some condition still names."""
    _check_scale("recency", rules.recency, falling=True)
    _check_scale("frequency", rules.frequency)
    _check_scale("monetary", rules.monetary)
    _check_tiers(rules)
    gone = {tier.key for tier in rfm_rules().tiers} - {tier.key for tier in rules.tiers}
    made = rules_store(actor=actor, kind=StandingKind.RFM, definition=as_json(rules))
    by = {old: new for old, new in (replace or {}).items() if old in gone and new in {tier.key for tier in rules.tiers}}
    if by:
        uses_replace(actor=actor, kind=UsedKind.TIER, by=by)
    refuse_while_used(UsedKind.TIER, gone)
    return made.number


def _check_scale(name: str, scale: Scale, *, falling: bool = False) -> None:
    if scale.method is Method.QUANTILE:
        return
    if len(scale.cuts) != 4 or any(cut < 0 or cut > 10**12 for cut in scale.cuts):
        raise BadValue(name, _("Four whole numbers are needed."))
    if len(set(scale.cuts)) != 4 or list(scale.cuts) != sorted(scale.cuts, reverse=falling):
        message = _("Days must fall from score 2 to score 5.") if falling else _("Values must rise from score 2 to 5.")
        raise BadValue(name, message)


def _check_tiers(rules: RFMRules) -> None:
    if not 1 <= len(rules.tiers) <= MOST_TIERS:
        raise BadValue("tiers", _("Between 1 and %(n)d tiers are needed.") % {"n": MOST_TIERS})
    if len({tier.key for tier in rules.tiers}) != len(rules.tiers):
        raise BadValue("tiers", _("Each tier needs a key of its own."))
    for place, tier in enumerate(rules.tiers):
        if not _KEY.fullmatch(tier.key):
            raise BadValue(f"tiers/{place}", _("A key is made of small letters, digits and underscores."))
        if not tier.name_zh.strip() or len(tier.name_zh) > 80 or len(tier.name_en) > 80:
            raise BadValue(f"tiers/{place}", _("A name is needed."))
        for low, high in (tier.recency, tier.frequency, tier.monetary):
            if not 1 <= low <= high <= 5:
                raise BadValue(f"tiers/{place}", _("Scores go from 1 to 5."))
    if not rules.tiers[-1].is_rest:
        raise BadValue("tiers", _("The last tier takes everybody left: its scores must be 1 to 5."))


def rfm_refresh(*, now: datetime | None = None) -> int:
    """Score everybody. Returns how many changed tier or stopped being customers."""
    began, at = time.perf_counter(), now or clock.now()
    version = rules_in_force(StandingKind.RFM)
    rules, number = (from_json(version.definition), version.number) if version else (DEFAULTS, 0)
    state = state_of(StandingKind.RFM)
    cause = "time" if state.computed_at is not None and state.number == number else "rules"
    quantiles = _quantiles(rules)
    moved = 0
    highest = fetch("SELECT coalesce(max(id), 0) FROM contacts_contact", {})[0][0]
    for after in range(0, highest, SPAN):
        among = "contact_id > %(after)s AND {table}.contact_id <= %(upto)s"
        moved += _score(rules, quantiles, among, {"after": after, "upto": after + SPAN}, at=at, cause=cause)
    state_set(
        StandingKind.RFM,
        number=number,
        computed_at=at,
        contacts=RFM.objects.count(),
        seconds=round(time.perf_counter() - began, 3),
        problem="",
        data={"quantiles": quantiles},
    )
    return moved


def rfm_renew(contact_ids: Sequence[int], *, now: datetime) -> int:
    """Score these contacts against the thresholds of the last look at everybody; nothing before the first."""
    state = state_of(StandingKind.RFM)
    if state.computed_at is None:
        return 0
    among = "contact_id = ANY(%(ids)s::bigint[])"
    return _score(rfm_rules(), state.data["quantiles"], among, {"ids": numbers(contact_ids)}, at=now, cause="change")


def thresholds(rules: RFMRules, quantiles: Thresholds, *, now: datetime) -> Thresholds:
    """What values must reach for scores 2 to 5; None: nobody does. Days count from now."""
    minor = 10 ** exponent(commerce_settings().currency)

    def of(name: str, scale: Scale) -> Sequence[str | None]:
        if scale.method is Method.QUANTILE:
            return quantiles.get(name, (None,) * 4)
        if name == "recency":
            return [_epoch(now - timedelta(days=days)) for days in scale.cuts]
        return [str(cut * minor if name == "monetary" else cut) for cut in scale.cuts]

    return {name: of(name, getattr(rules, name)) for name in ("recency", "frequency", "monetary")}


def _epoch(at: datetime) -> str:
    """Seconds since 1970, exact to the microsecond, as PostgreSQL says them."""
    return format(Decimal((at - _1970) // timedelta(microseconds=1)).scaleb(-6), "f")


def _quantiles(rules: RFMRules) -> dict[str, list[str | None]]:
    scales = [name for name in ("recency", "frequency", "monetary") if getattr(rules, name).method is Method.QUANTILE]
    found: dict[str, list[str | None]] = {name: [None] * 4 for name in scales}
    for name, number, value in fetch(sql("rfm_thresholds"), {"scales": texts(scales)}):
        found[name][number - 1] = value
    return found


@transaction.atomic
def _score(
    rules: RFMRules, quantiles: Thresholds, among: str, params: Mapping[str, Any], *, at: datetime, cause: str
) -> int:
    text = sql("rfm_score").replace("f./*among*/", "f." + among.replace("{table}", "f"))
    text = text.replace("r./*among*/", "r." + among.replace("{table}", "r"))
    values = {**params, **_tier_values(rules), "at": at, "day": day_of(at)}
    values |= {name: texts(cuts) for name, cuts in thresholds(rules, quantiles, now=at).items()}
    moves = fetch(text, values)
    note_moves(EVENT, SOURCE, ((move[0], _told(move, cause)) for move in moves), at=at)
    return len(moves)


def _tier_values(rules: RFMRules) -> dict[str, str]:
    values: dict[str, str] = {"keys": texts(tier.key for tier in rules.tiers)}
    for letter, name in (("r", "recency"), ("f", "frequency"), ("m", "monetary")):
        values[f"{letter}_low"] = numbers(getattr(tier, name)[0] for tier in rules.tiers)
        values[f"{letter}_high"] = numbers(getattr(tier, name)[1] for tier in rules.tiers)
    return values


def _told(move: tuple[Any, ...], cause: str) -> dict[str, Any]:
    _contact_id, before, after, recency, frequency, monetary = move
    scores = {"recency": recency, "frequency": frequency, "monetary": monetary} if after else {}
    return {"from": before, "to": after or None, **scores, "cause": cause}


def rfm_of(contact_id: int) -> RFM | None:
    """For pages that have checked who asks; None for people who never ordered."""
    return RFM.objects.filter(contact_id=contact_id).first()
