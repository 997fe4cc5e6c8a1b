"""What a running job holds in its hand: progress out, wishes (cancel, pause, stop) in."""

import time
from collections.abc import Callable

from asgiref.sync import sync_to_async
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from hongyan.core.sql import statement
from hongyan.jobs.errors import JobCancelled, JobInterrupted, JobLost, JobPaused

# People watch progress bars, databases pay for them: three writes a second are enough.
MIN_INTERVAL_S = 0.3


class JobHandle:
    """``done`` starts where the last attempt stopped; a resumable kind may count on it only as a hint, its own
    tables say what was done."""

    def __init__(
        self, *, job_id: int, attempt: int, done: int, resumable: bool, should_stop: Callable[[bool], bool]
    ) -> None:
        """should_stop(resumable): whether the worker wants its thread back."""
        self.job_id, self.attempt, self.done = job_id, attempt, done
        self._resumable, self._should_stop = resumable, should_stop
        self._first_done, self._began, self._wrote = done, time.monotonic(), 0.0
        # Progress must be seen while the work's own transaction is open, so it has a connection of its own; unless the
        # caller runs the whole job inside a transaction, whose rows no other connection could see.
        self._own = None if connection.in_atomic_block else connection.copy()

    def advance(self, done: int, total: int | None = None, note: str = "") -> None:
        """Say how far the work is. Cheap: writes at most three times a second.

        total None keeps the last one. note: a short fact for people, no personal data.
        Raises JobCancelled, JobPaused, JobInterrupted or JobLost; let them pass.
        """
        self.done = done
        now = time.monotonic()
        if self._wrote and now - self._wrote < MIN_INTERVAL_S:
            return
        self._wrote = now
        self._write(total, note, (done - self._first_done) / max(now - self._began, 0.001))

    async def advance_async(self, done: int, total: int | None = None, note: str = "") -> None:
        await sync_to_async(self.advance)(done, total, note)

    def check(self) -> None:
        """Only listen for wishes, now."""
        self._wrote = 0.0
        self.advance(self.done)

    def finish(self) -> None:
        """The last figure, whenever the one before was written. Called by the runner."""
        self._write(None, "", None, listen=False)

    def close(self) -> None:
        if self._own is not None:
            self._own.close()

    def _write(self, total: int | None, note: str, rate: float | None, *, listen: bool = True) -> None:
        with self._connection().cursor() as cursor:
            cursor.execute(
                statement("hongyan.jobs", "jobs.sql", "advance"),
                {
                    "id": self.job_id,
                    "attempt": self.attempt,
                    "done": self.done,
                    "total": total,
                    "note": note[:200],
                    "rate": rate,
                },
            )
            row = cursor.fetchone()
        if row is None:
            raise JobLost
        if listen:
            self._obey(cancel=row[0], pause=row[1])

    def _obey(self, *, cancel: bool, pause: bool) -> None:
        if cancel:
            raise JobCancelled
        if pause and self._resumable:
            raise JobPaused
        if self._should_stop(self._resumable):
            raise JobInterrupted

    def _connection(self) -> BaseDatabaseWrapper:
        return self._own if self._own is not None else connection
