"""Lifecycle stage and RFM as fields of conditions."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_noop

from hongyan.audience.compiler.catalogue import Choice, FieldSpec, FieldType, Label
from hongyan.audience.models_standing import StandingKind
from hongyan.audience.standing.rfm_rules import DEFAULTS, from_json
from hongyan.audience.types import Stage

STAGE_LABELS: Final = {
    Stage.AWARENESS: gettext_noop("awareness"),
    Stage.ATTRACTION: gettext_noop("attraction"),
    Stage.CONVERSION: gettext_noop("conversion"),
    Stage.RETENTION: gettext_noop("retention"),
    Stage.CHURN_RISK: gettext_noop("churn risk"),
    Stage.LOST: gettext_noop("lost"),
}
_LIFECYCLE: Final = "audience_lifecycle"
_RFM: Final = "audience_rfm"
_STAGES: Final = tuple(Choice(stage.value, Label(name)) for stage, name in STAGE_LABELS.items())


def standing_fields(rules: Mapping[str, Any]) -> tuple[FieldSpec, ...]:
    """Who never ordered has no value in the fields of RFM. rules: definitions in force by kind, without those that are
    the defaults: tiers are what the organisation calls them."""
    return (
        _field("lifecycle.stage", FieldType.CHOICE, gettext_noop("Lifecycle stage"), "stage", choices=_STAGES),
        _field("lifecycle.since", FieldType.TIME, gettext_noop("In this stage since"), "since"),
        _field("rfm.tier", FieldType.CHOICE, gettext_noop("RFM tier"), "tier", choices=_tiers(rules)),
        _field("rfm.recency", FieldType.NUMBER, gettext_noop("RFM recency score"), "recency"),
        _field("rfm.frequency", FieldType.NUMBER, gettext_noop("RFM frequency score"), "frequency"),
        _field("rfm.monetary", FieldType.NUMBER, gettext_noop("RFM monetary score"), "monetary"),
        _field("rfm.scored_at", FieldType.TIME, gettext_noop("RFM scores since"), "scored_at"),
    )


def _field(key: str, kind: FieldType, name: str, column: str, *, choices: tuple[Choice, ...] = ()) -> FieldSpec:
    table = _LIFECYCLE if key.startswith("lifecycle.") else _RFM
    return FieldSpec(key, kind, Label(name), column=column, choices=choices, group="standing", table=table)


def _tiers(rules: Mapping[str, Any]) -> tuple[Choice, ...]:
    said = rules.get(StandingKind.RFM.value)
    tiers = (from_json(said) if said else DEFAULTS).tiers
    return tuple(Choice(tier.key, Label(tier.name_en, tier.name_zh)) for tier in tiers)
