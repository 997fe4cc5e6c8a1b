"""One pass of the lane: what is new, whom it may concern, who comes and goes; all in one transaction.

It is one repeatable-read look at the database. Members are set to what the definitions say of that look, never counted
up or down, so a pass may see more than its cursors say and be repeated at will. Killed at any instant, it was never
begun. Members, moves, events, days, notes of moments and the cursors of both logs are committed together.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import OperationalError, connection, transaction
from psycopg import errors

from hongyan.audience.membership import batch, gathering, writing
from hongyan.audience.membership.gathering import READER, Gathered, Partly
from hongyan.audience.membership.months import Months
from hongyan.audience.membership.plan import Plan
from hongyan.audience.membership.types import Why
from hongyan.audience.models import Following, MemberLane
from hongyan.contacts import touched
from hongyan.core import clock
from hongyan.core.sql import statement
from hongyan.events.models import ReaderCursor

EVENTS = 4_000  # of one pass
DUES: Final = 5_000
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Passed:
    """drained: nothing was left. looked: how often the question "in or not?" was asked."""

    events: int
    touches: int
    looked: int
    came: int
    gone: int
    adopted: tuple[int, ...]
    drained: bool
    partly: Partly | None = None  # for the next pass

    @property
    def idle(self) -> bool:
        return not (self.events or self.touches or self.looked or self.adopted)


class LostPlace(Exception):
    """The change log gave up our place, after a month without the lane: everything must be looked at anew."""


def begin(now: datetime) -> None:
    """The first pass of all starts here: what was before is found by filling audiences."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_sql("horizon"))
        horizon = int(cursor.fetchone()[0])
        _, new = ReaderCursor.objects.get_or_create(name=READER, defaults={"tx": horizon})
        touched.reader_begin(READER)
        MemberLane.objects.get_or_create(pk=1, defaults={"turned_until": now, "passed_at": now})
        if new:
            _note_future(now)


def _note_future(now: datetime) -> None:
    """Facts that say they happen later, of the time before the lane."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, contact_id, occurred_at FROM events_event WHERE occurred_at > %s AND contact_id IS NOT NULL",
            [now],
        )
        later = [(name, contact, at) for name, contact, at in cursor.fetchall()]
    empty = Plan.empty()
    gathering.note_moments(empty, Gathered(later=later), now=now)


def run(
    plan: Plan,
    *,
    collecting: Mapping[int, dict[int, Why]],
    built: Mapping[int, bytes],
    turn_after: timedelta = timedelta(0),
    partly: Partly | None = None,
    months: Months | None = None,
) -> Passed:
    """collecting: audiences being filled; whoever may have changed meanwhile is added to them. built: audiences whose
    filling is done (with what definition), to be looked at for those and then followed. turn_after: how long since time
    was last looked at before it is looked at again. partly: of the pass before. months: where to look for facts of
    long ago; what is new is noted there.
    """
    for remaining in reversed(range(_TRIES)):
        try:
            with _one_look():
                return _run(plan, collecting, built, turn_after, partly=partly, months=months)
        except OperationalError as error:
            # Somebody merged, erased or switched in between: look again.
            if not isinstance(error.__cause__, errors.SerializationFailure | errors.DeadlockDetected) or not remaining:
                raise
    raise AssertionError


@contextmanager
def _one_look() -> Iterator[None]:
    batch.ready()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SET LOCAL jit = off")  # statements look dearer than they are: one index lookup a contact
        yield


def _run(
    plan: Plan,
    collecting: Mapping[int, dict[int, Why]],
    built: Mapping[int, bytes],
    turn_after: timedelta,
    *,
    partly: Partly | None,
    months: Months | None,
) -> Passed:
    now = clock.now()
    events_place = ReaderCursor.objects.select_for_update().get(name=READER)
    touch_place = touched.reader_place(READER, lock=True)
    if touch_place is None:
        raise LostPlace
    lane = MemberLane.objects.get(pk=1)

    found = Gathered()
    place = (events_place.tx, events_place.event_id)
    tx, event_id = gathering.events(plan, place, found, now=now, limit=EVENTS, months=months)
    behind = gathering.touches(plan, touch_place, found, now=now, partly=partly)
    turning = now > lane.turned_until and now - lane.turned_until >= turn_after
    if turning:
        gathering.crossings(plan, found, since=lane.turned_until, now=now)
        gathering.clocks_gone_off(plan, found, now=now, limit=DUES)

    adopted = _adopted(plan, collecting, built)
    for number, contacts in collecting.items():
        contacts.update(found.wanted.get(number, {}))
    current = _current(plan) | adopted
    wanted = {number: contacts for number, contacts in found.wanted.items() if number in current}
    wanted |= {number: {contact: Why(why.cause) for contact, why in collecting[number].items()} for number in adopted}
    came, gone = _decide(plan, wanted, now, months)
    gathering.note_moments(plan, found, now=now)

    if adopted:
        Following.objects.filter(audience_id__in=adopted).update(state=Following.State.CURRENT)
    if (tx, event_id) != place:
        events_place.tx, events_place.event_id = tx, event_id
        events_place.save()
    if behind != touch_place:
        touched.reader_move(READER, behind)
    _note(lane, found, turning=turning, now=now)
    looked = sum(map(len, wanted.values()))
    drained = found.drained
    return Passed(found.events, found.touches, looked, came, gone, tuple(adopted), drained, found.partly)


def _current(plan: Plan) -> set[int]:
    """Audiences whose members follow the definition of the plan."""
    rows = Following.objects.filter(state=Following.State.CURRENT).values_list("audience_id", "fingerprint")
    return {
        number
        for number, mark in rows
        if number in plan.watched and mark is not None and bytes(mark) == plan.watched[number].fingerprint
    }


def _adopted(plan: Plan, collecting: Mapping[int, object], built: Mapping[int, bytes]) -> set[int]:
    rows = Following.objects.filter(audience_id__in=list(built), state=Following.State.BUILDING, live=True)
    return {
        row.audience_id
        for row in rows
        if row.audience_id in plan.watched
        and row.audience_id in collecting
        and plan.watched[row.audience_id].fingerprint == built[row.audience_id] == bytes(row.fingerprint or b"")
    }


def _decide(
    plan: Plan, wanted: Mapping[int, Mapping[int, Why]], now: datetime, months: Months | None
) -> tuple[int, int]:
    if not wanted:
        return 0, 0
    pairs_in, pairs_out = batch.changes(plan, wanted, now=now, months=months)
    if not pairs_in and not pairs_out:
        return 0, 0

    def moves(pairs: batch.Pairs) -> list[writing.Move]:
        ordered = sorted(pairs, key=lambda pair: (plan.watched[pair[0]].order, pair))
        return [(audience, contact, wanted[audience][contact].cause) for audience, contact in ordered]

    public_ids = {number: one.public_id for number, one in plan.watched.items()}
    writing.write(moves(pairs_in), moves(pairs_out), public_ids=public_ids, at=now)
    return len(pairs_in), len(pairs_out)


def _note(lane: MemberLane, found: Gathered, *, turning: bool, now: datetime) -> None:
    """How current everything is. A quiet lane writes only when it has looked at time."""
    if not (turning or found.events or found.touches):
        return
    if turning and len(found.rang) < DUES:
        lane.turned_until = now
    if found.drained:
        lane.passed_at = now
    if found.newest is not None:
        lane.lag_s = max(0.0, (clock.now() - found.newest).total_seconds())
    lane.save()


def _sql(name: str) -> str:
    return statement("hongyan.audience", "membership.sql", name)
