"""The journal: dots and answers of all connections of a worker, committed together.

A connection may send its final dot only after ``dot`` has come back true, and that is after the commit. A commit costs
the processor as much as the rows of some thirty mails, so dots and answers travel in waves: while one is on its way to
the disk the next gathers, and it leaves when it is large enough or has waited long enough. All in the event loop, over
a connection of its own: nobody waits for a thread to get its turn, and waiting for the disk holds up nothing.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import psycopg
import psycopg.errors
from django.db import connections
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from hongyan.core import clock
from hongyan.core.sql import numbers, statement, texts
from hongyan.delivery.lane.work import Result, Work
from hongyan.delivery.partitions import name_of
from hongyan.delivery.transports.smtp import Peer
from hongyan.delivery.types import MessageState

log = logging.getLogger(__name__)
T = TypeVar("T")
K = TypeVar("K")
# A wave leaves when it is large enough, when for two of these ticks nobody joined it, or after ten. Ticks rather than
# times: on a machine that is busy with other things they stretch, and so does what can join in the meantime.
_TICK_S, _QUIET_TICKS, _MOST_TICKS = 0.001, 2, 10
_NOBODY = Peer("", None, None, "")
_DOT_ARRAYS = ("ids", "fences", "attempts", "message_ids", "sha256s")


@dataclass(slots=True)
class _Dot:
    work: Work
    sha256: bytes
    answer: "asyncio.Future[bool]"


class Journal:
    """wave: so many dots and answers leave at once. on_recorded: called for each group of results that has been
    committed."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_recorded: Callable[[list[Result]], None], *, wave: int = 24
    ) -> None:
        self._loop, self._on_recorded, self._wave = loop, on_recorded, wave
        self._dots: list[_Dot] = []
        self._results: list[Result] = []
        self._ending = self._over = False
        self._awake: asyncio.Future[None] | None = None  # what the writer waits for
        self._full = False  # it waits for a full wave
        self._prepared: set[date] = set()  # months whose statement the connection knows
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._writer: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._writer = self._loop.create_task(self._run())

    def dot(self, work: Work, sha256: bytes) -> "asyncio.Future[bool]":
        """True when the dot is committed; False when the message is no longer ours and must not be sent."""
        dot = _Dot(work, sha256, self._loop.create_future())
        if self._over:
            self._refuse(dot)
        else:
            self._dots.append(dot)
            self._look()
        return dot.answer

    def result(self, result: Result) -> None:
        self._results.append(result)
        self._look()

    def check(self) -> None:
        """Raises what ended the writer, if anything did."""
        if self._writer is not None and self._writer.done():
            self._writer.result()

    async def end(self) -> None:
        """Commit what is there and stop."""
        self._ending = True
        self._wake()
        if self._writer is not None:
            await asyncio.wait([self._writer])

    # -- waves

    async def _run(self) -> None:
        dots: list[_Dot] = []
        try:
            while True:
                await self._gather()
                dots, results = self._dots, self._results
                if not dots and not results:
                    return  # the end
                self._dots, self._results = [], []
                self._tell(dots, await self._commit_until_done(dots, results), results)
        finally:
            self._over = True
            for dot in [*dots, *self._dots]:  # after a fault of ours: nobody waits for ever, nothing more is sent
                self._refuse(dot)
            await self._disconnect()

    async def _gather(self) -> None:
        """Until a wave is there; until anything is there when the journal ends."""
        if not self._waiting and not self._ending:
            self._awake = self._loop.create_future()
            await self._awake
        ticks, quiet, seen = 0, 0, self._waiting
        while seen < self._wave and quiet < _QUIET_TICKS and ticks < _MOST_TICKS and not self._ending:
            self._awake, self._full = self._loop.create_future(), True
            timer = self._loop.call_later(_TICK_S, self._wake)
            await self._awake
            timer.cancel()
            ticks, quiet, seen = ticks + 1, 0 if self._waiting > seen else quiet + 1, self._waiting
        self._awake, self._full = None, False

    @property
    def _waiting(self) -> int:
        return len(self._dots) + len(self._results)

    def _look(self) -> None:
        if self._awake is not None and (not self._full or self._waiting >= self._wave):
            self._wake()

    def _wake(self) -> None:
        if self._awake is not None and not self._awake.done():
            self._awake.set_result(None)

    def _refuse(self, dot: _Dot) -> None:
        """Nobody knows whether it stands in the table: its claim is left to its lease."""
        if not dot.answer.done():
            dot.work.batch.doubtful = True
            dot.answer.set_result(False)

    def _tell(self, dots: list[_Dot], alive: set[int], results: list[Result]) -> None:
        for dot in dots:
            if not dot.answer.done():
                dot.answer.set_result(dot.work.row.id in alive)
        if results:
            self._on_recorded(results)

    # -- writing

    async def _commit_until_done(self, dots: list[_Dot], results: list[Result]) -> set[int]:
        """The database may be away for a while. Answers are kept and written when it is back; dots that could not be
        committed are not sent: their connections are told False and let the mail go, and nobody knows whether they
        stand in the table, so their claims are left to be taken apart when the leases end."""
        pause_s = 0.2
        while True:
            try:
                return await self._commit(dots, results)
            except psycopg.Error:
                log.exception("the journal cannot be written", extra={"results": len(results), "dots": len(dots)})
                await self._disconnect()
                for dot in dots:
                    dot.work.batch.doubtful = True
                if not results:
                    return set()
                self._tell(dots, set(), [])
                dots = []
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 5)

    async def _commit(self, dots: list[_Dot], results: list[Result]) -> set[int]:
        raw = await self._connected()
        alive: set[int] = set()
        dotted = dict(_grouped(dots, lambda dot: dot.work.row.month))
        for (month, code, _), group in _grouped(results, _kind_of_result):
            if code:
                alive |= await self._commit_usual(raw.pgconn, month, dotted.pop(month, []), group)
            else:
                await raw.execute(_statement("results", month), _result_arrays(group))
        for month, rest in dotted.items():
            alive |= await self._commit_usual(raw.pgconn, month, rest, [])
        return alive

    async def _commit_usual(self, raw: PGconn, month: date, dots: list[_Dot], results: list[Result]) -> set[int]:
        """One statement, which is its own transaction, and straight to libpq: a tenth of the driver's work. Writing a
        result again changes nothing, so a group may need several of them."""
        name = f"journal_{month:%Y_%m}".encode()
        if month not in self._prepared:
            raw.send_prepare(name, _statement("journal", month).encode())
            await self._answer(raw)
            self._prepared.add(month)
        raw.send_query_prepared(name, [*_sent_values(results), *_dot_values(dots)])
        answer = await self._answer(raw)
        return {int(answer.get_value(place, 0) or 0) for place in range(answer.ntuples)}

    async def _answer(self, raw: PGconn) -> PGresult:
        """Of the statement that was sent. Raises psycopg.Error."""
        while raw.flush():  # the socket takes no more now
            await self._ready(raw, self._loop.add_writer, self._loop.remove_writer)
        answers = []
        while True:
            if raw.is_busy():
                await self._ready(raw, self._loop.add_reader, self._loop.remove_reader)
                raw.consume_input()
            elif (answer := raw.get_result()) is not None:
                answers.append(answer)
            else:
                return _checked(answers)

    async def _ready(self, raw: PGconn, watch: Callable[..., None], leave: Callable[[int], Any]) -> None:
        ready = self._loop.create_future()
        number = raw.socket
        watch(number, _settle, ready)
        try:
            await ready
        finally:
            leave(number)

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            params = connections["default"].get_connection_params()
            params.pop("cursor_factory", None)
            params |= {"autocommit": True, "prepare_threshold": 1}
            self._connection = await psycopg.AsyncConnection.connect(**params)
            self._prepared.clear()
            # Always by key: a plan that was made while a partition was empty must not read all of it later.
            await self._connection.execute(
                "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"
                " SET enable_hashjoin = off; SET enable_mergejoin = off"
            )
        return self._connection

    async def _disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def _grouped(items: list[T], key: Callable[[T], K]) -> list[tuple[K, list[T]]]:
    groups: dict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return list(groups.items())


