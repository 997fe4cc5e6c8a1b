"""Which of two values stays when two records become one. Pure: values in, decisions out.

Names and addresses are taken as a whole, so that nobody gets one person's given name with the other's family name, or a
street of one city in another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from hongyan.contacts.profiles import is_locked, provenance_in
from hongyan.contacts.types import LIMITS
from hongyan.identity.types import Decision, Rule, Why

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "full_name": ("full_name", "family_name", "given_name"),
    "street": ("street", "postal_code", "city", "region", "country"),
}
_GROUP_OF: Final = {name: lead for lead, names in GROUPS.items() for name in names}
_PLACE: Final = ("street", "city", "country")  # most exact first
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
DEFAULT: Final = "*"


@dataclass(frozen=True, slots=True)
class Rules:
    """by_field: field (the first of its group) → rule. sources: field → order; ``*`` stands for all others."""

    by_field: Mapping[str, Rule] = field(default_factory=dict)
    sources: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def of(self, name: str) -> tuple[Rule, Sequence[str]]:
        key = name if name in self.by_field else DEFAULT
        return self.by_field.get(key, Rule.ACTIVITY), self.sources.get(key, ())


@dataclass(frozen=True, slots=True)
class Side:
    """One record. active_at: when the person last did something; stated_at: when the record last changed."""

    values: Mapping[str, Any]
    provenance: Mapping[str, Any]
    active_at: datetime | None
    stated_at: datetime

    def source(self, name: str) -> str:
        found = provenance_in(self.provenance, name)
        return found.source if found else ""

    def observed_at(self, name: str) -> datetime:
        found = provenance_in(self.provenance, name)
        return (found.observed_at if found else None) or self.stated_at


def decide(survivor: Side, loser: Side, *, rules: Rules, choices: Mapping[str, str] | None = None) -> list[Decision]:
    """One decision for each field that either has. choices: field → "survivor" | "loser", beats every rule; a choice
    for one field of a group holds for the group."""
    names = sorted({*survivor.values, *loser.values})
    chosen = {_GROUP_OF.get(name, name): side for name, side in (choices or {}).items()}
    verdicts: dict[str, tuple[str, Why]] = {}
    decisions = []
    for name in names:
        lead = _GROUP_OF.get(name, name)
        if lead not in verdicts:
            verdicts[lead] = _verdict(lead, survivor, loser, rules, chosen)
        decisions.append(_decision(name, *verdicts[lead], survivor, loser))
    return decisions


def _verdict(name: str, survivor: Side, loser: Side, rules: Rules, chosen: Mapping[str, str]) -> tuple[str, Why]:
    members = GROUPS.get(name, (name,))
    mine, theirs = ({key: side.values.get(key) for key in members} for side in (survivor, loser))
    if mine == theirs:
        return "survivor", Why.SAME
    if name in chosen:
        return chosen[name], Why.CHOSEN
    for who, side in (("survivor", survivor), ("loser", loser)):
        if any(is_locked(side.provenance, key) for key in members):
            return who, Why.LOCKED
    more = _fuller(name, mine, theirs)
    if more:
        return more, Why.ONLY
    if name == "notes" and len(f"{mine['notes']}\n\n{theirs['notes']}") <= LIMITS["notes"]:
        return "both", Why.BOTH
    rule, sources = rules.of(name)
    return _by_rule(name, rule, sources, survivor, loser)


def _fuller(name: str, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """Who has a value where the other has none; of an address, who says at least the city where the other does not."""
    if name == "street":
        for level in _PLACE:
            if level == "street" and (mine["city"] or theirs["city"]):
                continue  # a city without a street may be newer: the rule decides
            if bool(mine[level]) != bool(theirs[level]):
                return "survivor" if mine[level] else "loser"
        return ""
    if any(mine.values()) != any(theirs.values()):
        return "survivor" if any(mine.values()) else "loser"
    return ""


def _by_rule(name: str, rule: Rule, sources: Sequence[str], survivor: Side, loser: Side) -> tuple[str, Why]:
    if rule is Rule.LONGEST:
        lengths = [_length(name, side) for side in (survivor, loser)]
        if lengths[0] != lengths[1]:
            return ("survivor" if lengths[0] > lengths[1] else "loser"), Why.LONGEST
    if rule is Rule.SOURCE:
        places = [_place(side.source(name), sources) for side in (survivor, loser)]
        if places[0] != places[1]:
            return ("survivor" if places[0] < places[1] else "loser"), Why.SOURCE
    if rule is not Rule.NEWEST:
        active = [side.active_at or _LONG_AGO for side in (survivor, loser)]
        if active[0] != active[1]:
            return ("survivor" if active[0] > active[1] else "loser"), Why.ACTIVITY
    later = loser.observed_at(name) > survivor.observed_at(name)
    return ("loser" if later else "survivor"), Why.NEWEST


def _length(name: str, side: Side) -> int:
    return sum(len(str(side.values.get(key) or "")) for key in GROUPS.get(name, (name,)))


def _place(source: str, sources: Sequence[str]) -> int:
    """``import:42`` counts as ``import`` where only that is listed."""
    for name in (source, source.partition(":")[0]):
        if name in sources:
            return sources.index(name)
    return len(sources)


def _decision(name: str, winner: str, why: Why, survivor: Side, loser: Side) -> Decision:
    mine, theirs = survivor.values.get(name), loser.values.get(name)
    value = f"{mine}\n\n{theirs}" if winner == "both" else mine if winner == "survivor" else theirs
    return Decision(name, mine, theirs, winner, Why.SAME if mine == theirs else why, value)
