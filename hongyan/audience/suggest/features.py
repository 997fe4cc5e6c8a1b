"""What may tell people apart, and how the segment language says it.

A feature is a number of a contact and ``above(feature, t)`` the condition "its value is greater than t"; the other side
of a split is always the negation of that, so a missing value falls where the language puts it: not above.
"""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import override

from hongyan.audience.compiler.catalogue import Catalogue, FieldSpec, FieldType, Label
from hongyan.audience.compiler.nodes import Node, walk
from hongyan.audience.names import name_of_code

WINDOWS: Final = (30, 90, 365)  # days
_DAYS: Final = (30, 90, 365, 7, 180, 60, 14, 1, 3, 21, 45, 120, 240, 300, 730, 1095)  # ages people speak of, best first
NEVER: Final = -1e12  # of numbers that are not known: below all that are
LONG_AGO: Final = -100_000.0  # days: of times that never were
# What belongs together: a group defined by one of them would only be found again through the others.
_FAMILIES: Final = (
    frozenset({"city", "region", "country", "time_zone", "company.city", "company.country"}),
    frozenset({"source", "is_demo"}),
    frozenset({"last_activity_at"}),
)
_BUYING: Final = ("orders.", "rfm.", "lifecycle.")
_BUYING_EVENTS: Final = frozenset({"order_completed", "order_refunded", "order_cancelled", "order_updated"})
_SKIPPED: Final = frozenset(
    # Our own book-keeping, and what is only a split of something else.
    "updated_at birth_day birth_month email_domain is_demo rfm.scored_at lifecycle.since time_zone".split()  # noqa: SIM905
)
# What was done to people says nothing about what they do.
_MACHINE_EVENTS: Final = frozenset(
    "audience_entered audience_left email_sent email_deferred email_delivered".split()  # noqa: SIM905
)


# Properties by which doings part: what kind of thing it was about, and by which way it came. Preferred ones first.
PARTING: Final = (
    "category", "products[].category", "channel", "utm_source", "utm_medium", "utm_campaign", "source", "medium",
    "campaign", "topic", "brand", "products[].brand", "device", "platform", "type", "plan", "payment_method",
)  # fmt: skip
PART_WINDOWS: Final = WINDOWS[1:]  # a shorter one holds too few of a kind


class Kind(StrEnum):
    COUNT = "count"  # how often an event happened within days
    NUMBER = "number"  # a field
    AGO = "ago"  # begun days since a time, negative, so that "above" means "more recent than"
    FLAG = "flag"  # 1 or 0


@dataclass(frozen=True, slots=True)
class Feature:
    """label_zh, label_en: what the value counts, for people. part: of a flag, the condition itself; of a count, the
    condition on the event's properties, when only some of the events count."""

    kind: Kind
    label_zh: str
    label_en: str
    event: str = ""
    days: int = 0
    key: str = ""
    part: dict[str, Any] = field(default_factory=dict)

    def label(self, language: str) -> str:
        return self.label_zh if language.startswith("zh") else self.label_en

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}


def above(feature: Feature, threshold: float) -> dict[str, Any]:
    """The condition "value > threshold". Thresholds of counts and ages fall between whole numbers."""
    match feature.kind:
        case Kind.FLAG:
            return dict(feature.part)
        case Kind.COUNT:
            count = math.floor(threshold) + 1
            return {**_counted(feature), "op": ">=", "count": count}
        case Kind.AGO | Kind.NUMBER if _parts_known(feature, threshold):
            return {"field": feature.key, "op": "is_set"}
        case Kind.AGO:
            return {"field": feature.key, "op": "within_last_days", "value": max(1, math.ceil(-threshold) - 1)}
        case Kind.NUMBER:
            whole = float(threshold).is_integer()
            return {"field": feature.key, "op": ">", "value": int(threshold) if whole else float(threshold)}


def not_above(feature: Feature, threshold: float) -> dict[str, Any]:
    """Its exact complement, said as people would where there is a shorter way."""
    if feature.kind is Kind.COUNT:
        count = math.floor(threshold) + 1
        few = _counted(feature)
        return {**few, "op": "=", "count": 0} if count == 1 else {**few, "op": "<", "count": count}
    if feature.kind is not Kind.FLAG and _parts_known(feature, threshold):
        return {"field": feature.key, "op": "is_not_set"}
    return {"not": above(feature, threshold)}


def _counted(feature: Feature) -> dict[str, Any]:
    tree: dict[str, Any] = {"event": feature.event, "within_days": feature.days}
    return {**tree, "where": dict(feature.part)} if feature.part else tree


def _parts_known(feature: Feature, threshold: float) -> bool:
    """Whether the split only parts those with a value from those without."""
    return threshold <= (NEVER if feature.kind is Kind.NUMBER else LONG_AGO)


def rounded(feature: Feature, threshold: float, low: float, high: float) -> float:
    """A threshold people can remember, between the two values that the split lies between."""
    if feature.kind in {Kind.FLAG, Kind.COUNT}:
        return threshold
    if feature.kind is Kind.AGO:
        if low <= LONG_AGO:
            return LONG_AGO
        newer, older = round(-high), round(-low)  # whole days; any n with newer <= n < older parts them alike
        days = next((n for n in _DAYS if newer <= n < older), math.ceil(-threshold) - 1)
        return -(days + 0.5)
    if low <= NEVER / 2:
        return NEVER
    if threshold == 0:
        return 0.0
    for digits in range(1, 12):
        step = 10.0 ** (math.floor(math.log10(abs(threshold))) - digits + 1)
        nearest = round(threshold / step) * step
        if low <= nearest < high:
            return float(f"{nearest:.10g}")
    return threshold


# ——— which there are


