"""All live audiences and, turned round, which of them an event, a change or a moment may concern."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection

from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.canonical import spelling
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.check import check
from hongyan.audience.compiler.happened import Happened, Where, fulfils
from hongyan.audience.compiler.nodes import InAudience, Node, walk
from hongyan.audience.compiler.parse import parse
from hongyan.audience.compiler.rewrite import rewrite
from hongyan.audience.errors import BadTree
from hongyan.audience.membership.needs import Needs, earliest, needs_of
from hongyan.audience.membership.statement import Among, among
from hongyan.audience.membership.turning import Clock
from hongyan.audience.models import AudienceVersion, Following, current_versions
from hongyan.core.sql import statement

_FORMAT: Final = "1"  # changes when what is made of a definition changes: members are then looked at anew once
_FAR: Final = timedelta(days=100)  # facts that count for longer are looked for by ``months``


@dataclass(frozen=True, slots=True)
class Watched:
    """One live audience. order: audiences that are inside others come before them."""

    id: int
    public_id: str
    version: int
    spelling: str
    fingerprint: bytes
    node: Node
    needs: Needs
    statement: Among
    order: int


@dataclass(frozen=True, slots=True)
class Broken:
    id: int
    version: int
    code: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """Equal stamps, equal plans. catalogue: what conditions may name; definitions: the audiences and their switch."""

    catalogue: str
    definitions: str


@dataclass(slots=True)
class Plan:
    stamp: "Stamp"
    catalogue: Catalogue
    watched: Mapping[int, Watched]
    broken: tuple[Broken, ...] = ()
    off: frozenset[int] = frozenset()
    by_event: dict[str, list[Watched]] = field(default_factory=dict)
    by_kind: dict[str, list[Watched]] = field(default_factory=dict)
    by_shift: dict[tuple[str, timedelta], list[Watched]] = field(default_factory=dict)
    by_clock: dict[str, list[Watched]] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)
    newcomers: list[Watched] = field(default_factory=list)
    asking: frozenset[str] = frozenset()  # events whose properties some condition asks about
    far: frozenset[str] = frozenset()  # events that count from long ago
    clocks_of_event: dict[str, list[str]] = field(default_factory=dict)  # keys of clocks that its properties turn

    @classmethod
    def empty(cls) -> "Plan":
        return cls(Stamp("", ""), Catalogue(), {})

    def of_event(
        self, name: str, properties: Mapping[str, Any] | None, at: datetime, *, now: datetime
    ) -> Iterable[Watched]:
        """Audiences that such an event may change now."""
        found = self.by_event.get(name, ())
        if name not in self.asking:
            return found
        happened, when = Happened(name, at, properties or {}), Where(now, self.catalogue.zone)
        return [one for one in found if any(fulfils(happened, where, when) for where in one.needs.events[name])]


def stamp() -> Stamp:
    """Of everything a plan is made from; cheap, for it is asked again and again."""
    with connection.cursor() as cursor:
        cursor.execute(statement("hongyan.audience", "membership.sql", "stamp"))
        catalogue, definitions = cursor.fetchone()
    return Stamp(f"{catalogue}:{settings.HONGYAN_TIME_ZONE}", definitions)


def plan_now(*, now: datetime, before: Plan | None = None) -> Plan:
    """``before`` lends what has not changed."""
    mark = stamp()  # first: what changes from here on makes another stamp
    catalogue = catalogue_now()
    off = frozenset(Following.objects.filter(live=False).values_list("audience_id", flat=True))
    versions = [version for version in current_versions() if version.audience_id not in off]
    same = before is not None and before.stamp.catalogue == mark.catalogue
    known = {(one.id, one.version, one.spelling): one for one in before.watched.values()} if before and same else {}
    depth = _Depth(versions)
    watched, broken = dict[int, Watched](), list[Broken]()
    for version in versions:
        made = _watch(version, catalogue, known, order=depth.of(str(version.audience.public_id)), now=now)
        if isinstance(made, Broken):
            broken.append(made)
        else:
            watched[made.id] = made
    plan = Plan(mark, catalogue, watched, tuple(broken), off)
    plan.far = frozenset(_far(plan, now))
    _turn_round(plan)
    return plan


def _watch(
    version: AudienceVersion, catalogue: Catalogue, known: "_Known", *, order: int, now: datetime
) -> Watched | Broken:
    number = version.audience_id
    public_id = str(version.audience.public_id)
    try:
        node = parse(version.tree)
        problems = check(node, catalogue, inside=public_id)
        if problems:
            return Broken(number, version.number, problems[0].code)
        node = rewrite(node, catalogue)
        spelt = spelling(node)
        before = known.get((number, version.number, spelt))
        if before is not None and before.order == order:
            return before
        made = among(node, catalogue, prefix=f"w{number}_")
    except BadTree as bad:
        return Broken(number, version.number, bad.problems[0].code)
    except ValueError:
        return Broken(number, version.number, "clock")
    needs = needs_of(node, catalogue, now=now)
    return Watched(number, public_id, version.number, spelt, _fingerprint(spelt, made), node, needs, made, order)


def _fingerprint(spelt: str, made: Among) -> bytes:
    """Of what is asked: the expanded conditions and, of the catalogue, what they name."""
    bound = repr((sorted(made.fixed.items()), sorted(made.moving.items()), str(made.zone)))
    return hashlib.sha256(f"{_FORMAT}\x00{spelt}\x00{made.text}\x00{bound}".encode()).digest()


_Known = Mapping[tuple[int, int, str], Watched]


class _Depth:
    """How deep audiences stand in one another. Circles are broken audiences and have been refused before."""

    def __init__(self, versions: Iterable[AudienceVersion]) -> None:
        self._inside = {str(version.audience.public_id): _named(version.tree) for version in versions}
        self._known: dict[str, int] = {}

    def of(self, public_id: str, seen: frozenset[str] = frozenset()) -> int:
        if public_id not in self._known:
            below = [self.of(name, seen | {public_id}) for name in self._inside.get(public_id, ()) if name not in seen]
            self._known[public_id] = max(below, default=-1) + 1
        return self._known[public_id]


def _named(tree: object) -> list[str]:
    try:
        return [part.public_id for part in walk(parse(tree)) if isinstance(part, InAudience)]
    except BadTree:
        return []


def _far(plan: Plan, now: datetime) -> Iterator[str]:
    for one in plan.watched.values():
        for name, reaches in one.needs.reaches.items():
            since = earliest(reaches, now)
            if since is None or since < now - _FAR:
                yield name


def _turn_round(plan: Plan) -> None:
    asking = set[str]()
    for one in sorted(plan.watched.values(), key=lambda one: (one.order, one.id)):
        for name, wheres in one.needs.events.items():
            plan.by_event.setdefault(name, []).append(one)
            if all(where is not None for where in wheres):
                asking.add(name)
        for kind in one.needs.kinds:
            plan.by_kind.setdefault(kind.value, []).append(one)
        for shift in one.needs.shifts:
            plan.by_shift.setdefault(shift, []).append(one)
        for clock in one.needs.clocks:
            plan.clocks[clock.key] = clock
            plan.by_clock.setdefault(clock.key, []).append(one)
        if one.needs.newcomers:
            plan.newcomers.append(one)
    plan.asking = frozenset(asking)
    for clock in plan.clocks.values():
        for name in clock.events:
            plan.clocks_of_event.setdefault(name, []).append(clock.key)
