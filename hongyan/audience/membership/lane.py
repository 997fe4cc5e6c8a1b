"""The lane: passes one after another in one thread, filling in another. Of all workers one leads at a time; another is
ready when it dies."""

import asyncio
import logging
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.db import close_old_connections, connection

from hongyan.audience.membership import building, passing
from hongyan.audience.membership.building import Target
from hongyan.audience.membership.gathering import Partly
from hongyan.audience.membership.months import Months
from hongyan.audience.membership.passing import LostPlace, Passed
from hongyan.audience.membership.plan import Plan, plan_now, stamp
from hongyan.audience.membership.types import Why
from hongyan.audience.models import Following
from hongyan.core import clock
from hongyan.jobs.lanes import rest
from hongyan.jobs.worker import lane_note

log = logging.getLogger("hongyan.membership")

_LEADING: Final = 7_105_040  # advisory lock
_REST_S: Final = 0.1
_QUIET_S: Final = 0.5  # the longest rest while nothing happens: an idle worker should cost next to nothing
_STAMP_S: Final = 1.0
_TOGETHER: Final = 16  # audiences filled together
_RETRY_S: Final = 30.0  # before a filling that failed is tried again, and broken definitions are looked at again
_TURN: Final = timedelta(seconds=5)  # how often time is looked at: conditions turn within these and a pass


@dataclass(slots=True)
class Lane:
    """What the leading process knows: the plan, what waits to be filled, who changed while it is."""

    plan: Plan | None = None
    collecting: dict[int, dict[int, Why]] = field(default_factory=dict)
    built: dict[int, bytes] = field(default_factory=dict)
    waiting: deque[Target] = field(default_factory=deque)
    filling: dict[int, Target] = field(default_factory=dict)
    swept: bool = False
    begun: bool = False
    checked: float = 0.0
    partly: Partly | None = None
    months: Months | None = None  # where to look for facts of long ago
    leads: int = 0  # how often the lead was lost: a filling that began before that is worth nothing
    lock: threading.Lock = field(default_factory=threading.Lock)

    # ——— the passing thread

    def turn(self, *, turn_after: timedelta = timedelta(0), fresh: bool = True) -> Passed:
        """fresh: look whether definitions changed, however lately that was done."""
        if not self.begun:
            passing.begin(clock.now())
            self.begun = True
        if fresh or time.monotonic() - self.checked >= _STAMP_S:
            self._replan()
        plan = self.plan or Plan.empty()
        with self.lock:
            built = dict(self.built)
        try:
            done = passing.run(
                plan,
                collecting=self.collecting,
                built=built,
                turn_after=turn_after,
                partly=self.partly,
                months=self.months,
            )
        except LostPlace:
            self._start_over()
            return Passed(0, 0, 1, 0, 0, (), drained=False)
        self.partly = done.partly
        with self.lock:
            for number in done.adopted:
                self.collecting.pop(number, None)
                self.built.pop(number, None)
            self._queue(plan)
        return done

    def _replan(self) -> None:
        self.checked = time.monotonic()
        mark = stamp()
        if self.plan is None or self.plan.stamp != mark:
            self.plan = plan_now(now=clock.now(), before=self.plan)
            building.prepare_clocks(self.plan)
            self.swept = False
            self.months = self.months or Months(now=clock.now())
            self.months.ask(self.plan.far)

    def _queue(self, plan: Plan) -> None:
        """After the pass: whoever changes from now on is collected, and a filling looks at everything after now."""
        busy = {target.id: target for target in (*self.waiting, *self.filling.values())}
        busy |= {number: Target(number, mark) for number, mark in self.built.items()}
        open_now = {target.id: target for target in building.open_targets(plan)}
        for number in [number for number in self.collecting if number not in open_now and number not in busy]:
            del self.collecting[number]
        for number, mark in list(self.built.items()):
            if number not in open_now or open_now[number].fingerprint != mark:
                del self.built[number]
                busy.pop(number, None)
        for target in open_now.values():
            if busy.get(target.id) != target:
                self.collecting[target.id] = {}
                self.waiting = deque(one for one in self.waiting if one.id != target.id)
                self.waiting.append(target)

    def _start_over(self) -> None:
        Following.objects.filter(live=True).update(fingerprint=None, state=Following.State.WAITING)
        self.forget()

    def forget(self) -> None:
        """What was collected is no longer whole."""
        with self.lock:
            self.collecting, self.built, self.plan, self.begun, self.partly = {}, {}, None, False, None
            self.months = None  # others pass facts now
            self.waiting.clear()
            self.leads += 1

    # ——— the filling thread

    def fill_some(self) -> bool:
        """Fill the next audiences that wait; False when none does."""
        with self.lock:
            plan, leads, months = self.plan, self.leads, self.months
            if plan is None:
                return False
            targets = [self.waiting.popleft() for _ in range(min(_TOGETHER, len(self.waiting)))]
            targets = [
                target
                for target in targets
                if target.id in plan.watched and plan.watched[target.id].fingerprint == target.fingerprint
            ]
            self.filling |= {target.id: target for target in targets}
        if not targets:
            if not self.swept:
                building.sweep(plan)
                self.swept = True
            if months is not None and not months.whole:  # until then passes look further than they need
                months.read()
            return False
        done: list[Target] = []
        try:
            done = building.fill(plan, targets)
        finally:
            with self.lock:
                for target in targets:
                    del self.filling[target.id]
                if leads == self.leads:
                    self.built |= {target.id: target.fingerprint for target in done}
        return True


