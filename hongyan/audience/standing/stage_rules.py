"""The lifecycle stages as rules: trees in order, the first that holds decides, one stage takes everybody left. So each
contact is in exactly one stage whatever the trees say. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hongyan.audience.types import Stage


@dataclass(frozen=True, slots=True)
class StageRule:
    stage: Stage
    tree: Any


@dataclass(frozen=True, slots=True)
class StageRules:
    rules: tuple[StageRule, ...]
    rest: Stage

    @property
    def trees(self) -> list[Any]:
        """In order, with the one that takes everybody left."""
        return [*(rule.tree for rule in self.rules), {"everyone": True}]

    @property
    def stages(self) -> list[Stage]:
        return [*(rule.stage for rule in self.rules), self.rest]


def _did(event: str, days: int | None = None) -> dict[str, Any]:
    return {"event": event, **({"within_days": days} if days else {})}


def _reacted(days: int) -> list[dict[str, Any]]:
    return [_did(name, days) for name in ("email_opened", "email_clicked", "page_viewed", "product_viewed")]


_BOUGHT: Final = _did("order_completed")
# Days after which a customer counts as at risk, and as lost: an ordinary shop sells to its regulars every few weeks.
AWAY_DAYS: Final = 120
GONE_DAYS: Final = 270
DEFAULTS: Final = StageRules(
    rules=(
        StageRule(Stage.LOST, {"all": [_BOUGHT, {"not": _did("order_completed", GONE_DAYS)}]}),
        StageRule(Stage.CHURN_RISK, {"all": [_BOUGHT, {"not": _did("order_completed", AWAY_DAYS)}]}),
        StageRule(Stage.RETENTION, {"event": "order_completed", "op": ">=", "count": 2}),
        StageRule(Stage.CONVERSION, {"any": [_BOUGHT, _did("checkout_started", 30), _did("product_added", 30)]}),
        StageRule(Stage.ATTRACTION, {"any": _reacted(90)}),
    ),
    rest=Stage.AWARENESS,
)


def as_json(rules: StageRules) -> dict[str, Any]:
    return {
        "rules": [{"stage": rule.stage.value, "tree": rule.tree} for rule in rules.rules],
        "rest": rules.rest.value,
    }


def from_json(data: Mapping[str, Any]) -> StageRules:
    """Of a stored definition."""
    rules = tuple(StageRule(Stage(rule["stage"]), rule["tree"]) for rule in data["rules"])
    return StageRules(rules, Stage(data["rest"]))
