"""The lane that keeps stages, RFM and rule tags true.

Each round: whoever was touched or did something that a rule asks for is held against the rules again, then whoever's
events came to an age at which a rule may turn ("not ordered for 120 days"), or whose own dates did ("renewal within
the next 7 days"; ``membership.clocks``). Everybody is looked at after new rules, when what a rule names has another
meaning, and once an hour. The cursors move after the writing: a round that is cut short is done again, and the same
again changes nothing.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.errors import BadTree
from hongyan.audience.membership import clocks
from hongyan.audience.membership.clocks import Rang
from hongyan.audience.models import MemberClock
from hongyan.audience.models_rules import TagRule
from hongyan.audience.models_standing import StandingKind
from hongyan.audience.standing.interests import Interests, Mark, mark
from hongyan.audience.standing.rfm import rfm_refresh, rfm_renew
from hongyan.audience.standing.stages import stages_refresh, stages_renew
from hongyan.audience.standing.versions import fetch, is_due, sql, state_of
from hongyan.audience.tagging.applying import rules_refresh, rules_renew
from hongyan.contacts.touched import Cursor, Kind, Touched, reader_begin, reader_move, touched_after
from hongyan.core import clock
from hongyan.core.sql import texts
from hongyan.events.models import ReaderCursor
from hongyan.jobs.lanes import keep_turning
from hongyan.jobs.worker import lane_note

log = logging.getLogger("hongyan.standing")
READER: Final = "standing"  # of both logs, and of clocks
_LOCK: Final = 7_105_044  # advisory lock: one lane works at a time; another is ready when its worker dies
_REST_S: Final = 1.0
_EVENTS: Final = 20_000  # of one round
_DUES: Final = 20_000  # clocks that have gone off, of one round
_BLOCK: Final = 2_000  # contacts held against the rules at once
_OVERLAP: Final = timedelta(seconds=2)
_BEFORE: Final = timedelta(minutes=5)  # a rule may have been applied while its clocks were not filled yet
_RFM_EVERY: Final = timedelta(hours=1)
_EVERYBODY_S: Final = 3600.0  # between two looks at everybody


@dataclass(slots=True)
class _Memory:
    """Of this process: when everybody is looked at again, and what the rules ask for."""

    everybody_at: float = 0.0
    turned_until: datetime | None = None
    mark: Mark | None = None
    catalogue: Catalogue = field(default_factory=Catalogue)
    interests: Interests = field(default_factory=Interests)
    clocks: dict[str, MemberClock] = field(default_factory=dict)


_memory = _Memory()


async def run_standing(stop: asyncio.Event) -> None:
    await keep_turning(_turn, stop, rest_s=_REST_S)


def _turn() -> int:
    with _alone() as mine:
        if not mine:
            _memory.mark = None  # whoever works now may have put clocks away that are asked for again by then
            return 0
        done = round_of(_memory)
    if done:
        lane_note("standing", contacts=done)
    return done


def round_of(memory: _Memory | None = None) -> int:
    """One round; returns how many contacts were looked at one by one."""
    kept = memory or _Memory()
    touched, events = _places()
    _plan(kept)
    _everybody(kept)
    if mark() != kept.mark:
        return 0  # other rules since: what they ask for must be known before the cursors move
    now = clock.now()
    rows, touched_at = touched_after(touched)
    wanted = _people(row for row in rows if kept.interests.concern(row, now=now))
    buyers = _people(row for row in rows if row.kind is Kind.FACTS)
    doers, events_at = _events_after(events, kept.interests)
    rang = clocks.rang(READER, kept.interests.clocks.values(), now=now, zone=kept.catalogue.zone, limit=_DUES)
    wanted |= doers
    older = (_turned(kept, now) | {contact_id for _, contact_id, _ in rang}) - wanted
    for block in _blocks(sorted(buyers)):
        rfm_renew(block, now=now)
    for cause, people in (("change", wanted), ("time", older)):
        for block in _blocks(sorted(people)):
            _renew(block, kept.catalogue, now, cause)
    kept.turned_until = now
    with transaction.atomic():
        _note_moments(kept, rows, rang, now, whose=wanted)
        reader_move(READER, touched_at)
        ReaderCursor.objects.filter(name=READER).update(tx=events_at[0], event_id=events_at[1])
    return len(wanted | buyers | older)


def _people(rows: Iterable[Touched]) -> set[int]:
    return {contact_id for row in rows for contact_id in row.contact_ids}


def _plan(kept: _Memory) -> None:
    """What the rules ask for, when they or what they name changed. Moments are noted before anybody is looked at, so
    none falls between the two."""
    current = mark()
    if current == kept.mark:
        return
    kept.catalogue = catalogue_now()
    fresh = Interests.now(kept.catalogue, clock.now())
    if not fresh.mean_the_same_as(kept.interests):
        kept.everybody_at = 0.0
    kept.clocks = clocks.prepare(READER, fresh.clocks)
    for key, row in kept.clocks.items():
        if not row.filled:
            clocks.fill(row, fresh.clocks[key], now=clock.now() - _BEFORE, zone=kept.catalogue.zone)
    kept.interests, kept.mark = fresh, current


def _note_moments(
    kept: _Memory, rows: Sequence[Touched], rang: Sequence[Rang], now: datetime, *, whose: set[int]
) -> None:
    """The next moments of whoever's clock has gone off, and of whom it may be another. whose: of events that came."""
    clocks.done(rang)
    for key, each in kept.interests.clocks.items():
        row = kept.clocks[key]
        again = {contact_id for number, contact_id, _ in rang if number == row.pk}
        again |= _people(touch for touch in rows if touch.kind in each.kinds)
        again |= whose if each.events else set()
        if again:
            clocks.note(row, each, again, now=now, zone=kept.catalogue.zone)


