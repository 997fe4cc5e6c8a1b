"""The lane of the worker that keeps the files near to now. Answers are exact whatever it does; it keeps them quick."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError

from hongyan.audience.models_population import PopulationState
from hongyan.audience.population.checking import Status, status
from hongyan.audience.population.writer import Passed, copy_pass, sweep
from hongyan.jobs.lanes import keep_turning
from hongyan.jobs.worker import lane_note

log = logging.getLogger("hongyan.population")
_REST_S: Final = 2.0
_AGE_S: Final = 30.0  # a change is in files after at most about this
_MANY: Final = 5_000  # changes; at once then, for every question reads what changed
_SHARE: Final = 10  # rest for so many times as long as the last pass took: a tenth of one core at most
_LOOK_S: Final = 60.0  # at whether the catalogue asks for other columns
_SWEEP_S: Final = 600.0


@dataclass(slots=True)
class Lane:
    """What one worker remembers between turns. Times: of the monotonic clock."""

    passed_at: float = float("-inf")
    took_s: float = 0.0
    swept_at: float = float("-inf")

    def turn(self) -> bool:
        """Returns whether something was written."""
        now = time.monotonic()
        if now - self.swept_at > _SWEEP_S:
            self.swept_at = now
            sweep()
        if now - self.passed_at < self.took_s * _SHARE or not self._due(now):
            return False
        try:
            done = copy_pass()
        except DatabaseError:  # another writer was quicker
            log.info("a pass of the population was overtaken")
            return False
        self.passed_at, self.took_s = time.monotonic(), time.monotonic() - now
        self._tell(done)
        return done.chunks > 0

    def _due(self, now: float) -> bool:
        if not PopulationState.objects.filter(pk=1).exclude(built_at=None).exists():
            return True
        if now - self.passed_at >= _LOOK_S:
            return True
        seen: Status = status()
        return seen.waiting >= _MANY or seen.lag_s >= _AGE_S

    def _tell(self, done: Passed) -> None:
        lane_note("population", chunks=done.chunks, contacts=done.contacts, seconds=round(self.took_s, 1))


async def run_population(stop: asyncio.Event) -> None:
    await keep_turning(Lane().turn, stop, rest_s=_REST_S)
