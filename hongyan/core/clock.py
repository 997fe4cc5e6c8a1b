"""The clock is passed in or read once at the top of a procedure, so tests and replays can hold it still."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_frozen: ContextVar[datetime | None] = ContextVar("hongyan_frozen_clock", default=None)


def now() -> datetime:
    """Aware UTC time; the frozen one inside ``freeze``."""
    return _frozen.get() or datetime.now(tz=UTC)


@contextmanager
def freeze(at: datetime) -> Iterator[datetime]:
    """Hold the clock at an aware time within the block (this thread or task only)."""
    if at.tzinfo is None:
        raise ValueError("the clock needs an aware datetime")
    token = _frozen.set(at.astimezone(UTC))
    try:
        yield at
    finally:
        _frozen.reset(token)