def _kind_of_result(result: Result) -> tuple[date, int, int]:
    """Month, and for accepted mails the code and the server (equal ones are one object)."""
    outcome = result.outcome
    if outcome.state is MessageState.SENT:
        return result.work.row.month, outcome.code or 0, id(result.peer)
    return result.work.row.month, 0, 0


def _dot_arrays(dots: list[_Dot]) -> dict[str, str]:
    return {
        "ids": numbers([dot.work.row.id for dot in dots]),
        "fences": numbers([dot.work.row.fence for dot in dots]),
        "attempts": numbers([dot.work.attempts for dot in dots]),
        "message_ids": texts([dot.work.message_id for dot in dots]),
        "sha256s": texts(["\\x" + dot.sha256.hex() for dot in dots]),
    }


def _sent_values(results: list[Result]) -> list[bytes]:
    """Parameters of ``journal`` for mails that one server accepted with one code: only what differs is an array."""
    if not results:
        return [b"{}", b"{}", b"{}", b"{}", b"0", b"", b"", b"", b"", b"epoch"]
    outcome, peer = results[0].outcome, results[0].peer or _NOBODY
    return [
        numbers([result.work.row.id for result in results]).encode(),
        numbers([result.work.row.fence for result in results]).encode(),
        texts([result.outcome.enhanced for result in results]).encode(),
        texts([result.outcome.text for result in results]).encode(),
        str(outcome.code or 0).encode(),
        peer.host.encode(),
        (peer.remote_ip or "").encode(),
        (peer.sending_ip or "").encode(),
        peer.tls.encode(),
        results[-1].at.isoformat().encode(),
    ]


