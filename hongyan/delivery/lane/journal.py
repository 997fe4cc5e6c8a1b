"""The journal: dots and answers of all connections of a worker, committed together.

A connection may send its final dot only after ``dot`` has come back true, and that is after the commit. While one
commit is on its way to the disk the next group gathers, so many connections share each commit and none waits for a
timer. A thread of its own with its own database connection: waiting for the disk never holds up the event loop.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import psycopg
import psycopg.errors
from django.db import connections
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from hongyan.core import clock
from hongyan.core.sql import numbers, statement, texts
from hongyan.delivery.lane.work import Result, Work
from hongyan.delivery.partitions import name_of
from hongyan.delivery.transports.smtp import Peer
from hongyan.delivery.types import MessageState

log = logging.getLogger(__name__)
T = TypeVar("T")
K = TypeVar("K")
# A small group waits some moments for more: a commit costs the same for one mail as for fifty.
_SMALL, _MOMENT_S, _MOMENTS = 24, 0.001, 3
_NOBODY = Peer("", None, None, "")
_DOT_ARRAYS = ("ids", "fences", "attempts", "message_ids", "sha256s")


@dataclass(slots=True)
class _Dot:
    work: Work
    sha256: bytes
    at: datetime
    answer: "asyncio.Future[bool]"


class Journal(threading.Thread):
    """on_recorded runs in the event loop, once for each group of results that has been committed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_recorded: Callable[[list[Result]], None]) -> None:
        super().__init__(name="delivery-journal", daemon=True)
        self._loop, self._on_recorded = loop, on_recorded
        self._queue: SimpleQueue[_Dot | Result | None] = SimpleQueue()  # None: the end
        self._prepared: set[date] = set()  # months whose statement the connection knows
        self._connection: psycopg.Connection[Any] | None = None

    # -- the loop's side

    def dot(self, work: Work, sha256: bytes) -> "asyncio.Future[bool]":
        """True when the dot is committed; False when the message is no longer ours and must not be sent."""
        answer: asyncio.Future[bool] = self._loop.create_future()
        self._queue.put(_Dot(work, sha256, clock.now(), answer))
        return answer

    def result(self, result: Result) -> None:
        self._queue.put(result)

    def end(self) -> None:
        """Commit what is there and stop."""
        self._queue.put(None)

    # -- the thread's side

    def run(self) -> None:
        ending = False
        while not ending:
            items = [self._queue.get()]
            for _ in range(_MOMENTS):
                if items[0] is None or self._queue.qsize() >= _SMALL:
                    break
                time.sleep(_MOMENT_S)
            with contextlib.suppress(Empty):
                while True:
                    items.append(self._queue.get_nowait())
            ending = None in items
            dots = [item for item in items if isinstance(item, _Dot)]
            results = [item for item in items if isinstance(item, Result)]
            if dots or results:
                alive = self._commit_until_done(dots, results)
                self._loop.call_soon_threadsafe(self._tell, dots, alive, results)
        self._disconnect()

    def _tell(self, dots: list[_Dot], alive: set[int], results: list[Result]) -> None:
        for dot in dots:
            if not dot.answer.done():
                dot.answer.set_result(dot.work.row.id in alive)
        if results:
            self._on_recorded(results)

    def _commit_until_done(self, dots: list[_Dot], results: list[Result]) -> set[int]:
        """The database may be away for a while. Answers are kept and written when it is back; dots that could not be
        committed are not sent: their connections are told False and let the mail go, and nobody knows whether they
        stand in the table, so their claims are left to be taken apart when the leases end."""
        pause_s = 0.2
        while True:
            try:
                return self._commit(dots, results)
            except psycopg.Error:
                log.exception("the journal cannot be written", extra={"results": len(results), "dots": len(dots)})
                self._disconnect()
                for dot in dots:
                    dot.work.batch.doubtful = True
                if not results:
                    return set()
                dots = []
                time.sleep(pause_s)
                pause_s = min(pause_s * 2, 5)

    def _commit(self, dots: list[_Dot], results: list[Result]) -> set[int]:
        raw = self._connected()
        alive: set[int] = set()
        dotted = dict(_grouped(dots, lambda dot: dot.work.row.month))
        for (month, code, _), group in _grouped(results, _kind_of_result):
            if code:
                alive |= self._commit_usual(raw, month, dotted.pop(month, []), group)
            else:
                raw.execute(_statement("results", month), _result_arrays(group))
        for month, rest in dotted.items():
            alive |= self._commit_usual(raw, month, rest, [])
        return alive

    def _commit_usual(
        self, raw: psycopg.Connection[Any], month: date, dots: list[_Dot], results: list[Result]
    ) -> set[int]:
        """One statement, which is its own transaction, and straight to libpq: a tenth of the driver's work. Writing a
        result again changes nothing, so a group may need several of them."""
        name = f"journal_{month:%Y_%m}".encode()
        if month not in self._prepared:
            _checked(raw.pgconn.prepare(name, _statement("journal", month).encode()), raw)
            self._prepared.add(month)
        params = [*_sent_values(results), *_dot_values(dots)]
        answer = _checked(raw.pgconn.exec_prepared(name, params), raw)
        return {int(answer.get_value(place, 0) or 0) for place in range(answer.ntuples)}

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            wrapper = connections["default"]
            params = wrapper.get_connection_params()
            params.pop("cursor_factory", None)
            self._connection = psycopg.connect(**{**params, "autocommit": True, "prepare_threshold": 1})
            # Always by key: a plan that was made while a partition was empty must not read all of it later.
            self._connection.execute(
                "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"
                " SET enable_hashjoin = off; SET enable_mergejoin = off"
            )
            self._prepared.clear()
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


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
    at = dots[-1].at.isoformat().encode() if dots else b"epoch"
    return [*(values[name].encode() for name in _DOT_ARRAYS), at]


def _checked(answer: PGresult, raw: psycopg.Connection[Any]) -> PGresult:
    """Raises psycopg.Error."""
    if answer.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        raise psycopg.errors.error_from_result(answer, encoding=raw.info.encoding)
    return answer


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
