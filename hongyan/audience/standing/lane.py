"""The lane that keeps stages, RFM and rule tags true.

Each round: whoever was touched or did something that a rule asks for is held against the rules again, then whoever's
events came to an age at which a rule may turn ("not ordered for 120 days"). Everybody is looked at after new rules, and
every few minutes, for what turns with a date of the contact's own. The cursors move after the writing: a round that is
cut short is done again, and the same again changes nothing.
"""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.db import close_old_connections, transaction

from hongyan.audience.catalogue import catalogue_now
from hongyan.audience.compiler.catalogue import Catalogue
from hongyan.audience.compiler.rewrite import rewrite
from hongyan.audience.errors import BadTree
from hongyan.audience.membership.needs import OF_EVERYTHING, needs_of
from hongyan.audience.models_rules import TagRule
from hongyan.audience.models_standing import StandingKind
from hongyan.audience.segments import checked
from hongyan.audience.standing.rfm import rfm_refresh, rfm_renew
from hongyan.audience.standing.stages import stage_rules, stages_refresh, stages_renew
from hongyan.audience.standing.versions import fetch, is_due, sql, state_of
from hongyan.audience.tagging.applying import live_rules, rules_refresh, rules_renew
from hongyan.contacts.touched import Cursor, Kind, reader_begin, reader_move, touched_after
from hongyan.core import clock
from hongyan.core.sql import texts
from hongyan.events.models import ReaderCursor
from hongyan.jobs.worker import lane_note

log = logging.getLogger("hongyan.standing")
READER: Final = "standing"
_LOCK: Final = 7_105_044  # advisory lock: one lane works at a time; another is ready when its worker dies
_REST_S: Final = 1.0
_EVENTS: Final = 20_000  # of one round
_BLOCK: Final = 2_000  # contacts held against the rules at once
_OVERLAP: Final = timedelta(seconds=2)
_RFM_EVERY: Final = timedelta(hours=1)
_EVERYBODY_S: Final = 300.0  # between two looks at everybody, or twenty times what the last took
_PLAN_S: Final = 5.0


@dataclass(slots=True)
class Interests:
    """What the live rules ask for."""

    events: set[str] = field(default_factory=set)
    kinds: set[Kind] = field(default_factory=lambda: {Kind.CONTACT})  # somebody new needs a stage
    shifts: set[tuple[str, timedelta]] = field(default_factory=set)

    @classmethod
    def now(cls, catalogue: Catalogue, at: datetime) -> "Interests":
        found = cls(events=set(OF_EVERYTHING))
        for tree in [*(rule.tree for rule in live_rules()), *stage_rules().trees]:
            try:
                needs = needs_of(rewrite(checked(tree, catalogue=catalogue), catalogue), catalogue, now=at)
            except BadTree:
                continue  # the rule is marked where it is applied
            found.events |= set(needs.events)
            found.kinds |= needs.kinds
            found.shifts |= needs.shifts
        return found


@dataclass(slots=True)
class _Memory:
    """Of this process: when everybody is looked at again, and what the rules ask for."""

    everybody_at: float = 0.0
    turned_until: datetime | None = None
    planned_at: float = 0.0
    interests: Interests = field(default_factory=Interests)


_memory = _Memory()


async def run_standing(stop: asyncio.Event) -> None:
    while not stop.is_set():
        done = await sync_to_async(_turn, thread_sensitive=False)()
        if done:
            lane_note("standing", contacts=done)
            continue
        try:
            await asyncio.wait_for(stop.wait(), _REST_S)
        except TimeoutError:
            continue


def _turn() -> int:
    close_old_connections()  # the lane lives on when the database restarts
    with _alone() as mine:
        return round_of(_memory) if mine else 0


def round_of(memory: _Memory | None = None) -> int:
    """One round; returns how many contacts were looked at one by one."""
    kept = memory or _Memory()
    touched, events = _places()
    _everybody(kept)
    now = clock.now()
    catalogue: Catalogue | None = None
    if time.monotonic() - kept.planned_at > _PLAN_S:
        catalogue = catalogue_now()
        kept.interests, kept.planned_at = Interests.now(catalogue, now), time.monotonic()
    rows, touched_at = touched_after(touched)
    wanted = {contact_id for row in rows if row.kind in kept.interests.kinds for contact_id in row.contact_ids}
    buyers = {contact_id for row in rows if row.kind is Kind.FACTS for contact_id in row.contact_ids}
    doers, events_at = _events_after(events, kept.interests)
    wanted |= doers | _turned(kept, now)
    for block in _blocks(sorted(buyers)):
        rfm_renew(block, now=now)
    if wanted:
        catalogue = catalogue or catalogue_now()
        for block in _blocks(sorted(wanted)):
            _renew(block, catalogue, now)
    kept.turned_until = now
    with transaction.atomic():
        reader_move(READER, touched_at)
        ReaderCursor.objects.filter(name=READER).update(tx=events_at[0], event_id=events_at[1])
    return len(wanted | buyers)


def _renew(contact_ids: Sequence[int], catalogue: Catalogue, now: datetime) -> None:
    try:
        stages_renew(contact_ids, catalogue=catalogue, now=now)
    except BadTree:
        log.warning("the rules of the stages are not right")
    rules_renew(contact_ids, catalogue=catalogue, now=now)


def _everybody(kept: _Memory) -> None:
    """After new rules, and now and then."""
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
        took = time.monotonic() - began
        kept.everybody_at = time.monotonic() + max(_EVERYBODY_S, 20 * took)


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