def settle(lane: Lane | None = None, *, most: int = 200) -> Lane:
    """Everything that is known now, here and at once: for commands and tests."""
    lane = lane or Lane()
    for _ in range(most):
        done = lane.turn()
        filled = lane.fill_some()
        if done.idle and not filled and not lane.waiting and not lane.built:
            return lane
    raise RuntimeError(f"memberships are not settled after {most} passes")


# ——— in a worker


async def run_membership(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    lane = Lane()
    rest_s = _REST_S
    with ThreadPoolExecutor(1, "members") as passes, ThreadPoolExecutor(1, "filling") as fills:
        filler = asyncio.create_task(_fill_on(lane, stop, fills))
        try:
            while not stop.is_set():
                done = await loop.run_in_executor(passes, _turn, lane)
                if filler.done():
                    filler.result()
                if done is None or done.idle:
                    await rest(stop, 2.0 if done is None else rest_s)
                    rest_s = min(rest_s * 1.5, _QUIET_S)
                else:
                    rest_s = _REST_S
        finally:
            await loop.run_in_executor(passes, connection_close)
            filler.cancel()
            await asyncio.gather(filler, return_exceptions=True)
            await loop.run_in_executor(fills, connection_close)


def connection_close() -> None:
    """Of this thread; the lead goes with it."""
    connection.close()


async def _fill_on(lane: Lane, stop: asyncio.Event, fills: ThreadPoolExecutor) -> None:
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        try:
            filled = await loop.run_in_executor(fills, _fill, lane)
        except Exception:  # an audience that cannot be filled must not keep the others from being current
            log.exception("filling failed")
            await rest(stop, _RETRY_S)
            continue
        if not filled:
            await rest(stop, _QUIET_S)


def _fill(lane: Lane) -> bool:
    close_old_connections()
    return lane.fill_some()


def _turn(lane: Lane) -> Passed | None:
    """None: another worker leads."""
    close_old_connections()
    if not _lead():
        if lane.begun:
            lane.forget()
        return None
    done = lane.turn(turn_after=_TURN, fresh=False)
    if not done.idle:
        lane_note("membership", events=done.events, looked=done.looked, came=done.came, gone=done.gone)
    return done


_led = threading.local()


def _lead() -> bool:
    """Hold the lock as long as this thread's session lives."""
    connection.ensure_connection()
    connection.close_at = None  # not for its age: the lead and the batch's tables go with the session
    if getattr(_led, "session", None) is connection.connection:
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LEADING])
        leading = bool(cursor.fetchone()[0])
    _led.session = connection.connection if leading else None
    return leading
