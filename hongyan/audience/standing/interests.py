"""What the live rules of tags and stages ask for: events, kinds of changes, ages, clocks; and what they mean."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from hongyan.audience.compiler.canonical import spelling
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.nodes import Node
from hongyan.audience.compiler.rewrite import rewrite
from hongyan.audience.errors import BadTree
from hongyan.audience.membership.needs import OF_EVERYTHING, Reach, needs_of, rests_on
from hongyan.audience.membership.plan import Stamp
from hongyan.audience.membership.plan import stamp as stamp_of_plans
from hongyan.audience.membership.statement import among
from hongyan.audience.membership.turning import Clock
from hongyan.audience.models_rules import TagRule
from hongyan.audience.segments import checked
from hongyan.audience.standing.stages import stage_rules
from hongyan.audience.tagging.applying import live_rules
from hongyan.contacts.touched import Kind, Touched

Mark = tuple[Stamp, tuple[Any, ...]]


def mark() -> Mark:
    """Of everything interests are made from; cheap, for it is asked every second."""
    rules = TagRule.objects.filter(live__isnull=False).order_by("tag_id")
    return stamp_of_plans(), tuple(rules.values_list("tag_id", "published_at", "tag__group__exclusive"))


@dataclass(slots=True)
class Interests:
    """meanings: by rule, what it says with everything it names written out."""

    events: set[str] = field(default_factory=set)
    kinds: set[Kind] = field(default_factory=lambda: {Kind.CONTACT})  # somebody new needs a stage
    shifts: set[tuple[str, timedelta]] = field(default_factory=set)
    reaches: dict[str, list[Reach]] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)
    meanings: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def now(cls, catalogue: Catalogue, at: datetime) -> "Interests":
        found = cls(events=set(OF_EVERYTHING))
        for name, place, tree in _rules():
            try:
                node = rewrite(checked(tree, catalogue=catalogue), catalogue)
            except BadTree:  # the rule is marked where it is applied; that it is right again is a new meaning
                found.meanings[name] = (place, "broken")
                continue
            found.meanings[name] = (place, spelling(node), _asked(node, catalogue))
            needs = needs_of(node, catalogue, now=at)
            found.events |= set(needs.events)
            found.kinds |= needs.kinds
            # Of age nothing: what says that it happens later counts when its time has come.
            found.shifts |= needs.shifts | {(event, timedelta(0)) for event in needs.events}
            found.clocks |= {clock.key: clock for clock in needs.clocks}
            for event, reaches in needs.reaches.items():
                found.reaches.setdefault(event, []).extend(reaches)
        return found

    def concern(self, row: Touched, *, now: datetime) -> bool:
        if row.kind is Kind.FORGOTTEN:
            return row.until is not None and rests_on(self.reaches, row.names, row.until, now=now)
        return row.kind in self.kinds

    def mean_the_same_as(self, before: "Interests") -> bool:
        """Rules that are in both; new ones are applied for themselves."""
        return all(before.meanings.get(name, meaning) == meaning for name, meaning in self.meanings.items())


def _asked(node: Node, catalogue: Catalogue) -> str:
    """The statement with its values: of the catalogue, what the rule names."""
    try:
        made = among(node, catalogue, prefix="")
    except ValueError:  # values that follow the clock in a way that is not known
        return ""
    return f"{made.text} {sorted(made.fixed.items())}"


def _rules() -> Iterator[tuple[str, str, Any]]:
    """Name, place where it matters, and tree: in an exclusive group the first that holds decides."""
    for group_id, rules in groupby(live_rules(), key=lambda rule: rule.group_id):
        for place, rule in enumerate(rules):
            yield f"tag:{rule.tag_id}", f"{group_id}:{place if rule.exclusive else ''}", rule.tree
    for place, tree in enumerate(stage_rules().trees):
        yield f"stage:{place}", "", tree
