"""Filling an audience, and filling it anew when its definition changed: everybody at once, then only the difference.

Meanwhile the lane collects whoever may have changed; when the filling is done it looks at those and follows from there
(``passing``). Rows are written in short transactions, so that no reader of the logs waits for a million of them. Killed
in between, the filling starts again: what is written already is then no difference any more.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from hongyan.audience import rows
from hongyan.audience.compiler.nodes import Node
from hongyan.audience.engines.answers import Answer
from hongyan.audience.engines.ask import ask_many
from hongyan.audience.engines.types import Engine
from hongyan.audience.membership import clocks, writing
from hongyan.audience.membership.gathering import READER
from hongyan.audience.membership.plan import Plan, Watched
from hongyan.audience.membership.types import Cause, CauseKind
from hongyan.audience.models import Following, MemberClock, SavedAudience
from hongyan.core import clock

log = logging.getLogger("hongyan.membership")

_LOCK: Final = 7_105_041  # first half of an advisory lock, the audience is the second: one fills it at a time
CHUNK = 20_000  # members written in one transaction
_SWEPT: Final = 50_000  # rows of forgotten audiences deleted in one
_DEFINITION: Final = Cause(CauseKind.DEFINITION)
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Target:
    id: int
    fingerprint: bytes


class Abandoned(Exception):
    """The audience was switched off, changed again or deleted while it was being filled."""


def open_targets(plan: Plan) -> list[Target]:
    """Audiences whose members do not follow the plan's definition; those inside others come first."""
    found = {row.audience_id: row for row in Following.objects.all()}
    _mark_broken(plan, found)
    targets = []
    for one in sorted(plan.watched.values(), key=lambda one: (one.order, one.id)):
        row = found.get(one.id)
        if row is None:
            if not SavedAudience.objects.filter(pk=one.id).exists():
                continue
            row, _ = Following.objects.get_or_create(audience_id=one.id)
        right = row.fingerprint is not None and bytes(row.fingerprint) == one.fingerprint
        if row.live and not (right and row.state == Following.State.CURRENT):
            targets.append(Target(one.id, one.fingerprint))
    return targets


def prepare_clocks(plan: Plan) -> None:
    clocks.prepare(READER, plan.clocks)


def fill(plan: Plan, targets: Sequence[Target]) -> list[Target]:
    """The members as of one moment, of several audiences together: what they have in common is asked once. Returns
    those that were filled; others are filled elsewhere, or were switched off, changed or deleted meanwhile."""
    with ExitStack() as stack:
        begun = {target: row for target in targets if (row := _begin_alone(stack, plan, target)) is not None}
        for key in sorted({found.key for target in begun for found in plan.watched[target.id].needs.clocks}):
            _fill_clock(plan, key)
        began, now = time.perf_counter(), clock.now()
        nodes = [plan.watched[target.id].node for target in begun]
        answers = _ask(plan, nodes, now)
        done = []
        for (target, row), answer in zip(begun.items(), answers, strict=True):
            try:
                _set(plan.watched[target.id], target, answer.ids().to_numpy(), now, told=row.filled_at is not None)
                _end(target, now, seconds=(time.perf_counter() - began) / len(begun))
            except Abandoned:
                continue
            done.append(target)
    return done


def _ask(plan: Plan, nodes: Sequence[Node], now: datetime) -> list[Answer]:
    """By whatever engine is there; the database itself can always answer."""
    if not nodes:
        return []
    try:
        return ask_many(nodes, catalogue=plan.catalogue, now=now)
    except Exception:  # files may be away, a cluster may be down: say so, and go on
        log.exception("members could not be asked of the columns")
        return ask_many(nodes, catalogue=plan.catalogue, now=now, engine=Engine.POSTGRES)


def _begin_alone(stack: ExitStack, plan: Plan, target: Target) -> Following | None:
    if not stack.enter_context(_alone(target.id)):
        return None
    try:
        return _begin(target, plan.watched[target.id])
    except Abandoned:
        return None


