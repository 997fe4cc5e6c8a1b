"""The journal: dots and answers of all connections of a worker, committed together.

A connection may send its final dot only after ``dot`` has come back true, and that is after the commit. While one
commit is on its way to the disk the next group gathers, so many connections share each commit and none waits for a
timer. A thread of its own with its own database connection: waiting for the disk never holds up the event loop.
"""

import asyncio
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import psycopg
from django.db import connections

from hongyan.core import clock
from hongyan.core.sql import statement
from hongyan.delivery.lane.work import Result, Work
from hongyan.delivery.partitions import name_of
from hongyan.delivery.transports.smtp import Peer
from hongyan.delivery.types import MessageState

log = logging.getLogger(__name__)
T = TypeVar("T")
K = TypeVar("K")
# A group this small waits a moment for more: a commit costs the same for one mail as for fifty.
_SMALL, _MOMENT_S = 12, 0.0015


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
        self._wake = threading.Condition()
        self._dots: list[_Dot] = []
        self._results: list[Result] = []
        self._ending = False
        self._connection: psycopg.Connection[Any] | None = None

    # -- the loop's side

    def dot(self, work: Work, sha256: bytes) -> "asyncio.Future[bool]":
        """True when the dot is committed; False when the message is no longer ours and must not be sent."""
        answer: asyncio.Future[bool] = self._loop.create_future()
        with self._wake:
            self._dots.append(_Dot(work, sha256, clock.now(), answer))
            self._wake.notify()
        return answer

    def result(self, result: Result) -> None:
        with self._wake:
            self._results.append(result)
            self._wake.notify()

    def end(self) -> None:
        """Commit what is there and stop."""
        with self._wake:
            self._ending = True
            self._wake.notify()

    # -- the thread's side

    def run(self) -> None:
        while True:
            with self._wake:
                while not (self._dots or self._results or self._ending):
                    self._wake.wait()
                small = len(self._dots) < _SMALL and not self._ending
            if small:
                time.sleep(_MOMENT_S)
            with self._wake:
                dots, self._dots = self._dots, []
                results, self._results = self._results, []
                if self._ending and not dots and not results:
                    break
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
        committed are not sent (their connections are told False and let the mail go)."""
        pause_s = 0.2
        while True:
            try:
                return self._commit(dots, results)
            except psycopg.Error:
                log.exception("the journal cannot be written", extra={"results": len(results), "dots": len(dots)})
                self._disconnect()
                if not results:
                    return set()
                dots = []
                time.sleep(pause_s)
                pause_s = min(pause_s * 2, 5)

    def _commit(self, dots: list[_Dot], results: list[Result]) -> set[int]:
        raw = self._connected()
        cursors: list[psycopg.Cursor[Any]] = []
        with raw.pipeline(), raw.transaction():
            for (month, code, _), group in _grouped(results, _kind_of_result):
                if code:
                    raw.execute(_statement("sent", month), _sent_arrays(group))
                else:
                    raw.execute(_statement("results", month), _result_arrays(group))
            for month, dotted in _grouped(dots, lambda dot: dot.work.row.month):
                cursors.append(raw.execute(_statement("dots", month), _dot_arrays(dotted)))
        return {row[0] for cursor in cursors for row in cursor.fetchall()}

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            wrapper = connections["default"]
            params = wrapper.get_connection_params()
            params.pop("cursor_factory", None)
            self._connection = psycopg.connect(**{**params, "autocommit": True, "prepare_threshold": 1})
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


def _kind_of_result(result: Result) -> tuple[date, int, Peer | None]:
    """Month, and for accepted mails the code and the server."""
    if result.outcome.state is MessageState.SENT:
        return result.work.row.month, result.outcome.code or 0, result.peer
    return result.work.row.month, 0, None


def _dot_arrays(dots: list[_Dot]) -> dict[str, Any]:
    return {
        "at": dots[-1].at,
        "ids": numbers([dot.work.row.id for dot in dots]),
        "fences": numbers([dot.work.row.fence for dot in dots]),
        "attempts": numbers([dot.work.attempts for dot in dots]),
        "message_ids": texts([dot.work.message_id for dot in dots]),
        "sha256s": texts(["\\x" + dot.sha256.hex() for dot in dots]),
    }


def _sent_arrays(results: list[Result]) -> dict[str, Any]:
    """Mails that one server accepted with one code: only what differs is an array."""
    outcome, peer = results[0].outcome, results[0].peer
    return {
        "at": results[-1].at,
        "code": outcome.code,
        "host": peer.host if peer else "",
        "remote": peer.remote_ip if peer else None,
        "sending": peer.sending_ip if peer else None,
        "tls": peer.tls if peer else "",
        "ids": numbers([result.work.row.id for result in results]),
        "fences": numbers([result.work.row.fence for result in results]),
        "enhanced": texts([result.outcome.enhanced for result in results]),
        "texts": texts([result.outcome.text for result in results]),
    }


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


def numbers(values: list[int]) -> str:
    """A PostgreSQL array literal. Written by hand: the driver looks at every element of every list, which cost more
    than all the rest of the journal (measured 149 against 20 microseconds a mail)."""
    return "{" + ",".join(map(str, values)) + "}"


def texts(values: list[str]) -> str:
    """An array literal of any texts (without NUL): quoted, quotes and backslashes escaped."""
    return "{" + ",".join(['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]) + "}"


def _statement(name: str, month: date) -> str:
    return statement("hongyan.delivery", "claims.sql", name).replace("{partition}", name_of(month))