def _dot_values(dots: list[_Dot]) -> list[bytes]:
    """The other parameters of ``journal``."""
    values = _dot_arrays(dots) if dots else dict.fromkeys(_DOT_ARRAYS, "{}")
    at = clock.now().isoformat().encode() if dots else b"epoch"
    return [*(values[name].encode() for name in _DOT_ARRAYS), at]


def _checked(answers: Sequence[PGresult]) -> PGresult:
    """Raises psycopg.Error."""
    if not answers:
        raise psycopg.OperationalError("the database gave no answer")
    for answer in answers:
        if answer.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            raise psycopg.errors.error_from_result(answer)
    return answers[-1]


def _result_arrays(results: list[Result]) -> dict[str, Any]:
    peers = [result.peer for result in results]
    outcomes = [result.outcome for result in results]
    return {
        "ids": [result.work.row.id for result in results],
        "fences": [result.work.row.fence for result in results],
        "states": [int(outcome.state) for outcome in outcomes],
        "reasons": [str(outcome.reason) for outcome in outcomes],
        "wakes": [outcome.wake_at for outcome in outcomes],
        "attempts": [result.work.attempts - (not result.outcome.counts_as_attempt) for result in results],
        "codes": [outcome.code for outcome in outcomes],
        "enhanced": [outcome.enhanced for outcome in outcomes],
        "texts": [outcome.text for outcome in outcomes],
        "hosts": [peer.host if peer else "" for peer in peers],
        "remotes": [peer.remote_ip if peer else None for peer in peers],
        "sendings": [peer.sending_ip if peer else None for peer in peers],
        "tls": [peer.tls if peer else "" for peer in peers],
        "ats": [result.at for result in results],
    }


def _statement(name: str, month: date) -> str:
    return statement("hongyan.delivery", "claims.sql", name).replace("{partition}", name_of(month))
