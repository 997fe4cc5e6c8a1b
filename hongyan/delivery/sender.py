"""The sender lane: claim → gate → render → SMTP → record. Any number may run, on any number of machines."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.db import close_old_connections, connections

from hongyan.core import clock
from hongyan.delivery.errors import TransportProblem
from hongyan.delivery.lane import claims
from hongyan.delivery.lane.aftermath import forget_direct, hold_domain, note_relay
from hongyan.delivery.lane.journal import Journal
from hongyan.delivery.lane.outcome import DomainPause
from hongyan.delivery.lane.prepare import Preparation, Preparer
from hongyan.delivery.lane.serve import serve
from hongyan.delivery.lane.work import Batch, Claimed, Outcome, Result, Work
from hongyan.delivery.outbox import free_megabytes
from hongyan.delivery.transports.relay import Relay
from hongyan.delivery.transports.smtp import Peer
from hongyan.delivery.types import MessageState, Reason

log = logging.getLogger(__name__)
# A claim asks and plans as much for ten mails as for a thousand, so a fast relay's claims take what it took in this
# time. Never fewer than 400: on a starved machine smaller claims cost more, which starves it further (measured with
# 100 at a load of 20: 745 microseconds of processor time a mail instead of 500).
_AHEAD_S, _FEWEST = 0.3, 400
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SenderOptions:
    """batch: mails a claim at most. lease: after a worker's death its batch waits this long. poll_s: how often an idle
    worker looks. idle_s: an unused connection is closed after it. drain: end when nothing is due (tests, benchmarks).
    """

    batch: int = 1000
    lease: timedelta = timedelta(seconds=60)
    poll_s: float = 0.4
    idle_s: float = 20
    connections: int = 16
    drain: bool = False


async def run_sender(
    stop: asyncio.Event, *, worker_name: str, relay: Relay | None = None, options: SenderOptions | None = None
) -> None:
    """Until ``stop``: then what is under way is finished and what is not goes back to the queue."""
    chosen = options or SenderOptions(connections=settings.HONGYAN_SMTP_CONNECTIONS)
    await SenderLane(worker_name, relay or Relay.configured(), chosen).run(stop)


class SenderLane:
    """Implements ``lane.serve.Lane`` for its connections."""

    def __init__(self, worker_name: str, relay: Relay, options: SenderOptions) -> None:
        self.relay, self.idle_s = relay, options.idle_s
        self._name, self._options = worker_name, options
        self._loop = asyncio.get_running_loop()
        # A connection has one dot and one answer under way at most; a wave is most of what all of them can bring.
        self.journal = Journal(self._loop, self._on_recorded, wave=max(2, options.connections * 3 // 2))
        self._preparer = Preparer()
        self._database = ThreadPoolExecutor(max_workers=1, thread_name_prefix="delivery-database")
        self._ready: asyncio.Queue[Work | None] = asyncio.Queue()
        self._batches: dict[int, Batch] = {}
        self._stop = asyncio.Event()
        self._stopping = False
        self._room = asyncio.Event()  # set whenever a batch closes or the queue runs low
        self._chores: set[asyncio.Task[None]] = set()
        self._limit, self._taken, self._counted_at = min(_FEWEST, options.batch), 0, self._loop.time()
        self._trouble: str | None = ""  # unknown until the first connection
        self._rest_s = 0.5

    async def run(self, stop: asyncio.Event) -> None:
        self._stop = stop
        # A batch is thousands of small objects that live for a second: the collector's habit of walking the whole
        # process (Django, templates) every few hundred of them took a fifth of the time.
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        self.journal.start()
        servers = [asyncio.create_task(serve(self)) for _ in range(self._options.connections)]
        keeper = asyncio.create_task(self._keep_leases())
        try:
            await self._feed(stop, servers)
        finally:
            self._stopping = True
            await self._wind_up(servers, keeper)
        self.journal.check()

    # -- feeding

    async def _feed(self, stop: asyncio.Event, servers: list[asyncio.Task[None]]) -> None:
        while not stop.is_set():
            self.journal.check()
            for server in servers:
                if server.done():
                    server.result()  # a bug in a connection ends the lane loudly; the worker starts it again
            if self._ready.qsize() > self._limit // 2:
                self._room.clear()
                await self._pause(stop, self._options.poll_s)
                continue
            self._set_limit()
            prepared = await self._in_database(self._claim_and_prepare)
            if prepared is None:
                if self._options.drain and not self._batches and not self._chores:
                    return
                self._room.clear()
                await self._pause(stop, self._options.poll_s)
                continue
            self._take_on(prepared)

    def _set_limit(self) -> None:
        now = self._loop.time()
        pace = self._taken / max(now - self._counted_at, 0.05)
        self._taken, self._counted_at = 0, now
        self._limit = min(self._options.batch, max(_FEWEST, int(pace * _AHEAD_S)))

    def _claim_and_prepare(self) -> Preparation | None:
        if free_megabytes() < settings.HONGYAN_MIN_FREE_MB:
            log.warning("low disk: sending rests")
            return None
        rows = claims.claim_take(worker=self._name, limit=self._limit, lease=self._options.lease)
        if not rows:
            return None
        try:
            prepared = self._preparer.prepare(rows)
        except Exception:  # whatever is wrong with these must not keep the others waiting
            log.exception("a batch could not be prepared", extra={"messages": len(rows)})
            claims.claim_put_off(rows=rows, reason=Reason.PREPARATION_FAILED)
            return Preparation(Batch(rows[0].fence))
        claims.claim_refuse(fence=prepared.batch.fence, refusals=prepared.refusals)
        forget_direct([refusal.row for refusal in prepared.refusals if refusal.wake_at is None])
        return prepared

    def _take_on(self, prepared: Preparation) -> None:
        batch = prepared.batch
        batch.open = len(prepared.works)
        self._batches[batch.fence] = batch
        for work in prepared.works:
            self._ready.put_nowait(work)
        if not prepared.works:
            self._close_batch(batch)

    async def _pause(self, stop: asyncio.Event, seconds: float) -> None:
        """Until there is room, the lane stops, or the time is over."""
        waits = [asyncio.ensure_future(self._room.wait()), asyncio.ensure_future(stop.wait())]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    # -- what connections ask for (lane.serve.Lane)

    async def take(self, *, idle_s: float | None) -> Work | None:
        if self._stopping:
            return None
        work = self.take_nowait()
        if work is not None:
            return work
        try:
            work = await asyncio.wait_for(self._ready.get(), idle_s)
        except TimeoutError:
            return None
        self._taken += 1
        return work

    def take_nowait(self) -> Work | None:
        if self._stopping or self._ready.empty():
            return None
        work = self._ready.get_nowait()
        self._taken += 1
        if self._ready.qsize() == self._limit // 2:
            self._room.set()
        return work

    def put_back(self, work: Work) -> None:
        self._ready.put_nowait(work)

    def drop(self, work: Work) -> None:
        log.warning("message was taken over by another worker", extra={"message_number": work.row.id})
        self._settled(work.batch)

    def record(self, work: Work, outcome: Outcome, peer: Peer | None) -> None:
        self.journal.result(Result(work, outcome, clock.now(), peer))

    def hold_domain(self, pause: DomainPause) -> None:
        self._preparer.hold(pause.domain)
        self._chore(lambda: hold_domain(pause))

    async def relay_trouble(self, problem: TransportProblem) -> None:
        if self._trouble != str(problem):
            self._trouble = str(problem)
            log.warning("the relay cannot be used", extra={"problem": str(problem), "permanent": problem.permanent})
            self._chore(lambda: note_relay(str(problem)))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), self._rest_s)
        self._rest_s = min(self._rest_s * 1.5, 30)

    def relay_well(self) -> None:
        self._rest_s = 0.5
        if self._trouble is not None:
            self._trouble = None
            self._chore(lambda: note_relay(None))

    # -- after answers

    def _on_recorded(self, results: list[Result]) -> None:
        for result in results:
            batch = result.work.batch
            batch.results.append(result)
            self._settled(batch)

    def _settled(self, batch: Batch) -> None:
        batch.open -= 1
        if batch.open == 0:
            self._close_batch(batch)

    def _close_batch(self, batch: Batch) -> None:
        if batch.doubtful:
            self._forget_batch(batch)
            return
        # When it fails the lease is let go: whoever takes the claim apart does it again.
        self._chore(lambda: self._finish_batch(batch), then=lambda: self._forget_batch(batch))

    def _finish_batch(self, batch: Batch) -> None:
        claims.claim_close(fence=batch.fence, results=batch.results)

    def _forget_batch(self, batch: Batch) -> None:
        self._batches.pop(batch.fence, None)
        self._room.set()

    # -- keeping and ending

    async def _keep_leases(self) -> None:
        """Renew ours, take apart the dead's."""
        pause_s = self._options.lease.total_seconds() / 4
        while True:
            if self._batches:
                await self._in_database(
                    partial(claims.claim_renew, fences=list(self._batches), lease=self._options.lease)
                )
            await self._in_database(claims.claims_recover)
            await asyncio.sleep(pause_s)

    async def _wind_up(self, servers: list[asyncio.Task[None]], keeper: asyncio.Task[None]) -> None:
        keeper.cancel()
        waiting = self._drain_queue()
        for _ in servers:
            self._ready.put_nowait(None)
        await asyncio.gather(*servers, return_exceptions=True)
        waiting += self._drain_queue()
        for work in waiting:
            if work.dotted:  # put back by a connection that ended: the journal takes its dot back
                self.record(work, Outcome(MessageState.QUEUED, wake_at=clock.now(), counts_as_attempt=False), None)
        waiting = [work for work in waiting if not work.dotted]
        await self.journal.end()
        for batch in list(self._batches.values()):
            rows = [work.row for work in waiting if work.batch is batch]
            await self._in_database(partial(self._give_back, batch, rows))
        if self._chores:
            await asyncio.gather(*self._chores, return_exceptions=True)
        await self._in_database(connections.close_all)
        self._database.shutdown(wait=False)

    def _drain_queue(self) -> list[Work]:
        found = []
        while not self._ready.empty():
            work = self._ready.get_nowait()
            if work is not None:
                found.append(work)
        return found

    def _give_back(self, batch: Batch, rows: list[Claimed]) -> None:
        ids, months = [row.id for row in rows], sorted({row.month for row in rows})
        claims.claim_return(fence=batch.fence, ids=ids, months=months)
        if batch.open == len(rows) and not batch.doubtful:
            self._finish_batch(batch)

    def _chore(self, work: Callable[[], None], then: Callable[[], None] | None = None) -> None:
        async def run() -> None:
            try:
                await self._in_database(work)
            finally:
                if then is not None:
                    then()

        task = asyncio.create_task(run())
        self._chores.add(task)
        task.add_done_callback(self._chore_done)

    def _chore_done(self, task: asyncio.Task[None]) -> None:
        self._chores.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("what follows from answers could not be written", exc_info=task.exception())

    async def _in_database(self, work: Callable[[], T]) -> T:
        def call() -> T:
            close_old_connections()
            return work()

        return await self._loop.run_in_executor(self._database, call)
