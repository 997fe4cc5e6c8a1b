"""Which kinds of jobs and which periodic work exist. Rooms register theirs in their ``tasks.py`` (found at start)."""

import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import close_old_connections
from django.utils.functional import Promise
from procrastinate.contrib.django import app

from hongyan.jobs.errors import UnknownJobKind

if TYPE_CHECKING:
    from hongyan.jobs.handle import JobHandle

logger = logging.getLogger(__name__)

KindResult = dict[str, Any] | None
KindFunction = Callable[["JobHandle", dict[str, Any]], KindResult | Awaitable[KindResult]]


@dataclass(frozen=True, slots=True)
class JobKind:
    name: str
    run: KindFunction
    title: str | Promise
    resumable: bool  # may be started again after its worker died; then it goes on from what it committed
    max_attempts: int  # a job that kills its worker this often is given up


_KINDS: dict[str, JobKind] = {}
_PERIODIC: dict[str, str] = {}


def job_kind(
    name: str, *, title: str | Promise, resumable: bool = False, max_attempts: int = 5
) -> Callable[[KindFunction], KindFunction]:
    """Register ``fn(handle, params) -> dict | None``, sync (runs in a thread) or async (in a loop of its own)."""

    def register(run: KindFunction) -> KindFunction:
        present = _KINDS.get(name)
        if present is not None and present.run.__qualname__ != run.__qualname__:
            raise ValueError(f"job kind {name!r} is registered twice")
        _KINDS[name] = JobKind(name, run, title, resumable, max_attempts)
        return run

    return register


def known_kind(name: str) -> JobKind | None:
    return _KINDS.get(name)


def kind_of(name: str) -> JobKind:
    """Raises UnknownJobKind."""
    kind = known_kind(name)
    if kind is None:
        raise UnknownJobKind(name)
    return kind


def kind_title(name: str) -> str:
    kind = known_kind(name)
    return str(kind.title) if kind else name


def periodic(*, cron: str, name: str = "") -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Run ``fn()`` at these times (UTC), once over all workers, never twice at once; a missed time is not made up
    for after ten minutes, so write work that catches up by itself."""

    def register(run: Callable[[], object]) -> Callable[[], object]:
        if inspect.iscoroutinefunction(run):
            raise TypeError("periodic work is a plain function")
        task_name = name or f"{run.__module__}.{run.__qualname__}"
        if task_name in _PERIODIC:
            return run
        _PERIODIC[task_name] = cron

        def work(timestamp: int) -> None:
            del timestamp
            close_old_connections()  # a database that restarted must not fail every later run of this thread
            run()

        task = app.task(name=task_name, queue="periodic", lock=task_name, queueing_lock=task_name)(work)
        app.periodic(cron=cron, periodic_id=task_name)(task)
        return run

    return register


def periodic_work() -> dict[str, str]:
    """Task name → cron line."""
    return dict(sorted(_PERIODIC.items()))