def _renew(contact_ids: Sequence[int], catalogue: Catalogue, now: datetime, cause: str) -> None:
    try:
        stages_renew(contact_ids, catalogue=catalogue, now=now, cause=cause)
    except BadTree:
        log.warning("the rules of the stages are not right")
    rules_renew(contact_ids, catalogue=catalogue, now=now)


def _everybody(kept: _Memory) -> None:
    """After new rules, when their meaning changed, and now and then."""
    if is_due(StandingKind.RFM) or _old(StandingKind.RFM):
        rfm_refresh()
    began = time.monotonic()
    now_and_then = began >= kept.everybody_at
    if now_and_then or is_due(StandingKind.STAGES):
        try:
            stages_refresh()
        except BadTree:
            log.warning("the rules of the stages are not right")
    fresh = list(
        TagRule.objects.filter(live__isnull=False, applied_at=None).values_list("tag__group_id", flat=True).distinct()
    )
    if now_and_then or fresh:
        rules_refresh(group_ids=None if now_and_then else fresh)
    if now_and_then:
        kept.everybody_at = time.monotonic() + _EVERYBODY_S


def _old(kind: StandingKind) -> bool:
    at = state_of(kind).computed_at
    return at is None or clock.now() - at >= _RFM_EVERY


def _places() -> tuple[Cursor, ReaderCursor]:
    """Where both readers stand. They begin with what is not finished now; everybody is looked at after that."""
    touched = reader_begin(READER)
    events = ReaderCursor.objects.filter(name=READER).first()
    if events is None:
        horizon = fetch(sql("horizon"), {})[0][0]
        events = ReaderCursor.objects.create(name=READER, tx=horizon, event_id=0)
    return touched, events


def _events_after(cursor: ReaderCursor, interests: Interests) -> tuple[set[int], tuple[int, int]]:
    found = fetch(
        sql("events_after"),
        {"tx": str(cursor.tx), "id": cursor.event_id, "limit": _EVENTS, "names": texts(sorted(interests.events))},
    )
    if not found:
        return set(), (cursor.tx, cursor.event_id)
    contact_ids, tx, event_id = found[0]
    return set(contact_ids or ()), (tx, event_id)


def _turned(kept: _Memory, now: datetime) -> set[int]:
    """Whoever's events came to an age that a rule names since the last round (a little before, so that nothing falls
    between two). The first round has looked at everybody."""
    if kept.turned_until is None or not kept.interests.shifts:
        return set()
    names, ages = zip(*sorted(kept.interests.shifts), strict=True)
    params: dict[str, Any] = {
        "names": list(names),
        "ages": list(ages),
        "since": kept.turned_until - _OVERLAP,
        "until": now,
    }
    return {row[0] for row in fetch(sql("turned"), params)}


def _blocks(contact_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(contact_ids), _BLOCK):
        yield contact_ids[start : start + _BLOCK]


@contextmanager
def _alone() -> Iterator[bool]:
    """With the session's lock, if it is to be had."""
    mine = bool(fetch("SELECT pg_try_advisory_lock(%(lock)s)", {"lock": _LOCK})[0][0])
    try:
        yield mine
    finally:
        if mine:
            fetch("SELECT pg_advisory_unlock(%(lock)s)", {"lock": _LOCK})
