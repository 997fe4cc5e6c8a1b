"""What is new since the last pass, and whom it may concern: audience → contact → why."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from django.db import connection

from hongyan.audience.membership import clocks
from hongyan.audience.membership.clocks import OF_EVENT, Rang
from hongyan.audience.membership.months import Months
from hongyan.audience.membership.needs import OF_EVERYTHING, rests_on
from hongyan.audience.membership.plan import Plan, Watched
from hongyan.audience.membership.types import BOTH, Cause, CauseKind, Why
from hongyan.audience.models import MemberClock
from hongyan.contacts import touched
from hongyan.contacts.touched import Kind, Touched
from hongyan.core.sql import statement, texts

_TIME: Final = Why(Cause(CauseKind.TIME))
_TOUCHES: Final = 200  # rows of the change log a pass
TOUCHED = 2_000  # contacts of them: an import must not keep events waiting
_READ: Final = (
    4  # so many facts are read for each that may concern somebody: most of what the lane meets it wrote itself
)
READER: Final = "membership"  # of both logs, and of clocks
Place = tuple[int, int]  # (transaction, id)
Partly = tuple[touched.Cursor, int]  # a row of the change log, and the highest contact of it that has been looked at


@dataclass(slots=True)
class Gathered:
    """wanted: whose membership is in question, and why. again: clock → contacts whose next moment must be found anew.
    rang: notes of clocks that have gone off. later: (event, contact, when) of events of the future."""

    wanted: dict[int, dict[int, Why]] = field(default_factory=dict)
    again: dict[str, set[int]] = field(default_factory=dict)
    rang: list[Rang] = field(default_factory=list)
    later: list[tuple[str, int, datetime]] = field(default_factory=list)
    events: int = 0
    touches: int = 0
    newest: datetime | None = None  # when the newest event came
    drained: bool = True  # nothing that is there was left for the next pass
    partly: Partly | None = None  # where the last row of the change log was left

    def want(self, audience: int, contact: int, why: Why) -> None:
        """The newest event tells why."""
        contacts = self.wanted.setdefault(audience, {})
        before = contacts.get(contact)
        contacts[contact] = why if before is None or before.may | why.may == why.may else Why(why.cause, BOTH)

    def want_all(self, audiences: Iterable[Watched], contacts: Iterable[int], why: Why) -> None:
        """Where nothing more telling is known. Anything may come of it."""
        because = dict.fromkeys(contacts, why)
        for one in audiences:
            known = self.wanted.get(one.id)
            if known is None:
                self.wanted[one.id] = dict(because)
                continue
            for contact in because:
                before = known.get(contact)
                known[contact] = why if before is None else Why(before.cause, BOTH)


def events(
    plan: Plan, place: Place, into: Gathered, *, now: datetime, limit: int, months: Months | None = None
) -> Place:
    """Facts behind ``place``; returns the place behind them. months: to be told of them."""
    bound: dict[str, Any] = {
        "tx": str(place[0]),
        "id": place[1],
        "asking": texts(plan.asking | OF_EVERYTHING),
        "names": texts(plan.by_event.keys() | OF_EVERYTHING),
        "now": now,
        "limit": limit,
        "read": limit * _READ,
    }
    with connection.cursor() as cursor:
        cursor.execute(_sql("new_events"), bound)
        rows = cursor.fetchall()
    if not rows:
        return place
    whys: dict[tuple[str, int], Why] = {}
    for _tx, _id, contact, name, occurred_at, held, *_ in rows:
        if contact is None or (name not in plan.by_event and name not in OF_EVERYTHING and occurred_at <= now):
            continue  # only the last one can be such; it says where the next pass begins
        if months is not None and name in months.names:
            months.note(contact, occurred_at)
        for key in plan.clocks_of_event.get(name, ()):
            into.again.setdefault(key, set()).add(contact)
        if occurred_at > now:
            into.later.append((name, contact, occurred_at))
            continue
        properties = orjson.loads(held) if isinstance(held, str | bytes) else held
        if name in OF_EVERYTHING:
            both = _both(contact, properties)
            if months is not None:
                months.join(*both)
            _anything(plan, both, into, Why(Cause(CauseKind.EVENT, name)))
            continue
        for one in plan.of_event(name, properties, occurred_at, now=now):
            may = one.needs.effects[name]
            why = whys.get((name, may)) or whys.setdefault((name, may), Why(Cause(CauseKind.EVENT, name), may))
            into.want(one.id, contact, why)
    tx, event_id, *_, newest, read, more = rows[-1]
    into.events, into.newest = read, newest
    into.drained &= not more
    return tx, event_id


def _both(survivor: int, properties: Mapping[str, Any] | None) -> tuple[int, int]:
    """Of a merge, or of its undoing, also the other one."""
    return survivor, int((properties or {}).get("loser_id", survivor))


def _anything(plan: Plan, contacts: Collection[int], into: Gathered, why: Why) -> None:
    """Everything about them may be otherwise now, and all their clocks."""
    into.want_all(plan.watched.values(), contacts, why)
    for key in plan.clocks:
        into.again.setdefault(key, set()).update(contacts)


def touches(
    plan: Plan, place: touched.Cursor, into: Gathered, *, now: datetime, partly: Partly | None = None
) -> touched.Cursor:
    """partly: how far the first row was looked at. Kept in memory only: without it the row begins anew."""
    rows, _ = touched.touched_after(place, limit=_TOUCHES)
    into.drained &= len(rows) < _TOUCHES
    for row in rows:
        contacts = sorted(row.contact_ids)
        if partly is not None and row.at == partly[0]:
            contacts = contacts[bisect_right(contacts, partly[1]) :]
        room = TOUCHED - into.touches
        if room == 0:
            into.drained = False
            return place
        some = contacts[:room]
        into.touches += len(some)
        if row.kind is Kind.FORGOTTEN:
            _forgotten(plan, row, some, into, now=now)
        else:
            _touched(plan, row.kind, some, into)
        if len(some) < len(contacts):
            into.drained, into.partly = False, (row.at, some[-1])
            return place
        place = row.at
    return place


def _touched(plan: Plan, kind: Kind, contacts: Iterable[int], into: Gathered) -> None:
    why = Why(Cause(CauseKind.CHANGE, "contact" if kind is Kind.ACTIVITY else kind.value))
    audiences = {one.id: one for one in plan.by_kind.get(kind.value, ())}
    if kind is Kind.CONTACT:  # perhaps somebody new
        audiences |= {one.id: one for one in plan.newcomers}
    into.want_all(audiences.values(), contacts, why)
    for key, clock in plan.clocks.items():
        if kind in clock.kinds:
            into.again.setdefault(key, set()).update(contacts)


def _forgotten(plan: Plan, row: Touched, contacts: Iterable[int], into: Gathered, *, now: datetime) -> None:
    """Retention took facts away: of those audiences that look back so far."""
    if row.until is None:
        return
    until, why = row.until, Why(Cause(CauseKind.CHANGE, Kind.FORGOTTEN.value))
    asking = {one.id: one for name in row.names for one in plan.by_event.get(name, ())}
    resting = [one for one in asking.values() if rests_on(one.needs.reaches, row.names, until, now=now)]
    into.want_all(resting, contacts, why)


def crossings(plan: Plan, into: Gathered, *, since: datetime, now: datetime) -> None:
    """Those whose events got as old as a window is long."""
    shifts = sorted(plan.by_shift)
    if not shifts:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _sql("crossing"),
            {
                "names": texts(name for name, _ in shifts),
                "lows": texts((since - age).isoformat() for _, age in shifts),
                "highs": texts((now - age).isoformat() for _, age in shifts),
            },
        )
        for number, contacts in cursor.fetchall():
            into.want_all(plan.by_shift[shifts[number - 1]], contacts, _TIME)


def clocks_gone_off(plan: Plan, into: Gathered, *, now: datetime, limit: int) -> None:
    into.rang = clocks.rang(READER, plan.clocks.values(), now=now, zone=plan.catalogue.zone, limit=limit)
    into.drained &= len(into.rang) < limit
    if not into.rang:
        return
    keys = dict(MemberClock.objects.filter(reader=READER).values_list("id", "key"))
    for number, contact, _ in into.rang:
        key = keys[number]
        if key.startswith(OF_EVENT):
            name = key.removeprefix(OF_EVENT)
            into.want_all(plan.by_event.get(name, ()), [contact], Why(Cause(CauseKind.EVENT, name)))
        else:
            into.want_all(plan.by_clock.get(key, ()), [contact], _TIME)
            into.again.setdefault(key, set()).add(contact)


def note_moments(plan: Plan, gathered: Gathered, *, now: datetime) -> None:
    """Take away what rang; note what comes next for whoever changed, and when events of the future will have been."""
    clocks.done(gathered.rang)
    if not gathered.again and not gathered.later:
        return
    wanted = {key: clock.by_day for key, clock in plan.clocks.items()}
    rows = clocks.rows_of(READER, wanted | {OF_EVENT + name: False for name, _, _ in gathered.later})
    for key, contacts in gathered.again.items():
        if key in plan.clocks:
            clocks.note(rows[key], plan.clocks[key], contacts, now=now, zone=plan.catalogue.zone)
    if gathered.later:
        clocks.note_at([(rows[OF_EVENT + name].pk, contact, at) for name, contact, at in gathered.later])


def _sql(name: str) -> str:
    return statement("hongyan.audience", "membership.sql", name)