def sweep(plan: Plan) -> int:
    """Forget members and moves of audiences that are deleted or no longer followed. Returns how many rows."""
    kept = [*plan.watched, *(one.id for one in plan.broken)]
    gone = 0
    for table in ("audience_member", "audience_membermove"):
        while True:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    f"DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM {table} WHERE audience_id IN "
                    f"(SELECT n FROM ({_held_by(table)}) AS held (n) WHERE n <> ALL(%s::bigint[])) LIMIT %s)",
                    [kept, _SWEPT],
                )
                gone += cursor.rowcount
                if cursor.rowcount < _SWEPT:
                    break
    return gone


def _held_by(table: str) -> str:
    """Distinct audiences of a table by jumping along its index."""
    return (
        f"WITH RECURSIVE hop (n) AS (SELECT min(audience_id) FROM {table} UNION ALL "
        f"SELECT (SELECT min(t.audience_id) FROM {table} t WHERE t.audience_id > hop.n) FROM hop "
        "WHERE hop.n IS NOT NULL) "
        "SELECT n FROM hop WHERE n IS NOT NULL"
    )


def _mark_broken(plan: Plan, found: Mapping[int, Following]) -> None:
    for one in plan.broken:
        row = found.get(one.id)
        if row is None:
            row, _ = Following.objects.get_or_create(audience_id=one.id)
        if row.live and (row.state != Following.State.BROKEN or row.problem != one.code):
            Following.objects.filter(pk=one.id, live=True).update(state=Following.State.BROKEN, problem=one.code)


@contextmanager
def _alone(number: int) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, number])
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, number])


def _begin(target: Target, one: Watched) -> Following:
    with transaction.atomic():
        row = Following.objects.select_for_update().filter(audience_id=target.id, live=True).first()
        if row is None:
            raise Abandoned
        row.state, row.problem = Following.State.BUILDING, ""
        row.fingerprint, row.version = target.fingerprint, one.version
        row.save(update_fields=["state", "problem", "fingerprint", "version"])
    return row


def _set(one: Watched, target: Target, meant: Ids, now: datetime, *, told: bool) -> None:
    """Nobody else writes members while they are filled, but merges and erasures, which the lane looks at afterwards."""
    text = "SELECT contact_id FROM audience_member WHERE audience_id = %(audience)s"
    held = np.fromiter((row[0] for row in rows.query(text, {"audience": one.id})), np.int64)
    held.sort()
    came = np.setdiff1d(meant, held, assume_unique=True)
    gone = np.setdiff1d(held, meant, assume_unique=True)
    for ids, coming in ((gone, False), (came, True)):  # in their order: neighbours lie together in the index
        for first in range(0, len(ids), CHUNK):
            some = ids[first : first + CHUNK].tolist()
            with transaction.atomic():
                _still(target)
                _write(one, some, now, coming=coming, told=told)


def _write(one: Watched, contacts: Sequence[int], now: datetime, *, coming: bool, told: bool) -> None:
    if not told:
        writing.put(one.id, contacts, at=now) if coming else writing.take(one.id, contacts)
        return
    moves = [(one.id, contact, _DEFINITION) for contact in contacts]
    writing.write(moves if coming else [], [] if coming else moves, public_ids={one.id: one.public_id}, at=now)


def _still(target: Target) -> Following:
    row = (
        Following.objects.select_for_update()
        .filter(audience_id=target.id, live=True, state=Following.State.BUILDING)
        .first()
    )
    if row is None or bytes(row.fingerprint or b"") != target.fingerprint:
        raise Abandoned
    return row


def _end(target: Target, now: datetime, *, seconds: float) -> None:
    with transaction.atomic():
        row = _still(target)
        row.filled_at, row.computed_at, row.seconds = row.filled_at or now, now, seconds
        row.save(update_fields=["filled_at", "computed_at", "seconds"])
        writing.note_sizes(now)


def _fill_clock(plan: Plan, key: str) -> None:
    row = MemberClock.objects.get(reader=READER, key=key)
    if not row.filled:
        clocks.fill(row, plan.clocks[key], now=clock.now(), zone=plan.catalogue.zone)