def features(
    catalogue: Catalogue,
    *,
    events: Iterable[str],
    values: dict[str, list[str]],
    kinds: Iterable[tuple[str, str, str]] = (),
    left_out: Iterable[Node] = (),
) -> list[Feature]:
    """events: names that occur. values: of text fields, the commonest. kinds: of events, the commonest values of
    properties (event, property, value). left_out: a definition that must not be found again through itself or its
    kin."""
    keys, names, tags, lists = _mentioned(left_out)
    made: list[Feature] = []
    for name in events:
        if name in names or name in _MACHINE_EVENTS or name not in catalogue.events:
            continue
        label = catalogue.events[name].label
        made += [
            Feature(Kind.COUNT, *_said_count(label.text("zh-hans"), label.text("en"), days), event=name, days=days)
            for days in WINDOWS
        ]
    made += [
        _of_kind(catalogue, kind, days)
        for kind in kinds
        if kind[0] not in names | _MACHINE_EVENTS
        for days in PART_WINDOWS
    ]
    for key, spec in catalogue.fields.items():
        if key in keys or key in _SKIPPED or any(key.startswith(start) for start in keys if start.endswith(".")):
            continue
        made += _of_field(spec, values.get(key, []))
    for tag in catalogue.tags.values():
        if tag.key not in tags:
            made.append(_flag(tag.label.text("zh-hans"), tag.label.text("en"), {"tag": tag.key}, _TAG))
    for item in catalogue.lists.values():
        if item.public_id not in lists:
            made.append(_flag(item.name, item.name, {"list": item.public_id}, _LIST))
    return made


def _of_kind(catalogue: Catalogue, kind: tuple[str, str, str], days: int) -> Feature:
    name, key, value = kind
    event, inner = catalogue.events[name].label, key.rpartition("].")[2]
    told = catalogue.properties.get(inner, Label(inner, inner))
    zh = _said_kind(event.text("zh-hans"), told.text("zh-hans"), value, "zh-hans")
    en = _said_kind(event.text("en"), told.text("en"), value, "en")
    part = {"property": key, "op": "=", "value": value}
    return Feature(Kind.COUNT, *_said_count(zh, en, days), event=name, days=days, part=part)


def _said_kind(event: str, key: str, value: str, language: str) -> str:
    with override(language):
        return _("%(event)s (%(property)s: %(value)s)") % {"event": event, "property": key, "value": value}


def _of_field(spec: FieldSpec, values: list[str]) -> list[Feature]:
    zh, en = spec.label.text("zh-hans"), spec.label.text("en")
    match spec.type:
        case FieldType.NUMBER:
            return [Feature(Kind.NUMBER, zh, en, key=spec.key)]
        case FieldType.TIME if not spec.attribute:
            return [Feature(Kind.AGO, zh, en, key=spec.key)]
        case FieldType.BOOLEAN:
            return [_flag(zh, en, {"field": spec.key, "op": "=", "value": True})]
        case FieldType.CHOICE:
            return [
                _flag(
                    f"{zh}：{choice.label.text('zh-hans')}",
                    f"{en}: {choice.label.text('en')}",
                    {"field": spec.key, "op": "=", "value": choice.value},
                )
                for choice in spec.choices
            ]
        case FieldType.CHOICES:
            return [
                _flag(
                    f"{zh}：{choice.label.text('zh-hans')}",
                    f"{en}: {choice.label.text('en')}",
                    {"field": spec.key, "op": "contains", "value": choice.value},
                )
                for choice in spec.choices
            ]
        case FieldType.TEXT:
            return [
                _flag(
                    f"{zh}：{name_of_code(spec.names, value, 'zh-hans')}",
                    f"{en}: {name_of_code(spec.names, value, 'en')}",
                    {"field": spec.key, "op": "=", "value": value},
                )
                for value in values
            ]
        case _:
            return []  # sealed ones and days


_TAG: Final = ("标签：%s", "tag %s")
_LIST: Final = ("名单：%s", "list %s")


def _flag(zh: str, en: str, part: dict[str, Any], said: tuple[str, str] = ("%s", "%s")) -> Feature:
    return Feature(Kind.FLAG, said[0] % zh, said[1] % en, part=part)


def _said_count(zh: str, en: str, days: int) -> tuple[str, str]:
    said = []
    for language, label in (("zh-hans", zh), ("en", en)):
        with override(language):
            said.append(_("%(event)s, in %(days)d days") % {"event": label, "days": days})
    return said[0], said[1]


def _mentioned(nodes: Iterable[Node]) -> tuple[set[str], set[str], set[str], set[str]]:
    """Fields (a key ending in "." stands for all that begin so), events, tags and lists that a definition names, with
    their kin. Works on whatever nodes there are: they keep what they speak of under these names."""
    keys: set[str] = set()
    names: set[str] = set()
    tags: set[str] = set()
    lists: set[str] = set()
    for top in nodes:
        for node in walk(top):
            kind = type(node).__name__
            if kind == "FieldIs":
                keys.add(node.key)  # type: ignore[union-attr]
            elif kind == "HasTag":
                tags.add(node.key)  # type: ignore[union-attr]
            elif kind == "OnList":
                lists.add(node.public_id)  # type: ignore[union-attr]
            names.update(_events_of(node))
    for family in _FAMILIES:
        if keys & family:
            keys |= family
    if names & _BUYING_EVENTS or any(key.startswith(_BUYING) for key in keys):
        keys.update(_BUYING)
        names |= _BUYING_EVENTS
    if names:
        keys.add("last_activity_at")  # moves with every event
    return keys, names, tags, lists


def _events_of(node: Node) -> set[str]:
    found = {step.event for step in getattr(node, "steps", ())}
    event = getattr(node, "event", None)
    return found | ({event} if isinstance(event, str) else set())
