"""The journal's waves, without a database: what travels together, and that nobody waits for ever."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from hongyan.delivery.lane.journal import Journal
from hongyan.delivery.lane.work import Batch, Claimed, Outcome, Result, Work
from hongyan.delivery.types import MessageState

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def work(number: int) -> Work:
    row = Claimed(number, date(2026, 11, 1), "campaign", 1, number, 1, 1, None, False, 0, "", NOW, 1)
    return Work(row, Batch(1), "a@example.com", "example.com", "b@example.com", "m@example.com", lambda: None, 1)  # type: ignore[arg-type,return-value]


def sent(number: int) -> Result:
    return Result(work(number), Outcome(MessageState.SENT, code=250), NOW, None)


class Recorder:
    """Stands for the database: notes the groups it is given, and holds each until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, problem: Exception | None = None) -> None:
        self.groups: list[tuple[int, int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.recorded: list[Result] = []

        async def commit(journal: Journal, dots: Any, results: Any) -> set[int]:
            self.groups.append((len(dots), len(results)))
            await self.open.wait()
            if problem is not None:
                raise problem
            return {dot.work.row.id for dot in dots}

        monkeypatch.setattr(Journal, "_commit", commit)

    def journal(self, wave: int) -> Journal:
        journal = Journal(asyncio.get_running_loop(), self.recorded.extend, wave=wave)
        journal.start()
        return journal


async def test_what_arrives_during_a_commit_travels_together(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Recorder(monkeypatch)
    journal = database.journal(wave=4)
    database.open.clear()
    first = journal.dot(work(1), b"")
    while not database.groups:  # noqa: ASYNC110  the journal's own task fills it
        await asyncio.sleep(0)
    rest = [journal.dot(work(number), b"") for number in (2, 3, 4)]
    journal.result(sent(5))
    assert not first.done()
    database.open.set()
    assert await asyncio.gather(first, *rest) == [True] * 4
    await journal.end()
    assert database.groups == [(1, 0), (3, 1)]
    assert [result.work.row.id for result in database.recorded] == [5]


async def test_a_full_wave_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Recorder(monkeypatch)
    journal = database.journal(wave=3)
    assert await asyncio.gather(*(journal.dot(work(number), b"") for number in range(3))) == [True] * 3
    await journal.end()
    assert database.groups == [(3, 0)]


async def test_what_is_there_at_the_end_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Recorder(monkeypatch)
    journal = database.journal(wave=100)
    journal.result(sent(1))
    await journal.end()
    assert [result.work.row.id for result in database.recorded] == [1]


async def test_after_a_fault_nobody_waits_and_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Recorder(monkeypatch, RuntimeError("a bug"))
    journal = database.journal(wave=1)
    lost = work(1)
    assert await journal.dot(lost, b"") is False
    assert lost.batch.doubtful  # its claim is left to its lease
    assert await journal.dot(work(2), b"") is False
    await journal.end()
    with pytest.raises(RuntimeError, match="a bug"):
        journal.check()
